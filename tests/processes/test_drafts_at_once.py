"""Two people who save, publish or create at the same moment: one of them is told."""

from collections.abc import Iterator

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.processes.drafts import (
    DraftChanged,
    DraftState,
    NameRefused,
    create_process,
    draft_of,
    publish_draft,
    save_draft,
)
from recoup.processes.models import Process, ProcessDraft, ProcessVersion
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.support.together import together

ANNA, BORIS = Actor("person", 1), Actor("person", 2)
BRIEF = {"n1": {"t": "tag", "add": ["seen"], "out": {"next": "n2"}}, "n2": {"t": "end"}}


@pytest.fixture
def process(transactional_db: None) -> Iterator[Process]:
    with scopes_disabled():
        set_clock(NOW)
        yield make_process(make_shop(), nodes=BRIEF)


def test_the_first_change_is_made_once(process: Process) -> None:
    state = draft_of(process)

    outcomes = together(
        [
            lambda: save_draft(process, {**state.doc, "name": "A"}, lock=state.lock, actor=ANNA, now=NOW),
            lambda: save_draft(process, {**state.doc, "name": "B"}, lock=state.lock, actor=BORIS, now=NOW),
        ]
    )

    kept = [outcome for outcome in outcomes if isinstance(outcome, DraftState)]
    assert [type(outcome) for outcome in outcomes if outcome not in kept] == [DraftChanged]
    assert [ProcessDraft.objects.get().doc] == [state.doc for state in kept]


def test_a_draft_is_published_once(process: Process) -> None:
    changed = {**draft_of(process).doc, "goals": []}
    state = save_draft(process, changed, lock=draft_of(process).lock, actor=ANNA, now=NOW)

    together([lambda: publish_draft(process, lock=state.lock, actor=ANNA, now=NOW)] * 2)

    assert list(ProcessVersion.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_a_name_is_given_once(process: Process) -> None:
    outcomes = together(
        [lambda: create_process(process.shop, name="Same", actor=ANNA, now=NOW)] * 2,
    )

    assert [type(outcome) for outcome in outcomes if not isinstance(outcome, Process)] == [NameRefused]
    assert Process.objects.filter(name="Same").count() == 1


def test_a_name_is_taken_once_by_publishing(process: Process) -> None:
    two = [process, make_process(process.shop, name="Another", nodes=BRIEF)]
    states = [
        save_draft(
            one,
            {**draft_of(one).doc, "name": "Same", "goals": []},
            lock=draft_of(one).lock,
            actor=ANNA,
            now=NOW,
        )
        for one in two
    ]

    outcomes = together(
        [
            lambda: publish_draft(two[0], lock=states[0].lock, actor=ANNA, now=NOW),
            lambda: publish_draft(two[1], lock=states[1].lock, actor=BORIS, now=NOW),
        ]
    )

    refused = [outcome for outcome in outcomes if not isinstance(outcome, ProcessVersion)]
    assert [type(outcome) for outcome in refused] == [NameRefused]
    assert Process.objects.filter(name="Same").count() == 1
