"""Orders, their attempts, and carts."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django_scopes import scopes_disabled

from recoup.core import search
from recoup.customers.models import Contact
from recoup.orders.models import Cart, Order, OrderLine
from recoup.payments.models import Attempt
from recoup.shops.models import Shop, Source
from tests.factories.moments import HOUR, NOW
from tests.factories.people import make_contact
from tests.factories.shops import make_source

_numbers = itertools.count(1)


def _source_of(shop: Shop) -> Source:
    with scopes_disabled():
        return Source.objects.filter(shop=shop).order_by("id").first() or make_source(shop)


def make_order(shop: Shop, *, products: Sequence[str] = ("cream",), **values: Any) -> Order:
    """Make an order as `record_order` leaves it: New, owed, 149.00, with its time of looking.

    Placed 25 hours before `NOW`, so it is due. With `paid_at` it is paid and Completed. A product is a line.
    """
    number = next(_numbers)
    contact = values["contact"] if "contact" in values else make_contact(shop)
    source = values.get("source") or _source_of(shop)
    placed_at = values.get("placed_at", NOW - 25 * HOUR)
    total = Decimal(values.pop("total", "149.00"))
    is_paid = values.get("paid_at") is not None
    defaults: dict[str, Any] = {
        "shop": shop,
        "source": source,
        "ref": f"ref-{number}",
        "number": f"{1000 + number}",
        "contact": contact,
        "currency": shop.currency,
        "total": total,
        "locale": "en",
        "method": "card",
        "method_title": "Card",
        "product_refs": sorted(set(products)),
        "placed_at": placed_at,
        "learnt_at": placed_at,
        "version_at": placed_at,
        "check_at": None if is_paid else placed_at + timedelta(minutes=shop.unpaid_after_minutes),
    }
    if is_paid:
        defaults |= {
            "status": "completed",
            "payment_state": "paid",
            "captured": total,
            "paid_learnt_at": values["paid_at"],
            "shop_state": "paid",
        }
    order = Order(**{**defaults, **values})
    if "search" not in values:
        names = (contact.name, contact.email) if contact is not None else ()
        order.search = search.tokens(order.number, *names)
    order.save(force_insert=True)
    _make_lines(order, products)
    return order


def _make_lines(order: Order, products: Sequence[str]) -> None:
    price = (order.total / max(len(products), 1)).quantize(Decimal("0.01"))
    for position, product in enumerate(products, 1):
        OrderLine(
            shop_id=order.shop_id,
            order=order,
            position=position,
            product_ref=product,
            name=product.capitalize(),
            quantity=1,
            unit_price=price,
            total=price,
        ).save(force_insert=True)


def make_attempt(order: Order, **values: Any) -> Attempt:
    """Make an attempt to pay the whole order that succeeded at `NOW`; changes nothing of the order."""
    number = next(_numbers)
    attempt = Attempt(
        **{
            "shop_id": order.shop_id,
            "order": order,
            "ref": f"attempt-{number}",
            "operator": "demobank",
            "method": "card",
            "state": "succeeded",
            "amount": order.total,
            "currency": order.currency,
            "created_at": NOW,
            "settled_at": NOW,
            "learnt_at": NOW,
            **values,
        }
    )
    attempt.save(force_insert=True)
    return attempt


def make_cart(shop: Shop, *, products: Sequence[str] = ("cream",), **values: Any) -> Cart:
    """Make an open cart of 99.00, last touched two hours before `NOW`, so it is due."""
    number = next(_numbers)
    contact: Contact | None = values["contact"] if "contact" in values else make_contact(shop)
    active_at = values.get("last_activity_at", NOW - 2 * HOUR)
    cart = Cart(
        **{
            "shop": shop,
            "source": values.get("source") or _source_of(shop),
            "ref": f"cart-{number}",
            "contact": contact,
            "currency": shop.currency,
            "locale": "en",
            "total": Decimal("99.00"),
            "lines": [
                {"product_ref": product, "name": product.capitalize(), "quantity": "1", "total": "99.00"}
                for product in products
            ],
            "product_refs": sorted(set(products)),
            "started_at": active_at,
            "last_activity_at": active_at,
            "learnt_at": active_at,
            "version_at": active_at,
            "check_at": active_at + timedelta(minutes=shop.cart_after_minutes),
            **values,
        }
    )
    cart.save(force_insert=True)
    return cart
