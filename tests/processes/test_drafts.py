"""Drafts: created, changed by two people, taken back, published, thrown away (J1, J8, J9)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.core.models import Activity
from recoup.messaging.models import MessageSource
from recoup.processes.actions import ProcessMoveNotAllowed, set_status
from recoup.processes.drafts import (
    MOST_REVISIONS,
    DraftChanged,
    DraftState,
    Lock,
    NameRefused,
    NothingToUndo,
    create_process,
    discard_draft,
    draft_of,
    has_changes,
    move_draft,
    publish_draft,
    save_draft,
    used_ids,
)
from recoup.processes.entering import enrol_cases
from recoup.processes.graph.comparing import Changes
from recoup.processes.graph.editing import Way, insert, remove
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.models import DraftRevision, Enrolment, Process, ProcessDraft, ProcessVersion
from recoup.processes.publishing import preview_of_publish
from recoup.processes.shipped import shipped_process
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
ANNA, BORIS = Actor("person", 1), Actor("person", 2)
WAIT: dict[str, Any] = {"t": "wait", "for": "PT1H"}
WAITING = {"n1": {"t": "wait", "for": "PT24H", "out": {"next": "n2"}}, "n2": {"t": "end"}}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop()


def saved(process: Process, doc: dict[str, Any], actor: Actor = ANNA, lock: Lock | None = None) -> DraftState:
    return save_draft(process, doc, lock=lock or draft_of(process).lock, actor=actor, now=NOW)


def with_wait(process: Process) -> dict[str, Any]:
    return insert(draft_of(process).doc, Way(), WAIT, used=used_ids(process))[0]


def test_a_new_process_is_a_draft_that_sends_nothing(shop: Shop) -> None:
    process = create_process(shop, name="  Call   them ", actor=ANNA, now=NOW)

    assert (process.name, process.status, process.current_version) == ("Call them", "draft", None)
    assert process.message_source.state == MessageSource.State.STOPPED
    assert draft_of(process).doc == {
        "schema": 1,
        "name": "Call them",
        "entry": {"on": "order.unpaid", "first": "n1"},
        "goals": [{"on": "order.paid"}],
        "nodes": {"n1": {"t": "end"}},
    }
    with pytest.raises(ProcessMoveNotAllowed):
        set_status(process, "live", actor=ANNA, now=NOW)


def test_a_new_process_starts_from_a_shipped_one(shop: Shop) -> None:
    start = shipped_process("unpaid_order").as_json()

    process = create_process(shop, name="Mine", start=start, actor=ANNA, now=NOW)

    assert draft_of(process).doc == {**start, "name": "Mine"}


@pytest.mark.parametrize(
    ("name", "code"), [(" ", "missing"), ("x" * 121, "too_long"), ("unpaid ORDER", "taken")]
)
def test_a_process_needs_a_name_of_its_own(shop: Shop, name: str, code: str) -> None:
    make_process(shop, name="Unpaid order")

    with pytest.raises(NameRefused) as refused:
        create_process(shop, name=name, actor=ANNA, now=NOW)

    assert refused.value.code == code
    assert Process.objects.count() == 1


def test_a_change_makes_a_draft_and_leaves_the_version_alone(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    doc = with_wait(process)

    state = saved(process, doc)

    assert (state.doc, state.changed_by, state.can_undo) == (doc, 1, True)
    assert ProcessVersion.objects.get(process=process).doc["nodes"] == WAITING


def test_saving_what_is_there_changes_nothing(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)

    assert not saved(process, draft_of(process).doc).is_stored
    state = saved(process, with_wait(process))
    assert saved(process, state.doc) == state
    assert DraftRevision.objects.count() == 2


def test_the_second_of_two_people_is_told_what_the_first_changed(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    seen = draft_of(process)
    first = saved(process, with_wait(process), ANNA)

    with pytest.raises(DraftChanged) as refused:
        saved(process, {**seen.doc, "name": "Other"}, BORIS, seen.lock)

    assert refused.value.changes == Changes(added=("n3",))
    assert refused.value.now == first == draft_of(process)


def test_whoever_looked_at_the_version_before_is_told_what_was_published_since(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    seen = draft_of(process)
    longer = {"n1": {"t": "wait", "for": "PT72H", "out": {"next": "n2"}}, "n2": {"t": "end"}}
    theirs = saved(process, {**seen.doc, "nodes": longer}, BORIS)
    version = publish_draft(process, lock=theirs.lock, actor=BORIS, now=NOW)

    with pytest.raises(DraftChanged) as refused:
        saved(process, {**seen.doc, "name": "Other"}, ANNA, seen.lock)

    assert (refused.value.now.doc, refused.value.now.changed_by) == (version.doc, BORIS.id)
    assert refused.value.changes == Changes(changed=("n1",))
    assert not ProcessDraft.objects.exists()
    with pytest.raises(DraftChanged):
        publish_draft(process, lock=seen.lock, actor=ANNA, now=NOW)


def test_what_is_no_process_is_not_kept(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)

    with pytest.raises(InvalidProcess):
        saved(process, {**draft_of(process).doc, "nodes": {"n1": {"t": "dance"}}})

    assert not ProcessDraft.objects.exists()


def test_steps_are_taken_back_and_again(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    before = draft_of(process).doc
    after = saved(process, with_wait(process))

    undone = move_draft(process, steps=-1, lock=after.lock, actor=ANNA, now=NOW)
    assert (undone.doc, undone.can_undo, undone.can_redo) == (before, False, True)
    redone = move_draft(process, steps=1, lock=undone.lock, actor=ANNA, now=NOW)
    assert (redone.doc, redone.can_undo, redone.can_redo) == (after.doc, True, False)
    with pytest.raises(NothingToUndo):
        move_draft(process, steps=1, lock=redone.lock, actor=ANNA, now=NOW)


def test_a_change_after_undoing_forgets_what_was_undone(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    after = saved(process, with_wait(process))
    move_draft(process, steps=-1, lock=after.lock, actor=ANNA, now=NOW)

    assert not saved(process, {**draft_of(process).doc, "name": "Other"}).can_redo


def test_only_the_last_states_are_kept(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    for number in range(MOST_REVISIONS + 3):
        saved(process, {**draft_of(process).doc, "name": f"Name {number}"})

    assert DraftRevision.objects.count() == MOST_REVISIONS


def test_publishing_makes_the_next_version_and_those_inside_stay(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    state = saved(process, {**with_wait(process), "name": "Renamed"})

    preview = preview_of_publish(process, state.doc, now=NOW)
    version = publish_draft(process, lock=state.lock, actor=ANNA, now=NOW)

    assert (preview.number, preview.inside, preview.problems) == (2, ((1, 1),), [])
    assert preview.changes == Changes(added=("n3",), has_other_name=True)
    assert (version.number, version.doc, version.node_map) == (2, state.doc, {"n1": 1, "n2": 2, "n3": 3})
    assert Enrolment.objects.get().version != version
    assert not draft_of(Process.objects.get()).is_stored
    assert Process.objects.get().name == "Renamed"


def test_publishing_what_did_not_change_makes_no_version(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    saved(process, with_wait(process))
    back = remove(draft_of(process).doc, "n3")
    state = saved(process, back)

    assert publish_draft(process, lock=state.lock, actor=ANNA, now=NOW) == process.current_version
    assert ProcessVersion.objects.count() == 1
    assert not ProcessDraft.objects.exists()


def test_other_examples_make_no_version_and_are_seen_by_the_other_person(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    seen = draft_of(process)
    state = saved(process, {**seen.doc, "examples": [{"name": "Pays at once"}]})

    with pytest.raises(DraftChanged) as refused:
        saved(process, {**seen.doc, "name": "Other"}, BORIS, seen.lock)
    assert refused.value.changes == Changes(has_other_examples=True)
    assert not has_changes(process)
    assert publish_draft(process, lock=state.lock, actor=ANNA, now=NOW) == process.current_version
    assert draft_of(process) == state


def test_publishing_is_refused_with_every_problem(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    send = {"t": "send", "template": "no_such_text"}
    state = saved(process, {**insert(draft_of(process).doc, Way(), send)[0], "goals": []})

    with pytest.raises(InvalidProcess) as refused:
        publish_draft(process, lock=state.lock, actor=ANNA, now=NOW)

    assert [problem.code for problem in refused.value.problems] == [
        "reminder_without_payment_goal",
        "unknown_template",
    ]
    assert draft_of(process) == state


def test_an_unread_draft_is_not_published(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    saved(process, with_wait(process))

    with pytest.raises(DraftChanged):
        publish_draft(process, lock=Lock(), actor=BORIS, now=NOW)

    assert ProcessVersion.objects.count() == 1


def test_a_deleted_block_keeps_its_id_to_itself(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    publish_draft(process, lock=saved(process, with_wait(process)).lock, actor=ANNA, now=NOW)
    process.refresh_from_db()
    state = saved(process, remove(draft_of(process).doc, "n3"))
    publish_draft(process, lock=state.lock, actor=ANNA, now=NOW)

    assert insert(draft_of(process).doc, Way(), WAIT, used=used_ids(process))[1] == "n4"


def test_a_discarded_draft_leaves_the_published_version(shop: Shop) -> None:
    process = make_process(shop, nodes=WAITING)
    state = saved(process, with_wait(process))

    assert discard_draft(process, lock=state.lock, actor=ANNA, now=NOW)
    assert draft_of(process).doc["nodes"] == WAITING
    assert Activity.objects.filter(verb="processes.draft.discarded").count() == 1


def test_a_process_that_was_never_published_goes_with_its_draft(shop: Shop) -> None:
    process = create_process(shop, name="Mine", actor=ANNA, now=NOW)

    assert not discard_draft(process, lock=draft_of(process).lock, actor=ANNA, now=NOW)
    assert (Process.objects.count(), ProcessDraft.objects.count(), MessageSource.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("text", ["", "1", "x.y", "1.2.3", "٣.١", "9" * 20 + ".1"])
def test_a_lock_that_is_nonsense_fits_no_draft(text: str) -> None:
    assert Lock.read(text) == Lock(-1)
    assert Lock.read("3.14") == Lock(3, 14)
