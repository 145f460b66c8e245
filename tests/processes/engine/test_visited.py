"""Came to a page: by whichever message or straight, since the block or since entering, the page that is meant (D14)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from recoup.processes.engine.codes import Code
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Coming, Lane, News, Visit
from tests.processes.worlds import CONTACT, ORDER, PLACED, arrival, document, graph_of, hours, shop_with, told

DAYS = timedelta(days=1)


def asking(within: str = "P2D", *, earlier: bool = True, **on: Any) -> dict[str, Any]:
    """Return blocks that write to somebody and wait for them to come to a page; each is an hour after the one before."""
    event = {"e": "page.visited", **on}
    return {
        "n1": {"t": "wait", "for": "PT1H", "out": {"next": "n2"}},
        "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
        "n3": {"t": "wait", "for": "PT1H", "out": {"next": "n4"}},
        "n4": {
            "t": "until",
            "on": event,
            "within": within,
            "earlier": earlier,
            "out": {"yes": "n5", "no": "n5"},
        },
        "n5": {"t": "end"},
    }


def came(at: datetime, page: str = "pay", *, subject_id: int = 1, contact_id: int = 11) -> Coming:
    """Return a visit of the person, or of somebody else."""
    return Coming(at, ORDER, subject_id, contact_id, page)


def answer(nodes: dict[str, Any], *news: News) -> tuple[Code, datetime]:
    """Return what was decided, and at which instant."""
    store = shop_with(graph_of(nodes))
    Simulator(store, [*news, arrival(PLACED)]).run(PLACED + 30 * DAYS)
    return next((code, at) for node, code, at in told(store) if node == "n4")


BEGINS = PLACED + hours(2)


@pytest.mark.parametrize(
    ("visits", "counted"),
    [
        ([came(BEGINS + hours(3))], BEGINS + hours(3)),
        ([came(BEGINS + hours(3), "cart")], BEGINS + hours(3)),
        ([came(BEGINS + 2 * DAYS)], BEGINS + 2 * DAYS),  # the very last second
        ([came(BEGINS + 2 * DAYS + timedelta(seconds=1))], None),
        ([came(PLACED + hours(1.5))], BEGINS),  # since they entered
        ([came(PLACED - hours(1))], None),  # before
        ([came(BEGINS + hours(1), "out")], None),  # came to leave
        ([came(BEGINS + hours(1), subject_id=2, contact_id=11)], None),  # about another order of theirs
        # Who follows the link of a message has come, too.
        ([Visit(PLACED + hours(6), ORDER, 1, "n2", is_click=True)], PLACED + hours(6)),
        ([Visit(PLACED + hours(6), ORDER, 1, "n2")], None),  # opened is not come
    ],
)
def test_a_visit_counts_once_they_are_in_and_until_the_deadline(
    visits: list[News], counted: datetime | None
) -> None:
    expected = (Code.NO, BEGINS + 2 * DAYS) if counted is None else (Code.YES, counted)

    assert answer(asking(), *visits) == expected


def test_without_the_tick_only_visits_from_the_block_on_count() -> None:
    before, after = came(BEGINS - hours(0.5)), came(BEGINS + hours(5))

    assert answer(asking(earlier=False), before)[0] is Code.NO
    assert answer(asking(earlier=False), before, after) == (Code.YES, BEGINS + hours(5))


def test_whoever_never_got_the_mail_has_not_stayed_away() -> None:
    nodes = asking(ref="n2")
    nodes["n2"]["not_after"] = "PT1S"
    nodes["n4"]["out"]["unsent"] = "n5"
    straight = came(PLACED + hours(1.5))
    late = Lane(lag=hours(1))
    told_of = {}
    for lane, visits in ((Lane(), []), (late, []), (late, [straight])):
        store = shop_with(graph_of(nodes))
        Simulator(store, [*visits, arrival(PLACED)], lane=lane).run(PLACED + 30 * DAYS)
        told_of[lane is late, bool(visits)] = next(code for node, code, _ in told(store) if node == "n4")

    assert told_of == {(False, False): Code.NO, (True, False): Code.NOT_SENT, (True, True): Code.YES}


def test_the_page_that_is_meant_decides() -> None:
    out, pay = came(BEGINS + hours(1), "out"), came(BEGINS + hours(2), "pay")

    assert answer(asking(page="leave"), out, pay) == (Code.YES, BEGINS + hours(1))
    assert answer(asking(page="leave"), pay)[0] is Code.NO
    assert answer(asking(page="any"), out, pay) == (Code.YES, BEGINS + hours(1))


def test_a_process_about_a_person_hears_of_their_visits_about_anything() -> None:
    until = {
        "t": "until",
        "on": {"e": "page.visited"},
        "within": "P2D",
        "out": {"yes": "n2", "no": "n2"},
    }
    entry = {"on": "manual", "first": "n1"}
    store = shop_with(graph_of({"n1": until, "n2": {"t": "end"}}, entry=entry, goals=[]))
    come = arrival(PLACED, subject_kind=CONTACT, subject_id=11)

    Simulator(store, [come, came(PLACED + hours(3), subject_id=77)]).run(PLACED + 9 * DAYS)

    assert told(store)[0] == ("n1", Code.YES, PLACED + hours(3))


def test_only_a_question_about_a_visit_names_a_page() -> None:
    until = {
        "t": "until",
        "on": {"e": "order.paid", "page": "any"},
        "within": "P2D",
        "out": {"yes": "n2", "no": "n2"},
    }

    with pytest.raises(InvalidProcess) as refused:
        load_process(document({"n1": until, "n2": {"t": "end"}}))

    assert [problem.code for problem in refused.value.problems] == ["event_and_page"]
