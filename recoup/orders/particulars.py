"""The personal data of carts and orders: who buys, how it reaches them, to whom it is invoiced. Written and read here alone.

Kept as JSON, read back as frozen values whatever stands there. Delivery and invoice are told by some news of a source and
not by others: each keeps the version of the news that told it, so that any order of arrival leaves the same (T24).
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime

from recoup.core.text import clean_line
from recoup.customers.normalise import clean_name, email_key, phone_key
from recoup.orders.models import Cart, Order
from recoup.shops.snapshots import (
    CartSnapshot,
    DeliverySnapshot,
    InvoiceSnapshot,
    OrderSnapshot,
    PersonSnapshot,
    PointSnapshot,
)

_TOLD = "told"
_MOST_PARTS = 20
_TAX_ID_LENGTH = 40
# Platforms name the parts of an address differently; this is the order in which people write them.
_STREET = (
    "street",
    "address_1",
    "address1",
    "line1",
    "address",
    "house_number",
    "address_2",
    "address2",
    "line2",
)
_TOWN = ("postcode", "postal_code", "zip", "city", "town")
_REGION = ("state", "province", "region", "country")


def kept_buyer(person: PersonSnapshot) -> dict[str, object]:
    """Return a buyer as an order or cart keeps them."""
    return {
        "name": clean_name(person.name),
        "email": email_key(person.email),
        "phone": phone_key(person.phone, person.country),
        "country": person.country,
        "company": clean_name(person.company),
        "address": person.address,
    }


def take_particulars(
    subject: Cart | Order, snapshot: CartSnapshot | OrderSnapshot, *, version_key: str
) -> list[str]:
    """Take delivery and invoice of a snapshot over, unless newer news told them; return the fields that changed.

    What a snapshot does not tell stays. Also an older snapshot fills in what no other has told.
    """
    told = _version(snapshot.version_at, version_key)
    country = snapshot.person.country
    changed = []
    if snapshot.delivery is not None and told > str(subject.delivery.get(_TOLD, "")):
        subject.delivery = {**_kept_delivery(snapshot.delivery, country), _TOLD: told}
        changed.append("delivery")
    if snapshot.invoice is not None and told > str(subject.invoice.get(_TOLD, "")):
        subject.invoice = {**_kept_invoice(snapshot.invoice), _TOLD: told}
        changed.append("invoice")
    return changed


def keep_particulars(
    order: Order, delivery: DeliverySnapshot, invoice: InvoiceSnapshot, *, country: str, at: datetime
) -> list[str]:
    """Put delivery and invoice into an order as its buyer corrects them; return the fields that differ from before."""
    told = {_TOLD: _version(at, "")}
    changed = []
    if delivery != delivery_of(order):
        order.delivery = {**_kept_delivery(delivery, country), **told}
        changed.append("delivery")
    if invoice != invoice_of(order):
        order.invoice = {**_kept_invoice(invoice), **told}
        changed.append("invoice")
    return changed


def _version(at: datetime, key: str) -> str:
    """Return the version of a snapshot as text that sorts as versions do."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}|{key}"


def _kept_delivery(told: DeliverySnapshot, country: str) -> dict[str, object]:
    place = str(told.address.get("country") or country)
    return asdict(
        replace(
            told,
            method=clean_line(told.method, length=80),
            title=clean_name(told.title),
            name=clean_name(told.name),
            company=clean_name(told.company),
            phone=phone_key(told.phone, place),
            address=_address(told.address),
        )
    )


def _kept_invoice(told: InvoiceSnapshot) -> dict[str, object]:
    return asdict(
        replace(
            told,
            company=clean_name(told.company),
            tax_id=clean_line(told.tax_id, length=_TAX_ID_LENGTH),
            address=_address(told.address),
        )
    )


def delivery_of(subject: Cart | Order) -> DeliverySnapshot:
    """Return how an order or cart is to reach its buyer; empty where nobody told."""
    return read_delivery(subject.delivery)


def read_delivery(column: object) -> DeliverySnapshot:
    """Return the delivery that stands in the column of an order or cart."""
    kept = _mapping(column)
    point = _mapping(kept.get("point"))
    return DeliverySnapshot(
        method=_text(kept.get("method")),
        title=_text(kept.get("title")),
        point=PointSnapshot(
            ref=_text(point.get("ref")), name=_text(point.get("name")), address=_text(point.get("address"))
        ),
        name=_text(kept.get("name")),
        company=_text(kept.get("company")),
        phone=_text(kept.get("phone")),
        address=_address(kept.get("address")),
    )


def invoice_of(subject: Cart | Order) -> InvoiceSnapshot:
    """Return to whom an order or cart is invoiced; empty where nobody told."""
    kept = _mapping(subject.invoice)
    wanted = kept.get("is_wanted")
    return InvoiceSnapshot(
        is_wanted=wanted if isinstance(wanted, bool) else None,
        company=_text(kept.get("company")),
        tax_id=_text(kept.get("tax_id")),
        address=_address(kept.get("address")),
    )


def bill_address_of(subject: Cart | Order) -> dict[str, str]:
    """Return the address of the bill."""
    return _address(_mapping(subject.buyer).get("address"))


def coupon_of(subject: Cart | Order) -> str:
    """Return the codes that the buyer typed at the source."""
    if isinstance(subject, Cart):
        return subject.coupon
    rows = subject.coupons if isinstance(subject.coupons, list) else []
    codes = [_text(_mapping(row).get("code")) for row in rows]
    return ", ".join(code for code in codes if code)


def address_words(address: Mapping[str, str]) -> str:
    """Return an address on one line, in the order in which people write it; parts that we do not know come last."""
    street = _parts(address, _STREET)
    town = " ".join(_parts(address, _TOWN))
    other = [text for key, text in address.items() if key not in {*_STREET, *_TOWN, *_REGION}]
    return ", ".join(part for part in (*street, town, *other, *_parts(address, _REGION)) if part)


def point_words(point: PointSnapshot) -> str:
    """Return a point as people know it: its code, its name and where it is, each once."""
    is_readable = len(point.ref) <= 16  # longer ones are keys of a database
    found: list[str] = []
    for text in (point.ref if is_readable or not point.name else "", point.name, point.address):
        if text and not any(text in known for known in found):
            found.append(text)
    return ", ".join(found)


def delivery_words(delivery: DeliverySnapshot) -> str:
    """Return the way of delivery with its point, for texts; an address is never part of it."""
    point = point_words(delivery.point)
    if point and (point in delivery.title or (delivery.point.ref and delivery.point.ref in delivery.title)):
        return delivery.title
    return ": ".join(part for part in (delivery.title, point) if part)


def _parts(address: Mapping[str, str], keys: tuple[str, ...]) -> list[str]:
    return [address[key] for key in keys if address.get(key)]


def _address(kept: object) -> dict[str, str]:
    parts = list(_mapping(kept).items())[:_MOST_PARTS]
    return {clean_line(str(key), length=40): text for key, told in parts if (text := _text(told))}


def _mapping(kept: object) -> Mapping[str, object]:
    return kept if isinstance(kept, Mapping) else {}


def _text(kept: object) -> str:
    return clean_line(kept) if isinstance(kept, str) else ""
