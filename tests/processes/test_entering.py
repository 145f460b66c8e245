"""Who comes into which process: the unique indexes decide (engine 10.5)."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, transaction
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.core.locks import set_lock_timeout
from recoup.orders.events import OrderPlaced
from recoup.processes import actions, handlers
from recoup.processes.engine.codes import Code, Refusal, State
from recoup.processes.entering import enrol_cases
from recoup.processes.models import Enrolment, Process, StepLog, TurnedAway
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.support.together import together

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def case_of(shop: Shop) -> RecoveryCase:
    return make_case(make_order(shop, status="unpaid"))


@pytest.mark.django_db(transaction=True)
def test_eight_threads_with_the_same_news_make_one_enrolment() -> None:
    shop = make_shop()
    make_process(shop)
    news = opened(case_of(shop))

    outcomes = together([partial(enrol_cases, [news])] * 8)

    assert sorted(str(outcome) for outcome in outcomes) == ["0"] * 7 + ["1"]
    assert Enrolment.objects.count() == 1


def test_the_same_news_again_lets_nobody_in(shop: Shop) -> None:
    make_process(shop)
    news = opened(case_of(shop))

    assert [enrol_cases([news, news]), enrol_cases([news])] == [1, 0]


def test_a_case_without_a_person_and_another_shop_let_nobody_in(shop: Shop) -> None:
    make_process(make_shop())
    nobody = make_case(make_order(shop, contact=None, status="unpaid"))

    assert enrol_cases([opened(nobody), opened(case_of(shop))]) == 0


def test_carts_and_orders_have_doors_of_their_own(shop: Shop) -> None:
    order_process = make_process(shop)
    cart_process = make_process(shop, entry={"on": "cart.abandoned"})
    order, cart = make_order(shop, status="unpaid"), make_cart(shop, state="abandoned")

    enrol_cases([opened(make_case(order)), opened(make_case(cart))])

    entered = Enrolment.objects.order_by("subject_kind").values_list("process", "subject_kind", "subject_id")
    assert list(entered) == [(order_process.pk, 1, order.pk), (cart_process.pk, 2, cart.pk)]


@pytest.mark.parametrize(("locale", "count"), [("pl", 1), ("de", 0)])
def test_the_door_may_ask_for_the_language(shop: Shop, locale: str, count: int) -> None:
    make_process(shop, entry={"if": {"f": "contact.locale", "op": "=", "v": "pl"}})
    order = make_order(shop, status="unpaid", contact=make_contact(shop, locale=locale))

    assert enrol_cases([opened(make_case(order))]) == count


@pytest.mark.parametrize(
    ("live_since", "status", "flags"),
    [(NOW - DAY, "live", 0), (None, "live", 2), (NOW - DAY, "test", 2), (NOW - DAY, "paused", 0)],
)
def test_who_enters_in_test_mode_stays_in_it(live_since: datetime | None, status: str, flags: int) -> None:
    shop = make_shop(live_since=live_since)
    make_process(shop, status=status)
    enrol_cases([opened(case_of(shop))])
    actions.go_live(shop, actor=SYSTEM, now=NOW)

    assert Enrolment.objects.get().flags & 3 == flags


@pytest.mark.parametrize("status", ["draft", "draining", "stopped"])
def test_a_process_that_does_not_run_lets_nobody_in(shop: Shop, status: str) -> None:
    make_process(shop, status=status)

    assert enrol_cases([opened(case_of(shop))]) == 0


def test_again_after_a_time_means_after_that_time(shop: Shop) -> None:
    make_process(shop, entry={"reentry": "again_after", "again_after": "P7D"})
    anna = make_contact(shop)

    def enter(at: datetime) -> int:
        order = make_order(shop, contact=anna, status="unpaid")
        return enrol_cases([opened(make_case(order, opened_at=at))])

    def leave(at: datetime) -> None:
        enrolment = Enrolment.objects.get(active_key__isnull=False)
        Enrolment.objects.filter(pk=enrolment.pk).update(
            state=State.COMPLETED, active_key=None, run_at=None, step_no=1
        )
        StepLog.objects.create(
            enrolment_id=enrolment.pk, step_no=1, shop_id=shop.pk, version_id=enrolment.version_id, node=3,
            outcome=90, at=at, done_at=at,
        )  # fmt: skip

    assert [enter(NOW), enter(NOW + HOUR)] == [1, 0]  # one at a time
    leave(NOW + DAY)
    assert [enter(NOW + 7 * DAY), enter(NOW + 8 * DAY), enter(NOW + 8 * DAY)] == [0, 1, 0]
    leave(NOW + 9 * DAY)
    assert [enter(NOW + 15 * DAY), enter(NOW + 16 * DAY)] == [0, 1]


def test_a_share_is_held_out_for_ever(shop: Shop) -> None:
    make_process(shop, holdout_bp=5000)
    anna = make_contact(shop)
    cases = [make_case(make_order(shop, contact=anna, status="unpaid")) for _ in range(4)]
    others = [case_of(shop) for _ in range(40)]

    enrol_cases([opened(case) for case in [*cases, *others]])

    held_out = dict(Enrolment.objects.values_list("case_id", "flags"))
    assert len({held_out[case.pk] & 1 for case in cases}) == 1  # one person, one arm
    assert 8 < sum(flags & 1 for flags in held_out.values()) < 36


@pytest.mark.django_db(transaction=True)
def test_who_stops_a_process_waits_for_those_who_are_coming_in(database_url: str) -> None:
    shop = make_shop()
    process = make_process(shop)
    news = opened(case_of(shop))
    with psycopg.connect(database_url) as stopping:
        stopping.execute("SELECT FROM processes_process WHERE id = %s FOR NO KEY UPDATE", [process.pk])
        with transaction.atomic():
            set_lock_timeout(100)
            with pytest.raises(OperationalError, match="lock timeout"):
                enrol_cases([news])
            transaction.set_rollback(True)

    enrol_cases([news])
    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW)

    assert [e.state for e in Enrolment.objects.all()] == [State.CANCELLED]


def test_an_order_wakes_the_carts_of_its_buyer_alone(shop: Shop) -> None:
    set_clock(NOW)
    make_process(shop, entry={"on": "cart.abandoned"})
    anna = make_contact(shop)
    carts = [make_cart(shop, contact=contact, state="abandoned") for contact in (anna, make_contact(shop))]
    enrol_cases([opened(make_case(cart)) for cart in carts])
    Enrolment.objects.update(state=State.WAITING, run_at=NOW + DAY, wait_mask=4)
    order = make_order(shop, contact=anna)

    handlers.wake_carts_of_buyers([OrderPlaced(shop.pk, order.pk, NOW)])

    woken = dict(Enrolment.objects.values_list("subject_id", "state"))
    assert woken == {carts[0].pk: State.READY, carts[1].pk: State.WAITING}


def test_a_process_may_begin_with_the_placing_of_an_order(shop: Shop) -> None:
    placed, unpaid = make_process(shop, entry={"on": "order.placed"}), make_process(shop)
    order = make_order(shop, placed_at=NOW)
    news = [OrderPlaced(shop.pk, order.pk, NOW)] * 2

    handlers.enrol_buyers(news)
    handlers.enrol_buyers(news)
    enrol_cases([opened(make_case(order))])

    entered = Enrolment.objects.order_by("id").values_list("process", "subject_id", "entered_at")
    assert list(entered) == [(placed.pk, order.pk, NOW), (unpaid.pk, order.pk, NOW)]


@pytest.mark.parametrize(
    "values", [{"is_test": True}, {"is_backfill": True}, {"contact": None}, {"placed_at": NOW - 61 * DAY}]
)
def test_orders_that_are_none_of_ours_begin_nothing(shop: Shop, values: dict[str, Any]) -> None:
    make_process(shop, entry={"on": "order.placed"})
    order = make_order(shop, **{"placed_at": NOW, **values})

    handlers.enrol_buyers([OrderPlaced(shop.pk, order.pk, NOW)])

    assert not Enrolment.objects.exists()


def refusals() -> list[tuple[int, int, int | None]]:
    return list(TurnedAway.objects.order_by("at", "subject_id").values_list("code", "subject_id", "other_id"))


def test_who_is_not_let_in_leaves_one_line_with_the_reason(shop: Shop) -> None:
    make_process(shop, entry={"if": {"f": "order.total", "op": ">", "v": 1000}})
    case = case_of(shop)

    enrol_cases([opened(case)])
    enrol_cases([opened(case)])

    assert refusals() == [(Refusal.CONDITION, case.order_id, None)]


def test_the_same_news_again_is_no_refusal(shop: Shop) -> None:
    make_process(shop)
    case = case_of(shop)

    enrol_cases([opened(case), opened(case)])
    enrol_cases([opened(case)])

    assert refusals() == []


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"reentry": "one_at_a_time"}, Refusal.INSIDE),
        ({"reentry": "once_per_contact"}, Refusal.INSIDE),
        ({"group": "recovery"}, Refusal.GROUP),
    ],
)
def test_who_stands_in_the_way_is_written_down(shop: Shop, entry: dict[str, Any], code: Refusal) -> None:
    make_process(shop, entry=entry)
    anna = make_contact(shop)
    first, second = (make_case(make_order(shop, status="unpaid", contact=anna)) for _ in range(2))

    enrol_cases([opened(first), opened(second)])

    assert refusals() == [(code, second.order_id, Enrolment.objects.get().pk)]


def test_who_was_in_it_once_is_told_from_who_is_inside(shop: Shop) -> None:
    process = make_process(shop, entry={"reentry": "once_per_contact"})
    anna = make_contact(shop)
    first, second = (make_case(make_order(shop, status="unpaid", contact=anna)) for _ in range(2))
    enrol_cases([opened(first)])
    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW)
    actions.set_status(process, "live", actor=SYSTEM, now=NOW)

    enrol_cases([opened(second)])

    assert refusals() == [(Refusal.AGAIN, second.order_id, Enrolment.objects.get().pk)]


def test_who_comes_too_soon_is_written_down(shop: Shop) -> None:
    process = make_process(shop, entry={"reentry": "again_after", "again_after": "P30D"})
    anna = make_contact(shop)
    first, second = (make_case(make_order(shop, status="unpaid", contact=anna)) for _ in range(2))
    enrol_cases([opened(first)])
    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW)
    actions.set_status(process, "live", actor=SYSTEM, now=NOW)

    enrol_cases([opened(second)])

    assert refusals() == [(Refusal.TOO_SOON, second.order_id, None)]


def two_ranks(shop: Shop, weak: int, strong: int) -> tuple[Process, Process]:
    """Make a process on carts and one on orders in one exclusive group, each of its rank."""
    on_carts = make_process(
        shop, entry={"on": "cart.abandoned"}, goals=[{"on": "cart.converted"}], exclusive_group="recovery",
        priority=weak,
    )  # fmt: skip
    return on_carts, make_process(shop, exclusive_group="recovery", priority=strong)


def test_who_comes_into_a_stronger_process_of_the_group_leaves_the_weaker_one(shop: Shop) -> None:
    on_carts, on_orders = two_ranks(shop, 1, 2)
    anna = make_contact(shop)
    cart = make_case(make_cart(shop, state="abandoned", contact=anna))
    order = make_case(make_order(shop, status="unpaid", contact=anna))
    enrol_cases([opened(cart)])
    first = Enrolment.objects.get()
    assert cart.cart is not None
    waiting = make_message(cart.cart, enrolment_id=first.pk, step_no=1)
    Enrolment.objects.filter(pk=first.pk).update(last_message_step=1)

    came_in = [enrol_cases([opened(order)]), enrol_cases([opened(order)])]

    first.refresh_from_db()
    waiting.refresh_from_db()
    line = StepLog.objects.get(enrolment_id=first.pk)
    second = Enrolment.objects.exclude(pk=first.pk).get()
    assert came_in == [1, 0]
    assert (first.state, first.group_key, line.outcome) == (State.CANCELLED, None, Code.STOPPED_PREEMPTED)
    assert (waiting.state, second.process_id, second.state) == ("cancelled", on_orders.pk, State.READY)
    assert on_carts.pk == first.process_id


@pytest.mark.parametrize("strong", [1, 0])
def test_between_equals_and_against_the_stronger_whoever_was_there_first_stays(
    shop: Shop, strong: int
) -> None:
    two_ranks(shop, 1, strong)
    anna = make_contact(shop)
    enrol_cases([opened(make_case(make_cart(shop, state="abandoned", contact=anna)))])

    came_in = enrol_cases([opened(make_case(make_order(shop, status="unpaid", contact=anna)))])

    assert (came_in, Enrolment.objects.get().state) == (0, State.READY)
    assert [code for code, _, _ in refusals()] == [Refusal.GROUP]


def test_who_may_not_come_in_anyway_ends_nobody(shop: Shop) -> None:
    _, on_orders = two_ranks(shop, 1, 2)
    anna = make_contact(shop)
    order = make_case(make_order(shop, status="unpaid", contact=anna))
    enrol_cases([opened(order)])
    Enrolment.objects.update(state=State.COMPLETED, active_key=None, group_key=None, run_at=None)
    enrol_cases([opened(make_case(make_cart(shop, state="abandoned", contact=anna)))])

    came_in = enrol_cases([opened(order)])

    states = dict(Enrolment.objects.values_list("process_id", "state"))
    assert (came_in, states.pop(on_orders.pk), set(states.values())) == (0, State.COMPLETED, {State.READY})
