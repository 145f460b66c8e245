"""The editor of processes in words: kinds of blocks, events, conditions, and what is wrong."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.units import format_unit
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.messaging.rules.kinds import Content
from recoup.messaging.rules.law import LAW
from recoup.orders.models import Order
from recoup.processes.graph.problems import Problem
from recoup.segments.field import FieldType
from recoup.segments.fields import FIELDS
from recoup.segments.history import CONSENTS
from recoup.segments.order_fields import CAUSES
from recoup.segments.tree import parse_days
from recoup.web.parts import Words
from recoup.web.words import nodes, payments
from recoup.web.words.reach import country_name
from recoup.web.words.steps import word

# What one chooses from when a step is put in: the name of a kind, and what it is for.
KINDS: dict[str, tuple[Words, Words]] = {
    "send": (gettext_lazy("Send a mail"), gettext_lazy("A reminder or thanks, from one of your texts.")),
    "wait": (
        gettext_lazy("Wait"),
        gettext_lazy("For some time, until a time of day, or around a date of the order."),
    ),
    "until": (
        gettext_lazy("Wait for something to happen"),
        gettext_lazy("Paid, bought, opened, come to the pay page? Yes at once; no when the time is over."),
    ),
    "if": (
        gettext_lazy("Check a condition"),
        gettext_lazy("Yes or no by what is known now: goods, sum, payment method."),
    ),
    "split": (
        gettext_lazy("Try ways against each other"),
        gettext_lazy("People are shared out by chance; each always takes the same way."),
    ),
    "offer": (
        gettext_lazy("Make a personal offer"),
        gettext_lazy("A discount, free delivery or a gift, for this person alone and for a time."),
    ),
    "order_status": (
        gettext_lazy("Change the order's status"),
        gettext_lazy("For the people at the order desk."),
    ),
    "tag": (
        gettext_lazy("Tag the person"),
        gettext_lazy("Sort your customers by words of your own, or take such a word off."),
    ),
    "task": (
        gettext_lazy("Give a task to somebody"),
        gettext_lazy("Somebody of you calls, checks or decides; the process can wait for it."),
    ),
    "enrol": (
        gettext_lazy("Put into another process"),
        gettext_lazy("The same person goes through another process as well."),
    ),
    "webhook": (
        gettext_lazy("Tell another program"),
        gettext_lazy("A signed call to an address of yours, such as your CRM; repeated until it is taken."),
    ),
    "goal": (gettext_lazy("Goal reached"), gettext_lazy("An end that counts as success.")),
    "end": (gettext_lazy("End"), gettext_lazy("Nothing more happens on this way.")),
}
EVENTS: dict[str, Words] = {
    "order.paid": gettext_lazy("The order is paid"),
    "product.bought": gettext_lazy("A product is bought"),
    "message.opened": gettext_lazy("A mail is opened"),
    "message.clicked": gettext_lazy("A link in a mail is followed"),
    "page.visited": gettext_lazy("The person comes to a page of yours"),
    "order.cancelled": gettext_lazy("The order is cancelled"),
    "cart.converted": gettext_lazy("The cart becomes an order"),
    "cart.emptied": gettext_lazy("The cart is emptied"),
    "contact.ordered_again": gettext_lazy("The same person pays a newer order"),
    "case.closed": gettext_lazy("The case is closed by hand"),
}
DATES = nodes.DATES
OPERATORS: dict[str, Words] = {
    "=": gettext_lazy("is"),
    "!=": gettext_lazy("is not"),
    "<": gettext_lazy("is less than"),
    "<=": gettext_lazy("is at most"),
    ">": gettext_lazy("is more than"),
    ">=": gettext_lazy("is at least"),
    "in": gettext_lazy("is one of"),
    "is_set": gettext_lazy("is known"),
    "has_any": gettext_lazy("contain any of"),
    "has_all": gettext_lazy("contain all of"),
    "before": gettext_lazy("is before"),
    "after": gettext_lazy("is after"),
    "within_last": gettext_lazy("is within the last"),
    "older_than": gettext_lazy("is longer ago than"),
}
_CONSENTS: dict[str, Words] = {
    "given": gettext_lazy("given"),
    "taken_back": gettext_lazy("taken back"),
    "never_asked": gettext_lazy("never asked for"),
}
_WEEKDAYS: dict[str, Words] = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}
_CAUSES: dict[str, Words] = {
    "no_payment": gettext_lazy("No payment was begun"),
    "offline": gettext_lazy("A bank transfer has not arrived"),
    "cart_left": gettext_lazy("The cart was left"),
}


def choices_of(fact: str) -> list[tuple[str, Words]]:
    """Return what a fact with a closed list of values can be, in words."""
    if fact == "order.status":
        return [(str(code), label) for code, label in Order.Status.choices]
    if fact == "order.cause":
        return [(code, _CAUSES.get(code) or payments.failure(code)) for code in CAUSES]
    if fact == "order.weekday":
        return list(_WEEKDAYS.items())
    known = FIELDS.get(fact)
    if known is not None and known.choices == CONSENTS:
        return list(_CONSENTS.items())
    return []


def condition(raw: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a condition as a sentence; `names` are those of products, by reference."""
    for key, joined in (("all", _(" and ")), ("any", _(" or "))):
        if key in raw:
            parts = [condition(part, names) for part in raw[key]]
            return joined.join(
                f"({part})" if _is_group(inner) else part for part, inner in zip(parts, raw[key], strict=True)
            )
    if "not" in raw:
        return _("not: %(condition)s") % {"condition": condition(raw["not"], names)}
    fact, operator, value = raw["f"], raw["op"], raw.get("v")
    values = value if isinstance(value, list) else [] if value is None else [value]
    filled = {
        "fact": _narrowed(raw),
        "operator": OPERATORS.get(operator, operator),
        "value": ", ".join(_value(fact, one, names) for one in values),
    }
    if operator == "=" and isinstance(value, bool):  # the words of such a fact are a sentence already
        return _("%(fact)s: %(value)s") % filled
    return (_("%(fact)s %(operator)s %(value)s") % filled).strip()


def taken_condition(part: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return the condition of a block or entry as a sentence, with the segment that it was taken from."""
    if not part.get("if"):
        return ""
    words = condition(part["if"], names)
    if not part.get("segment"):
        return words
    return _("%(segment)s: %(condition)s") % {
        "segment": nodes.as_segment(part["segment"]),
        "condition": words,
    }


def _narrowed(raw: Mapping[str, Any]) -> str:
    """Return a fact with what it is narrowed to."""
    found = nodes.fact(raw["f"])
    if raw.get("currency"):
        found = _("%(fact)s in %(currency)s") % {"fact": found, "currency": raw["currency"]}
    if raw.get("within"):
        found = _("%(fact)s in the last %(span)s") % {"fact": found, "span": _span(raw["within"])}
    return found


def _is_group(raw: Mapping[str, Any]) -> bool:
    return "all" in raw or "any" in raw


def _value(fact: str, value: object, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if fact.endswith(".source"):
        return names.get(f"source {value}", str(value))
    known = FIELDS.get(fact)
    if known is not None and known.type is FieldType.INSTANT:
        return _instant(str(value))
    if known is not None and known.type is FieldType.LIST:
        return names.get(str(value), str(value))
    if fact == "order.method":
        return payments.method(str(value))
    return str(dict(choices_of(fact)).get(str(value), value))


def _instant(value: str) -> str:
    """Write a day, or a span of days or hours."""
    try:
        return format_date(date.fromisoformat(value), "long", locale=humane.locale_of(get_language() or "en"))
    except ValueError:
        return _span(value)


def _span(text: str) -> str:
    language = get_language() or "en"
    span = parse_days(text)
    if "T" in text:
        return humane.duration(span, language)
    return format_unit(span.days, "duration-day", locale=humane.locale_of(language))


def event(name: str) -> str:
    """Return an event in words."""
    return str(EVENTS.get(name, name))


def problem(found: Problem, titles: Mapping[str, str], texts: Mapping[str, str]) -> str:
    """Return what is wrong in a sentence in which nothing has a code any more."""
    values = {key: _named(key, str(value), titles, texts) for key, value in found.values.items()}
    sentence = word(found.word).format_map(values)
    if found.meant is None:
        return sentence
    return _("%(sentence)s Did you mean %(meant)s?") % {
        "sentence": sentence,
        "meant": texts.get(found.meant, found.meant),
    }


def _cell(value: str) -> tuple[str, str]:
    country, _dot, content = value.partition(".")
    return country, content


def _named(key: str, value: str, titles: Mapping[str, str], texts: Mapping[str, str]) -> str:
    dates = {"placed_at": "order.placed_at", "last_activity_at": "cart.last_activity_at"}
    match key:
        case "goal" | "event":
            named = f"“{event(value)}”"
        case "blocks":
            named = ", ".join(titles.get(name, name) for name in value.split(", "))
        case "ref" | "target":
            named = titles.get(value, value)
        case "template":
            named = f"“{texts.get(value, value)}”"
        case "content":
            named = f"“{Content(value).label}”"
        case "country":
            named = country_name(value) if value else _("a country that is not known")
        case "rule":
            named = str(LAW[_cell(value)].source).rstrip(".") if value else _("your own rule")
        case "since":
            named = humane.long_day(date.fromisoformat(value), get_language() or "en")
        case "anchor":
            named = f"“{DATES.get(dates.get(value, value), value)}”"
        case "field":
            named = nodes.fact(value)
        case _:
            named = value
    return named
