"""What somebody who has named their address may change before they order or pay: name, phone, places and invoice (C4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from recoup.core.text import clean_line
from recoup.customers.normalise import clean_name, phone_key
from recoup.orders.particulars import address_words, point_words
from recoup.shops.snapshots import DeliverySnapshot, InvoiceSnapshot, PointSnapshot
from recoup.storefront.buying import Person

TEXTS = ("name", "phone", "bill", "point", "to_name", "to_address", "company", "tax_id", "invoice_address")
FIELDS = frozenset({*TEXTS, "change", "invoice"})  # all that the form sends


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it stands: what is in its fields, and what is wrong with them."""

    name: str = ""
    phone: str = ""
    bill: str = ""
    point: str = ""
    to_name: str = ""
    to_address: str = ""
    company: str = ""
    tax_id: str = ""
    invoice_address: str = ""
    wants_invoice: bool = False
    collects: bool = False  # from a point: then the form asks for the point, else for an address
    problems: Mapping[str, str] = field(default_factory=dict)


def filled_form(person: Person) -> Typed:
    """Return the form with what is known of the person."""
    delivery, invoice = person.delivery, person.invoice
    return Typed(
        name=person.name,
        phone=person.phone,
        bill=address_words(person.address),
        point=point_words(delivery.point),
        to_name=delivery.name,
        to_address=address_words(delivery.address),
        company=invoice.company or person.company,
        tax_id=invoice.tax_id,
        invoice_address=address_words(invoice.address),
        wants_invoice=bool(invoice.is_wanted),
        collects=delivery.point.is_known,
    )


def read_form(person: Person, sent: Mapping[str, str]) -> tuple[Person, Typed]:
    """Return the person as the form changes them, and the form; with problems in it the person is as they were.

    A field that was left as it was filled in keeps what is known behind it, part by part; so does one that was not sent.
    """
    before = filled_form(person)
    typed = Typed(
        # TEXTS names the fields that are texts, which the type checker cannot know; the others follow.
        **{name: clean_line(sent.get(name, getattr(before, name))) for name in TEXTS},  # type: ignore[arg-type]  # see above
        wants_invoice="invoice" in sent,
        collects=before.collects,
    )
    problems = _problems(person, before, typed)
    if problems:
        return person, replace(typed, problems=problems)
    changed = replace(
        person,
        name=clean_name(typed.name),
        phone=person.phone if typed.phone == before.phone else phone_key(typed.phone, person.country),
        address=_address(person.address, before.bill, typed.bill),
        delivery=_delivery(person.delivery, before, typed),
        invoice=_invoice(person, before, typed),
    )
    return changed, typed


def _problems(person: Person, before: Typed, typed: Typed) -> dict[str, str]:
    found = {}
    if before.name and not typed.name:
        found["name"] = _("Please give a name.")
    if typed.phone not in {"", before.phone} and not phone_key(typed.phone, person.country):
        found["phone"] = _("This is no phone number. Please write it with its country code, such as +48.")
    if before.collects and not typed.point:
        found["point"] = _("Please name the pick-up point, as its carrier writes it.")
    if not before.collects and before.to_address and not typed.to_address:
        found["to_address"] = _("Please give the address to which the goods go.")
    if typed.wants_invoice and not typed.company:
        found["company"] = _("Please name the company that the invoice is for.")
    return found


def _address(known: Mapping[str, str], before: str, typed: str) -> dict[str, str]:
    if typed == before:
        return dict(known)
    return {"address": typed} if typed else {}


def _delivery(known: DeliverySnapshot, before: Typed, typed: Typed) -> DeliverySnapshot:
    point = known.point if typed.point == before.point else PointSnapshot(ref=typed.point)
    return replace(
        known,
        point=point,
        name=typed.to_name,
        address=_address(known.address, before.to_address, typed.to_address),
    )


def _invoice(person: Person, before: Typed, typed: Typed) -> InvoiceSnapshot:
    known = person.invoice
    is_untouched = (typed.company, typed.tax_id, typed.wants_invoice) == (
        before.company,
        before.tax_id,
        before.wants_invoice,
    )
    if is_untouched and typed.invoice_address == before.invoice_address:
        return known
    return InvoiceSnapshot(
        is_wanted=typed.wants_invoice,
        company=typed.company,
        tax_id=typed.tax_id,
        address=_address(known.address, before.invoice_address, typed.invoice_address),
    )
