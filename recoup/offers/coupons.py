"""Coupons that orders bear, recognised as offers of ours: each counts once, whoever used it and for whatever (K5; T69).

A coupon that we put on the order it was granted for is used when that order is paid. One that a buyer typed holds its offer
from the moment the order is placed, as a session of ours would, and is freed if the order is cancelled. When the offer is
over, its coupon is taken off an order that is still unpaid (`making`).
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from recoup.core import attention
from recoup.core.clock import real_now
from recoup.offers.codes import folded
from recoup.offers.ending import GRACE
from recoup.offers.models import Offer, Redemption
from recoup.orders.models import Cart, Order

BY_OTHER, TWICE = "offers.used_by_other", "offers.coupon_twice"
MEANWHILE = "offers.paid_meanwhile"
_NEVER_GRANTED = (Offer.State.ASKED, Offer.State.REFUSED)
_OVER = (Offer.State.EXPIRED, Offer.State.VOID)


class Used(NamedTuple):
    """What a use cost, and what it took off."""

    cost: Decimal
    discount: Decimal


_HOLD = """
    INSERT INTO offers_redemption (shop_id, offer_id, order_id, discount, cost, by_line, made_at, paid_at)
    VALUES (%(shop)s, %(offer)s, %(order)s, %(discount)s, %(cost)s, '[]'::jsonb, %(now)s, %(paid)s)
    ON CONFLICT (offer_id) WHERE freed_at IS NULL DO UPDATE
        SET discount = excluded.discount, cost = excluded.cost, paid_at = excluded.paid_at
        WHERE offers_redemption.order_id = excluded.order_id AND offers_redemption.paid_at IS NULL
    RETURNING id
"""


def hold_coupons(order: Order, *, now: datetime) -> None:
    """Hold the offers whose codes the buyer of an unpaid order typed at the shop's checkout.

    One that has ended meanwhile is taken off the order by the worker's loop: nobody else would.
    """
    for offer, discount in _borne(order):
        if offer.order_id == order.pk:
            continue
        is_known = Redemption.objects.filter(offer=offer, order=order, freed_at=None).exists()
        _use(order, offer, discount, now=now, paid_at=None)
        if offer.state in _OVER and not is_known:
            Offer.objects.filter(pk=offer.pk).update(remote_next_at=real_now() + GRACE, remote_tries=0)


def pay_coupons(order: Order, *, now: datetime) -> dict[int, Used]:
    """Note which offers an order was paid with by their coupons; each once, and told if somebody else had it.

    One that was never granted, since the payment came while its coupon was put on, is no use of it: a person looks which
    sum was paid.
    """
    used = {}
    for offer, discount in _borne(order):
        if offer.state in _NEVER_GRANTED:
            tell_paid_meanwhile(order, offer, now)
        elif found := _use(order, offer, discount, now=now, paid_at=order.paid_at or now):
            used[offer.pk] = found
    return used


def find_at_shop(order: Order, *, now: datetime) -> tuple[Offer, Decimal] | None:
    """Return the offer in force whose coupon its buyer's order bears, and what the shop took off for it; reads only."""
    for offer, discount in _borne(order):
        in_force = offer.state == Offer.State.GRANTED and offer.valid_until > now
        if in_force and offer.contact_id == order.contact_id:
            return offer, discount
    return None


def find_code_for(cart: Cart, *, now: datetime) -> Offer | None:
    """Return the offer in force whose code the buyer of a cart can use at the shop's checkout; reads only."""
    rows = Offer.objects.filter(
        shop_id=cart.shop_id,
        cart_id=cart.pk,
        contact_id=cart.contact_id or 0,
        maker__isnull=False,
        state=Offer.State.GRANTED,
        valid_until__gt=now,
        is_test=False,
    )
    free = rows.exclude(Exists(Redemption.objects.filter(offer=OuterRef("pk"), freed_at=None)))
    return free.select_related("maker").order_by("valid_until", "id").first()


def _borne(order: Order) -> Iterator[tuple[Offer, Decimal]]:
    told = {folded(code): discount for code, discount in _told(order)}
    codes = [code for code in told if code]
    if not codes:
        return
    rows = Offer.objects.filter(shop_id=order.shop_id, code__in=codes, maker_id=order.source_id)
    for offer in rows.order_by("pk"):
        yield offer, told[offer.code]


def _told(order: Order) -> Iterator[tuple[str, Decimal]]:
    rows: list[Any] = order.coupons if isinstance(order.coupons, list) else []
    for row in rows:
        try:
            yield str(row["code"]), Decimal(str(row["discount"]))
        except (TypeError, KeyError, InvalidOperation):
            continue


def _use(
    order: Order, offer: Offer, discount: Decimal, *, now: datetime, paid_at: datetime | None
) -> Used | None:
    """Use an offer for an order; `None` if it was used already, for it or for another."""
    is_gift = offer.kind == Offer.Kind.GIFT and discount == 0
    used = Used(offer.expected if is_gift else discount, discount)
    values: dict[str, int | Decimal | datetime | None] = {
        "shop": order.shop_id,
        "offer": offer.pk,
        "order": order.pk,
        "discount": used.discount,
        "cost": used.cost,
        "now": now,
        "paid": paid_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, values)
        is_first = cursor.fetchone() is not None
    if not is_first:
        if Redemption.objects.filter(offer=offer, freed_at=None).exclude(order=order).exists():
            _ask(TWICE, order, offer, now)
        return None
    if order.contact_id != offer.contact_id:
        _ask(BY_OTHER, order, offer, now)
    return used


def tell_paid_meanwhile(order: Order, offer: Offer, now: datetime) -> None:
    """Ask a person which sum was paid: the payment came while the coupon was put on, and the shop does not take it off."""
    _ask(MEANWHILE, order, offer, now)


def _ask(kind: str, order: Order, offer: Offer, now: datetime) -> None:
    """Tell a person: the shop gave the discount, and the money of it is gone."""
    attention.ask(
        kind,
        shop_id=order.shop_id,
        key=f"{offer.pk}:{order.pk}",
        now=now,
        subject=("order", order.pk),
        number=order.number,
    )
