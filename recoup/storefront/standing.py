"""Where an order stands for its buyer: what the pay page shows, and whether it has a button."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.db import connection

from recoup.core.money import Money
from recoup.orders import siblings
from recoup.orders.actions import amount_due
from recoup.orders.models import Order
from recoup.payments import told
from recoup.payments.models import Attempt
from recoup.payments.sessions import find_open_session, why_not_payable
from recoup.payments.ways import Way, Ways, ways_to_pay
from recoup.storefront.words import Advice, advice


class Stage(StrEnum):
    """What an order is for its buyer."""

    OWED = "owed"  # to be paid: the button
    OPENED = "opened"  # a session is open: to be continued
    CHECKING = "checking"  # nobody can say yet; nothing may be paid meanwhile
    CONFIRMING = "confirming"  # authorised, the money is on its way
    PAID = "paid"
    NOTHING_DUE = "nothing_due"
    GIVEN_BACK = "given_back"
    CANCELLED = "cancelled"
    REPLACED = "replaced"  # a newer order for the same was paid, or stands in its place
    NO_WAY = "no_way"  # owed, but there is no way to pay it here
    NOT_NOW = "not_now"  # owed, and nobody can say at the moment how: the operator does not answer


@dataclass(frozen=True, slots=True)
class Standing:
    """An order as its buyer sees it."""

    order: Order
    stage: Stage
    due: Money
    total: Money
    captured: Money
    ways: Ways = field(default_factory=Ways)
    session: Attempt | None = None
    advice: Advice | None = None
    chosen: Way | None = None

    @property
    def together(self) -> Money:
        """Return what the order comes to: the total, less an offer that it was paid with."""
        return Money(self.total.amount - self.order.discount_given, self.total.currency)

    @property
    def can_pay(self) -> bool:
        """Tell whether the page has a button that pays."""
        return self.stage in {Stage.OWED, Stage.OPENED}

    @property
    def is_part_paid(self) -> bool:
        """Tell whether something was paid and the rest is still owed."""
        is_owed = self.stage in {Stage.OWED, Stage.OPENED, Stage.CHECKING, Stage.NO_WAY, Stage.NOT_NOW}
        return is_owed and self.captured.amount > 0


_STAGES = {
    "authorized": Stage.CONFIRMING,
    "paid": Stage.PAID,
    "partly_refunded": Stage.PAID,
    "nothing_due": Stage.NOTHING_DUE,
    "refunded": Stage.GIVEN_BACK,
    "disputed": Stage.GIVEN_BACK,
    "superseded": Stage.REPLACED,
    "completed": Stage.PAID,
}


def with_sums(order: Order, stage: Stage) -> Standing:
    """Return an order at a stage that is known, with its sums and nothing more."""
    return Standing(
        order=order,
        stage=stage,
        due=Money(amount_due(order), order.currency),
        total=Money(order.total, order.currency),
        captured=Money(order.captured - order.refunded, order.currency),
    )


def standing_of(order: Order) -> Standing:
    """Return where an order stands; reads only."""
    base = with_sums(order, Stage.OWED)
    if reason := why_not_payable(order):
        return replace(base, stage=_stage_of(reason, order))
    session = find_open_session(order)
    if session is not None:
        is_known = bool(session.redirect_url) and session.failure_code != told.AMOUNT_DIFFERS
        return replace(base, stage=Stage.OPENED if is_known else Stage.CHECKING, session=session)
    if has_paid_instead(order):
        return replace(base, stage=Stage.REPLACED)
    ways = ways_to_pay(order, base.due.amount)
    if not ways.follow_url and not ways.ways:
        return replace(base, stage=Stage.NOT_NOW if ways.is_silent else Stage.NO_WAY)
    failed = last_failure(order)
    return replace(
        base,
        ways=ways,
        advice=advice(failed.failure_class) if failed else None,
        chosen=_first_choice(ways, failed),
    )


def _stage_of(reason: str, order: Order) -> Stage:
    is_dropped = order.superseded_by_id is not None or order.duplicate_of_id is not None
    if is_dropped and reason in {Order.Status.FALSE, Order.Status.CANCELLED}:
        return Stage.REPLACED
    return _STAGES.get(reason, Stage.CANCELLED)


def last_failure(order: Order) -> Attempt | None:
    """Return the last attempt if it failed, so that the page can say why."""
    last = Attempt.objects.filter(shop_id=order.shop_id, order=order).order_by("-created_at", "-id").first()
    has_failed = last is not None and last.state == Attempt.State.FAILED
    return last if has_failed else None


def _first_choice(ways: Ways, failed: Attempt | None) -> Way | None:
    """Return the way chosen beforehand: not the one that can never work again."""
    if not ways.ways:
        return None
    barred = failed.method if failed and advice(failed.failure_class).other_way else ""
    return next((way for way in ways.ways if way.method != barred), ways.ways[0])


def has_paid_instead(order: Order) -> bool:
    """Tell whether the same person has paid for the same goods by another order (B4), before anybody closed this one."""
    is_paid_since = siblings.is_paid_since("o", "p", "s")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM orders_order o JOIN shops_shop s ON s.id = o.shop_id"  # noqa: S608 - of ours
            f" JOIN orders_order p ON {is_paid_since} WHERE o.id = %s AND o.shop_id = %s)",
            [order.pk, order.shop_id],
        )
        found: bool = cursor.fetchone()[0]
    return found
