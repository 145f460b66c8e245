"""Products with what they cost and what is left of their price."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import get_language

from recoup.catalog.costs import CHANGED
from recoup.catalog.models import Product
from recoup.core import humane
from recoup.core.models import Activity
from recoup.core.money import Money, exponent
from recoup.core.typed_numbers import write_number
from recoup.offers.pricing import Basket, Line, is_guessed, margin_at
from recoup.offers.settings import get_settings, rules_of, tax_share
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.keeping_screens import CostRow
from recoup.web.shown.timeline import Actors
from recoup.web.words.offers import margin_words


def cost_rows(seat: Seat, products: Sequence[Product]) -> list[CostRow]:
    """Return the rows of products, with who changed their cost last."""
    settings, language = get_settings(seat.shop), get_language() or "en"
    who = _who(seat, [one.pk for one in products])
    taxes = {code: tax_share(seat.shop, code) for code in {one.currency for one in products}}
    rows = []
    for one in products:
        rules = rules_of(seat.shop, settings, one.currency)
        price = one.price or Decimal(0)
        basket = Basket(
            one.currency, price, (Line(one.ref, price, one.cost),), tax=price * taxes[one.currency]
        )
        margin = margin_at(basket, rules, price) if price > 0 else None
        rows.append(
            CostRow(
                id=one.pk,
                name=one.name,
                detail=" · ".join(part for part in (one.sku, one.source.name) if part),
                url=place(seat, "product_cost", one.pk),
                price=humane.money(Money(price, one.currency), language) if one.price is not None else "–",
                currency=one.currency,
                cost=typed_sum(one.cost, one.currency),
                margin=margin_words(margin.share, language) if margin is not None else "–",
                is_guessed=margin is not None and is_guessed(basket, rules),
                is_loss=margin is not None and margin.amount < 0,
                origin=str(Product.CostFrom(one.cost_from).label) if one.cost is not None else "",
                at=one.cost_at if one.cost is not None else None,
                who=who.get(one.pk, "") if one.cost_from == Product.CostFrom.HAND else "",
            )
        )
    return rows


def _who(seat: Seat, product_ids: Sequence[int]) -> dict[int, str]:
    """Return who changed the cost of each product last."""
    lines = list(
        Activity.objects.filter(
            shop_id=seat.shop.pk, subject_kind="product", subject_id__in=product_ids, verb=CHANGED
        )
        .order_by("subject_id", "-id")
        .distinct("subject_id")
    )
    actors = Actors()
    actors.look_up([(line.actor_kind, line.actor_id) for line in lines])
    return {line.subject_id: actors.name(line.actor_kind, line.actor_id) for line in lines}


def typed_sum(amount: Decimal | None, currency: str) -> str:
    """Return a sum as it stands in a field: with the digits of its currency, and more only where it has them."""
    if amount is None:
        return ""
    places = exponent(currency)
    return write_number(amount, get_language() or "en", places=places, has_thousandths=places >= 3)
