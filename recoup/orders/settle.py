"""The only way to an order's paid state (design rule 4 and section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from recoup.core import attention
from recoup.orders import status
from recoup.orders.models import Order, OrderFact
from recoup.orders.queries import OWED_STATES, PAID_STATES, check_instant
from recoup.shops.snapshots import ShopState

PaymentState = Order.PaymentState


@dataclass(frozen=True, slots=True)
class Takings:
    """What the attempts and refunds of an order add up to, told by `payments` calling down."""

    # Money taken, oldest first: when it became true, when we learnt it, how much. In the order's currency only.
    captures: Sequence[tuple[datetime, datetime, Decimal]]
    refunded: Decimal
    is_authorized: bool
    is_disputed: bool
    # The last failed attempt, if it is the last word: when, class and code.
    failure: tuple[datetime, str, str] | None
    # What an offer took off, of the payments that came: agreed with the buyer when they were opened.
    discount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement changed."""

    order: Order
    was_paid: bool
    is_paid: bool
    has_failed_anew: bool
    has_refund_anew: bool


def lock_order(order_id: int) -> Order:
    """Lock an order for change until the transaction ends; waits for a hand-over that holds it."""
    return Order.objects.select_for_update(no_key=True).select_related("shop", "source").get(pk=order_id)


def settle_order(order: Order, takings: Takings, *, now: datetime) -> Settled:
    """Derive the payment state of a locked order from its takings and write it with what follows.

    Always UPDATEs the order row, which the sender locks: a hand-over either finished before or sees this. `paid` is left
    only by refund or dispute. Captured >= total, less what an offer took off, moves the status to Completed; anything below
    is partly paid and keeps it.
    News is announced by the caller, who knows what came in.
    """
    before = (order.payment_state, order.refunded, order.failed_at)
    was_paid = before[0] in PAID_STATES
    order.captured = sum((amount for _, _, amount in takings.captures), Decimal(0))
    order.refunded = min(takings.refunded, order.captured)
    order.discount_given = min(takings.discount, order.total)
    if takings.failure is not None:
        order.failed_at, order.failure_class, order.failure_code = takings.failure
    else:  # over, if there was one; when it was stays known, so that it is never announced twice
        order.failure_class = order.failure_code = ""
    order.payment_state = derive_state(order, takings)
    is_paid = order.payment_state in PAID_STATES
    _note_payment(order, takings, now, was_known=was_paid or order.paid_at is not None)
    if is_paid:
        order.check_at = None
        order.duplicate_of = None
        status.complete_paid(order, now=now)
        _flag_late(order, now)
    else:
        _follow_free(order, was_free=before[0] == PaymentState.NOTHING_DUE, now=now)
        order.check_at = check_instant(order, order.shop, live_since=order.source.live_since)
        _flag_unknown(order, now)
    order.lock_version += 1
    order.save()
    return Settled(
        order=order,
        was_paid=was_paid,
        is_paid=is_paid,
        has_failed_anew=takings.failure is not None and takings.failure[0] != before[2] and not is_paid,
        has_refund_anew=order.refunded > before[1]
        or (takings.is_disputed and before[0] != PaymentState.DISPUTED),
    )


def _follow_free(order: Order, *, was_free: bool, now: datetime) -> None:
    """Complete an order that costs nothing any more, and take up one that does now: one state in any order of arrival."""
    if order.payment_state == PaymentState.NOTHING_DUE:
        status.complete_free(order, now=now)
    elif was_free:
        status.reopen_priced(order, now=now)


def derive_state(order: Order, takings: Takings) -> str:  # noqa: PLR0911 - one line a state, strongest first
    """Return the payment state that takings add up to; the same whatever order the news came in (R4)."""
    captured, refunded = order.captured, order.refunded
    if takings.is_disputed:
        return PaymentState.DISPUTED
    if captured > 0 and refunded >= captured:
        return PaymentState.REFUNDED
    if order.total == 0:
        return PaymentState.NOTHING_DUE
    if captured >= order.total - order.discount_given:
        return PaymentState.PARTLY_REFUNDED if refunded > 0 else PaymentState.PAID
    if captured > 0:
        return PaymentState.PARTLY_PAID
    if takings.is_authorized:
        return PaymentState.AUTHORIZED
    if takings.failure is not None or order.shop_state == "failed":
        return PaymentState.FAILED
    return PaymentState.ON_HOLD if order.shop_state == "on_hold" else PaymentState.OWED


def _note_payment(order: Order, takings: Takings, now: datetime, *, was_known: bool) -> None:
    reached = _reached(order.total - order.discount_given, takings)
    if reached is None:
        return
    order.paid_at = reached[0]
    order.paid_learnt_at = min(order.paid_learnt_at, reached[1]) if order.paid_learnt_at else reached[1]
    if not was_known:
        OrderFact.objects.create(
            shop_id=order.shop_id,
            order=order,
            kind="paid",
            details={"captured": str(order.captured)},
            became_true_at=order.paid_at,
            learnt_at=now,
        )


def _reached(total: Decimal, takings: Takings) -> tuple[datetime, datetime] | None:
    """Return when the captures reached the total: when it became true, and when we knew."""
    if total <= 0:
        return None
    taken, learnt = Decimal(0), None
    for at, learnt_at, amount in sorted(takings.captures):
        taken += amount
        learnt = max(learnt, learnt_at) if learnt else learnt_at
        if taken >= total:
            return at, learnt
    return None


def _flag_unknown(order: Order, now: datetime) -> None:
    """Ask a person, once for each word of a source, about a status we do not know: nobody is reminded until then (T21)."""
    if (
        order.shop_state != ShopState.UNKNOWN
        or order.is_backfill
        or order.is_test
        or order.payment_state not in OWED_STATES
    ):
        return
    attention.ask_once(
        "orders.unknown_status",
        shop_id=order.shop_id,
        key=f"{order.source_id}:{order.raw_state}",
        now=now,
        subject=("order", order.pk),
        source=order.source.name,
        status=order.raw_state,
    )


def _flag_late(order: Order, now: datetime) -> None:
    """Show a person what no rule may decide: an order that was paid after it was cancelled."""
    if order.is_backfill:
        return
    came_after = order.paid_at is None or order.cancelled_at is None or order.paid_at >= order.cancelled_at
    if order.status == Order.Status.CANCELLED and came_after:
        attention.ask(
            "orders.paid_after_cancel",
            shop_id=order.shop_id,
            key=str(order.pk),
            now=now,
            subject=("order", order.pk),
            number=order.number,
        )
