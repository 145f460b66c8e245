"""Those who stand at a step or went through it, as numbers on the canvas and as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.customers.models import Contact
from recoup.orders.models import Order
from recoup.processes.at_blocks import AtBlock, Number
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.models import Enrolment, Process
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.listing import with_query
from recoup.web.shown.people import name_of


def counts_of(seat: Seat, process: Process, counts: dict[str, AtBlock]) -> dict[str, Any]:
    """Return the numbers of the blocks with what they mean and where their rows are."""
    found: dict[str, Any] = {}
    for block, one in counts.items():
        shown = found.setdefault(block, {})
        if one.here:
            words = ngettext("%(n)s stands here now", "%(n)s stand here now", one.here)
            shown["here"] = _count(seat, process, block, "here", one.here, _("%(n)s here now"), words)
        if one.passed:
            words = ngettext(
                "%(n)s went through in the last 30 days", "%(n)s went through in the last 30 days", one.passed
            )
            shown["passed"] = _count(seat, process, block, "passed", one.passed, _("%(n)s in 30 days"), words)
    return found


def url_of(seat: Seat, process: Process, block: str, number: Number = "here") -> str:
    """Return where the rows behind a number are: everybody it counts, with an order, a cart or neither."""
    return with_query(place(seat, "process_step", process.pk, block), {"v": number})


def _count(
    seat: Seat, process: Process, block: str, number: Number, count: int, text: str, words: str
) -> dict[str, str]:
    shown = {"n": humane.number(count, get_language() or "en")}
    return {"text": text % shown, "name": words % shown, "url": url_of(seat, process, block, number)}


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody at a step: what it is about, who, and since when they stand there (or stand where they went on)."""

    title: str
    url: str
    person: str
    at: datetime


def rows_of(seat: Seat, found: Sequence[Enrolment]) -> list[Row]:
    """Return the rows of enrolments."""
    orders = Order.objects.filter(shop=seat.shop).in_bulk(
        [one.subject_id for one in found if one.subject_kind == SubjectKind.ORDER]
    )
    people = Contact.objects.filter(shop=seat.shop).in_bulk([one.contact_id for one in found])
    return [_row(seat, one, orders.get(one.subject_id), people.get(one.contact_id)) for one in found]


def _row(seat: Seat, one: Enrolment, order: Order | None, person: Contact | None) -> Row:
    customer = place(seat, "customer", one.contact_id)
    if one.subject_kind == SubjectKind.ORDER and order is not None:
        return Row(order.number, place(seat, "order", order.pk), name_of(person), one.node_at)
    title = _("Cart") if one.subject_kind == SubjectKind.CART else _("Customer")
    return Row(title, customer, name_of(person), one.node_at)
