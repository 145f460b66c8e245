"""Reads of messages: the list, the page of one, what is uncertain."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django_scopes import scope

from recoup.core import search
from recoup.core.models import Activity
from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.messaging.copies import MessageText, read_copy
from recoup.messaging.models import Lane, Message, MessageCopy, MessageVisit
from recoup.messaging.reasons import words
from recoup.shops.models import Shop


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages a list shows. The period is that of queueing."""

    states: Collection[str] = ()
    template_key: str = ""
    source_id: int | None = None
    order_id: int | None = None
    contact_id: int | None = None
    case_id: int | None = None
    queued_from: datetime | None = None
    queued_before: datetime | None = None
    reason: str = ""
    text: str = ""  # name, address or phone of the person, number of the order


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message in a list, with the subject that was sent."""

    message: Message
    subject: str
    why: str


def list_messages(
    shop: Shop, chosen: MessageFilter, *, cursor: str = "", size: int = PAGE_SIZE
) -> Page[MessageRow]:
    """Return a page of messages with person, order and template, newest first."""
    page = page_keys(_keyset(shop, chosen), cursor=cursor, size=size)
    with scope(shop=shop):
        found = Message.objects.select_related("contact", "order", "cart", "template", "source").in_bulk(
            page.rows
        )
    rows = [found[key] for key in page.rows if key in found]
    return with_subjects(shop, Page(rows, older=page.older, newer=page.newer))


def with_subjects(shop: Shop, page: Page[Message]) -> Page[MessageRow]:
    """Return the messages of a page with what their lists show beside them: subject and reason in words."""
    keys = [message.pk for message in page.rows]
    subjects = dict(MessageCopy.objects.filter(shop_id=shop.pk, pk__in=keys).values_list("pk", "subject"))
    rows = [
        MessageRow(message, subjects.get(message.pk) or _named(message), words(message.reason))
        for message in page.rows
    ]
    return Page(rows, older=page.older, newer=page.newer)


def count_messages(shop: Shop, chosen: MessageFilter, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the messages of a list, exactly up to `most`, or all of them (`None`)."""
    return count_rows(_keyset(shop, chosen), most=most)


def _named(message: Message) -> str:
    return message.template.name if message.template is not None else ""


_BY_TEXT = (
    "(r.contact_id IN (SELECT id FROM customers_contact WHERE shop_id = %s AND search @> %s::text[])"
    " OR r.order_id IN (SELECT id FROM orders_order WHERE shop_id = %s AND search @> %s::text[]))"
)


def _keyset(shop: Shop, chosen: MessageFilter) -> Keyset:
    wanted: list[tuple[str, Any]] = [
        ("r.template_id IN (SELECT id FROM messaging_template WHERE key = %s)", chosen.template_key or None),
        ("r.source_id = %s", chosen.source_id),
        ("r.order_id = %s", chosen.order_id),
        ("r.contact_id = %s", chosen.contact_id),
        ("r.case_id = %s", chosen.case_id),
        ("r.queued_at >= %s", chosen.queued_from),
        ("r.queued_at < %s", chosen.queued_before),
        ("r.reason = %s", chosen.reason or None),
    ]
    conditions = [condition for condition, value in wanted if value is not None]
    params = [value for _, value in wanted if value is not None]
    tokens = search.query_tokens(chosen.text)
    return Keyset(
        table="messaging_message",
        shop_id=shop.pk,
        conditions=conditions,
        params=params,
        search=_BY_TEXT if tokens else "",
        search_params=[shop.pk, tokens, shop.pk, tokens] if tokens else [],
        branch="state" if chosen.states else "",
        branch_values=sorted(chosen.states),
    )


@dataclass(frozen=True, slots=True)
class MessageStep:
    """One thing that happened to a message."""

    at: datetime
    verb: str  # queued, waiting, handed, sent, failed, cancelled, uncertain, visited; or an activity's
    reason: str = ""
    details: str = ""
    actor_id: int | None = None


@dataclass(frozen=True, slots=True)
class MessageStory:
    """One message: its row, its text, and what happened to it, oldest first."""

    message: Message
    text: MessageText | None
    steps: tuple[MessageStep, ...]


def read_text(message: Message) -> MessageText | None:
    """Return the kept text of a message, `None` if none was made yet."""
    return read_copy(message.pk, message.shop_id)


def get_message_story(message: Message) -> MessageStory:
    """Return what was sent, what the server said, what was decided and by whom."""
    steps = [MessageStep(message.queued_at, "queued")]
    if message.state == Message.State.DUE and (message.reason or message.deferrals or message.attempt):
        steps.append(MessageStep(message.due_at, "waiting", words(message.reason), message.answer))
    if message.handed_at is not None:
        steps.append(MessageStep(message.handed_at, "handed"))
    if message.settled_at is not None:
        steps.append(MessageStep(message.settled_at, message.state, words(message.reason), message.answer))
    steps += [
        MessageStep(visit.at, "visited", visit.purpose)
        for visit in MessageVisit.objects.filter(
            shop=message.shop_id, message=message, is_machine=False
        ).order_by("at")[:50]
    ]
    steps += [
        MessageStep(line.at, line.verb, actor_id=line.actor_id)
        for line in Activity.objects.filter(
            shop_id=message.shop_id, subject_kind="message", subject_id=message.pk
        ).order_by("id")[:50]
    ]
    steps.sort(key=lambda step: step.at)
    return MessageStory(message, read_text(message), tuple(steps))


def uncertain_messages(shop: Shop) -> QuerySet[Message]:
    """Return the messages of which nobody knows whether they arrived, oldest first: a person decides."""
    return (
        Message.objects.filter(shop=shop, state=Message.State.UNCERTAIN)
        .select_related("contact", "order", "cart", "template")
        .order_by("id")
    )


def count_uncertain(shop: Shop) -> int:
    """Count them."""
    return Message.objects.filter(shop=shop, state=Message.State.UNCERTAIN).count()


def find_lane(shop: Shop) -> Lane | None:
    """Return the lane of a shop's mails: whether it is in trouble, and since when; `None` before the first message."""
    return Lane.objects.filter(shop=shop, channel="email").first()
