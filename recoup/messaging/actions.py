"""Queueing messages, calling them off, and what people decide about them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import connection, transaction

from recoup.core import activity, arrays, outbox
from recoup.core.activity import SYSTEM, Actor
from recoup.core.installation import get_installation
from recoup.messaging.dayness import refuse_after_day
from recoup.messaging.events import MessageSettled
from recoup.messaging.models import ChannelKind, Lane, Message
from recoup.messaging.quiet import Wanted, loud_instants, rests
from recoup.messaging.reasons import Reason
from recoup.messaging.references import new_message_ref
from recoup.messaging.rules.deciding import Basis
from recoup.messaging.rules.ways import bases_of_ways, fallback_of

ASKED_FOR, ORDINARY = 0, 1  # `Message.prio`
_SECOND_LIFE = timedelta(days=1)  # what a person sends again may go out for so long

Verdict = Literal["delivered", "not_delivered", "send_again"]


class NotUncertain(Exception):
    """The message is not uncertain any more: somebody else has decided, or the answer came."""


class NotFailed(Exception):
    """The message is not failed any more."""


@dataclass(frozen=True, slots=True)
class MessageOrder:
    """A message to be queued. One of `order_id` and `cart_id` says what it is about; without both it is about the person.

    An empty `locale` is the one frozen on the order or cart, or that of the person; the address is the one given with
    the order.
    """

    shop_id: int
    contact_id: int
    template_key: str
    locale: str
    due_at: datetime
    not_after: datetime
    source_id: int | None = None
    enrolment_id: int | None = None
    step_no: int | None = None
    node: str = ""
    case_id: int | None = None
    order_id: int | None = None
    cart_id: int | None = None
    purpose: str = "reminder"  # "thanks" may be sent after payment
    is_asked_for: bool = False  # the buyer asked for it
    manual_key: str | None = None  # sent by hand: the idempotency key of the click
    is_test: bool = False
    channel: str = ChannelKind.EMAIL.value
    otherwise: tuple[tuple[str, str], ...] = ()  # other channels in this order, each with the key of its text
    offer_id: int | None = None  # by hand; a message of a process speaks of the last offer that was made
    day_ends_at: datetime | None = None  # its text says "today": true no longer than this


_COLUMNS = {
    "shop_id": "bigint",
    "contact_id": "bigint",
    "template_key": "text",
    "locale": "text",
    "due_at": "microseconds",
    "not_after": "microseconds",
    "source_id": "bigint",
    "enrolment_id": "bigint",
    "step_no": "integer",
    "node": "text",
    "case_id": "bigint",
    "order_id": "bigint",
    "cart_id": "bigint",
    "purpose": "text",
    "is_asked_for": "boolean",
    "manual_key": "text",
    "is_test": "boolean",
    "message_class": "text",
    "content": "text",
    "relation": "text",
    "country": "text",
    "message_ref": "text",
    "prio": "smallint",
    "channel": "text",
    "fallback": "text",
    "reason": "text",
    "offer_id": "bigint",
    "day_ends_at": "microseconds",
}
_CASTS = {"microseconds": "bigint"}
_LITERALS: dict[str, Callable[[Iterable[Any]], str]] = {
    "bigint": arrays.numbers,
    "integer": arrays.numbers,
    "smallint": arrays.numbers,
    "microseconds": arrays.instants,
    "boolean": arrays.flags,
    "text": arrays.texts,
}
# The shop of every row is checked against the contact's: a foreign contact makes no message.
_QUEUE = f"""
    INSERT INTO messaging_message (shop_id, source_id, enrolment_id, step_no, node, case_id, manual_key, channel,
        lane_id, contact_id, order_id, cart_id, template_id, locale, purpose, message_class, content, relation, country,
        is_asked_for, is_resent, is_test, recipient, prio, state, queued_at, due_at, not_after, attempt, deferrals,
        message_ref, reason, answer, fallback, offer_id, day_ends_at)
    SELECT w.shop_id, w.source_id, w.enrolment_id, w.step_no, w.node, w.case_id, w.manual_key, w.channel,
        l.id, w.contact_id, w.order_id, w.cart_id, t.id,
        coalesce(nullif(w.locale, ''), o.locale, k.locale, nullif(c.locale, ''), s.locale), w.purpose,
        w.message_class, w.content, w.relation, w.country, w.is_asked_for, false,
        w.is_test OR s.live_since IS NULL, CASE WHEN w.channel = 'email'
            THEN coalesce(nullif(o.buyer->>'email', ''), c.email)
            ELSE coalesce(nullif(o.buyer->>'phone', ''), c.phone) END, w.prio, 'due', %s,
        {arrays.as_instant("w.due_at")}, {arrays.as_instant("w.not_after")}, 0, 0,
        w.message_ref, w.reason, '', nullif(w.fallback, '')::jsonb,
        CASE WHEN v.has_offer THEN coalesce(w.offer_id, (
            SELECT f.id FROM offers_offer f WHERE f.enrolment_id = w.enrolment_id AND f.state = 'granted'
            ORDER BY f.step_no DESC LIMIT 1)) END, {arrays.as_instant("w.day_ends_at")}
    FROM unnest({", ".join(f"%s::{_CASTS.get(kind, kind)}[]" for kind in _COLUMNS.values())}) AS w ({", ".join(_COLUMNS)})
    JOIN shops_shop s ON s.id = w.shop_id
    JOIN messaging_lane l ON l.shop_id = w.shop_id AND l.channel = w.channel
    JOIN customers_contact c ON c.id = w.contact_id AND c.shop_id = w.shop_id
    LEFT JOIN orders_order o ON o.id = w.order_id AND o.shop_id = w.shop_id
    LEFT JOIN orders_cart k ON k.id = w.cart_id AND k.shop_id = w.shop_id
    LEFT JOIN messaging_template t ON t.shop_id = w.shop_id AND t.key = w.template_key
    LEFT JOIN messaging_templateversion v ON v.id = t.current_version_id
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - put together from names in this file
_SENDERS = """
    SELECT w.shop_id, coalesce(a.from_email, ''),
        ARRAY(SELECT l.channel FROM messaging_lane l WHERE l.shop_id = w.shop_id),
        EXISTS (SELECT 1 FROM messaging_quiethours q WHERE q.shop_id = w.shop_id),
        (SELECT instance_id FROM core_installation WHERE id = 1)
    FROM unnest(%s::bigint[]) AS w (shop_id) LEFT JOIN messaging_mailaccount a ON a.shop_id = w.shop_id
"""


def queue_messages(orders: Sequence[MessageOrder], *, now: datetime) -> int:
    """Queue messages in one statement and return how many are new.

    One person, one step, one cycle: what is queued already changes nothing. Class, lane, recipient and Message-ID are
    fixed here; a message of a shop in test mode never leaves. Everything that may forbid it is looked at when it is handed
    over.
    """
    if not orders:
        return 0
    instance, domains, quiet = _senders(orders)
    bases = bases_of_ways(orders, now=now)
    resting = [
        order
        for order, (basis, *_) in zip(orders, bases, strict=True)
        if order.shop_id in quiet and rests(order, basis.message_class)
    ]
    loud = _loud(resting, now) if resting else {}
    rows = [
        _row(order, basis, domains[order.shop_id], instance, loud.get(id(order)))
        for order, basis in zip(orders, bases, strict=True)
    ]
    columns = zip(*rows, strict=True)
    literals = [_LITERALS[kind](column) for kind, column in zip(_COLUMNS.values(), columns, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE, [now, *literals])
        return int(cursor.rowcount)


def _loud(orders: Sequence[MessageOrder], now: datetime) -> dict[int, datetime | None]:
    """Return when messages are due that quiet hours put off, by the identity of their order."""
    wanted = [Wanted(one.shop_id, one.contact_id, one.channel, one.due_at, one.not_after) for one in orders]
    instants = loud_instants(wanted, now=now)
    return {id(one): at for one, at in zip(orders, instants, strict=True)}


def _row(
    order: MessageOrder, bases: Sequence[Basis], domain: str, instance: str, loud_at: datetime | None
) -> tuple[Any, ...]:
    if order.enrolment_id is not None:
        key = f"{instance}:{order.shop_id}:{order.enrolment_id}:{order.step_no}:{order.channel}"
    else:
        key = f"{instance}:{order.shop_id}:hand:{order.manual_key}"
    basis, *others = bases
    return (
        order.shop_id,
        order.contact_id,
        order.template_key,
        order.locale[:8],
        loud_at or order.due_at,
        order.not_after,
        order.source_id,
        order.enrolment_id,
        order.step_no,
        order.node[:40],
        order.case_id,
        order.order_id,
        order.cart_id,
        order.purpose,
        order.is_asked_for,
        order.manual_key,
        order.is_test,
        basis.message_class,
        basis.content,
        basis.relation,
        basis.country,
        new_message_ref(order.channel, domain, key),
        ASKED_FOR if order.is_asked_for else ORDINARY,
        order.channel,
        fallback_of(order.otherwise, others),
        Reason.QUIET_HOURS.value if loud_at is not None else "",
        order.offer_id,
        order.day_ends_at,
    )


def _senders(orders: Sequence[MessageOrder]) -> tuple[str, dict[int, str], set[int]]:
    """Return the installation's id, the domain of each shop's Message-IDs and the shops with quiet hours.

    The domain is that of the shop's sender, or one that nobody owns. Lanes that are missing are made.
    """
    wanted = sorted({order.shop_id for order in orders})
    with connection.cursor() as cursor:
        cursor.execute(_SENDERS, [wanted])
        rows = cursor.fetchall()
    lanes = {(shop_id, channel) for shop_id, _, channels, *_ in rows for channel in channels}
    needed = {(order.shop_id, order.channel) for order in orders}
    needed |= {(order.shop_id, channel) for order in orders for channel, _ in order.otherwise}
    if needed - lanes:
        Lane.objects.bulk_create(
            [Lane(shop_id=shop_id, channel=channel) for shop_id, channel in sorted(needed - lanes)],
            ignore_conflicts=True,
        )
    instance = rows[0][4] if rows and rows[0][4] else get_installation().instance_id
    domains = {row[0]: row[1].rpartition("@")[2] or "recoup.invalid" for row in rows}
    return str(instance), domains, {row[0] for row in rows if row[3]}


def send_by_hand(order: MessageOrder, *, actor: Actor, now: datetime) -> Message:
    """Queue a message that a person sends, once for its `manual_key`, and return it.

    It counts for the caps and is not stopped by them; neither does the person's own claim on the order stop it.
    """
    if order.manual_key is None:
        raise ValueError("a message sent by hand needs the key of the click")
    with transaction.atomic():
        if queue_messages([order], now=now):
            _record("messaging.message.sent_by_hand", order, actor, now)
        return Message.objects.get(shop_id=order.shop_id, manual_key=order.manual_key)


def _record(verb: str, order: MessageOrder, actor: Actor, now: datetime) -> None:
    subject = ("contact", order.contact_id)
    if order.order_id is not None:
        subject = ("order", order.order_id)
    elif order.cart_id is not None:
        subject = ("cart", order.cart_id)
    activity.record(
        verb, shop_id=order.shop_id, subject=subject, at=now, actor=actor, template=order.template_key
    )


def settle_uncertain(message: Message, verdict: Verdict, *, now: datetime, actor: Actor = SYSTEM) -> Message:
    """Decide what became of an uncertain message. Announces `MessageSettled` unless it is sent again.

    Sent again means the same message with the same Message-ID, after every check that any message passes.

    :raises NotUncertain: if it is not uncertain any more.
    :raises DayOver: if it is to be sent again after the day that its text speaks of.
    """
    if verdict == "send_again":
        refuse_after_day(message, now)
    with transaction.atomic():
        rows = Message.objects.filter(pk=message.pk, shop_id=message.shop_id, state=Message.State.UNCERTAIN)
        if verdict == "send_again":
            changed = rows.update(
                state=Message.State.DUE,
                reason="",
                # A provider is asked before it is offered again what it may have taken; a mail server cannot be asked.
                is_resent=message.is_resent or message.channel != ChannelKind.EMAIL,
                handed_at=message.handed_at if message.channel != ChannelKind.EMAIL else None,
                due_at=now,
                not_after=_second_end(message, now),
                settled_at=None,
                lease_owner=None,
                lease_until=None,
            )
        elif verdict == "delivered":
            changed = rows.update(
                state=Message.State.SENT, reason=Reason.DELIVERED, lease_owner=None, settled_at=now
            )
        else:
            changed = rows.update(
                state=Message.State.FAILED, reason=Reason.NOT_DELIVERED, lease_owner=None, settled_at=now
            )
        if not changed:
            raise NotUncertain(message.pk)
        message.refresh_from_db()
        _note_decision(message, f"messaging.message.{verdict}", actor, now)
        if verdict != "send_again":
            announce_settled([message], at=message.handed_at if verdict == "delivered" else now)
    return message


def retry_failed(message: Message, *, now: datetime, actor: Actor = SYSTEM) -> Message:
    """Queue a failed message again, with its tries counted anew.

    :raises NotFailed: if it is not failed any more.
    :raises DayOver: if the day that its text speaks of is over.
    """
    refuse_after_day(message, now)
    with transaction.atomic():
        changed = Message.objects.filter(
            pk=message.pk, shop_id=message.shop_id, state=Message.State.FAILED
        ).update(
            state=Message.State.DUE,
            reason="",
            answer="",
            attempt=0,
            due_at=now,
            not_after=_second_end(message, now),
            settled_at=None,
            lease_owner=None,
            lease_until=None,
        )
        if not changed:
            raise NotFailed(message.pk)
        message.refresh_from_db()
        _note_decision(message, "messaging.message.retried", actor, now)
    return message


def _second_end(message: Message, now: datetime) -> datetime:
    """Return until when a message that a person sends again may go out; what its day made true is false the day after."""
    until = max(message.not_after, now + _SECOND_LIFE)
    return until if message.day_ends_at is None else min(until, message.day_ends_at)


def _note_decision(message: Message, verb: str, actor: Actor, now: datetime) -> None:
    activity.record(verb, shop_id=message.shop_id, subject=("message", message.pk), at=now, actor=actor)


def announce_settled(messages: Iterable[Message], *, at: datetime | None) -> None:
    """Announce the ends of messages; `at` is the hand-over of those that were sent."""
    outbox.announce(
        *[
            MessageSettled(
                shop_id=message.shop_id,
                message_id=message.pk,
                enrolment_id=message.enrolment_id,
                step_no=message.step_no,
                case_id=message.case_id,
                state=message.state,
                at=at or message.settled_at or message.queued_at,
            )
            for message in messages
        ]
    )
