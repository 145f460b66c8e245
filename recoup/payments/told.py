"""Taking in what operators tell, by their calls or when asked, about payments that we know by key or ref."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from recoup.core import attention, clock, outbox
from recoup.customers.actions import touch_gates
from recoup.orders.events import OrderChanged
from recoup.orders.models import Order
from recoup.orders.queries import OrderUnknown
from recoup.orders.settle import lock_order
from recoup.payments.actions import Through, record_payment, record_refund
from recoup.payments.models import Attempt, AttemptChange, OperatorAccount
from recoup.payments.ports import Told
from recoup.payments.queries import CAPTURED
from recoup.shops.snapshots import AttemptState, PaymentSnapshot, RefundSnapshot

AMOUNT_DIFFERS = "amount_differs"  # kept as the attempt's failure code until a person has looked

_MONEY_MOVED = frozenset(
    {AttemptState.AUTHORIZED, AttemptState.SUCCEEDED, AttemptState.REFUNDED, AttemptState.DISPUTED}
)


def apply_told(account: OperatorAccount, told: Told, *, now: datetime) -> Order:
    """Record one thing that an operator told about a payment of this account's shop.

    :raises OrderUnknown: if we know neither the payment nor the order yet; the inbox keeps the call waiting (T23).
    """
    payment, refund = told.payment, told.refund
    attempt = _find_attempt(account, told)
    if attempt is None:
        return _apply_observed(account, told, now=now)
    if payment is not None:
        apply_payment(attempt, payment, now=now)
    if refund is not None:
        _apply_refund(attempt, refund, now=now)
    attempt.order.refresh_from_db()
    return attempt.order


def _find_attempt(account: OperatorAccount, told: Told) -> Attempt | None:
    ref = told.payment.ref if told.payment else told.refund.payment_ref if told.refund else ""
    mine = Attempt.objects.filter(shop_id=account.shop_id, operator_account=account).select_related("order")
    attempt = mine.filter(key=told.key).first() if told.key else None
    return attempt or (mine.filter(ref=ref).first() if ref else None)


def _apply_observed(account: OperatorAccount, told: Told, *, now: datetime) -> Order:
    """Record what the shop itself took, told by its operator beside the shop's own word."""
    name = told.order_ref or told.key or "?"
    orders = Order.objects.filter(shop_id=account.shop_id, ref=told.order_ref).exclude(ref="")
    if "source_id" in account.options:
        orders = orders.filter(source_id=account.options["source_id"])
    order = orders.order_by("-id").first() if account.role == OperatorAccount.Role.OBSERVER else None
    if order is None:
        raise OrderUnknown(name)
    if told.payment is not None:
        payment = replace(told.payment, operator=account.kind, at=_trade(told.payment.at, now))
        record_payment(order, payment, now=now, through=Through(operator_account=account))
    if told.refund is not None:
        if not Attempt.objects.filter(order=order, state__in=CAPTURED).exists():
            raise OrderUnknown(f"{name}: refund before its payment")
        record_refund(order, replace(told.refund, at=_trade(told.refund.at, now)), now=now)
    order.refresh_from_db()
    return order


def apply_payment(attempt: Attempt, payment: PaymentSnapshot, *, now: datetime) -> None:
    """Record where a payment that we opened stands, and settle its order.

    Another sum, currency or payment than the one we opened never pays: it is kept as history, holds the reminders and
    asks for a person (T75). The buyer's gate is updated first, then the order.
    """
    with transaction.atomic():
        if attempt.order.contact_id:
            touch_gates([attempt.order.contact_id])
        order = lock_order(attempt.order_id)
        attempt.refresh_from_db()
        if attempt.ref == attempt.key and payment.ref:
            attempt.ref = payment.ref
            attempt.save(update_fields=["ref"])
        if _differs(attempt, payment):
            _hold_differing(attempt, order, payment, now=now)
            return
        payment = replace(
            payment,
            ref=attempt.ref,
            operator=attempt.operator,
            amount=attempt.amount,
            currency=attempt.currency,
            at=_trade(payment.at, now),
        )
        through = Through(operator_account=attempt.operator_account, message_id=attempt.message_id)
        record_payment(order, payment, now=now, through=through)


def _differs(attempt: Attempt, payment: PaymentSnapshot) -> bool:
    if payment.ref and payment.ref != attempt.ref:
        return True
    asked, told = (attempt.amount, attempt.currency), (payment.amount, payment.currency)
    return payment.state in _MONEY_MOVED and told != asked


def _hold_differing(attempt: Attempt, order: Order, payment: PaymentSnapshot, *, now: datetime) -> None:
    """Keep the news as history, let nobody be reminded or charged meanwhile, and ask a person."""
    change = {"state": payment.state.value, "was_applied": False, "failure_code": AMOUNT_DIFFERS}
    if not AttemptChange.objects.filter(attempt=attempt, **change).exists():
        AttemptChange.objects.create(
            shop_id=order.shop_id,
            attempt=attempt,
            became_true_at=_trade(payment.at, now),
            learnt_at=now,
            **change,
        )
    attempt.failure_code = AMOUNT_DIFFERS
    attempt.next_ask_at = None
    attempt.save(update_fields=["failure_code", "next_ask_at"])
    order.paused_at = order.paused_at or now
    order.lock_version += 1
    order.save(update_fields=["paused_at", "lock_version"])
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
        asked=str(attempt.amount),
        asked_currency=attempt.currency,
    )


def _apply_refund(attempt: Attempt, refund: RefundSnapshot, *, now: datetime) -> None:
    attempt.refresh_from_db()
    if attempt.state not in CAPTURED:
        raise OrderUnknown(f"{attempt.ref}: refund before its payment")
    refund = replace(refund, payment_ref=attempt.ref, at=_trade(refund.at, now))
    record_refund(attempt.order, refund, now=now)


def _trade(at: datetime, now: datetime) -> datetime:
    """Return an operator's instant in trade time: they live in real time, and nothing happens later than it is known."""
    return min(at + clock.trade_offset(), now)
