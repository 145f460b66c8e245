"""Taking in payments, failures and refunds, in whatever order they arrive."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recoup.core import attention, outbox
from recoup.customers.actions import touch_gates
from recoup.orders.actions import record_order
from recoup.orders.events import OrderChanged
from recoup.orders.models import Order
from recoup.orders.queries import OrderUnknown, find_order
from recoup.orders.settle import Settled, lock_order, settle_order
from recoup.payments.events import PaymentFailed, PaymentReceived, RefundMade, SessionEnded
from recoup.payments.matching import as_known, implied_payment, implied_refund, replace_implied
from recoup.payments.models import Attempt, AttemptChange, OperatorAccount, Refund
from recoup.payments.queries import CAPTURED, DOUBLE_PAYMENT, OVERPAID, RANK, takings_of
from recoup.shops.models import Source
from recoup.shops.snapshots import (
    AttemptState,
    OrderPaymentSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
)

_SETTLED = frozenset(state for state, rank in RANK.items() if rank >= RANK[AttemptState.EXPIRED])


@dataclass(frozen=True, slots=True)
class Through:
    """By what a payment came, when it was our own pay page."""

    operator_account: OperatorAccount | None = None
    message_id: int | None = None


def apply_order_snapshot(
    source: Source,
    snapshot: OrderSnapshot,
    *,
    now: datetime,
    is_backfill: bool = False,
    is_fetched: bool = False,
) -> Order:
    """Record an order together with its payments and refunds, and settle it: what intake calls for orders.

    One transaction. Of an order whose payment its source dates, what no payment is named for is taken as paid too: nobody
    whom the shop calls paid is reminded.
    Announces `OrderPlaced`/`OrderChanged`/`OrderCancelled` and what the money says.
    """
    with transaction.atomic():
        order = record_order(source, snapshot, now=now, is_backfill=is_backfill, is_fetched=is_fetched)
        order = lock_order(order.pk)
        for payment in snapshot.payments:
            known = as_known(order, payment, told_in=snapshot)
            _write_attempt(order, known, now=now, through=Through())
        implied = implied_payment(order, snapshot)
        if implied is not None:
            _write_implied(order, implied, now=now)
        for refund in [*snapshot.refunds, *implied_refund(order, snapshot)]:
            _write_refund(order, refund, now=now)
        return _settle(order, now=now).order


def _write_implied(order: Order, payment: PaymentSnapshot, *, now: datetime) -> Attempt:
    """Write the payment that a source did not name; it follows the total of an order that grew after it was paid."""
    attempt = _write_attempt(order, payment, now=now, through=Through())
    if attempt.amount < payment.amount:
        attempt.amount = payment.amount
        attempt.save(update_fields=["amount"])
    return attempt


def record_payment(
    order: Order, payment: PaymentSnapshot, *, now: datetime, through: Through | None = None
) -> Attempt:
    """Record what is known of one payment attempt and settle its order.

    The buyer's gate is updated first, then the order (a sibling's payment forbids messages too). An attempt only moves up;
    what changed nothing is kept as history. Another currency never pays: it asks for attention (T75).
    """
    with transaction.atomic():
        if order.contact_id:
            touch_gates([order.contact_id])
        locked = lock_order(order.pk)
        known = as_known(locked, payment)
        attempt = _write_attempt(locked, known, now=now, through=through or Through())
        _settle(locked, now=now)
        return attempt


def record_refund(order: Order, refund: RefundSnapshot, *, now: datetime) -> Order:
    """Record money given back, once, and settle the order."""
    with transaction.atomic():
        if order.contact_id:
            touch_gates([order.contact_id])
        locked = lock_order(order.pk)
        _write_refund(locked, refund, now=now)
        return _settle(locked, now=now).order


def apply_order_payment(source: Source, news: OrderPaymentSnapshot, *, now: datetime) -> Order:
    """Record a payment or refund that came by itself.

    :raises OrderUnknown: if its order has not come yet; the inbox keeps it waiting (T23).
    """
    order = find_order(source.pk, news.order_ref)
    if order is None:
        raise OrderUnknown(news.order_ref)
    if news.payment is not None:
        record_payment(order, news.payment, now=now)
    if news.refund is not None:
        if not order.captured and not Attempt.objects.filter(order=order, state__in=CAPTURED).exists():
            raise OrderUnknown(f"{news.order_ref}: refund before its payment")
        record_refund(order, news.refund, now=now)
    order.refresh_from_db()
    return order


def _write_attempt(order: Order, payment: PaymentSnapshot, *, now: datetime, through: Through) -> Attempt:
    account = through.operator_account
    replace_implied(order, payment)
    attempt, _ = Attempt.objects.get_or_create(
        order=order,
        operator=payment.operator,
        ref=payment.ref,
        defaults={
            "shop_id": order.shop_id,
            "operator_account": account,
            "method": payment.method[:60],
            "state": AttemptState.CREATED,
            "amount": payment.amount,
            "currency": payment.currency,
            "created_at": payment.at,
            "learnt_at": now,
            "message_id": through.message_id,
        },
    )
    applies = _is_news(attempt, payment)
    if applies or not AttemptChange.objects.filter(attempt=attempt, state=payment.state.value).exists():
        AttemptChange.objects.create(
            shop_id=order.shop_id,
            attempt=attempt,
            state=payment.state.value,
            was_applied=applies,
            failure_code=payment.failure_code,
            became_true_at=payment.at,
            learnt_at=now,
        )
    if applies:
        is_foreign = payment.currency != order.currency and payment.state.value in CAPTURED
        if is_foreign and attempt.state not in CAPTURED:
            _hold_foreign(order, payment, now)
        _advance(attempt, payment, now)
    elif _came_before(attempt, payment):
        attempt.settled_at = payment.at
        attempt.save(update_fields=["settled_at"])
    return attempt


def _hold_foreign(order: Order, payment: PaymentSnapshot, now: datetime) -> None:
    """Rest the reminders of a locked order that was paid in another currency, until a person has looked (T75)."""
    if order.is_backfill:
        return
    order.paused_at = order.paused_at or now  # saved when the order is settled
    outbox.announce(OrderChanged(shop_id=order.shop_id, order_id=order.pk, at=now))
    attention.ask(
        "payments.amount_differs",
        shop_id=order.shop_id,
        key=f"{order.pk}:{payment.ref}",
        now=now,
        subject=("order", order.pk),
        number=order.number,
        amount=str(payment.amount),
        currency=payment.currency,
    )


def _is_news(attempt: Attempt, payment: PaymentSnapshot) -> bool:
    known = AttemptState(attempt.state)
    if RANK[payment.state] != RANK[known]:
        return RANK[payment.state] > RANK[known]
    # The same state told again: the earliest instant stands, whatever order the news came in.
    return attempt.settled_at is not None and payment.at < attempt.settled_at


def _came_before(attempt: Attempt, payment: PaymentSnapshot) -> bool:
    """Tell whether this is the success of money known already as given back or disputed: when it came is learnt now."""
    is_later = (
        attempt.state in CAPTURED and attempt.settled_at is not None and payment.at < attempt.settled_at
    )
    return is_later and payment.state is AttemptState.SUCCEEDED


def _advance(attempt: Attempt, payment: PaymentSnapshot, now: datetime) -> None:
    was_captured, was_open = attempt.state in CAPTURED, attempt.is_open_session
    attempt.created_at = min(attempt.created_at, payment.at)
    attempt.state = payment.state.value
    attempt.method = payment.method[:60] or attempt.method
    if not was_captured:
        attempt.amount, attempt.currency = payment.amount, payment.currency
        attempt.learnt_at = now
        attempt.settled_at = payment.at if payment.state in _SETTLED else None
    elif payment.state is AttemptState.SUCCEEDED:
        attempt.settled_at = payment.at
    if payment.state in _SETTLED:
        attempt.is_open_session = False
        attempt.next_ask_at = None
    attempt.failure_class = attempt.failure_code = ""
    if payment.state is AttemptState.FAILED:
        attempt.failure_class = payment.failure_class.value if payment.failure_class else "unknown"
        attempt.failure_code = payment.failure_code
    attempt.save()
    if was_open and not attempt.is_open_session and attempt.state not in CAPTURED:
        announce_ended(attempt, at=now)


def announce_ended(attempt: Attempt, *, at: datetime) -> None:
    """Tell that a pay session of ours ended without money."""
    outbox.announce(
        SessionEnded(shop_id=attempt.shop_id, order_id=attempt.order_id, attempt_id=attempt.pk, at=at)
    )


def _write_refund(order: Order, refund: RefundSnapshot, *, now: datetime) -> None:
    attempt = (
        Attempt.objects.filter(order=order, ref=refund.payment_ref).first() if refund.payment_ref else None
    )
    known, _ = Refund.objects.get_or_create(
        order=order,
        ref=refund.ref,
        defaults={
            "shop_id": order.shop_id,
            "attempt": attempt,
            "amount": abs(refund.amount),
            "currency": refund.currency,
            "reason": refund.reason,
            "became_true_at": refund.at,
            "learnt_at": now,
        },
    )
    if refund.at < known.became_true_at:  # told again by an earlier state of the order, which came later
        known.became_true_at = refund.at
        known.save(update_fields=["became_true_at"])


def _settle(order: Order, *, now: datetime) -> Settled:
    was_captured = order.captured
    settled = settle_order(order, takings_of(order), now=now)
    order = settled.order
    if order.is_backfill:
        return settled
    if order.captured != was_captured and not settled.is_paid:
        outbox.announce(OrderChanged(shop_id=order.shop_id, order_id=order.pk, at=now))  # less is due
    if settled.is_paid and not settled.was_paid and order.paid_at is not None:
        outbox.announce(
            PaymentReceived(shop_id=order.shop_id, order_id=order.pk, at=order.paid_at, learnt_at=now)
        )
    if settled.has_failed_anew:
        failed = Attempt.objects.filter(
            order=order, state=Attempt.State.FAILED, settled_at=order.failed_at, currency=order.currency
        )
        last = failed.order_by("id").last()
        outbox.announce(
            PaymentFailed(
                shop_id=order.shop_id,
                order_id=order.pk,
                attempt_id=last.pk if last else 0,
                at=order.failed_at or now,
            )
        )
    if settled.has_refund_anew:
        outbox.announce(RefundMade(shop_id=order.shop_id, order_id=order.pk, at=now))
    if order.captured < was_captured:  # it was counted twice: whoever was asked about it need not look
        for kind in (DOUBLE_PAYMENT, OVERPAID):
            attention.settle(kind, shop_id=order.shop_id, key=str(order.pk), now=now)
    _flag_excess(settled, now)
    return settled


def _flag_excess(settled: Settled, now: datetime) -> None:
    """Flag more money than was asked for, in the same transaction (R29, T73).

    One item is open for it: that an order was paid twice says more than that too much was paid.
    """
    order = settled.order
    if order.captured - order.refunded <= order.total - order.discount_given:
        return
    captured = Attempt.objects.filter(order=order, state=Attempt.State.SUCCEEDED, currency=order.currency)
    is_double = captured.count() > 1
    if not (is_double or settled.is_paid):
        return
    attention.ask(
        DOUBLE_PAYMENT if is_double else OVERPAID,
        shop_id=order.shop_id,
        key=str(order.pk),
        now=now,
        subject=("order", order.pk),
        number=order.number,
    )
    if is_double:
        attention.settle(OVERPAID, shop_id=order.shop_id, key=str(order.pk), now=now)
