"""The rows behind the contexts of texts, read for a batch."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from recoup.customers.clocks import clocks_of_person
from recoup.messaging.breakdown import DISCOUNT, PAID, Extra, Told, extras
from recoup.offers.codes import shown
from recoup.offers.terms import Terms
from recoup.offers.words import discount_words
from recoup.orders.particulars import delivery_words, read_delivery


class ShopRow(NamedTuple):
    """What texts say of the shop."""

    values: Mapping[str, str]
    zone: str
    country: str

    def clock_of(self, person: "Person") -> str:
        """Return the zone in which texts tell a person of hours."""
        clocks = clocks_of_person(person.zone, person.country, shop_zone=self.zone, shop_country=self.country)
        return clocks.end.key


class Person(NamedTuple):
    """What texts say of the person."""

    name: str
    email: str
    zone: str
    country: str


class Row(NamedTuple):
    """An order or a cart as texts show it, and the stamp that tells whether its row has changed since.

    Amounts are pairs and moments ISO 8601, as the render child reads them: a mail has a dozen of them.
    """

    kind: str
    values: dict[str, Any]
    stamp: str
    extras: Sequence[Extra] = ()
    """What leads from the goods of an order to what is due; named in the language of each text."""


NO_ROW = Row("", {}, "")  # of a text about a person alone


class OfferRow(NamedTuple):
    """An offer as texts speak of it."""

    code: str
    terms: Terms
    currency: str
    new_total: Decimal | None
    expires_at: datetime
    gift: str

    def values(self, locale: str) -> dict[str, Any]:
        """Return what a text in this language may say of it."""
        language = locale.replace("_", "-")
        return {
            "code": shown(self.code),
            "discount": discount_words(self.terms, self.currency, language, gift=self.gift),
            "new_total": None if self.new_total is None else (str(self.new_total), self.currency),
            "expires_at": self.expires_at.isoformat(),
            "description": self.terms.description,
        }


def read_offers(shop_id: int, ids: Sequence[int]) -> dict[int, OfferRow]:
    """Read offers of a shop, whatever became of them: whether one is in force is looked at last."""
    if not ids:
        return {}
    rows = _rows(
        "SELECT f.id, f.code, f.terms::text, f.currency, f.new_total, f.valid_until, coalesce((SELECT p.name"
        " FROM catalog_product p WHERE p.shop_id = f.shop_id AND p.ref = f.terms ->> 'gift'"
        " ORDER BY p.variant_ref, p.id LIMIT 1), '') FROM offers_offer f WHERE f.shop_id = %s AND f.id = ANY(%s)",
        [shop_id, list(ids)],
    )
    return {
        row[0]: OfferRow(row[1], Terms.from_json(json.loads(row[2])), row[3], row[4], row[5], row[6])
        for row in rows
    }


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def read_shop(shop_id: int) -> ShopRow:
    """Read what texts say of a shop; its page is where its orders come from."""
    name, phone, address, email, zone, country, website = _rows(
        "SELECT name, phone, address, email, time_zone, country, coalesce((SELECT base_url FROM shops_source"
        " WHERE shop_id = s.id AND base_url <> '' ORDER BY id LIMIT 1), '') FROM shops_shop s WHERE id = %s",
        [shop_id],
    )[0]
    values = {"name": name, "phone": phone, "address": address, "email": email, "website": website}
    return ShopRow(values, zone, country)


def read_people(shop_id: int, ids: Sequence[int]) -> dict[int, Person]:
    """Read people of a shop."""
    rows = _rows(
        "SELECT id, name, email, time_zone, country FROM customers_contact WHERE shop_id = %s AND id = ANY(%s)",
        [shop_id, list(ids)],
    )
    return {row[0]: Person(*row[1:]) for row in rows}


def read_last_mails(contact_ids: Sequence[int]) -> dict[int, datetime]:
    """Read when the last mail went to each person."""
    rows = _rows(
        "SELECT contact_id, max(handed_at) FROM messaging_message"
        " WHERE contact_id = ANY(%s) AND state = 'sent' GROUP BY contact_id",
        [list(contact_ids)],
    )
    return dict(rows)


_ORDERS = """
    SELECT id, number, status, total, captured - refunded, currency, to_json(placed_at) #>> '{}', method_title,
        ctid::text || xmin::text, CASE WHEN %s THEN delivery::text ELSE '{}' END,
        discount_given, shipping_total, discount_total, tax_total
    FROM orders_order WHERE shop_id = %s AND id = ANY(%s)
"""
_LINES = """
    SELECT order_id, name, options::text, quantity, unit_price, total, url, image_url
    FROM orders_orderline WHERE order_id = ANY(%s) ORDER BY order_id, position
"""


def read_orders(
    shop_id: int, ids: Sequence[int], *, with_items: bool, with_delivery: bool = False
) -> dict[int, Row]:
    """Read orders of a shop, with their lines and their delivery where a text shows them."""
    if not ids:
        return {}
    items: dict[int, list[dict[str, Any]]] = {order_id: [] for order_id in ids}
    goods: dict[int, Decimal] = dict.fromkeys(ids, Decimal(0))
    found, parts = {}, {}
    for (
        order_id,
        number,
        status,
        total,
        paid,
        currency,
        placed_at,
        method_title,
        stamp,
        delivery,
        given,
        *told,
    ) in _rows(_ORDERS, [with_delivery, shop_id, list(ids)]):
        brought = delivery_words(read_delivery(json.loads(delivery))) if with_delivery else ""
        rest, due = (placed_at, method_title, stamp, brought), max(total - given - paid, Decimal(0))
        found[order_id] = _order_row(number, status, (total, due), currency, rest, items[order_id])
        parts[order_id] = _Parts(total, paid, given, currency, Told(*told))
    if with_items:
        for order_id, name, options, quantity, price, total, url, image in _rows(_LINES, [list(found)]):
            currency = found[order_id].values["total"][1]
            line = _Line(name, json.loads(options), quantity, price, total, url, image)
            items[order_id].append(_item(currency, line))
            goods[order_id] += total
        for order_id, row in found.items():
            if items[order_id]:
                found[order_id] = row._replace(extras=_extras(parts[order_id], goods[order_id]))
    return found


class _Parts(NamedTuple):
    total: Decimal
    paid: Decimal
    given: Decimal  # by an offer, with which it was paid
    currency: str
    told: Told


def _extras(parts: _Parts, goods: Decimal) -> list[Extra]:
    """Return what leads from the goods to what is due: with what was paid already."""
    rows = extras(parts.total, goods, parts.told, currency=parts.currency)
    more = [Extra(DISCOUNT, -parts.given), Extra(PAID, -parts.paid)]
    return [*rows, *(one for one in more if one.amount)]


def _order_row(
    number: str,
    status: str,
    sums: tuple[Decimal, Decimal],
    currency: str,
    rest: Sequence[str],
    items: list[dict[str, Any]],
) -> Row:
    (total, due), (placed_at, method_title, stamp, delivery) = sums, rest
    values = {
        "number": number,
        "status": status,
        "total": (str(total), currency),
        "due": (str(due), currency),
        "placed_at": placed_at,
        "payment_method": method_title,
        "delivery": delivery,
        "items": items,
    }
    return Row("order", values, stamp)


def read_carts(shop_id: int, ids: Sequence[int]) -> dict[int, Row]:
    """Read carts of a shop."""
    if not ids:
        return {}
    rows = _rows(
        "SELECT id, total, currency, to_json(last_activity_at) #>> '{}', lines::text, ctid::text || xmin::text"
        " FROM orders_cart"
        " WHERE shop_id = %s AND id = ANY(%s)",
        [shop_id, list(ids)],
    )
    return {
        cart_id: Row(
            "cart",
            {
                "total": (str(total), currency),
                "updated_at": active_at,
                "items": [_cart_item(currency, line) for line in json.loads(lines)],
            },
            stamp,
        )
        for cart_id, total, currency, active_at, lines, stamp in rows
    }


def _cart_item(currency: str, line: Mapping[str, Any]) -> dict[str, Any]:
    total, quantity = Decimal(line.get("total") or 0), Decimal(line.get("quantity") or 1)
    return _item(
        currency,
        _Line(
            line.get("name", ""),
            line.get("options") or {},
            quantity,
            Decimal(line.get("unit_price") or total / (quantity or 1)),
            total,
            line.get("url", ""),
            line.get("image_url", ""),
        ),
    )


class _Line(NamedTuple):
    name: str
    options: Mapping[str, str]
    quantity: Decimal
    price: Decimal
    total: Decimal
    url: str
    image: str


def _item(currency: str, line: _Line) -> dict[str, Any]:
    name, options, quantity, price, total, url, image = line
    return {
        "name": name,
        "variant": ", ".join(str(value) for value in options.values()),
        "quantity": int(quantity) if quantity == quantity.to_integral_value() else float(quantity),
        "price": (str(price), currency),
        "total": (str(total), currency),
        "link": url if url.startswith(("https://", "http://")) else "",
        "image": image if image.startswith(("https://", "http://")) else "",
    }
