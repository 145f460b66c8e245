"""Reads of payments."""

from collections.abc import Sequence
from decimal import Decimal

from recoup.orders.models import Order
from recoup.orders.settle import Takings
from recoup.payments.models import Attempt, Refund
from recoup.shops.snapshots import FAILED_BY_WORD, AttemptState, ShopState

# A success stands in these states: a refund or dispute does not undo that the money came.
CAPTURED = frozenset({"succeeded", "refunded", "disputed"})
# An attempt only moves up: a late `failed` never undoes a success (R4, complaint 19); a late success overrides a failure.
RANK = {
    AttemptState.CREATED: 0,
    AttemptState.PENDING: 1,
    AttemptState.REQUIRES_ACTION: 2,
    AttemptState.AUTHORIZED: 3,
    AttemptState.EXPIRED: 4,
    AttemptState.CANCELLED: 5,
    AttemptState.FAILED: 6,
    AttemptState.SUCCEEDED: 7,
    AttemptState.REFUNDED: 8,
    AttemptState.DISPUTED: 9,
}
# What asks a person about more money than an order costs.
DOUBLE_PAYMENT, OVERPAID = "payments.double_payment", "payments.overpaid"
_UNDER_WAY = frozenset({Attempt.State.PENDING, Attempt.State.REQUIRES_ACTION})


def _refunded(order: Order, attempts: Sequence[Attempt]) -> Decimal:
    """Return the money given back: what refunds say, and the whole of an attempt that is told as refunded without one.

    A refund that names no attempt may be that very money; it is not counted twice.
    """
    named, unnamed = dict[int, Decimal](), Decimal(0)
    for refund in Refund.objects.filter(order=order, currency=order.currency):
        if refund.attempt_id is None:
            unnamed += refund.amount
        else:
            named[refund.attempt_id] = named.get(refund.attempt_id, Decimal(0)) + refund.amount
    bare = [a.amount for a in attempts if a.state == Attempt.State.REFUNDED and a.pk not in named]
    return sum(named.values(), Decimal(0)) + max(unnamed, sum(bare, Decimal(0)))


def _last_word(order: Order, attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the last failed attempt, unless something newer is under way: another attempt, or a payment the shop awaits.

    A failure that is known by the shop's word alone is over once the shop calls the order anything else.
    """
    failed = [a for a in attempts if a.state == Attempt.State.FAILED and a.settled_at is not None]
    last = max(failed, key=lambda a: (a.settled_at or a.created_at, a.pk), default=None)
    if last is None:
        return None
    at = last.settled_at or last.created_at
    is_tried_again = any(a.state in _UNDER_WAY and a.created_at > at for a in attempts)
    is_over = order.shop_state == ShopState.ON_HOLD or (
        order.shop_state == ShopState.PENDING and last.ref.startswith(FAILED_BY_WORD)
    )
    return None if is_tried_again or (is_over and order.version_at >= at) else last


def takings_of(order: Order) -> Takings:
    """Return what the attempts and refunds of an order add up to, in its currency only (T75)."""
    attempts = list(Attempt.objects.filter(order=order, currency=order.currency).order_by("settled_at", "id"))
    captured = [a for a in attempts if a.state in CAPTURED]
    last = _last_word(order, attempts)
    return Takings(
        captures=[(a.settled_at or a.created_at, a.learnt_at, a.amount) for a in captured],
        refunded=_refunded(order, attempts),
        is_authorized=any(a.state == Attempt.State.AUTHORIZED for a in attempts),
        is_disputed=any(a.state == Attempt.State.DISPUTED for a in attempts),
        discount=max((a.discount for a in captured), default=Decimal(0)),
        failure=(last.settled_at or last.created_at, last.failure_class, last.failure_code) if last else None,
    )
