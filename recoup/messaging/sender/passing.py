"""The next channel of a message that its present one cannot deliver (D7): the same row goes on, so nobody gets two."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django_scopes import scopes_disabled

from recoup.core import arrays
from recoup.messaging.accounts import find_account
from recoup.messaging.channels import channel as road_of
from recoup.messaging.mime.addresses import is_address
from recoup.messaging.models import ChannelKind
from recoup.messaging.reasons import Reason
from recoup.messaging.sender import shop_facts
from recoup.messaging.sender.judge import person_refusal
from recoup.messaging.sender.look import ruled
from recoup.messaging.sender.records import Claimed, End
from recoup.messaging.texts import current_texts

# Certainly not taken, and another channel may do what this one cannot.
PASSED_OVER = frozenset(
    {
        Reason.NO_ADDRESS.value,
        Reason.ADDRESS_BAD.value,
        Reason.ADDRESS_UNKNOWN.value,
        Reason.NOT_MOBILE.value,
        Reason.COUNTRY_NOT_ALLOWED.value,
        Reason.NO_CONSENT.value,
        Reason.SUPPRESSED.value,
        Reason.NO_CHANNEL.value,
        Reason.NO_TEMPLATE.value,
    }
)
# No room over this channel now: the next one takes the message, if it can and may.
_FULL = frozenset(
    {Reason.CHANNEL_CAP.value, Reason.NUMBER_CAP.value, Reason.RANGE_CAP.value, Reason.COST_CAP.value}
)
_WAY = """
    messaging_message m
    JOIN messaging_lane l ON l.shop_id = m.shop_id AND l.channel = m.fallback -> 0 ->> 'channel'
    JOIN customers_contact c ON c.id = m.contact_id
    LEFT JOIN orders_order o ON o.id = m.order_id
    LEFT JOIN messaging_template t ON t.shop_id = m.shop_id AND t.key = m.fallback -> 0 ->> 'template'
"""
_RECIPIENT = """
    coalesce(CASE WHEN m.fallback -> 0 ->> 'channel' = 'email' THEN coalesce(nullif(o.buyer->>'email', ''), c.email)
        ELSE coalesce(nullif(o.buyer->>'phone', ''), c.phone) END, '')
"""
_COLUMNS = ", ".join(f"m.{name}" for name in Claimed._fields)
_TO_COME = f"""
    SELECT {_COLUMNS}, s.locale, m.fallback -> 0 ->> 'channel', coalesce(m.fallback -> 0 ->> 'class', m.message_class),
        coalesce(m.fallback -> 0 ->> 'content', m.content), coalesce(m.fallback -> 0 ->> 'relation', m.relation),
        t.id, {_RECIPIENT}
    FROM {_WAY} JOIN shops_shop s ON s.id = m.shop_id
    WHERE m.id = ANY(%s) AND jsonb_array_length(m.fallback) > 0
"""  # noqa: S608 - columns and joins of ours
# The reference keeps its number; what stands behind the @ belongs to mails.
_GO_ON = f"""
    WITH e AS (
        SELECT (r ->> 0)::bigint AS id, r ->> 1 AS reason, (r ->> 2)::timestamptz AS at
        FROM jsonb_array_elements(%s::jsonb) AS r
    ), next AS (
        SELECT m.id, e.reason, e.at, m.fallback -> 0 ->> 'channel' AS channel, m.fallback -> 0 ->> 'class' AS class,
            m.fallback -> 0 ->> 'content' AS content, m.fallback -> 0 ->> 'relation' AS relation,
            l.id AS lane_id, t.id AS template_id, {_RECIPIENT} AS recipient,
            split_part(m.message_ref, '@', 1) || CASE WHEN m.fallback -> 0 ->> 'channel' = 'email'
                THEN '@' || coalesce(nullif(split_part(a.from_email, '@', 2), ''), 'recoup.invalid') ELSE '' END AS ref
        FROM {_WAY} JOIN e ON e.id = m.id
        LEFT JOIN messaging_mailaccount a ON a.shop_id = m.shop_id
        WHERE m.lease_owner = %s AND m.state IN ('claimed', 'handing') AND jsonb_array_length(m.fallback) > 0
            AND NOT m.is_resent AND m.cancel_requested_at IS NULL
    )
    UPDATE messaging_message m SET state = 'due', channel = next.channel, lane_id = next.lane_id,
        template_id = next.template_id, template_version_id = NULL, recipient = next.recipient,
        message_class = coalesce(next.class, m.message_class), content = coalesce(next.content, m.content),
        relation = coalesce(next.relation, m.relation), message_ref = next.ref,
        fallback = m.fallback - 0,
        passed_over = coalesce(m.passed_over, '[]') || jsonb_build_array(jsonb_build_array(m.channel, next.reason)),
        reason = '', answer = '', due_at = coalesce(next.at, m.due_at), attempt = 0, parts = NULL, price = NULL,
        handed_at = NULL, lease_owner = NULL, lease_until = NULL
    FROM next WHERE m.id = next.id
    RETURNING m.id
"""  # noqa: S608 - joins of ours


def may_pass_on(state: str, reason: str) -> bool:
    """Tell whether another channel may do what this one could not."""
    if reason in _FULL:
        return state in ("due", "cancelled")
    return reason in PASSED_OVER and state in ("cancelled", "failed")


def pass_on(ends: Sequence[End], *, owner: int) -> Sequence[End]:
    """Let messages that have another channel go on there, at once; return the ends that remain.

    What only waits for room keeps its channel as long as the next one could not or may not have it.
    """
    passing = [end for end in ends if may_pass_on(end.state, end.reason)]
    waiting = {end.message_id: end.at for end in passing if end.state == "due" and end.at is not None}
    if waiting:
        able = _able(waiting)
        passing = [end for end in passing if end.state != "due" or end.message_id in able]
    if not passing:
        return ends
    rows = [(end.message_id, end.reason, end.at.isoformat() if end.at else None) for end in passing]
    with connection.cursor() as cursor:
        cursor.execute(_GO_ON, [arrays.rows(rows), owner])
        gone = {row[0] for row in cursor.fetchall()}
    return [end for end in ends if end.message_id not in gone]


def _able(waiting: dict[int, datetime]) -> set[int]:
    """Return the messages, of those that wait since an instant, whose next channel could and may take them now."""
    with connection.cursor() as cursor:
        cursor.execute(_TO_COME, [sorted(waiting)])
        rows = cursor.fetchall()
    groups: defaultdict[tuple[int, str, str], list[Claimed]] = defaultdict(list)
    for row in rows:
        locale, channel, message_class, content, relation, template_id, recipient = row[
            len(Claimed._fields) :
        ]
        message = Claimed(*row[: len(Claimed._fields)])._replace(
            channel=channel,
            message_class=message_class,
            content=content,
            relation=relation,
            template_id=template_id,
            recipient=recipient,
        )
        groups[message.shop_id, channel, locale].append(message)
    with scopes_disabled():
        return {
            key
            for (_, _, locale), messages in groups.items()
            for key in _able_of_one(messages, locale, max(waiting[one.id] for one in messages))
        }


def _able_of_one(messages: Sequence[Claimed], shop_locale: str, now: datetime) -> set[int]:
    """Return those of one shop, over one channel, that have an address, a text and a reader who may get it."""
    shop_id, channel = messages[0].shop_id, messages[0].channel
    account = find_account(shop_id, channel)
    if account is None:
        return set()
    road, shop = road_of(account.adapter), shop_facts.read(shop_id, messages, now)
    texts = current_texts(one.template_id for one in messages if one.template_id is not None)
    able = set()
    for one in ruled(messages, now):
        text = texts.get(one.template_id or 0)
        is_reached = is_address(one.recipient) if channel == ChannelKind.EMAIL else bool(one.recipient)
        if (
            is_reached
            and not road.refusal_of(account, one.recipient)
            and text is not None
            and text.choose(one.locale, shop_locale) is not None
            and not person_refusal(one, shop)
        ):
            able.add(one.id)
    return able
