"""Bought a product: any or all, earlier purchases by a tick, the deadline, and who is woken (J4, J5, J6)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from recoup.processes.engine.codes import Code
from recoup.processes.engine.compiled import Graph
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Purchase
from tests.processes.worlds import PLACED, arrival, document, graph_of, hours, paid, sent_at, shop_with, told

DAYS = timedelta(days=1)
LEFT = {"n2": {"t": "end"}, "n3": {"t": "end"}}


def asking(**on: Any) -> dict[str, Any]:
    """Return a process that waits two days for a purchase."""
    earlier = on.pop("earlier", True)
    event = {"e": "product.bought", "products": ["soap"], **on}
    until = {"t": "until", "on": event, "within": "P2D", "earlier": earlier, "out": {"yes": "n2", "no": "n3"}}
    return document({"n1": until, **LEFT})


def bought(at: datetime, *products: str, learnt_at: datetime | None = None, contact_id: int = 11) -> Purchase:
    """Return a purchase of the person who is asked about, or of another."""
    return Purchase(learnt_at or at, contact_id, products, at)


def answer(raw: dict[str, Any], *news: Purchase) -> tuple[Code, datetime]:
    """Return what was decided, and at which instant."""
    store = shop_with(compile_graph(load_process(raw)))
    Simulator(store, [*news, arrival(PLACED)]).run(PLACED + 30 * DAYS)
    _, code, at = told(store)[0]
    return code, at


def test_a_purchase_in_time_is_a_yes_at_its_own_instant() -> None:
    assert answer(asking(), bought(PLACED + hours(5), "soap")) == (Code.YES, PLACED + hours(5))


def test_nothing_bought_in_two_days_is_a_no_at_the_deadline() -> None:
    assert answer(asking(), bought(PLACED + hours(1), "wax")) == (Code.NO, PLACED + 2 * DAYS)
    assert answer(asking(), bought(PLACED + hours(1), "soap", contact_id=12)) == (Code.NO, PLACED + 2 * DAYS)


def test_a_purchase_at_the_very_second_of_the_deadline_is_a_yes_and_later_a_no() -> None:
    assert answer(asking(), bought(PLACED + 2 * DAYS, "soap"))[0] is Code.YES
    assert answer(asking(), bought(PLACED + 2 * DAYS + timedelta(seconds=1), "soap"))[0] is Code.NO


def test_earlier_purchases_count_by_the_tick_alone() -> None:
    before = bought(PLACED - 10 * DAYS, "soap")

    assert answer(asking(), before) == (Code.YES, PLACED)
    assert answer(asking(earlier=False), before) == (Code.NO, PLACED + 2 * DAYS)
    assert answer(asking(earlier=False), before, bought(PLACED + hours(3), "soap")) == (
        Code.YES,
        PLACED + hours(3),
    )


def test_any_of_several_is_enough_and_all_need_the_last() -> None:
    first, second = bought(PLACED + hours(1), "soap"), bought(PLACED + hours(9), "wax")
    both = ["soap", "wax"]

    assert answer(asking(products=both), first, second) == (Code.YES, PLACED + hours(1))
    assert answer(asking(products=both, match="all"), first, second) == (Code.YES, PLACED + hours(9))
    assert answer(asking(products=both, match="all"), first)[0] is Code.NO


def test_a_purchase_that_we_learn_of_late_still_counts_from_when_it_was_made() -> None:
    late = bought(PLACED + hours(1), "soap", learnt_at=PLACED + hours(40))

    assert answer(asking(), late) == (Code.YES, PLACED + hours(1))


@pytest.mark.parametrize(
    "on",
    [
        {"e": "product.bought"},
        {"e": "order.paid", "products": ["soap"]},
        {"e": "product.bought", "products": []},
    ],
)
def test_a_question_about_a_purchase_names_its_products(on: dict[str, Any]) -> None:
    raw = asking()
    raw["nodes"]["n1"]["on"] = on

    with pytest.raises(InvalidProcess) as refused:
        load_process(raw)

    assert [problem.code for problem in refused.value.problems] == ["event_and_products"]


def thanks_or_reminder(**on: object) -> Graph:
    """Return: bought within two days? yes, thanks; no, a reminder. The payment of the order ends it."""
    event = {"e": "product.bought", "products": ["soap"], **on}
    return graph_of(
        {
            "n1": {"t": "until", "on": event, "within": "P2D", "out": {"yes": "n2", "no": "n4"}},
            "n2": {"t": "send", "template": "thanks", "purpose": "thanks", "out": {"done": "n3"}},
            "n3": {"t": "end"},
            "n4": {"t": "send", "template": "reminder", "out": {"done": "n5"}},
            "n5": {"t": "end"},
        }
    )


@pytest.mark.parametrize("is_bought_first", [True, False])
def test_the_payment_that_buys_it_is_the_yes_and_not_the_end(*, is_bought_first: bool) -> None:
    store, at = shop_with(thanks_or_reminder()), PLACED + hours(5)
    news = [bought(at, "soap"), paid(at)]

    Simulator(store, [arrival(PLACED), *(news if is_bought_first else reversed(news))]).run(PLACED + 9 * DAYS)

    assert sent_at(store) == [("thanks", at)]
    assert told(store) == [("n1", Code.YES, at), ("n2", Code.QUEUED, at), ("n3", Code.COMPLETED, at)]


def test_a_payment_for_something_else_ends_it() -> None:
    store, at = shop_with(thanks_or_reminder()), PLACED + hours(5)

    Simulator(store, [arrival(PLACED), bought(at, "wax"), paid(at)]).run(PLACED + 9 * DAYS)

    assert told(store) == [("n1", Code.GOAL_PAID, at)]


def test_who_bought_it_otherwise_is_still_ended_by_the_payment() -> None:
    graph = graph_of(
        {
            "n1": {"t": "until", "on": {"e": "product.bought", "products": ["soap"]}, "within": "P2D",
                   "out": {"yes": "n2", "no": "n3"}},
            "n2": {"t": "wait", "for": "P3D", "out": {"next": "n3"}},
            "n3": {"t": "end"},
        }
    )  # fmt: skip
    store = shop_with(graph)

    Simulator(store, [arrival(PLACED), bought(PLACED + hours(5), "soap"), paid(PLACED + hours(9))]).run(
        PLACED + 9 * DAYS
    )

    assert told(store) == [("n1", Code.YES, PLACED + hours(5)), ("n2", Code.GOAL_PAID, PLACED + hours(9))]


def test_a_late_worker_sees_the_payment_that_buys_it_too() -> None:
    store, at = shop_with(thanks_or_reminder()), PLACED + hours(5)

    Simulator(store, [arrival(PLACED), bought(at, "soap"), paid(at)], lag=lambda _: hours(60)).run(
        PLACED + 9 * DAYS
    )

    assert told(store)[0] == ("n1", Code.YES, at)
