"""Delivery, pick-up point and invoice of an order, as WooCommerce and its plugins keep them.

Nothing here refuses an order: what cannot be read is left out, and stands in the raw body.
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from recoup.core import strict_json
from recoup.core.strict_json import JsonRefused
from recoup.integrations import values
from recoup.integrations.woocommerce import words
from recoup.shops.snapshots import DeliverySnapshot, InvoiceSnapshot, PointSnapshot

Json = Mapping[str, Any]
_ADDRESS = ("address_1", "address_2", "postcode", "city", "state", "country")
_TAG = re.compile(r"<[^<>]{0,200}>")
# The German post writes its lockers into the street.
_POST_LOCKER = re.compile(r"(packstation|postfiliale|parcelshop)\s*(\d{3,6})", re.IGNORECASE)
_LONGEST_OBJECT = 20_000


def meta_of(body: Json) -> dict[str, Any]:
    """Return the meta of an order or a line by its keys."""
    rows = body.get("meta_data")
    if not isinstance(rows, list):
        return {}
    return {
        str(row["key"]): row.get("value")
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("key"), str)
    }


def bill_address(body: Json) -> dict[str, str]:
    """Return the address of the bill."""
    return _address(values.members(body.get("billing")))


def read_delivery(body: Json, meta: Json) -> DeliverySnapshot | None:
    """Return how the order is delivered; `None` of a body that was cut down to other fields."""
    if "shipping_lines" not in body and "shipping" not in body:
        return None
    told = body.get("shipping_lines")
    lines = [line for line in told if isinstance(line, dict)] if isinstance(told, list) else []
    shipping = values.members(body.get("shipping"))
    found: dict[str, Any] = dict(meta)
    for line in lines:
        found |= meta_of(line)
    titles = dict.fromkeys(_text(line.get("method_title")) for line in lines)
    name = " ".join(part for key in ("first_name", "last_name") if (part := _text(shipping.get(key))))
    address = _address(shipping)
    return DeliverySnapshot(
        method=_method(lines),
        title=", ".join(title for title in titles if title)[:200],
        point=point if (point := _point(found)).is_known else _post_locker(address),
        name=name,
        company=_text(shipping.get("company")),
        phone=values.line(shipping.get("phone"), length=40),
        address=address,
    )


def read_invoice(body: Json, meta: Json) -> InvoiceSnapshot:
    """Return to whom the order is invoiced: a tax number says that an invoice is wanted, unless a box says otherwise."""
    tax_id = _tax_id(meta)
    wanted = _is_wanted(meta)
    return InvoiceSnapshot(
        is_wanted=True if wanted is None and tax_id else wanted,
        company=_text(values.members(body.get("billing")).get("company")),
        tax_id=tax_id,
    )


def _method(lines: list[dict[str, Any]]) -> str:
    """Return the code of the method and which of the shop's rows of it this is, as WooCommerce writes them."""
    for line in lines:
        method, instance = _text(line.get("method_id")), _text(line.get("instance_id"))
        if method:
            return (f"{method}:{instance}" if instance and ":" not in method else method)[:80]
    return ""


def _address(told: Json) -> dict[str, str]:
    found = {key: _text(told.get(key)) for key in _ADDRESS}
    has_place = any(found[key] for key in ("address_1", "postcode", "city"))
    return {key: text for key, text in found.items() if text} if has_place else {}


def _point(meta: Json) -> PointSnapshot:
    for ref_key, name_key, address_keys in words.POINT_KEYS:
        ref, name = _text(meta.get(ref_key)), _text(meta.get(name_key))
        if ref or (name and not ref_key):
            return PointSnapshot(ref=ref, name=name, address=_joined(meta, address_keys))
    for key, ref_key, name_key, address_keys in words.POINT_OBJECTS:
        point = _object(meta.get(key))
        if ref := _text(point.get(ref_key)):
            place = {**point, **_object(point.get("contact"))}
            extra = ", ".join(
                part.strip() for part in _joined(place, address_keys).split("|") if part.strip()
            )
            return PointSnapshot(ref=ref, name=_text(point.get(name_key)), address=extra)
    return PointSnapshot()


def _post_locker(address: Mapping[str, str]) -> PointSnapshot:
    match = _POST_LOCKER.search(f"{address.get('address_1', '')} {address.get('address_2', '')}")
    if match is None:
        return PointSnapshot()
    town = " ".join(part for key in ("postcode", "city") if (part := address.get(key, "")))
    return PointSnapshot(ref=f"{match[1].capitalize()} {match[2]}", address=town)


def _joined(told: Json, keys: tuple[str, ...]) -> str:
    return ", ".join(text for key in keys if (text := _text(told.get(key))))


def _object(told: object) -> dict[str, Any]:
    """Return an object that a plugin kept as it is or as JSON."""
    if isinstance(told, dict):
        return told
    if not isinstance(told, str) or not told.startswith("{") or len(told) > _LONGEST_OBJECT:
        return {}
    try:
        return values.members(strict_json.loads(told.encode()))
    except JsonRefused:
        return {}


def _tax_id(meta: Json) -> str:
    for key in words.TAX_KEYS:
        if found := _text(meta.get(key))[:40]:
            return found
    of_blocks = (
        _text(told)[:40]
        for key, told in meta.items()
        if key.startswith(words.BLOCK_PREFIXES) and key.rpartition("/")[2].lower() in words.BLOCK_TAX_FIELDS
    )
    return next((found for found in of_blocks if found), "")


def _is_wanted(meta: Json) -> bool | None:
    for key in words.INVOICE_KEYS:
        told = meta.get(key)
        word = ("yes" if told else "no") if isinstance(told, bool) else _text(told).lower()
        if word in words.YES or word in words.NO:
            return word in words.YES
    return None


def _text(told: object) -> str:
    """Return what a plugin wrote as one line: without its tags and entities; numbers are text too."""
    if isinstance(told, int) and not isinstance(told, bool):
        return str(told)
    if not isinstance(told, str):
        return ""
    return values.line(html.unescape(_TAG.sub(" ", told[:2000])))
