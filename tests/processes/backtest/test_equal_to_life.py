"""A live run on a moved clock and its back-test give identical ledgers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup import flow
from recoup.core import links, outbox
from recoup.core.activity import Actor
from recoup.messaging.tracking import note_visits, record_straight_visit
from recoup.orders.carts import record_cart
from recoup.orders.holds import pause_reminders, promise_payment, resume_reminders
from recoup.orders.models import Order
from recoup.orders.status import change_status
from recoup.processes.backtest import telling
from recoup.processes.backtest.running import Plan, run_backtest
from recoup.processes.backtest.sending import Letter, PlainSending
from recoup.processes.backtest.shop import PastShop
from recoup.processes.engine.codes import Code
from recoup.processes.engine.records import Facts
from recoup.processes.memory_rows import Line
from recoup.processes.models import Process
from recoup.processes.versions import graph_of
from recoup.shops.snapshots import AttemptState, CartSnapshot, LineSnapshot, PersonSnapshot, ShopState
from recoup.storefront.by_hand import make_pay_link
from tests.factories.messages import make_lane
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.offers import make_settings
from tests.factories.processes import make_process
from tests.factories.shops import make_shop, make_source, make_waiting_time
from tests.processes.backtest.real_shop import LAG, RealShop

pytestmark = pytest.mark.django_db

NODES = {
    "n1": {"t": "if", "if": {"f": "order.amount_due", "op": ">=", "v": 80}, "out": {"yes": "n2", "no": "n9"}},
    "n2": {"t": "split", "arms": [{"id": "a", "w": 50}, {"id": "b", "w": 50}], "out": {"a": "n3", "b": "n4"}},
    "n3": {"t": "wait", "for": "PT26H", "out": {"next": "n5"}},
    "n4": {"t": "wait", "for": "PT30H", "at": "10:00", "out": {"next": "n5"}},
    "n5": {"t": "send", "template": "first", "out": {"done": "n6", "failed": "n9"}},
    "n6": {
        "t": "until",
        "on": {"e": "product.bought", "products": ["book"]},
        "within": "P1D",
        "out": {"yes": "n9", "no": "n7"},
    },
    "n7": {"t": "send", "template": "second", "not_after": "PT6H", "out": {"done": "n8"}},
    "n8": {"t": "wait", "for": "P2D", "out": {"next": "n9"}},
    "n9": {"t": "end"},
}
GOALS = [
    {"on": "order.paid"},
    {"on": "order.cancelled"},
    {"on": "contact.ordered_again"},
    {"on": "case.closed"},
]
STAFF = Actor("person", 1)


@dataclass
class Recorded(PlainSending):
    """The sender as it really was."""

    ends: dict[tuple[int, int, int], int] = field(default_factory=dict)
    lag: timedelta = LAG

    def decide(self, letter: Letter, facts: Facts, now: datetime) -> Code | datetime:  # noqa: ARG002 - of the protocol
        end = self.ends.get((letter.subject_kind, letter.subject_id, letter.effect.step_no))
        return now + DAY if end is None else Code(end)


@dataclass
class Journal:
    """Gathers the ledgers of all pages."""

    lines: list[Line] = field(default_factory=list)

    def look(self, shop: PastShop) -> None:
        self.lines += shop.journal()


@pytest.fixture
def real() -> Iterator[RealShop]:
    outbox.set_routes(flow.ROUTES)
    # Who is held out and which way somebody takes hangs on their number: the same people in every run.
    with connection.cursor() as cursor:
        for table in ("customers_contact", "orders_order", "orders_cart"):
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH 1")
    with scopes_disabled():
        shop = make_shop(time_zone="Europe/Warsaw")
        make_lane(shop)
        make_waiting_time(shop, method="transfer", minutes=3 * 24 * 60)
        process = make_process(shop, nodes=NODES, goals=GOALS, entry={"anchor": "placed_at"}, holdout_bp=1500)
        yield RealShop(
            shop, make_source(shop), process, fate=lambda order, step: FATES[(order * 5 + step) % len(FATES)]
        )


FATES = (Code.SENT, Code.SENT, Code.SENT, Code.FAILED_REFUSED, Code.SENT, Code.UNCERTAIN, Code.SENT)


def plan_of(process: Process, *, until: datetime) -> Plan:
    version = process.current_version
    assert version is not None
    return Plan(
        shop_id=process.shop_id,
        process_id=process.pk,
        version_id=version.pk,
        graph=graph_of(version.pk),
        holdout_bp=process.holdout_bp,
        since=NOW - DAY,
        until=until,
        now=until,
    )


def backtested(real: RealShop, until: datetime) -> list[Line]:
    journal, ends = Journal(), real.ends()
    run_backtest(
        plan_of(real.process, until=until), sending=lambda _: Recorded(ends=ends), look=journal.look, people=3
    )
    return sorted(journal.lines)


def order_of(ref: str) -> Order:
    return Order.objects.get(ref=ref)


def live_through_a_week(real: RealShop) -> datetime:
    """Let all that can happen to an order happen, some of it heard of late."""
    for number in range(12):
        at = NOW + number * 17 * MINUTE
        total = "50.00" if number == 11 else "100.00"
        method = "transfer" if number == 10 else "card"
        real.at(at, real.place(f"o{number}", f"anna{number}", at, total=total, method=method))
    # Heard of at once, before the case; after the first message; and late, so that a message goes out in between.
    real.at(NOW + 2 * HOUR, real.pay("o0", NOW + 2 * HOUR))
    real.at(NOW + 31 * HOUR, real.pay("o1", NOW + 31 * HOUR - MINUTE))
    for number in (2, 3, 4):
        real.at(NOW + 55 * HOUR, real.pay(f"o{number}", NOW + 25 * HOUR))
    # Between the planning of a message and its hand-over.
    real.at(NOW + 5 * 17 * MINUTE + 26 * HOUR + MINUTE, real.pay("o5", NOW + 26 * HOUR))
    # Another order for the same goods is paid.
    again = NOW + 40 * HOUR
    real.at(again, real.place("again", "anna6", again, state=ShopState.PAID, paid_at=again))
    # A part is paid, then the rest; the shop cancels; a person promises, another holds.
    real.at(NOW + 20 * HOUR, real.pay("o7", NOW + 20 * HOUR, amount="30.00"))
    real.at(
        NOW + 50 * HOUR,
        real.place(
            "o8",
            "anna8",
            NOW + 8 * 17 * MINUTE,
            state=ShopState.CANCELLED,
            version_at=NOW + 49 * HOUR,
            cancelled_at=NOW + 49 * HOUR,
        ),
    )
    real.at(
        NOW + 25 * HOUR, lambda now: promise_payment(order_of("o9"), NOW + 70 * HOUR, actor=STAFF, now=now)
    )
    real.at(NOW + 28 * HOUR, lambda now: change_status(order_of("o6"), "in_work", actor=STAFF, now=now))
    real.at(NOW + 74 * HOUR, lambda now: pause_reminders(order_of("o10"), actor=STAFF, now=now))
    real.at(NOW + 100 * HOUR, lambda now: resume_reminders(order_of("o10"), actor=STAFF, now=now))
    book = NOW + 60 * HOUR
    real.at(book, real.place("book", "anna9", book, product="book", state=ShopState.PAID, paid_at=book))
    until = NOW + 10 * DAY
    real.run(until)
    return until


def test_live_run_and_its_backtest_give_identical_ledgers(real: RealShop) -> None:
    until = live_through_a_week(real)

    lived = real.journal()
    codes = {Code(line.outcome) for line in lived}
    assert len(lived) > 40
    assert codes >= {
        Code.QUEUED,
        Code.SPLIT,
        Code.GOAL_PAID,
        Code.GOAL_CANCELLED,
        Code.COMPLETED,
        Code.SUPPRESSED,
    }
    assert backtested(real, until) == lived


def test_ledgers_differ_once_it_is_forgotten_when_we_learnt_of_a_payment(
    real: RealShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the proof above stands on the instants at which we learnt."""
    real.process = make_process(real.shop)
    real.at(NOW, real.place("late", "anna", NOW))
    real.at(NOW + 60 * HOUR, real.pay("late", NOW + 30 * HOUR))  # the message went out in between
    until = NOW + 4 * DAY
    real.run(until)
    remembered = backtested(real, until)
    payment = telling._payment

    def told_at_once(*order: Any) -> Any:
        known = payment(*order)
        return known and replace(known, learnt_at=known.became_true_at)

    monkeypatch.setattr(telling, "_payment", told_at_once)

    lived = real.journal()
    assert remembered == lived
    assert [Code(line.outcome) for line in lived] == [Code.QUEUED, Code.COMPLETED]
    assert [Code(line.outcome) for line in backtested(real, until)] == [Code.GOAL_PAID]


# Not a whole day: at the end of it the sweep looks at orders too, and which of both is milliseconds earlier is no fact.
PLACED_NODES = {
    "n1": {
        "t": "until",
        "on": {"e": "order.paid"},
        "within": "PT23H",
        "out": {"yes": "n2", "no": "n3"},
    },
    "n2": {"t": "send", "template": "thanks", "purpose": "thanks", "out": {"done": "n4"}},
    "n3": {
        "t": "if",
        "if": {"f": "order.status", "op": "=", "v": "in_work"},
        "out": {"yes": "n4", "no": "n5"},
    },
    "n5": {"t": "send", "template": "first", "out": {"done": "n4"}},
    "n4": {"t": "end"},
}


def test_process_that_begins_with_the_placing_is_walked_the_same(real: RealShop) -> None:
    real.process = make_process(
        real.shop,
        nodes=PLACED_NODES,
        goals=GOALS[:2],
        entry={"on": "order.placed", "reentry": "again_after", "again_after": "P1D"},
    )
    again = NOW + 9 * HOUR
    real.at(again, real.place("again-at-once", "anna3", again))
    until = live_through_a_week(real)

    lived = real.journal()
    assert {Code(line.outcome) for line in lived} >= {Code.YES, Code.NO, Code.QUEUED}
    assert backtested(real, until) == lived


VISITED_NODES = {
    "n1": {"t": "until", "on": {"e": "page.visited"}, "within": "P1D", "out": {"yes": "n2", "no": "n3"}},
    "n2": {"t": "wait", "date": "promise.until", "offset": "-P1D", "at": "09:00", "out": {"next": "n4"}},
    "n3": {"t": "wait", "date": "order.placed_at", "offset": "P3D", "at": "09:00", "out": {"next": "n4"}},
    "n4": {"t": "send", "template": "first", "purpose": "thanks", "out": {"done": "n5"}},
    "n5": {"t": "end"},
}


def test_visits_and_dates_that_move_are_walked_the_same(real: RealShop) -> None:
    real.process = make_process(real.shop, nodes=VISITED_NODES, goals=GOALS[:1], entry={"on": "order.placed"})

    def come(ref: str) -> Callable[[datetime], Any]:
        def happen(now: datetime) -> None:
            order = order_of(ref)
            token = make_pay_link(order, actor=STAFF, now=now).token  # handed over on the phone
            link = links.resolve("pay", token, now=now)
            record_straight_visit(link, order.contact_id, at=now, is_machine=False)

        return happen

    def promise(ref: str, after: timedelta) -> Callable[[datetime], Any]:
        return lambda now: promise_payment(order_of(ref), NOW + after, actor=STAFF, now=now)

    for number in range(5):
        real.at(NOW, real.place(f"o{number}", f"anna{number}", NOW))
    for number, after in ((0, 5 * HOUR), (1, 6 * HOUR), (2, 30 * HOUR), (3, 7 * HOUR)):
        real.at(NOW + after, come(f"o{number}"))
        real.at(NOW + after + MINUTE, lambda now: note_visits(now=now))
    for ref in ("o0", "o1"):
        real.at(NOW + 2 * HOUR, promise(ref, 6 * DAY))
    real.at(NOW + 2 * DAY, promise("o0", 9 * DAY))
    real.at(NOW + 2 * DAY, promise("o1", 108 * HOUR))  # earlier, and still ahead
    until = NOW + 12 * DAY
    real.run(until)

    lived = real.journal()
    assert [line.outcome for line in lived if line.node_id == "n1"] == [
        Code.YES,
        Code.YES,
        Code.NO,
        Code.YES,
        Code.NO,
    ]
    assert len({line.at for line in lived if line.node_id == "n4"}) == 4
    assert backtested(real, until) == lived


CAUSE_NODES = {
    "n1": {"t": "wait", "for": "PT26H", "out": {"next": "n2"}},
    "n2": {
        "t": "if",
        "if": {"f": "order.cause", "op": "=", "v": "no_payment"},
        "out": {"yes": "n3", "no": "n6"},
    },
    "n3": {"t": "wait", "for": "PT20H", "out": {"next": "n4"}},
    "n4": {"t": "if", "if": {"f": "order.cause", "op": "=", "v": "soft"}, "out": {"yes": "n5", "no": "n6"}},
    "n5": {"t": "send", "template": "first", "out": {"done": "n6"}},
    "n6": {"t": "end"},
}


def test_cause_is_that_of_the_last_payment_that_failed_by_then(real: RealShop) -> None:
    real.process = make_process(real.shop, nodes=CAUSE_NODES, goals=GOALS, entry={"anchor": "placed_at"})
    for number in range(5):
        real.at(NOW, real.place(f"o{number}", f"anna{number}", NOW))
    # A transfer instead of the card that was refused; a failure by the shop's word, over once the word was another.
    at, by_word = NOW + 30 * HOUR, NOW + 20 * HOUR
    real.at(at, real.fail("o3", at, "soft"))
    versions = [
        ("o3", "anna3", ShopState.ON_HOLD, at + HOUR),
        ("o4", "anna4", ShopState.FAILED, by_word),
        ("o4", "anna4", ShopState.PENDING, by_word + HOUR),
    ]
    for ref, who, state, version_at in versions:
        real.at(version_at, real.place(ref, who, NOW, state=state, version_at=version_at))
    real.at(by_word, real.fail("o4", by_word, "soft", by="failed:"))
    real.at(NOW + 25 * HOUR, real.fail("o0", NOW + 25 * HOUR, "soft"))
    real.at(NOW + 30 * HOUR, real.fail("o1", NOW + 30 * HOUR, "soft"))
    real.at(NOW + 30 * HOUR, real.fail("o2", NOW + 30 * HOUR, "soft"))
    real.at(NOW + 31 * HOUR, real.fail("o2", NOW + 31 * HOUR, "hard"))
    until = NOW + 3 * DAY
    real.run(until)

    lived = real.journal()
    queued = {line.subject_id for line in lived if Code(line.outcome) is Code.QUEUED}
    assert queued == {order_of("o1").pk}
    asked_again = {line.subject_id for line in lived if line.node_id == "n4"}
    assert asked_again == {order_of(ref).pk for ref in ("o1", "o2", "o3", "o4")}
    assert backtested(real, until) == lived


def test_failure_that_was_learnt_once_something_newer_was_under_way_opens_no_door(real: RealShop) -> None:
    real.process = make_process(
        real.shop, nodes={"n1": {"t": "end"}}, goals=[], entry={"on": "payment.failed"}
    )
    for ref in ("announced", "on_hold", "again", "given_up"):
        real.at(NOW, real.place(ref, ref, NOW))
    failed, late = NOW + HOUR, NOW + 3 * HOUR
    real.at(failed, real.fail("announced", failed, "soft"))
    held = {"state": ShopState.ON_HOLD, "version_at": failed + MINUTE}
    real.at(late - MINUTE, real.place("on_hold", "on_hold", NOW, **held))
    for ref in ("announced", "again", "given_up"):
        real.at(failed + 2 * MINUTE, real.attempt(ref, failed + MINUTE, AttemptState.PENDING))
    real.at(late - MINUTE, real.attempt("given_up", failed + 3 * MINUTE, AttemptState.CANCELLED))
    for ref in ("on_hold", "again", "given_up"):
        real.at(late, real.fail(ref, failed, "soft"))
    until = NOW + DAY
    real.run(until)

    lived = real.journal()
    assert {line.subject_id for line in lived} == {order_of("announced").pk, order_of("given_up").pk}
    assert backtested(real, until) == lived


CART_NODES = {
    "n1": {"t": "wait", "for": "PT4H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "cart_reminder_1", "out": {"done": "n3"}},
    "n3": {"t": "wait", "for": "PT20H", "out": {"next": "n4"}},
    "n4": {"t": "send", "template": "cart_reminder_2", "out": {"done": "n5"}},
    "n5": {"t": "end"},
}


def cart(ref: str, at: datetime, **values: Any) -> CartSnapshot:
    line = LineSnapshot("cream", "Cream", Decimal(1), Decimal(30), Decimal(30))
    person = PersonSnapshot(email=f"{ref}@example.com", name=ref, locale="en")
    return CartSnapshot(
        **{
            "ref": ref, "currency": "EUR", "total": Decimal(30), "version_at": at, "person": person,
            "lines": (line,), **values,
        }
    )  # fmt: skip


def test_carts_that_were_left_are_walked_the_same(real: RealShop) -> None:
    real.process = make_process(
        real.shop,
        nodes=CART_NODES,
        goals=[{"on": "cart.converted"}, {"on": "cart.emptied"}, {"on": "contact.ordered_again"}],
        entry={"on": "cart.abandoned", "anchor": "last_activity_at"},
    )

    def touched(ref: str, at: datetime, **values: Any) -> None:
        real.at(at, lambda now: record_cart(real.source, cart(ref, at, **values), now=now))

    for number in range(5):
        touched(f"c{number}", NOW + number * 7 * MINUTE)
    touched("c1", NOW + 2 * HOUR)  # comes back: the wait begins again
    touched("c2", NOW + 3 * HOUR, lines=(), total=Decimal(0))
    bought, ordered = NOW + 6 * HOUR, NOW + 5 * HOUR
    real.at(bought, real.place("bought", "c3", bought, cart_ref="c3"))
    real.at(ordered, real.place("elsewhere", "c4", ordered - 10 * MINUTE))
    until = NOW + 4 * DAY
    real.run(until)

    lived = real.journal()
    assert {Code(line.outcome) for line in lived} >= {Code.QUEUED, Code.GOAL_EMPTIED, Code.GOAL_CONVERTED}
    assert backtested(real, until) == lived


OFFER_NODES = {
    "n1": {"t": "wait", "for": "PT9H", "out": {"next": "n2"}},
    "n2": {"t": "offer", "percent": 10, "valid": "P2D", "out": {"granted": "n3", "refused": "n3"}},
    "n3": {"t": "end"},
}


def test_left_cart_is_offered_something_the_same_whatever_else_was_ordered_or_taken_out(
    real: RealShop,
) -> None:
    make_settings(real.shop)
    real.process = make_process(
        real.shop, nodes=OFFER_NODES, goals=[], entry={"on": "cart.abandoned", "anchor": "last_activity_at"}
    )

    def touched(ref: str, at: datetime, **values: Any) -> None:
        real.at(at, lambda now: record_cart(real.source, cart(ref, at, **values), now=now))

    for ref in ("bought-else", "refilled", "emptied"):
        touched(ref, NOW)
    real.at(NOW + 4 * HOUR, real.place("elsewhere", "bought-else", NOW + 4 * HOUR, product="book"))
    for ref in ("refilled", "emptied"):
        touched(ref, NOW + 4 * HOUR, lines=(), total=Decimal(0))
    touched("refilled", NOW + 5 * HOUR)
    until = NOW + 2 * DAY
    real.run(until)

    lived = real.journal()
    outcomes = sorted(Code(line.outcome) for line in lived if line.node_id == "n2")
    assert outcomes == sorted([Code.OFFER_GRANTED, Code.OFFER_GRANTED, Code.OFFER_UNFIT])
    assert backtested(real, until) == lived


HISTORY_NODES = {
    "n1": {
        "t": "if",
        "if": {
            "all": [
                {"f": "contact.order_count", "op": "=", "v": 1},
                {"f": "order.item_count", "op": "=", "v": 1},
            ]
        },
        "out": {"yes": "n2", "no": "n4"},
    },
    "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
    "n3": {"t": "wait", "for": "PT45H", "out": {"next": "n4"}},
    "n4": {
        "t": "if",
        "if": {
            "any": [
                {"f": "contact.paid_sum", "op": ">=", "v": 100, "currency": "EUR", "within": "P2D"},
                {"f": "contact.bought", "op": "has_any", "v": ["book"]},
                {"not": {"f": "contact.last_order_at", "op": "within_last", "v": "P7D"}},
            ]
        },
        "out": {"yes": "n6", "no": "n5"},
    },
    "n5": {"t": "send", "template": "second", "out": {"done": "n6"}},
    "n6": {"t": "end"},
}


def test_conditions_about_the_person_are_answered_as_of_their_instant(real: RealShop) -> None:
    real.process = make_process(
        real.shop,
        nodes=HISTORY_NODES,
        goals=GOALS[1:2],
        entry={
            "if": {"f": "contact.has_unpaid_order", "op": "=", "v": True},
            "reentry": "every_event",
        },
    )
    for who in ("anna2", "anna4"):  # some bought the book before, and one of them after the second look
        at = NOW + (-3 * DAY if who == "anna2" else 6 * DAY)
        real.at(
            max(at, NOW), real.place(f"book-{who}", who, at, product="book", state=ShopState.PAID, paid_at=at)
        )
    until = live_through_a_week(real)

    lived = real.journal()
    answers = {(line.node_id, Code(line.outcome)) for line in lived}
    assert answers >= {
        ("n1", Code.YES),
        ("n1", Code.NO),
        ("n4", Code.YES),
        ("n4", Code.NO),
    }
    assert backtested(real, until) == lived
