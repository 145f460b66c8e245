"""Messages in lists and on their page."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.customers.models import Contact
from recoup.messaging.models import ChannelKind, Message, MessageSource
from recoup.messaging.queries import MessageFilter, MessageRow, MessageStory
from recoup.messaging.reasons import words
from recoup.orders.models import Order
from recoup.shops.access import Seat
from recoup.web import listing, parts, screens
from recoup.web.answers import place
from recoup.web.listing import Address
from recoup.web.shown.people import clerk_names, language_name, name_of, person_card
from recoup.web.shown.timeline import visit_title
from recoup.web.statuses import mark_of
from recoup.web.words import activity, steps
from recoup.web.words.texts import class_words, text_name

State = Message.State
FILTER_KEYS = ("v", "state", "source", "order", "person", "case", "reason", "template", "from", "to", "q")
_VIEWS: dict[str, tuple[str, ...]] = {
    "waiting": (State.DUE, State.CLAIMED, State.HANDING),
    "sent": (State.SENT,),
    "not_sent": (State.CANCELLED,),
    "failed": (State.FAILED,),
    "uncertain": (State.UNCERTAIN,),
}


def chosen_messages(address: Address) -> MessageFilter:
    """Read the filters of an address."""
    return MessageFilter(
        states=address.some_of("state", State.values) or _VIEWS.get(address.get("v"), ()),
        template_key=address.get("template"),
        source_id=address.number("source"),
        order_id=address.number("order"),
        contact_id=address.number("person"),
        case_id=address.number("case"),
        queued_from=address.instant("from"),
        queued_before=address.instant("to"),
        reason=address.get("reason"),
        text=address.get("q"),
    )


def message_filters(address: Address, now: datetime) -> parts.Filters:
    """Return the chips above the list."""
    view, state = address.get("v"), address.get("state")

    def chip(code: str, label: parts.Words) -> parts.Link:
        return parts.Link(label, address.url(v=code, state=""), view == code and not state)

    views = [
        chip("", _("All")),
        chip("waiting", State.DUE.label),
        chip("sent", State.SENT.label),
        chip("not_sent", State.CANCELLED.label),
        chip("failed", State.FAILED.label),
        chip("uncertain", State.UNCERTAIN.label),
    ]
    sources = [
        (str(pk), steps.process_name(None, name))
        for pk, name in MessageSource.objects.order_by("pk").values_list("pk", "name")
    ]
    person, order = address.number("person"), address.number("order")
    contact = Contact.objects.filter(pk=person).first() if person is not None else None
    number = (
        Order.objects.filter(pk=order).values_list("number", flat=True).first() if order is not None else None
    )
    menus = [
        *listing.person_menu(address, name_of(contact) if contact else ""),
        *([parts.FilterMenu(_("Order"), [], number, address.url(order=""))] if number else []),
        *listing.text_menu(address),
        listing.menu(address, "source", _("Process"), sources),
        listing.period_menu(address, _("Queued"), now),
    ]
    return parts.Filters(views, menus, address.path if address.has_any(*FILTER_KEYS) else "")


def message_rows(seat: Seat, rows: Sequence[MessageRow]) -> list[screens.MessageRow]:
    """Return the rows of messages."""
    return [_row(seat, row) for row in rows]


def _row(seat: Seat, row: MessageRow) -> screens.MessageRow:
    message = row.message
    given = message.order.buyer.get("name", "") if message.order is not None else ""
    source = steps.process_name(None, message.source.name) if message.source is not None else _("By hand")
    return screens.MessageRow(
        id=message.pk,
        subject=row.subject or _("Message"),
        url=place(seat, "message", message.pk),
        person=name_of(message.contact, given),
        status=message.state,
        status_label=State(message.state).label,
        at=message.handed_at or message.settled_at or message.due_at,
        order=message.order.number if message.order is not None else "",
        source=source,
        reason=row.why if message.reason else "",
    )


def message_page(seat: Seat, story: MessageStory, actions: Sequence[screens.Action]) -> screens.MessagePage:
    """Return all that the page of a message shows."""
    message, text = story.message, story.text
    is_uncertain = message.state == State.UNCERTAIN
    named = text_name(message.template) if message.template is not None else _("Message")
    given = message.order.buyer.get("name", "") if message.order is not None else ""
    return screens.MessagePage(
        subject=(text.subject or named) if text is not None else named,
        status=message.state,
        status_label=State(message.state).label,
        preview_url=place(seat, "message_frame", message.pk) if text is not None and text.html else "",
        text=text.text if text is not None else "",
        facts=_facts(message),
        timeline=story_timeline(story),
        person=person_card(seat, message.contact, given=given),
        actions=actions,
        question=_("The line broke before the mail server had answered. Did this mail arrive?")
        if is_uncertain
        else "",
    )


def _facts(message: Message) -> list[tuple[parts.Words, parts.Words]]:
    order, template = message.order, message.template
    given: list[tuple[parts.Words, parts.Words]] = [
        (_("To"), message.recipient),
        (_("Channel"), ChannelKind(message.channel).label),
        (_("Passed over"), _passed_over(message)),
        (_("Parts and price"), _price(message)),
        (_("On the phone"), _delivery(message)),
        (_("Order"), order.number if order is not None else ""),
        (
            _("Process"),
            steps.process_name(None, message.source.name) if message.source else _("Sent by hand"),
        ),
        (_("Text"), text_name(template) if template is not None else ""),
        (_("Language"), language_name(message.locale)),
        (_("Kind"), class_words(message.message_class)),
        (_("Test mode"), _("made to be looked at; it never leaves") if message.is_test else ""),
        (_("Server"), message.answer),
    ]
    return [(name, value) for name, value in given if value]


def _passed_over(message: Message) -> str:
    """Say which channels could not reach the person, each with why."""
    return "; ".join(
        f"{ChannelKind(channel).label}: {words(reason)}" for channel, reason in message.passed_over or ()
    )


def _price(message: Message) -> str:
    if not message.parts:
        return ""
    counted = ngettext("%(count)s part", "%(count)s parts", message.parts) % {"count": message.parts}
    if not message.price:
        return counted
    return f"{counted}, {message.price.normalize():f} {message.price_currency}"


def _delivery(message: Message) -> str:
    if not message.delivery:
        return ""
    label = str(Message.Delivery(message.delivery).label)
    return f"{label} ({message.delivery_code})" if message.delivery_code else label


def story_timeline(story: MessageStory) -> parts.Timeline:
    """Return what happened to a message, newest first."""
    clerks = clerk_names([step.actor_id for step in story.steps])
    titles = {
        "queued": (_("Planned"), "calendar-clock"),
        "waiting": (_("Waits"), "clock"),
        "handed": (_("Handed over to the mail server"), "send"),
        "sent": (_("Taken by the mail server"), "mail-check"),
        "failed": (_("Failed"), "mail-x"),
        "cancelled": (_("Not sent"), "circle-x"),
        "uncertain": (_("No answer came"), "mail-question-mark"),
    }
    events = []
    for step in story.steps:
        if step.verb == "visited":
            title, icon, body = visit_title(step.reason), "mouse-pointer-click", ""
        elif step.verb in titles:
            (title, icon), body = titles[step.verb], step.reason
        else:
            line = activity.line(step.verb)
            title, icon, body = str(line.title), line.icon, ""
        tone = mark_of("message", step.verb).tone if step.verb in State.values else "neutral"
        who = clerks.get(step.actor_id or 0, "")
        events.append(parts.Event(step.at, title, icon, "message", tone, body, who))
    return parts.Timeline(list(reversed(events)))
