"""Reads of payments."""

from collections.abc import Sequence
from decimal import Decimal

from recoup.orders.models import Order
from recoup.orders.settle import Takings
from recoup.payments.models import Attempt, Refund

# A success stands in these states: a refund or dispute does not undo that the money came.
CAPTURED = frozenset({"succeeded", "refunded", "disputed"})


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


def takings_of(order: Order) -> Takings:
    """Return what the attempts and refunds of an order add up to, in its currency only (T75)."""
    attempts = list(Attempt.objects.filter(order=order, currency=order.currency).order_by("settled_at", "id"))
    captured = [a for a in attempts if a.state in CAPTURED]
    failed = [a for a in attempts if a.state == Attempt.State.FAILED and a.settled_at is not None]
    last = max(failed, key=lambda a: (a.settled_at or a.created_at, a.pk), default=None)
    return Takings(
        captures=[(a.settled_at or a.created_at, a.learnt_at, a.amount) for a in captured],
        refunded=_refunded(order, attempts),
        is_authorized=any(a.state == Attempt.State.AUTHORIZED for a in attempts),
        is_disputed=any(a.state == Attempt.State.DISPUTED for a in attempts),
        discount=max((a.discount for a in captured), default=Decimal(0)),
        failure=(last.settled_at or last.created_at, last.failure_class, last.failure_code) if last else None,
    )
