"""Segments as screens show them: their rows, their condition in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.catalog.queries import product_names
from recoup.core.money import Money
from recoup.customers.models import Contact
from recoup.orders.models import Cart, Order
from recoup.processes.graph.segments_used import ENTRY
from recoup.processes.segments_used import Place
from recoup.segments.history import Sql
from recoup.segments.models import Segment
from recoup.segments.queries import condition_sql, find_segment
from recoup.segments.tree import comparisons, read_condition
from recoup.shops.access import Seat
from recoup.shops.models import Shop
from recoup.web.answers import place
from recoup.web.forms.blocks.fields import source_names
from recoup.web.listing import Address
from recoup.web.parts import FilterMenu, Link
from recoup.web.shown.editor import shape_of
from recoup.web.shown.people import name_of
from recoup.web.words import blocks as block_words
from recoup.web.words.steps import process_name

MOST_OFFERED = 50
ABOUT = {"customers": Segment.About.PERSON, "orders": Segment.About.ORDER, "carts": Segment.About.CART}


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One customer, order or cart of a segment."""

    id: int
    title: str
    url: str
    who: str
    at: datetime
    total: Money | None = None


def words_of(shop: Shop, about: int, condition: Any) -> str:
    """Return a condition as a sentence."""
    refs = {
        str(value)
        for one in comparisons(read_condition(condition, about))
        if one.f.endswith((".products", ".bought")) and isinstance(one.v, list)
        for value in one.v
    }
    return block_words.condition(condition, product_names(shop, refs) | source_names(shop))


def segment_rows(seat: Seat, about: int, keys: Sequence[int]) -> list[SegmentRow]:
    """Return rows by their keys, in their order."""
    if about == Segment.About.PERSON:
        people = Contact.objects.in_bulk(list(keys))
        return [_person(seat, people[key]) for key in keys if key in people]
    if about == Segment.About.ORDER:
        orders = Order.objects.select_related("contact").in_bulk(list(keys))
        return [_order(seat, orders[key]) for key in keys if key in orders]
    carts = Cart.objects.select_related("contact").in_bulk(list(keys))
    return [_cart(seat, carts[key]) for key in keys if key in carts]


def _person(seat: Seat, contact: Contact) -> SegmentRow:
    url = place(seat, "customer", contact.pk)
    return SegmentRow(contact.pk, name_of(contact), url, contact.email, contact.first_seen_at)


def _order(seat: Seat, order: Order) -> SegmentRow:
    return SegmentRow(
        order.pk,
        order.number,
        place(seat, "order", order.pk),
        name_of(order.contact) if order.contact is not None else "",
        order.placed_at,
        Money(order.total, order.currency),
    )


def _cart(seat: Seat, cart: Cart) -> SegmentRow:
    return SegmentRow(
        cart.pk,
        cart.ref,
        place(seat, "customer", cart.contact_id) if cart.contact_id is not None else "",
        name_of(cart.contact) if cart.contact is not None else "",
        cart.last_activity_at,
        Money(cart.total, cart.currency),
    )


def place_links(seat: Seat, places: Sequence[Place]) -> list[Link]:
    """Return where processes name a segment, each as a link to the place."""
    may_edit = seat.may(Right.EDIT_PROCESSES)
    found = []
    for one in places:
        title = _("Who enters") if one.at == ENTRY else shape_of(seat.shop, one.doc).named()[one.at]
        url = place(seat, "process", one.process.pk)
        if one.is_draft and may_edit:
            url = f"{place(seat, 'process_edit', one.process.pk)}#step-{one.at}"
        words = _("%(process)s: %(step)s") if one.is_draft else _("%(process)s, as it runs: %(step)s")
        found.append(Link(words % {"process": process_name(one.process), "step": title}, url))
    return found


def in_segment(address: Address, seat: Seat, about: int, now: datetime) -> tuple[Segment | None, Sql]:
    """Return the segment that a list is filtered by, and its condition over the rows of the list."""
    saved = find_segment(seat.shop, address.number("seg"), about)
    if saved is None:
        return None, Sql("")
    return saved, condition_sql(seat.shop, about, saved.condition, now=now)


def segment_menu(address: Address, seat: Seat, about: int, saved: Segment | None) -> list[FilterMenu]:
    """Return the chip of the segments that a list may be filtered by, where there are any."""
    rows = Segment.objects.filter(shop=seat.shop, about=about).order_by("name", "id")[:MOST_OFFERED]
    if not rows:
        return []
    options = [Link(one.name, address.url(seg=str(one.pk)), one == saved) for one in rows]
    is_set = saved is not None
    return [
        FilterMenu(_("Segment"), options, saved.name if saved else "", address.url(seg="") if is_set else "")
    ]
