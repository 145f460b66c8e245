"""What a buyers' page says of the person behind it: masked for whoever has the link, whole for who named their address."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from recoup.orders.particulars import address_words, point_words
from recoup.storefront.buying import Person
from recoup.storefront.masking import masked_name, masked_number, masked_place, masked_point, masked_title

Facts = list[tuple[str, str]]


def masked_facts(person: Person) -> Facts:
    """Return delivery and invoice so that their person knows them, and nobody else learns anything (C4, T57)."""
    delivery, invoice = person.delivery, person.invoice
    given = [
        (_("Delivery"), masked_title(delivery)),
        (_("Pick-up point"), masked_point(delivery.point)),
        (_("Delivered to"), "" if delivery.point.is_known else masked_place(delivery.address)),
        (_("Billing address"), masked_place(person.address)),
        (_("Invoice for"), masked_name(_invoiced(person))),
        (_("Tax number"), masked_number(invoice.tax_id)),
    ]
    return [(name, words) for name, words in given if words]


def all_facts(person: Person) -> Facts:
    """Return everything that is known of the person, for who has named their address."""
    delivery, invoice = person.delivery, person.invoice
    given = [
        (pgettext("of a person", "Name"), person.name or "–"),
        (_("E-mail"), person.email),
        (_("Phone"), person.phone),
        (_("Company"), person.company if person.company != _invoiced(person) else ""),
        (_("Delivery"), delivery.title),
        (_("Pick-up point"), point_words(delivery.point)),
        (_("Delivered to"), receiver_words(person)),
        (_("Billing address"), address_words(person.address)),
        (_("Invoice for"), _invoiced(person)),
        (_("Tax number"), invoice.tax_id),
        (_("Invoice address"), address_words(invoice.address)),
        (_("Code that you used"), person.coupon),
    ]
    return [(name, words) for name, words in given if words]


def receiver_words(person: Person) -> str:
    """Return who receives the goods and where, as far as it is not the buyer at the address of the bill."""
    delivery = person.delivery
    name = delivery.name if delivery.name != person.name else ""
    company = delivery.company if delivery.company != person.company else ""
    phone = delivery.phone if delivery.phone != person.phone else ""
    address = address_words(delivery.address) if delivery.address != person.address else ""
    return ", ".join(part for part in (name, company, address, phone) if part)


def _invoiced(person: Person) -> str:
    """Return to whom the invoice goes: a company, where one is wanted or a tax number was given."""
    invoice = person.invoice
    if invoice.is_wanted is False:
        return ""
    return (invoice.company or person.company) if invoice.is_wanted or invoice.tax_id else ""
