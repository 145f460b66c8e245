"""Which attempt a payment that a source tells is, and what it tells of payments without naming them."""

from dataclasses import replace
from decimal import Decimal

from django.db.models import Sum

from recoup.orders.actions import is_in_force
from recoup.orders.models import Order, OrderFact
from recoup.payments.models import Attempt, AttemptChange, Refund, RefundCall
from recoup.payments.queries import CAPTURED, RANK, takings_of
from recoup.shops.snapshots import (
    FAILED_BY_WORD,
    AttemptState,
    OrderSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
    ShopState,
)


def as_known(
    order: Order, payment: PaymentSnapshot, *, told_in: OrderSnapshot | None = None
) -> PaymentSnapshot:
    """Return a payment under the name of the attempt of a locked order that it is; as it was told if it is a new one.

    Its operator may be told in one place and left out in another. Where a source knows one payment of an order only,
    another name is a correction, and the newest version of the order says which name stands.
    """
    if payment.ref.startswith(FAILED_BY_WORD):
        return _same_failure(order, payment)
    known = list(Attempt.objects.filter(order=order, ref=payment.ref).order_by("id"))
    named = [one for one in known if one.operator and payment.operator in ("", one.operator)]
    nameless = next((one for one in known if not one.operator), None)
    if named:
        if nameless is not None:
            _merge(named[0], nameless)
        return replace(payment, operator=named[0].operator)
    if nameless is not None:
        return _renamed(nameless, payment) if payment.operator else payment
    if payment.is_only and payment.state.value in CAPTURED:
        return _corrected(order, payment, told_in)
    return payment


def _renamed(attempt: Attempt, payment: PaymentSnapshot) -> PaymentSnapshot:
    attempt.operator, attempt.ref = payment.operator, payment.ref
    attempt.save(update_fields=["operator", "ref"])
    return payment


def _merge(attempt: Attempt, nameless: Attempt) -> None:
    """Bring together what was kept as two attempts before one payment was known by both its names."""
    AttemptChange.objects.filter(attempt=nameless).update(attempt=attempt)
    Refund.objects.filter(attempt=nameless).update(attempt=attempt)
    RefundCall.objects.filter(attempt=nameless).update(attempt=attempt)
    nameless.delete()
    was_captured, is_captured = attempt.state in CAPTURED, nameless.state in CAPTURED
    if is_captured or not attempt.is_open_session:
        _raise_to(attempt, nameless)
    if is_captured:
        attempt.is_open_session, attempt.next_ask_at = False, None
        attempt.learnt_at = min(attempt.learnt_at, nameless.learnt_at) if was_captured else nameless.learnt_at
    if was_captured and is_captured:
        instants = [at for at in (attempt.settled_at, nameless.settled_at) if at is not None]
        attempt.settled_at = min(instants, default=None)
    attempt.created_at = min(attempt.created_at, nameless.created_at)
    attempt.method = attempt.method or nameless.method
    attempt.save()


def _raise_to(attempt: Attempt, other: Attempt) -> None:
    """Let an attempt stand as another one does, if that has come further."""
    if RANK[AttemptState(other.state)] <= RANK[AttemptState(attempt.state)]:
        return
    attempt.state, attempt.settled_at = other.state, other.settled_at
    attempt.amount, attempt.currency = other.amount, other.currency
    attempt.failure_class, attempt.failure_code = other.failure_class, other.failure_code


def _corrected(order: Order, payment: PaymentSnapshot, told_in: OrderSnapshot | None) -> PaymentSnapshot:
    known = Attempt.objects.filter(order=order, state__in=CAPTURED, operator_account=None)
    attempt = known.exclude(ref=implied_ref(order)).order_by("id").last()
    if attempt is None:
        return payment
    if told_in is None or is_in_force(order, told_in):
        return _renamed(attempt, payment)
    return replace(payment, operator=attempt.operator, ref=attempt.ref)


def _same_failure(order: Order, payment: PaymentSnapshot) -> PaymentSnapshot:
    """Return a failure told by the shop's word under the ref that it has, if the order was called failed all the while.

    Every change of a failed order tells it again; it is another one only if the shop called the order otherwise in between.
    """
    known = Attempt.objects.filter(order=order, ref__startswith=FAILED_BY_WORD, settled_at__isnull=False)
    for attempt in known.order_by("settled_at", "id"):
        began, ended = sorted([attempt.settled_at or payment.at, payment.at])
        between = OrderFact.objects.filter(
            order=order, kind="changed", became_true_at__gt=began, became_true_at__lt=ended
        ).exclude(details__shop_state="failed")
        if not between.exists():
            if payment.at < ended:
                attempt.ref = payment.ref
                attempt.save(update_fields=["ref"])
            return replace(payment, ref=attempt.ref, operator=attempt.operator)
    return payment


def implied_payment(order: Order, snapshot: OrderSnapshot) -> PaymentSnapshot | None:
    """Return the payment of what is left when a source dates one, and the payments that are named do not reach the total.

    The date is the proof, whatever the shop calls the order: plugins bring words of their own. Some of it may have been
    paid by a voucher, or in another currency than the order's.
    """
    if snapshot.paid_at is None or snapshot.state is ShopState.CANCELLED:
        return None
    named = Attempt.objects.filter(order=order, state__in=CAPTURED, currency=order.currency)
    known = named.exclude(operator="", ref=implied_ref(order)).aggregate(sum=Sum("amount"))["sum"] or Decimal(
        0
    )
    if known >= snapshot.total - order.discount_given:
        return None
    return PaymentSnapshot(
        ref=implied_ref(order),
        state=AttemptState.SUCCEEDED,
        amount=snapshot.total - order.discount_given - known,
        currency=snapshot.currency,
        at=snapshot.paid_at,
        method=snapshot.method,
    )


def implied_ref(order: Order) -> str:
    """Return the ref of the payment that a source did not name."""
    return f"order:{order.ref}"


def implied_refund(order: Order, snapshot: OrderSnapshot) -> list[RefundSnapshot]:
    """Return the refund of all that came, where a source calls an order refunded and names none."""
    if snapshot.state is not ShopState.REFUNDED or snapshot.refunds:
        return []
    captured = sum((taken for _, _, taken in takings_of(order).captures), Decimal(0))
    if captured <= 0:
        return []
    return [
        RefundSnapshot(
            ref=f"order:{snapshot.ref}",
            amount=captured,
            currency=snapshot.currency,
            at=snapshot.version_at,
        )
    ]


def replace_implied(order: Order, payment: PaymentSnapshot) -> None:
    """Let a payment that is named take the place of what was taken as paid without a name: the same money (R4)."""
    ref = implied_ref(order)
    if payment.state.value not in CAPTURED or payment.ref == ref or payment.currency != order.currency:
        return
    implied = Attempt.objects.filter(order=order, operator="", ref=ref).first()
    known = Attempt.objects.filter(order=order, operator=payment.operator, ref=payment.ref).first()
    if implied is None or (known is not None and known.state in CAPTURED):
        return
    if payment.amount < implied.amount:
        implied.amount -= payment.amount
        implied.save(update_fields=["amount"])
        return
    if known is not None:
        implied.delete()
        return
    implied.ref, implied.operator = payment.ref, payment.operator
    implied.amount, implied.currency = payment.amount, payment.currency
    implied.created_at = implied.settled_at = payment.at
    implied.method = payment.method[:60] or implied.method
    implied.save()
