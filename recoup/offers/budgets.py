"""Budgets of offers: reserved by one conditional statement when an offer is granted, given back when it is not used (K6)."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection

from recoup.offers.models import Budget, Offer
from recoup.offers.terms import BudgetLimit, Period
from recoup.shops.models import Shop

_EVER = datetime(2000, 1, 1, tzinfo=UTC)
_OPEN = """
    INSERT INTO offers_budget (shop_id, key, currency, period_start, spent) VALUES (%s, %s, %s, %s, 0)
    ON CONFLICT DO NOTHING
"""
_HOLD = """
    SELECT b.id FROM offers_budget b WHERE (b.shop_id, b.key, b.currency, b.period_start) IN (
        SELECT f.shop_id, f.budget_key, f.currency, f.budget_start FROM offers_offer f
        WHERE f.id = ANY(%s) AND f.budget_start IS NOT NULL)
    ORDER BY b.key, b.shop_id, b.currency, b.period_start FOR NO KEY UPDATE
"""
_RESERVE = """
    UPDATE offers_budget SET spent = spent + %s
    WHERE shop_id = %s AND key = %s AND currency = %s AND period_start = %s AND spent + %s <= %s
"""


def period_start(period: Period, shop: Shop, now: datetime) -> datetime:
    """Return when the period of an instant began, by the shop's calendar; weeks begin on Monday."""
    if period is Period.EVER:
        return _EVER
    try:
        zone = ZoneInfo(shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    day = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.WEEK:
        day -= timedelta(days=day.weekday())
    if period is Period.MONTH:
        day = day.replace(day=1)
    return day.astimezone(UTC)


def reserve(shop: Shop, key: str, budget: BudgetLimit, cost: Decimal, *, start: datetime) -> bool:
    """Take a cost from a budget, unless less than that is left; tell whether it was taken."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [shop.pk, key, budget.currency, start])
    return _take(shop.pk, key, budget.currency, cost, start=start, limit=budget.amount)


def reserve_anew(offer: Offer, cost: Decimal) -> bool:
    """Change what an offer has reserved to a cost; tell whether its budget carries it. What shrinks is given back."""
    start, more = offer.budget_start, cost - offer.expected
    if start is None or more == 0:
        return True
    if (
        more < 0 or offer.budget_limit is None
    ):  # of an offer that was asked for before its limit was kept with it
        give_back(offer.shop_id, offer.budget_key, offer.currency, -more, start=start)
        return True
    return _take(offer.shop_id, offer.budget_key, offer.currency, more, start=start, limit=offer.budget_limit)


def room_of(offer: Offer) -> Decimal | None:
    """Return what a use of an offer may cost: what was reserved for it and what is left; `None` without a budget.

    An offer without products may be used for a larger order than the one it was reckoned on. Reserves nothing.
    """
    start, limit = offer.budget_start, offer.budget_limit
    if start is None or limit is None:
        return None
    row = Budget.objects.filter(
        shop=offer.shop_id, key=offer.budget_key, currency=offer.currency, period_start=start
    ).first()
    left: Decimal = max(limit - row.spent, Decimal(0)) if row is not None else limit
    return Decimal(offer.expected) + left


def _take(shop_id: int, key: str, currency: str, cost: Decimal, *, start: datetime, limit: Decimal) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, [cost, shop_id, key, currency, start, cost, limit])
        return bool(cursor.rowcount)


def give_back(shop_id: int, key: str, currency: str, cost: Decimal, *, start: datetime) -> None:
    """Give back what was reserved and not used; a negative cost takes what a use cost above the reserve."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE offers_budget SET spent = greatest(spent - %s, 0)"
            " WHERE shop_id = %s AND key = %s AND currency = %s AND period_start = %s",
            [cost, shop_id, key, currency, start],
        )


def hold(offer_ids: Collection[int]) -> None:
    """Lock the budgets that these offers were reserved from, in the one order in which they are changed."""
    if not offer_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [sorted(offer_ids)])


def spent(shop: Shop, key: str, currency: str, *, start: datetime) -> Decimal:
    """Return what a budget has cost in a period."""
    row = Budget.objects.filter(shop=shop, key=key, currency=currency, period_start=start).first()
    return row.spent if row is not None else Decimal(0)
