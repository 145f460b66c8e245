"""What products cost the shop: entered by hand, told by a source or a file, or a share of the price (K7).

A cost that a person entered stays until a person changes it; what its source says is kept beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Round

from recoup.catalog.models import Product
from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.money import exponent
from recoup.shops.models import Shop, Source

From = Product.CostFrom
CHANGED = "catalog.product.cost_changed"
FILLED = "catalog.costs.filled"


def take_told(product: Product, cost: Decimal | None, *, now: datetime) -> None:
    """Keep what a source says that a product costs; it counts unless a person has entered another one.

    A source that knows none takes back only what it said itself.
    """
    if product.cost_told != cost:
        Product.objects.filter(pk=product.pk).update(cost_told=cost)
        product.cost_told = cost
    if cost is None:
        rows = Product.objects.filter(pk=product.pk, cost_from=From.SOURCE)
        rows.update(cost=None, cost_from=From.UNKNOWN, cost_at=now)
    else:
        rows = Product.objects.filter(pk=product.pk).exclude(cost_from=From.HAND)
        rows = rows.exclude(cost=cost, cost_from=From.SOURCE)
        rows.update(cost=cost, cost_from=From.SOURCE, cost_at=now)
    product.refresh_from_db(fields=["cost", "cost_from", "cost_at"])


def set_cost(product: Product, cost: Decimal | None, *, actor: Actor, now: datetime) -> bool:
    """Set by hand what a product costs; nothing takes it off and lets its source speak again. Tell whether it is new."""
    with transaction.atomic():
        locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
        origin = From.HAND
        if cost is None:
            cost, origin = locked.cost_told, From.SOURCE if locked.cost_told is not None else From.UNKNOWN
        return _change(locked, cost, origin, actor=actor, now=now)


def _change(product: Product, cost: Decimal | None, origin: str, *, actor: Actor, now: datetime) -> bool:
    if (product.cost, product.cost_from) == (cost, origin):
        return False
    Product.objects.filter(pk=product.pk).update(cost=cost, cost_from=origin, cost_at=now)
    activity.record(
        CHANGED,
        shop_id=product.shop_id,
        subject=("product", product.pk),
        at=now,
        actor=actor,
        was="" if product.cost is None else str(product.cost),
        to="" if cost is None else str(cost),
        origin=str(origin),
        currency=product.currency,
    )
    return True


def fill_costs(shop: Shop, percent: Decimal, *, actor: Actor, now: datetime) -> int:
    """Set a share of the price as the cost of every product whose cost is not known; return of how many."""
    filled = 0
    with transaction.atomic():
        rows = Product.objects.filter(shop=shop, is_deleted=False, cost__isnull=True, price__gt=0)
        for currency in rows.order_by("currency").values_list("currency", flat=True).distinct():
            share = Round(F("price") * percent / 100, exponent(currency))
            filled += rows.filter(currency=currency).update(cost=share, cost_from=From.SHARE, cost_at=now)
        if filled:
            activity.record(
                FILLED, shop_id=shop.pk, subject=("shop", shop.pk), at=now, actor=actor,
                percent=str(percent), products=filled,
            )  # fmt: skip
    return filled


@dataclass(frozen=True, slots=True)
class CostLine:
    """What a line of a file says of a product: by its id, or by its article number."""

    ref: str
    variant_ref: str
    sku: str
    name: str
    currency: str
    cost: Decimal
    price: Decimal | None = None


class Taken(StrEnum):
    """What became of a line."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    KEPT = "kept"  # a person had entered another cost
    OTHER_CURRENCY = "other_currency"


def meant(shop: Shop, line: CostLine) -> list[Product]:
    """Return the products that a line means: those of its id and variant, else those of its article number."""
    rows = Product.objects.filter(shop=shop, is_deleted=False).order_by("id")
    if line.ref:
        # By way of the sources, so that the index of a product's name serves it.
        of_shop = rows.filter(source__in=Source.objects.filter(shop=shop))
        by_ref = list(of_shop.filter(ref=line.ref, variant_ref=line.variant_ref))
        if by_ref:
            return by_ref
    return list(rows.filter(sku=line.sku)) if line.sku else []


def judge(products: Sequence[Product], line: CostLine, *, replaces_hand: bool) -> Taken:
    """Return what would become of a line; reads only."""
    if not products:
        return Taken.CREATED
    if any(one.currency != line.currency for one in products):
        return Taken.OTHER_CURRENCY
    differing = [one for one in products if one.cost != line.cost]
    if not differing:
        return Taken.SAME
    if not replaces_hand and all(one.cost_from == From.HAND for one in differing):
        return Taken.KEPT
    return Taken.CHANGED


def take_line(source: Source, line: CostLine, *, replaces_hand: bool, actor: Actor, now: datetime) -> Taken:
    """Take a line of a file into every product that it means, or make one of the file's own source.

    Names and prices of products of another source stay as that source says them.
    """
    with transaction.atomic():
        products = meant(source.shop, line)
        taken = judge(products, line, replaces_hand=replaces_hand)
        if taken is Taken.CREATED:
            _make(source, line, actor=actor, now=now)
        if taken is not Taken.CHANGED:
            return taken
        locked = Product.objects.filter(pk__in=[one.pk for one in products]).order_by("pk")
        for one in locked.select_for_update(no_key=True):
            if one.cost != line.cost and (replaces_hand or one.cost_from != From.HAND):
                _change(one, line.cost, From.FILE, actor=actor, now=now)
        own = Q(source=source, pk__in=[one.pk for one in products])
        if line.price is not None:
            Product.objects.filter(own).update(price=line.price)
    return taken


def _make(source: Source, line: CostLine, *, actor: Actor, now: datetime) -> None:
    ref = line.ref or line.sku
    product, is_new = Product.objects.get_or_create(
        shop_id=source.shop_id,
        source=source,
        ref=ref,
        variant_ref=line.variant_ref,
        defaults={
            "sku": line.sku,
            "name": line.name or line.sku or ref,
            "price": line.price,
            "currency": line.currency,
            "version_at": now,
        },
    )
    if is_new or product.is_deleted:
        Product.objects.filter(pk=product.pk).update(is_deleted=False)
        _change(product, line.cost, From.FILE, actor=actor, now=now)
