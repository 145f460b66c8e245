"""Publishing with people inside, and moving them later, as a person sees it."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.customers.models import ContactTag
from recoup.processes import actions
from recoup.processes.drafts import draft_of, save_draft
from recoup.processes.entering import enrol_cases
from recoup.processes.graph.reading import read_document
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, LookAhead, Process, ProcessVersion, VersionMove
from recoup.processes.moving import ahead, moves
from recoup.processes.moving.passed import Passed, who_passed
from recoup.processes.moving.plan import Old
from recoup.shops.models import Shop
from recoup.web.views import editor_publish
from recoup.web.views import moving as views
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.factories.templates import make_template
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop(slug="lumen", name="Lumen Candles")


@pytest.fixture
def process(shop: Shop) -> Process:
    """Three people wait for their first reminder."""
    make_template(shop, key="first")
    process = make_process(shop, name="Gentle")
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW))) for _ in range(3)])
    Engine().run_once()
    return process


def text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def doc_of(process: Process, **n1: Any) -> dict[str, Any]:
    assert process.current_version is not None
    doc: dict[str, Any] = process.current_version.doc
    return doc | {"nodes": doc["nodes"] | {"n1": doc["nodes"]["n1"] | n1}}


def publish_now(process: Process, **n1: Any) -> None:
    actions.publish(process, read_document(doc_of(process, **n1)), actor=SYSTEM, now=NOW)


def edit(process: Process, **n1: Any) -> str:
    save_draft(process, doc_of(process, **n1), lock=draft_of(process).lock, actor=SYSTEM, now=NOW)
    return str(draft_of(process).lock)


def versions() -> set[int]:
    return set(Enrolment.objects.values_list("version__number", flat=True))


def test_the_page_of_publishing_says_who_is_inside_where_and_what_would_go_out(
    shop: Shop, process: Process
) -> None:
    edit(process, **{"for": "PT20H"})

    page = sign_in(shop).get(f"/s/lumen/processes/{process.pk}/publish/").content.decode()

    assert "3 people are on version 1." in text(page)
    assert "3 people, version 1" in text(page)
    assert "0 messages in the next hour · 3 messages in 24 hours" in text(page)


def test_showing_what_would_go_out_publishes_nothing(shop: Shop, process: Process) -> None:
    lock = edit(process, **{"for": "PT20M"})
    posted = {"lock": lock, "do": "look", "how": "move", "due": "recompute", "at_n1": "same"}

    page = text(sign_in(shop).post(f"/s/lumen/processes/{process.pk}/publish/", posted).content.decode())

    assert "3 messages in the next hour · 3 messages in 24 hours" in page
    assert "If everybody stayed on their version: 0 in the next hour, 3 in 24 hours." in page
    assert "3 people are moved." in page
    assert (ProcessVersion.objects.count(), VersionMove.objects.count(), versions()) == (1, 0, {1})


@pytest.mark.parametrize(("how", "moved"), [("move", {2}), ("stay", {1})])
def test_publishing_moves_those_inside_as_chosen(
    shop: Shop, process: Process, how: str, moved: set[int]
) -> None:
    posted = {"lock": edit(process, **{"for": "PT20H"}), "how": how, "due": "keep", "at_n1": "same"}

    answer = sign_in(shop).post(f"/s/lumen/processes/{process.pk}/publish/", posted)
    while moves.run_waiting():
        pass

    assert (answer.status_code, versions()) == (303, moved)


def test_a_choice_that_is_none_publishes_nothing(shop: Shop, process: Process) -> None:
    posted = {"lock": edit(process, **{"for": "PT20H"}), "how": "move", "due": "keep", "at_n1": "to:n9"}

    answer = sign_in(shop).post(f"/s/lumen/processes/{process.pk}/publish/", posted)

    assert (answer.status_code, ProcessVersion.objects.count()) == (422, 1)


def test_many_people_are_looked_at_by_the_worker(
    shop: Shop, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (ahead, views, editor_publish):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    client, url = sign_in(shop), f"/s/lumen/processes/{process.pk}/publish/"
    posted = {
        "lock": edit(process, **{"for": "PT20H"}),
        "do": "look",
        "how": "move",
        "due": "keep",
        "at_n1": "same",
    }
    assert "Many people are inside, so this takes a moment." in text(client.get(url).content.decode())

    to = client.post(url, posted).headers["Location"]

    assert "0 of 3" in text(client.get(to).content.decode())
    while ahead.run_waiting():
        pass
    page = client.get(to).content.decode()
    assert "3 people are moved." in text(page)
    assert re.search(r'value="move"[^>]* checked', page)
    assert LookAhead.objects.get().state == "done"


def move_page(client: Client, process: Process) -> str:
    return text(client.get(f"/s/lumen/processes/{process.pk}/move/").content.decode())


def test_those_on_older_versions_are_named_and_moved_later(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    assert "Nobody is on an older version" in move_page(client, process)
    publish_now(process, **{"for": "PT20H"})
    page = text(client.get(f"/s/lumen/processes/{process.pk}/").content.decode())
    assert "3 people are still on older versions (1)." in page
    assert "3 people, version 1" in move_page(client, process)

    answer = client.post(
        f"/s/lumen/processes/{process.pk}/move/", {"due": "keep", "at_n1": "same", "do": "move"}
    )

    progress = answer.headers["Location"]
    assert "0 people moved" in text(client.get(progress).content.decode())
    while moves.run_waiting():
        pass
    assert "Done. 3 people moved" in text(client.get(progress).content.decode())
    assert versions() == {2}


def test_a_move_is_ended_by_a_person_once(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    publish_now(process, **{"for": "PT20H"})
    client.post(f"/s/lumen/processes/{process.pk}/move/", {"due": "keep", "at_n1": "same", "do": "move"})
    one = VersionMove.objects.get()

    for _ in range(2):
        client.post(f"/s/lumen/processes/{process.pk}/moves/{one.pk}/cancel/")

    one.refresh_from_db()
    page = text(client.get(f"/s/lumen/processes/{process.pk}/moves/{one.pk}/").content.decode())
    assert (one.state, "Ended before all were moved." in page, versions()) == ("cancelled", True, {1})
    assert moves.run_waiting() == 0


def test_who_would_be_moved_nowhere_is_said(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    publish_now(process, **{"for": "PT20H"})

    answer = client.post(
        f"/s/lumen/processes/{process.pk}/move/", {"due": "keep", "at_n1": "stay", "do": "move"}, follow=True
    )

    assert "Nobody would be moved like this." in text(answer.content.decode())
    assert VersionMove.objects.count() == 0


def test_a_process_that_is_published_and_does_not_run_says_so(shop: Shop, process: Process) -> None:
    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW + DAY)

    page = text(sign_in(shop).get(f"/s/lumen/processes/{process.pk}/").content.decode())

    assert "It is published and does not run: nobody enters." in page


def add_before_the_wait(process: Process) -> str:
    """Put a tag before the first wait into the draft; return its lock."""
    doc = doc_of(process)
    doc |= {"entry": doc["entry"] | {"first": "n7"}}
    doc["nodes"] = doc["nodes"] | {"n7": {"t": "tag", "add": ["vip"], "out": {"next": "n1"}}}
    save_draft(process, doc, lock=draft_of(process).lock, actor=SYSTEM, now=NOW)
    return str(draft_of(process).lock)


def test_no_line_is_looked_for_of_a_step_that_was_never_published(
    shop: Shop, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_before_the_wait(process)
    nodes: list[int] = []

    def who(process: Process, places: Mapping[str, Sequence[Old]], node: int) -> Passed:
        nodes.append(node)
        return who_passed(process, places, node)

    monkeypatch.setattr("recoup.web.shown.moving.who_passed", who)

    page = text(sign_in(shop).get(f"/s/lumen/processes/{process.pk}/publish/").content.decode())

    assert ("3 people have passed its place: " in page, nodes) == (True, [-1])


def test_an_added_step_is_offered_to_those_who_passed_by_name(shop: Shop, process: Process) -> None:
    client, url = sign_in(shop), f"/s/lumen/processes/{process.pk}/publish/"
    posted = {"lock": add_before_the_wait(process), "due": "keep", "at_n1": "same", "also_n7": "on"}

    page = text(client.get(url).content.decode())
    stays = client.post(url, posted | {"how": "stay"})
    answer = client.post(url, posted | {"how": "move"})
    while moves.run_waiting():
        pass
    Engine().run_once()

    assert "also for those who passed" in page
    assert "3 people have passed its place: " in page
    assert stays.status_code == 422
    assert "has to be moved to the new version" in stays.content.decode()
    assert (answer.status_code, versions()) == (303, {2})
    assert ContactTag.objects.count() == 3
    assert set(Enrolment.objects.values_list("due_at", flat=True)) == {NOW + DAY}
    assert "also for those who passed" not in text(client.get(url).content.decode())


def test_a_look_keeps_what_was_chosen_for_those_who_passed(
    shop: Shop, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (ahead, views, editor_publish):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    client, url = sign_in(shop), f"/s/lumen/processes/{process.pk}/publish/"
    posted = {"lock": add_before_the_wait(process), "due": "keep", "at_n1": "same", "also_n7": "on"}

    answer = client.post(url, posted | {"how": "move", "do": "look"})
    page = client.get(answer["Location"]).content.decode()

    assert re.search(r'<input[^>]*name="also_n7"[^>]*checked', page)
    assert LookAhead.objects.get().plan["choices"]["n1"] == "also:n7"
