"""The product inside an order is exchanged: who is let in by that, and whose reason to be in a process is gone (J3)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from recoup.processes.engine.codes import Code, Refusal, State
from recoup.processes.entering import Arrival, enrol
from recoup.processes.models import Enrolment, StepLog, TurnedAway
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind
from recoup.shops.snapshots import LineSnapshot, ShopState
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.processes import make_process
from tests.processes.backtest.real_shop import RealShop
from tests.processes.backtest.test_equal_to_life import backtested, order_of, real
from tests.processes.worlds import ORDER, PLACED, arrival, graph_of, hours, order_facts, shop_with, told

__all__ = ["real"]  # the fixture
pytestmark = pytest.mark.django_db

WANTS_CREAM = {"f": "order.products", "op": "has_any", "v": ["cream", "balm"]}
WAIT: dict[str, Any] = {"n1": {"t": "wait", "for": "P2D", "out": {"next": "n2"}}, "n2": {"t": "end"}}


def swap(real: RealShop, ref: str, at: datetime, *products: str, heard_at: datetime | None = None) -> None:
    """Let the shop exchange the goods of an order at an instant."""
    lines = tuple(LineSnapshot(one, one, Decimal(1), Decimal(100), Decimal(100)) for one in products)
    placed_at = NOW
    real.at(heard_at or at, real.place(ref, ref, placed_at, version_at=at, lines=lines))


def outcomes(real: RealShop, ref: str) -> list[tuple[Code, datetime]]:
    inside = Enrolment.objects.filter(process=real.process, subject_id=order_of(ref).pk)
    lines = StepLog.objects.filter(enrolment_id__in=inside.values("pk"))
    return [(Code(line.outcome), line.at) for line in lines.order_by("step_no")]


def test_orders_are_asked_again_when_their_goods_are_exchanged_live_and_in_a_backtest(real: RealShop) -> None:
    real.process = make_process(
        real.shop,
        nodes=WAIT,
        entry={"on": "order.placed", "if": {"all": [WANTS_CREAM, {"f": "order.total", "op": ">", "v": 50}]}},
    )
    for ref in ("gets", "loses", "changes", "returns", "late", "paid", "keeps"):
        product = "wax" if ref in ("gets", "returns", "paid") else "cream"
        real.at(NOW, real.place(ref, ref, NOW, product=product))
    real.at(NOW, real.place("at-once", "at-once", NOW, state=ShopState.PAID, paid_at=NOW))
    swap(real, "gets", NOW + 3 * HOUR, "wax", "cream")
    swap(real, "loses", NOW + 4 * HOUR, "wax")
    swap(real, "changes", NOW + 5 * HOUR, "balm")  # another of those that were chosen
    swap(real, "returns", NOW + 6 * HOUR, "cream")
    swap(real, "returns", NOW + 7 * HOUR, "wax")
    swap(real, "returns", NOW + 8 * HOUR, "cream")  # once for each order
    swap(real, "late", NOW + 9 * HOUR, "wax", heard_at=NOW + 12 * HOUR)
    real.at(NOW + HOUR, real.pay("paid", NOW + HOUR))
    swap(real, "paid", NOW + 10 * HOUR, "cream")
    until = NOW + 6 * DAY

    real.run(until)

    assert {
        ref: outcomes(real, ref) for ref in ("gets", "loses", "changes", "returns", "late", "paid", "keeps")
    } == {
        "gets": [(Code.COMPLETED, NOW + 3 * HOUR + 2 * DAY)],
        "loses": [(Code.LEFT_PRODUCT, NOW + 4 * HOUR)],
        "changes": [(Code.COMPLETED, NOW + 2 * DAY)],
        "returns": [(Code.LEFT_PRODUCT, NOW + 7 * HOUR)],
        "late": [(Code.LEFT_PRODUCT, NOW + 9 * HOUR)],
        "paid": [],
        "keeps": [(Code.COMPLETED, NOW + 2 * DAY)],
    }
    refused = TurnedAway.objects.filter(process_id=real.process.pk, subject_id=order_of("at-once").pk)
    assert [line.code for line in refused] == [Refusal.PAID]
    assert backtested(real, until) == real.journal()


def test_orders_whose_case_is_open_come_by_a_product_for_unpaid_ones(real: RealShop) -> None:
    real.process = make_process(
        real.shop, nodes=WAIT, entry={"if": WANTS_CREAM, "reentry": "again_after", "again_after": "PT1H"}
    )
    for ref in ("open", "early", "wavers"):
        real.at(NOW, real.place(ref, ref, NOW, product="cream" if ref == "wavers" else "wax"))
    swap(real, "early", NOW + 2 * HOUR, "cream")  # before it is found unpaid: it enters with its case
    swap(real, "open", NOW + 30 * HOUR, "cream")
    swap(real, "wavers", NOW + 31 * HOUR, "wax")
    swap(real, "wavers", NOW + 40 * HOUR, "cream")  # the pause is over, but it is the same order
    until = NOW + 6 * DAY

    real.run(until)

    assert [code for code, _ in outcomes(real, "early")] == [Code.COMPLETED]  # since its case was opened
    assert [outcomes(real, ref) for ref in ("open", "wavers")] == [
        [(Code.COMPLETED, NOW + 30 * HOUR + 2 * DAY)],
        [(Code.LEFT_PRODUCT, NOW + 31 * HOUR)],
    ]
    assert backtested(real, until) == real.journal()


def test_who_was_put_in_without_the_product_has_lost_nothing(real: RealShop) -> None:
    real.process = make_process(real.shop, nodes=WAIT, entry={"on": "order.placed", "if": WANTS_CREAM})
    real.at(NOW, real.place("by-hand", "by-hand", NOW, product="wax"))
    real.at(NOW + HOUR, lambda now: _put_in(real, "by-hand", now))
    swap(real, "by-hand", NOW + 2 * HOUR, "soap")

    real.run(NOW + 3 * DAY)

    assert [code for code, _ in outcomes(real, "by-hand")] == [Code.COMPLETED]


def _put_in(real: RealShop, ref: str, now: datetime) -> None:
    order = order_of(ref)
    enrol(
        [Arrival("", real.shop.pk, order.contact_id or 0, "order", order.pk, now, process_id=real.process.pk)]
    )


def swapped(at: datetime, *products: str) -> Change:
    return Change(at, ORDER, 1, ChangeKind.SWAPPED, at - 5 * MINUTE, products=products)


@pytest.mark.parametrize(
    ("entry", "changes", "ends"),
    [
        ({}, [swapped(PLACED + hours(3), "wax")], [("n1", Code.LEFT_PRODUCT, PLACED + hours(3) - 5 * MINUTE)]),
        ({"swapped": "go_on"}, [swapped(PLACED + hours(3), "wax")], [("n2", Code.COMPLETED, PLACED + hours(48))]),
        # Paid before: that ends it, whatever becomes of the goods since.
        (
            {},
            [
                Change(PLACED + hours(3), ORDER, 1, ChangeKind.PAID, PLACED + hours(1)),
                swapped(PLACED + hours(3), "wax"),
            ],
            [("n1", Code.GOAL_PAID, PLACED + hours(1))],
        ),
        # Of what must hold beside, nothing is asked again.
        ({"if": {"any": [WANTS_CREAM, {"f": "order.total", "op": ">", "v": 1}]}}, [swapped(PLACED + hours(3))],
         [("n2", Code.COMPLETED, PLACED + hours(48))]),
    ],
)  # fmt: skip
def test_a_process_ends_without_its_product_unless_its_version_says_to_go_on(
    entry: dict[str, Any], changes: list[Change], ends: list[Any]
) -> None:
    whole = {"on": "order.placed", "first": "n1", "if": WANTS_CREAM, **entry}
    store = shop_with(graph_of(WAIT, entry=whole))

    Simulator(store, [arrival(PLACED, order_facts(products=("cream",))), *changes]).run(PLACED + hours(99))

    assert told(store) == ends
    assert all(one.state >= State.COMPLETED for one in store.enrolments.values())
