"""Customers in lists and on their page: who it is, what they agreed to, and all that is between them and the shop."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.core.money import Money
from recoup.customers.listing import ContactFilter
from recoup.customers.models import ConsentEvent, Contact, ContactIdentity
from recoup.customers.tagging import tags_of
from recoup.desk.queries import tasks_about
from recoup.messaging.models import Message, MessageVisit, PageVisit
from recoup.orders.desk import is_workable
from recoup.orders.models import Cart, Order
from recoup.orders.people import OrdersOfPerson, orders_of_people
from recoup.processes.queries import planned_steps
from recoup.recovery.models import RecoveryCase
from recoup.segments.models import Segment
from recoup.shops.access import Seat
from recoup.web import parts, screens
from recoup.web.answers import place
from recoup.web.listing import Address, with_query
from recoup.web.shown.attention import DOUBLES
from recoup.web.shown.cases import outcome_of
from recoup.web.shown.doubles import doubles_of
from recoup.web.shown.handed import cart_link_of
from recoup.web.shown.orders import order_rows, order_url
from recoup.web.shown.people import name_of, person_card, suppression_words, suppressions_of
from recoup.web.shown.segments import in_segment
from recoup.web.shown.tasks import task_rows
from recoup.web.shown.timeline import (
    activity_events,
    message_event,
    straight_events,
    timeline_of,
    visit_event,
)
from recoup.web.statuses import mark_of
from recoup.web.words import steps

MOST_ORDERS = 50
MOST_TASKS = 10
MOST_EVENTS = 100


def chosen_customers(address: Address, seat: Seat, now: datetime) -> ContactFilter:
    """Read the filters of an address."""
    _saved, where = in_segment(address, seat, Segment.About.PERSON, now)
    return ContactFilter(
        text=address.get("q"),
        is_oldest_first=address.get("o") == "oldest",
        may_be_doubles=address.get("v") == DOUBLES,
        where=where.text,
        where_values=where.params,
    )


def customer_rows(seat: Seat, contacts: Sequence[Contact]) -> list[screens.CustomerRow]:
    """Return the rows of people with their numbers."""
    numbers = orders_of_people(seat.shop, [contact.pk for contact in contacts])
    return [_row(seat, contact, numbers.get(contact.pk, OrdersOfPerson())) for contact in contacts]


def _row(seat: Seat, contact: Contact, numbers: OrdersOfPerson) -> screens.CustomerRow:
    return screens.CustomerRow(
        id=contact.pk,
        name=name_of(contact),
        url=place(seat, "customer", contact.pk),
        email=contact.email,
        phone=contact.phone,
        paid_orders=numbers.paid,
        paid_sums=numbers.paid_sums,
        last_at=numbers.last_placed_at,
        open_sums=numbers.unpaid_sums,
        known_at=contact.first_seen_at,
    )


def customer_page(seat: Seat, contact: Contact, now: datetime) -> screens.CustomerPage:
    """Return all that the page of a person shows."""
    orders = list(
        Order.objects.filter(contact=contact)
        .select_related("contact", "source")
        .order_by("-placed_at", "-id")[:MOST_ORDERS]
    )
    numbers = orders_of_people(seat.shop, [contact.pk]).get(contact.pk, OrdersOfPerson())
    actions = []
    if len(orders) == MOST_ORDERS:
        url = with_query(place(seat, "orders"), {"v": "all", "person": contact.pk})
        actions.append(screens.Action(_("All orders"), "package", url))
    if seat.may(Right.WORK_ORDERS) and contact.erased_at is None:
        url = place(seat, "customer_offer", contact.pk)
        actions.append(screens.Action(_("Make an offer…"), "badge-percent", url))
    cart_link, making = cart_link_of(seat, contact, now)
    if making is not None:
        actions.append(making)
    if seat.may(Right.SEE_PROCESSES):
        url = with_query(place(seat, "offers"), {"person": contact.pk})
        actions.append(screens.Action(_("All offers"), "tag", url))
        url = with_query(place(seat, "messages"), {"person": contact.pk})
        actions.append(screens.Action(_("All messages"), "mail", url))
    return screens.CustomerPage(
        card=person_card(seat, contact, numbers=numbers),
        contacts=_contacts(contact),
        orders=order_rows(seat, orders, now),
        timeline=timeline_of(
            [
                *_consent_events(contact),
                *activity_events(seat.shop, "contact", contact.pk),
                *_order_events(seat, orders),
                *_cart_events(contact),
                *_case_events(contact),
                *_message_events(seat, contact),
            ]
        ),
        facts=_facts(contact),
        doubles=doubles_of(seat, contact),
        actions=actions,
        cart_link=cart_link,
        next_step=_next_step(orders, now),
        tags=_tags(contact),
        tasks=task_rows(seat, list(tasks_about(seat.shop, contact_id=contact.pk)[:MOST_TASKS]), now),
        tags_url=place(seat, "customer_tags", contact.pk) if seat.may(Right.EDIT_CUSTOMERS) else "",
    )


def _tags(contact: Contact) -> list[screens.TagShown]:
    zone, language = timezone.get_current_timezone(), get_language() or "en"
    return [
        screens.TagShown(
            one.tag.name,
            (_("Set by a process on %(day)s") if one.added_kind == "process" else _("Set on %(day)s"))
            % {"day": humane.day(one.added_at, zone, language)},
        )
        for one in tags_of(contact)
    ]


def _next_step(orders: Sequence[Order], now: datetime) -> parts.NextStep | None:
    """Return the first thing that will happen about any of a person's orders."""
    living = {order.pk: order for order in orders if is_workable(order)}
    planned = planned_steps(list(living), [], now=now)
    coming = [(step.at, key) for (_kind, key), step in planned.items() if step.at is not None]
    if not coming:
        return None
    _at, key = min(coming)
    number = _("Order %(number)s") % {"number": living[key].number}
    return parts.NextStep(steps.next_line(planned[(1, key)], now), detail=number)


def _contacts(contact: Contact) -> list[screens.ContactRow]:
    """Return the ways to reach a person, and for each whether we may."""
    found = []
    for identity in ContactIdentity.objects.filter(contact=contact).order_by("kind", "first_seen_at", "pk"):
        label = ContactIdentity.Kind(identity.kind).label
        state, words = "unknown", str(label)
        if identity.kind == ContactIdentity.Kind.EMAIL:
            state, words = _may_write(contact)
        value = identity.value.partition(":")[2] or identity.value
        shown = value if identity.kind == ContactIdentity.Kind.ACCOUNT else identity.value
        found.append(screens.ContactRow(label, shown, state, words))
    if contact.phone and contact.phone not in {row.value for row in found}:
        found.append(screens.ContactRow(_("Phone"), contact.phone, "unknown", _("Phone")))
    return found


def _may_write(contact: Contact) -> tuple[str, str]:
    blocked = suppressions_of(contact)
    if blocked:
        return "failed", suppression_words(blocked[0])
    given = _latest_consents(contact)
    zone, language = timezone.get_current_timezone(), get_language() or "en"
    for event in given:
        if event.is_given:
            what = ConsentEvent.Purpose(event.purpose).label
            day = humane.day(event.became_true_at, zone, language)
            return "ok", _("%(what)s: agreed on %(day)s") % {"what": what, "day": day}
    return "ok", _("Reminders of own orders only")


def _latest_consents(contact: Contact) -> list[ConsentEvent]:
    """Return the last word on each purpose."""
    last: dict[str, ConsentEvent] = {}
    for event in ConsentEvent.objects.filter(contact=contact, channel="email").order_by(
        "became_true_at", "id"
    ):
        last[event.purpose] = event
    return list(last.values())


def _facts(contact: Contact) -> list[tuple[parts.Words, parts.Words]]:
    country = humane.locale_of(get_language() or "en").territories.get(contact.country, contact.country)
    given: list[tuple[parts.Words, parts.Words]] = [
        (_("Company"), contact.company),
        (_("Country"), country or ""),
        (_("Time zone"), contact.time_zone),
        (_("Note"), contact.notes),
    ]
    return [(name, value) for name, value in given if value]


def _consent_events(contact: Contact) -> list[parts.Event]:
    events = []
    for event in ConsentEvent.objects.filter(contact=contact).order_by("-id")[:MOST_EVENTS]:
        what = ConsentEvent.Purpose(event.purpose).label
        words = _("Agreed: %(what)s") if event.is_given else _("Taken back: %(what)s")
        events.append(
            parts.Event(
                event.became_true_at,
                words % {"what": what},
                "check" if event.is_given else "ban",
                "note",
                body=event.text,
                actor=event.source,
            )
        )
    return events


def _order_events(seat: Seat, orders: Sequence[Order]) -> list[parts.Event]:
    language = get_language() or "en"
    events = []
    for order in orders:
        sum_ = humane.money(Money(order.total, order.currency), language)
        opens = {"url": order_url(seat, order), "link_label": _("Open the order")}
        placed = _("Order %(number)s placed: %(sum)s") % {"number": order.number, "sum": sum_}
        events.append(parts.Event(order.placed_at, placed, "shopping-bag", "status", **opens))
        if order.paid_at is not None:
            paid = _("Order %(number)s paid: %(sum)s") % {"number": order.number, "sum": sum_}
            events.append(parts.Event(order.paid_at, paid, "circle-check", "payment", "recovered", **opens))
    return events


def _cart_events(contact: Contact) -> list[parts.Event]:
    language = get_language() or "en"
    return [
        parts.Event(
            cart.abandoned_at or cart.last_activity_at,
            _("Cart left: %(sum)s") % {"sum": humane.money(Money(cart.total, cart.currency), language)},
            "shopping-cart",
            "status",
            "due",
        )
        for cart in Cart.objects.filter(contact=contact, abandoned_at__isnull=False).order_by(
            "-last_activity_at"
        )[:MOST_EVENTS]
    ]


def _case_events(contact: Contact) -> list[parts.Event]:
    events = []
    for case in RecoveryCase.objects.filter(contact=contact).order_by("-id")[:MOST_EVENTS]:
        if case.closed_at is not None:
            code, label = outcome_of(case)
            mark = mark_of("case", code)
            events.append(parts.Event(case.closed_at, label, mark.icon, "decision", mark.tone))
    return events


def _message_events(seat: Seat, contact: Contact) -> list[parts.Event]:
    sent = list(
        Message.objects.filter(contact=contact).select_related("template").order_by("-id")[:MOST_EVENTS]
    )
    visits = MessageVisit.objects.filter(message__in=[one.pk for one in sent], is_machine=False).order_by(
        "-at"
    )
    by_message = list(visits[:MOST_EVENTS])
    came = PageVisit.objects.filter(contact=contact)
    lines = [*map(visit_event, by_message), *straight_events(came, by_message)]
    return [message_event(seat, one) for one in sent] + lines
