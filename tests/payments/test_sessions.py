"""Pay sessions: one open session an order, a key before the call, nothing charged twice (R27, R29, R31; T72, T73, T78)."""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django_scopes import scopes_disabled

from recoup.config import adapters as table
from recoup.core.activity import Actor
from recoup.core.models import AttentionItem
from recoup.orders.models import Order
from recoup.payments import adapters, asking, refunds, sessions
from recoup.payments.models import Attempt, OperatorAccount, RefundCall
from recoup.payments.ports import (
    Abilities,
    OpenedSession,
    OpenRequest,
    OperatorRefused,
    OperatorUnavailable,
    OutcomeUnknown,
    RefundRequest,
    Told,
)
from recoup.payments.sessions import NotPayable, Opening, SessionNotOpened, SessionUnknown
from recoup.payments.told import apply_told
from recoup.payments.ways import Way
from recoup.shops.snapshots import AttemptState, FailureClass, PaymentSnapshot, RefundSnapshot
from tests.factories.moments import MINUTE, NOW
from tests.factories.operators import make_operator_account
from tests.factories.orders import make_order
from tests.factories.shops import make_shop

ORIGIN = "https://pay.example"


@dataclass
class Desk:
    """An operator's books, and what its next answers are."""

    states: dict[str, AttemptState] = field(default_factory=dict)  # by key
    opened: list[OpenRequest] = field(default_factory=list)
    refunded: list[RefundRequest] = field(default_factory=list)
    next_error: Exception | None = None
    has_effect: bool = True
    during_open: Callable[[], None] | None = None
    origin: str = ORIGIN
    can_close: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)


DESK = Desk()


class FakeOperator:
    """An operator in memory, to be cut off at any moment."""

    kind = "fake"

    def abilities(self, _account: OperatorAccount) -> Abilities:
        return Abilities(
            opens_sessions=True,
            closes_sessions=DESK.can_close,
            asks=True,
            refunds=True,
            methods=("card", "blik"),
        )

    def page_origins(self, _account: OperatorAccount) -> tuple[str, ...]:
        return (ORIGIN,)

    def _fail(self) -> None:
        error, DESK.next_error = DESK.next_error, None
        if error is not None:
            raise error

    def open_session(self, _account: OperatorAccount, request: OpenRequest) -> OpenedSession:
        if DESK.during_open is not None:
            DESK.during_open()
        if DESK.next_error is None or DESK.has_effect:
            with DESK.lock:
                DESK.opened.append(request)
                DESK.states.setdefault(request.key, AttemptState.PENDING)
        self._fail()
        return OpenedSession(f"op-{request.key}", f"{DESK.origin}/{request.key}")

    def _snapshot(self, key: str, ref: str = "") -> PaymentSnapshot:
        amount = next(request for request in DESK.opened if request.key == key)
        return PaymentSnapshot(ref or f"op-{key}", DESK.states[key], amount.amount, amount.currency, NOW)

    def close_session(self, _account: OperatorAccount, _ref: str, key: str) -> PaymentSnapshot:
        self._fail()
        if DESK.states.get(key) is AttemptState.PENDING:
            DESK.states[key] = AttemptState.CANCELLED
        return self._snapshot(key)

    def ask(self, _account: OperatorAccount, _ref: str, key: str) -> PaymentSnapshot | None:
        self._fail()
        return self._snapshot(key) if key in DESK.states else None

    def refund(self, _account: OperatorAccount, request: RefundRequest) -> RefundSnapshot:
        if request.key not in {known.key for known in DESK.refunded}:
            DESK.refunded.append(request)
        self._fail()
        return RefundSnapshot(f"r-{request.key}", request.amount, request.currency, NOW, request.payment_ref)


@pytest.fixture(autouse=True)
def desk(db: None) -> Iterator[Desk]:
    """Return a fresh operator."""
    fresh = Desk()
    DESK.__dict__.update(fresh.__dict__)
    adapters.register({**table.OPERATORS, "fake": f"{__name__}.FakeOperator"})
    with scopes_disabled():
        yield DESK
    adapters.register(table.OPERATORS)


@pytest.fixture
def order() -> Order:
    """Return an unpaid order of 149.00."""
    return make_order(make_shop())


def opening(order: Order, method: str = "card") -> Opening:
    """Return what a press brings."""
    account = OperatorAccount.objects.filter(
        shop_id=order.shop_id, kind="fake"
    ).first() or make_operator_account(order.shop, kind="fake")
    return Opening(
        Way(account, method),
        "https://us.example/pay/t",
        "https://us.example/hooks/operators/k",
        "en",
        "Order",
    )


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


def paid_attempt(desk: Desk, order: Order) -> Attempt:
    """Return the paid attempt of an order."""
    attempt = sessions.open_session(order, opening(order), now=NOW)
    desk.states[attempt.key] = AttemptState.SUCCEEDED
    asking.ask_attempt(attempt, now=NOW)
    attempt.refresh_from_db()
    assert attempt.state == "succeeded"
    return attempt


# Collisions


def _in_threads(steps: list[Callable[[], object]]) -> list[object]:
    """Run steps at the same moment, each on a connection of its own; return what came of them."""
    barrier, outcomes = threading.Barrier(len(steps)), [None] * len(steps)

    def run(number: int, step: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            with scopes_disabled():
                outcomes[number] = step()  # type: ignore[call-overload]
        except Exception as error:  # noqa: BLE001 - looked at by the test
            outcomes[number] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, step)) for n, step in enumerate(steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return list(outcomes)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [None, OutcomeUnknown(), OperatorUnavailable()])
def test_presses_from_eight_places_at_once_open_one_session(desk: Desk, error: Exception | None) -> None:
    order = make_order(make_shop())
    choice = opening(order)
    desk.next_error, desk.has_effect = error, not isinstance(error, OperatorUnavailable)

    outcomes = _in_threads([lambda: sessions.open_session(order, choice, now=NOW).redirect_url] * 8)
    allowed = (str, SessionUnknown, SessionNotOpened, NotPayable)
    assert [outcome for outcome in outcomes if not isinstance(outcome, allowed)] == []
    final = sessions.open_session(order, choice, now=NOW)

    assert len({outcome for outcome in outcomes if isinstance(outcome, str)} | {final.redirect_url}) == 1
    assert Attempt.objects.filter(order=order, is_open_session=True).count() == 1
    live = [key for key, state in desk.states.items() if state is AttemptState.PENDING]
    assert live == [final.key]


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_no_second_payment_stays_unseen_in_random_interleavings(desk: Desk, is_full_size: bool) -> None:
    """Press, change the method, pay, tell and ask in any order from two sides: two captures are always flagged (R29)."""
    chance = random.Random(20261122)
    doubles = 0
    for _ in range(2000 if is_full_size else 15):
        order = make_order(make_shop())
        choice = opening(order)
        desk.states.clear()
        desk.opened.clear()
        _in_threads([partial(_act, order, choice, chance.random()) for _ in range(2)])
        for key in list(desk.states):
            asking.ask_attempt(Attempt.objects.get(key=key), now=NOW)
        order.refresh_from_db()
        captured = sum(state is AttemptState.SUCCEEDED for state in desk.states.values())
        flagged = AttentionItem.objects.filter(shop_id=order.shop_id, kind="payments.double_payment").exists()
        doubles += captured > 1
        assert (order.captured, flagged) == (149 * captured, captured > 1)
        assert Attempt.objects.filter(order=order, is_open_session=True).count() <= 1
    assert doubles > 0 or not is_full_size  # else nothing was tried


def _act(order: Order, choice: Opening, seed: float) -> None:
    chance = random.Random(seed)
    for _ in range(8):
        deed = chance.choice(["press", "press", "change", "pay", "pay", "tell", "release"])
        session = sessions.find_open_session(order)
        payable = [key for key, state in list(DESK.states.items()) if state is AttemptState.PENDING]
        try:
            if deed == "press":
                sessions.open_session(order, choice, now=NOW)
            elif deed == "pay" and payable:  # in whatever tab it was opened
                DESK.states[chance.choice(payable)] = AttemptState.SUCCEEDED
            elif session is None:
                continue
            elif deed == "change":
                sessions.close_session(session, now=NOW)
            elif deed == "release":
                sessions.release_session(session, user_id=1, now=NOW)
            elif deed == "tell":
                asking.ask_attempt(session, now=NOW)
        except (NotPayable, SessionUnknown, SessionNotOpened, StopIteration):
            continue
