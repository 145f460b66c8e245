"""The blocks of a process in words: what a picture of it says."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from babel.units import format_unit
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.processes.engine.times import parse_span
from recoup.processes.graph.picture import Picture, PictureNode
from recoup.web.parts import Words
from recoup.web.words import orders
from recoup.web.words.steps import reminder_name, word

DATES: dict[str, Words] = {
    "order.placed_at": gettext_lazy("When the order was placed"),
    "order.paid_at": gettext_lazy("When the order was paid"),
    "cart.last_activity_at": gettext_lazy("The last change of the cart"),
    "promise.until": gettext_lazy("The day until which payment was promised"),
    "offer.ends_at": gettext_lazy("The end of an offer of this process"),
}
_FACTS = {
    "order.total": gettext_lazy("Sum of the order"),
    "order.amount_due": gettext_lazy("Sum that is still due"),
    "order.currency": gettext_lazy("Currency of the order"),
    "order.method": gettext_lazy("Payment method"),
    "order.is_offline": gettext_lazy("Paid by bank transfer"),
    "order.cause": gettext_lazy("Why it is unpaid"),
    "order.status": gettext_lazy("Status of the order"),
    "order.is_paid": gettext_lazy("Order is paid"),
    "order.products": gettext_lazy("Goods of the order"),
    "cart.total": gettext_lazy("Sum of the cart"),
    "cart.currency": gettext_lazy("Currency of the cart"),
    "cart.item_count": gettext_lazy("Number of goods in the cart"),
    "cart.products": gettext_lazy("Goods in the cart"),
    "contact.locale": gettext_lazy("Language of the customer"),
    "contact.zone": gettext_lazy("Time zone of the customer"),
    "order.placed_at": gettext_lazy("When the order was placed"),
    "order.weekday": gettext_lazy("Day of the week of the order"),
    "order.hour": gettext_lazy("Hour of the order, in the shop"),
    "order.item_count": gettext_lazy("Number of goods in the order"),
    "order.country": gettext_lazy("Country of the order"),
    "order.origin": gettext_lazy("Where in the shop it was ordered"),
    "order.source": gettext_lazy("Source of the order"),
    "order.has_discount": gettext_lazy("Order has a discount"),
    "order.visited_at": gettext_lazy("The last visit of the order's pay page"),
    "cart.visited_at": gettext_lazy("The last visit of the cart's page"),
    "cart.last_activity_at": gettext_lazy("The last change of the cart"),
    "cart.source": gettext_lazy("Source of the cart"),
    "cart.has_coupon": gettext_lazy("Cart has a coupon"),
    "contact.country": gettext_lazy("Country of the customer"),
    "contact.known_since": gettext_lazy("When the customer was first seen"),
    "contact.has_email": gettext_lazy("Customer has an e-mail address"),
    "contact.has_phone": gettext_lazy("Customer has a phone number"),
    "contact.order_count": gettext_lazy("Number of orders of the customer"),
    "contact.paid_count": gettext_lazy("Number of paid orders of the customer"),
    "contact.paid_sum": gettext_lazy("What the customer has paid in all"),
    "contact.average_order": gettext_lazy("What the customer pays on average"),
    "contact.bought": gettext_lazy("Goods that the customer has bought"),
    "contact.first_order_at": gettext_lazy("The first order of the customer"),
    "contact.last_order_at": gettext_lazy("The last order of the customer"),
    "contact.visited_at": gettext_lazy("The last visit of the customer to a pay page or cart"),
    "contact.last_paid_at": gettext_lazy("The last payment of the customer"),
    "contact.has_unpaid_order": gettext_lazy("Customer has an unpaid order"),
    "contact.offers_by_email": gettext_lazy("Consent to offers by e-mail"),
    "contact.offers_by_sms": gettext_lazy("Consent to offers by SMS"),
    "contact.cart_reminders": gettext_lazy("Consent to reminders of a cart"),
    "contact.tags": gettext_lazy("Tags of the customer"),
    "contact.is_suppressed": gettext_lazy("Customer's address gets no messages of some kind"),
}


def span(text: str) -> str:
    """Write a span of a document: "48 hours", "4 days"."""
    try:
        read = parse_span(text)
    except ValueError:
        return text
    language = get_language() or "en"
    if read.days and not read.exact:  # days of the calendar are not the same as hours
        return format_unit(abs(read.days), "duration-day", locale=humane.locale_of(language))
    return humane.duration(timedelta(days=read.days) + read.exact, language)


def message_numbers(picture: Picture) -> dict[str, int]:
    """Number the reminders by their place from top to bottom; those of one row share a number. Thanks are none."""
    reminders = [node for node in picture.nodes if node.word == "process.node.send.reminder"]
    rows = sorted({node.row for node in reminders})
    return {node.id: rows.index(node.row) + 1 for node in reminders}


def fact(name: str) -> str:
    """Return the words of a fact that conditions ask about."""
    return str(_FACTS.get(name, name))


def as_segment(named: Mapping[str, Any]) -> str:
    """Return from which saved segment, and of which day, a condition was taken."""
    day = humane.day(
        datetime.combine(date.fromisoformat(named["of"]), time(12), UTC), UTC, get_language() or "en"
    )
    return _("As segment “%(name)s” of %(day)s") % {"name": named["name"], "day": day}


def title(node: PictureNode, ordinal: int, total: int) -> str:
    """Return what a block does; the merchant's own name wins."""
    if node.label:
        return node.label
    if node.kind == "if":
        return _question(node.values)
    if node.kind == "send" and ordinal:
        return reminder_name(ordinal, total)
    if node.kind == "order_status":
        status = orders.status_label(str(node.values.get("status", "")))
        return _("Set to %(status)s") % {"status": status}
    filled = {"span": "", "within": "", "at": "", **node.values}
    for key in ("span", "within"):
        if filled[key]:
            filled[key] = span(str(filled[key]))
    return word(node.word).format(**filled)


def detail(node: PictureNode, texts: Mapping[str, str]) -> str:
    """Return the line under the title: which text is sent, what is asked about."""
    if node.kind == "send":
        return _message(node.values, texts)
    products = node.values.get("products")
    if node.kind == "until" and isinstance(products, list) and products:
        joined = _(" or ") if node.values.get("match") == "any" else _(" and ")
        return joined.join(str(product) for product in products)
    if node.kind in _DETAILS:
        return _DETAILS[node.kind](node.values)
    if node.kind == "if" and isinstance(named := node.values.get("segment"), dict):
        return as_segment(named)
    if node.kind == "order_status":
        return orders.status_reason(str(node.values.get("reason") or ""))
    return str(node.values.get("detail", ""))


def _around_a_date(values: Mapping[str, Any]) -> str:
    """Return from which date a wait counts, and how long before or after it."""
    if not values.get("date"):
        return ""
    date, offset = str(DATES.get(values["date"], values["date"])), str(values["offset"])
    if offset == "PT0S":
        return date
    named = {"date": date, "span": span(offset.removeprefix("-"))}
    return (
        _("%(span)s before: %(date)s") % named
        if offset.startswith("-")
        else _("%(span)s after: %(date)s") % named
    )


_DETAILS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "wait": _around_a_date,
    "split": lambda values: str(values.get("arms", "")),
}


def _message(values: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Name the texts of a message in the order of its channels."""
    ways = [(values.get("channel", "email"), values.get("template", "")), *values.get("otherwise", ())]
    named = [
        (_("SMS “%(text)s”") if channel == "sms" else _("Mail “%(text)s”"))
        % {"text": texts.get(str(key), str(key))}
        for channel, key in ways
    ]
    told = _(", otherwise ").join(named)
    return _("%(texts)s, only on its day") % {"texts": told} if values.get("same_day") else told


def _question(values: Mapping[str, Any]) -> str:
    facts = values.get("facts", ())
    words = [str(_FACTS.get(fact, fact)) for fact in facts]
    return f"{', '.join(words)}?" if words else _("Does this apply?")
