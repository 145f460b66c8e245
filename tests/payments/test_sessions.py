"""Pay sessions: one open session an order, a key before the call, nothing charged twice (R27, R29, R31; T72, T73, T78)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from recoup.core.activity import Actor
from recoup.core.installation import silence_installation
from recoup.core.models import AttentionItem
from recoup.orders.models import Order
from recoup.payments import asking, refunds, sessions
from recoup.payments.models import Attempt, RefundCall
from recoup.payments.ports import (
    OperatorRefused,
    OperatorUnavailable,
    OutcomeUnknown,
    Told,
)
from recoup.payments.sessions import NotPayable, SessionNotOpened, SessionUnknown
from recoup.payments.told import apply_told
from recoup.shops.snapshots import AttemptState, FailureClass, PaymentSnapshot
from recoup.storefront.expiring import close_expired_sessions
from tests.factories.moments import MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop
from tests.support.operator import ORIGIN, Desk, opening

pytestmark = pytest.mark.usefixtures("desk")


def attempts_of(order: Order) -> list[tuple[str, str, bool]]:
    """Return state, failure code and openness of the order's attempts."""
    return list(
        Attempt.objects.filter(order=order)
        .order_by("id")
        .values_list("state", "failure_code", "is_open_session")
    )


def test_key_and_sum_stand_in_the_database_before_the_operator_is_called(desk: Desk, order: Order) -> None:
    seen: list[tuple[str, Decimal, str]] = []
    desk.during_open = lambda: seen.extend(Attempt.objects.values_list("key", "amount", "state"))

    attempt = sessions.open_session(order, opening(order), now=NOW)

    assert seen == [(attempt.key, Decimal("149.00"), "created")]
    assert desk.opened[0].key == attempt.key
    assert (attempt.ref, attempt.redirect_url) == (f"op-{attempt.key}", f"{ORIGIN}/{attempt.key}")


def test_the_database_lets_one_session_be_open(order: Order) -> None:
    first = sessions.open_session(order, opening(order), now=NOW)
    values = {
        "shop_id": order.shop_id,
        "order": order,
        "amount": 1,
        "currency": "EUR",
        "created_at": NOW,
        "learnt_at": NOW,
    }

    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt(ref="x", state="created", is_open_session=True, **values).save()

    assert sessions.find_open_session(order) == first


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"status": "cancelled"}, "cancelled"),
        ({"paid_at": NOW}, "paid"),
        ({"payment_state": "authorized"}, "authorized"),
        ({"payment_state": "refunded"}, "refunded"),
        ({"payment_state": "disputed"}, "disputed"),
        ({"status": "false"}, "false"),
    ],
)
def test_what_is_not_owed_opens_nothing(desk: Desk, values: dict[str, object], reason: str) -> None:
    order = make_order(make_shop(), **values)  # type: ignore[arg-type]

    with pytest.raises(NotPayable) as caught:
        sessions.open_session(order, opening(order), now=NOW)

    assert (caught.value.reason, desk.opened, attempts_of(order)) == (reason, [], [])


def test_a_refusal_ends_the_attempt_and_leaves_the_order_as_it_was(desk: Desk, order: Order) -> None:
    desk.next_error, desk.has_effect = OperatorRefused("too_small", FailureClass.CONFIG), False

    with pytest.raises(SessionNotOpened) as caught:
        sessions.open_session(order, opening(order), now=NOW)

    order.refresh_from_db()
    assert (caught.value.reason, order.payment_state) == ("refused", "owed")
    assert attempts_of(order) == [("cancelled", "too_small", False)]


def test_an_operator_away_after_a_lost_answer_leaves_the_attempt_unknown(desk: Desk, order: Order) -> None:
    desk.next_error = OutcomeUnknown()
    with pytest.raises(SessionUnknown):
        sessions.open_session(order, opening(order), now=NOW)
    desk.next_error = OperatorUnavailable()

    with pytest.raises(SessionUnknown):
        sessions.open_session(order, opening(order), now=NOW)

    assert attempts_of(order) == [("created", "", True)]


def test_a_key_is_not_repeated_after_23_hours(desk: Desk, order: Order) -> None:
    desk.next_error = OutcomeUnknown()
    with pytest.raises(SessionUnknown):
        sessions.open_session(order, opening(order), now=NOW)

    with pytest.raises(SessionUnknown):
        sessions.open_session(order, opening(order), now=NOW + timedelta(hours=23, minutes=1))

    assert len(desk.opened) == 1


def test_a_page_elsewhere_than_the_operator_has_is_never_followed(desk: Desk, order: Order) -> None:
    desk.origin = "https://evil.example"

    with pytest.raises(SessionUnknown):
        sessions.open_session(order, opening(order), now=NOW)

    assert Attempt.objects.get().redirect_url == ""
    assert AttentionItem.objects.get().kind == "payments.redirect_elsewhere"


def test_a_session_that_has_run_out_is_ended_and_replaced(desk: Desk, order: Order) -> None:
    first = sessions.open_session(order, opening(order), now=NOW)
    Attempt.objects.filter(pk=first.pk).update(expires_at=NOW + MINUTE)

    second = sessions.open_session(order, opening(order), now=NOW + MINUTE)

    assert attempts_of(order) == [("cancelled", "", False), ("pending", "", True)]
    assert second.pk != first.pk


def test_a_session_that_cannot_be_ended_keeps_others_out(desk: Desk, order: Order) -> None:
    desk.can_close = False
    first = sessions.open_session(order, opening(order), now=NOW)

    with pytest.raises(SessionUnknown):
        sessions.close_session(first, now=NOW)

    assert sessions.open_session(order, opening(order, "blik"), now=NOW) == first


def test_a_person_may_release_a_session_that_nobody_can_tell_of(desk: Desk, order: Order) -> None:
    desk.next_error, desk.can_close = OutcomeUnknown(), False
    with pytest.raises(SessionUnknown):
        sessions.open_session(order, opening(order), now=NOW)
    attempt = Attempt.objects.get()
    for hours in (0, 23):
        desk.next_error = OutcomeUnknown()
        asking.ask_open_attempts(now=NOW + timedelta(hours=hours, minutes=1))
    assert AttentionItem.objects.get(settled_at=None).kind == "payments.outcome_unknown"

    sessions.release_session(attempt, user_id=7, now=NOW + timedelta(days=1))

    assert not AttentionItem.objects.filter(settled_at=None).exists()
    assert sessions.open_session(order, opening(order), now=NOW + timedelta(days=1)).redirect_url != ""


def test_a_late_success_of_a_released_session_is_seen_as_a_second_payment(desk: Desk, order: Order) -> None:
    account = opening(order).way.account
    first = sessions.open_session(order, opening(order), now=NOW)
    sessions.release_session(first, user_id=7, now=NOW)
    second = sessions.open_session(order, opening(order), now=NOW)
    for attempt in (second, first):
        paid = PaymentSnapshot(attempt.ref, AttemptState.SUCCEEDED, Decimal(149), "EUR", NOW)
        apply_told(account, Told(payment=paid, key=attempt.key), now=NOW)

    order.refresh_from_db()
    assert (order.payment_state, order.captured) == ("paid", Decimal(298))
    assert "payments.double_payment" in AttentionItem.objects.values_list("kind", flat=True)


# Asking


def test_sessions_are_asked_in_their_time_and_by_one_worker(desk: Desk, order: Order) -> None:
    sessions.open_session(order, opening(order), now=NOW)
    asked_at = []
    at = NOW
    while at < NOW + timedelta(hours=3):
        if asking.ask_open_attempts(now=at):
            asked_at.append(int((at - NOW) / MINUTE))
        at += MINUTE

    assert asked_at == [1, 2, 3, 5, 10, 20, 40, 80, 140]


def test_one_bad_answer_does_not_keep_others_from_being_asked(desk: Desk) -> None:
    orders = [make_order(make_shop()) for _ in range(3)]
    opened = [sessions.open_session(order, opening(order), now=NOW) for order in orders]
    for attempt in opened:
        desk.states[attempt.key] = AttemptState.SUCCEEDED
    desk.states[opened[1].key] = "no such state"  # type: ignore[assignment]

    assert asking.ask_open_attempts(now=NOW + MINUTE) == 3

    states = [Order.objects.get(pk=order.pk).payment_state for order in orders]
    assert states == ["paid", "owed", "paid"]


# Giving back


def test_two_people_give_back_once(desk: Desk, order: Order) -> None:
    attempt = paid_attempt(desk, order)
    RefundCall.objects.create(
        shop_id=order.shop_id, attempt=attempt, key="k", amount=149, currency="EUR", asked_by=1, asked_at=NOW
    )

    with pytest.raises(refunds.RefundNotPossible) as caught:
        refunds.give_back(attempt, Decimal(149), actor=Actor("person", 2), now=NOW)

    assert (caught.value.reason, desk.refunded) == ("underway", [])


@pytest.mark.parametrize("amount", ["0", "-1", "149.01", "1000"])
def test_no_more_is_given_back_than_was_taken(desk: Desk, order: Order, amount: str) -> None:
    attempt = paid_attempt(desk, order)

    with pytest.raises(refunds.RefundNotPossible) as caught:
        refunds.give_back(attempt, Decimal(amount), actor=Actor("person", 1), now=NOW)

    assert (caught.value.reason, desk.refunded) == ("nothing_left", [])


def test_giving_back_a_second_payment_settles_the_question(desk: Desk, order: Order) -> None:
    test_a_late_success_of_a_released_session_is_seen_as_a_second_payment(desk, order)
    second = Attempt.objects.filter(order=order, state="succeeded").order_by("-id")[0]

    refunds.give_back(second, Decimal(149), actor=Actor("person", 1), now=NOW)

    order.refresh_from_db()
    assert (order.captured, order.refunded) == (Decimal(298), Decimal(149))
    assert not AttentionItem.objects.filter(kind="payments.double_payment", settled_at=None).exists()


# A copy of the installation


def test_a_silenced_copy_calls_no_operator(desk: Desk, order: Order) -> None:
    paid = paid_attempt(desk, order)
    other = make_order(make_shop())
    left = sessions.open_session(other, opening(other), now=NOW)
    silence_installation(reason="restored", now=NOW)
    desk.during_call = pytest.fail

    with pytest.raises(SessionNotOpened, match="silenced"):
        sessions.open_session(make_order(make_shop()), opening(other), now=NOW)
    with pytest.raises(SessionUnknown):
        sessions.close_session(left, now=NOW)
    with pytest.raises(refunds.RefundNotPossible, match="silenced"):
        refunds.give_back(paid, Decimal(149), actor=Actor("person", 1), now=NOW)
    assert asking.ask_open_attempts(now=NOW + 24 * 60 * MINUTE) == 0
    assert close_expired_sessions(now=NOW + 24 * 60 * MINUTE) == 0
    assert attempts_of(other) == [("pending", "", True)]
    assert RefundCall.objects.count() == 0


def paid_attempt(desk: Desk, order: Order) -> Attempt:
    """Return the paid attempt of an order."""
    attempt = sessions.open_session(order, opening(order), now=NOW)
    desk.states[attempt.key] = AttemptState.SUCCEEDED
    asking.ask_attempt(attempt, now=NOW)
    attempt.refresh_from_db()
    assert attempt.state == "succeeded"
    return attempt
