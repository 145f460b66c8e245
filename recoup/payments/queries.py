"""Reads of payments."""

from decimal import Decimal

from recoup.orders.models import Order
from recoup.orders.settle import Takings
from recoup.payments.models import Attempt, Refund

# A success stands in these states: a refund or dispute does not undo that the money came.
CAPTURED = frozenset({"succeeded", "refunded", "disputed"})


def takings_of(order: Order) -> Takings:
    """Return what the attempts and refunds of an order add up to, in its currency only (T75)."""
    attempts = list(Attempt.objects.filter(order=order, currency=order.currency).order_by("settled_at", "id"))
    captured = [a for a in attempts if a.state in CAPTURED]
    failed = [a for a in attempts if a.state == Attempt.State.FAILED and a.settled_at is not None]
    last = max(failed, key=lambda a: (a.settled_at or a.created_at, a.pk), default=None)
    refunds = Refund.objects.filter(order=order, currency=order.currency).values_list("amount", flat=True)
    return Takings(
        captures=[(a.settled_at or a.created_at, a.learnt_at, a.amount) for a in captured],
        refunded=sum(refunds, Decimal(0)),
        is_authorized=any(a.state == Attempt.State.AUTHORIZED for a in attempts),
        is_disputed=any(a.state == Attempt.State.DISPUTED for a in attempts),
        discount=max((a.discount for a in captured), default=Decimal(0)),
        failure=(last.settled_at or last.created_at, last.failure_class, last.failure_code) if last else None,
    )
