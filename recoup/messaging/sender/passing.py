"""The next channel of a message that its present one cannot deliver (D7): the same row goes on, so nobody gets two."""

from collections.abc import Sequence

from django.db import connection

from recoup.core import arrays
from recoup.messaging.reasons import Reason
from recoup.messaging.sender.records import End

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
# No room over this channel now: the next one takes the message, if it has an address there.
_FULL = frozenset({Reason.CHANNEL_CAP.value, Reason.NUMBER_CAP.value, Reason.COST_CAP.value})
# The reference keeps its number; what stands behind the @ belongs to mails.
_GO_ON = """
    WITH e AS (
        SELECT (r ->> 0)::bigint AS id, r ->> 1 AS reason, (r ->> 2)::timestamptz AS at, (r ->> 3)::boolean AS waits
        FROM jsonb_array_elements(%s::jsonb) AS r
    ), next AS (
        SELECT m.id, e.reason, e.at, e.waits, m.fallback -> 0 ->> 'channel' AS channel, m.fallback -> 0 ->> 'class' AS class,
            m.fallback -> 0 ->> 'content' AS content, m.fallback -> 0 ->> 'relation' AS relation,
            l.id AS lane_id, t.id AS template_id,
            CASE WHEN m.fallback -> 0 ->> 'channel' = 'email' THEN coalesce(nullif(o.buyer->>'email', ''), c.email)
                ELSE coalesce(nullif(o.buyer->>'phone', ''), c.phone) END AS recipient,
            split_part(m.message_ref, '@', 1) || CASE WHEN m.fallback -> 0 ->> 'channel' = 'email'
                THEN '@' || coalesce(nullif(split_part(a.from_email, '@', 2), ''), 'recoup.invalid') ELSE '' END AS ref
        FROM e JOIN messaging_message m ON m.id = e.id
        JOIN messaging_lane l ON l.shop_id = m.shop_id AND l.channel = m.fallback -> 0 ->> 'channel'
        JOIN customers_contact c ON c.id = m.contact_id
        LEFT JOIN orders_order o ON o.id = m.order_id
        LEFT JOIN messaging_template t ON t.shop_id = m.shop_id AND t.key = m.fallback -> 0 ->> 'template'
        LEFT JOIN messaging_mailaccount a ON a.shop_id = m.shop_id
        WHERE m.lease_owner = %s AND m.state IN ('claimed', 'handing') AND jsonb_array_length(m.fallback) > 0
            AND NOT m.is_resent AND m.cancel_requested_at IS NULL
    )
    UPDATE messaging_message m SET state = 'due', channel = next.channel, lane_id = next.lane_id,
        template_id = next.template_id, template_version_id = NULL, recipient = coalesce(next.recipient, ''),
        message_class = coalesce(next.class, m.message_class), content = coalesce(next.content, m.content),
        relation = coalesce(next.relation, m.relation), message_ref = next.ref,
        fallback = m.fallback - 0,
        passed_over = coalesce(m.passed_over, '[]') || jsonb_build_array(jsonb_build_array(m.channel, next.reason)),
        reason = '', answer = '', due_at = coalesce(next.at, m.due_at), attempt = 0, parts = NULL, price = NULL,
        handed_at = NULL, lease_owner = NULL, lease_until = NULL
    FROM next WHERE m.id = next.id AND (NOT next.waits OR next.recipient <> '')
    RETURNING m.id
"""


def may_pass_on(state: str, reason: str) -> bool:
    """Tell whether another channel may do what this one could not."""
    if reason in _FULL:
        return state in ("due", "cancelled")
    return reason in PASSED_OVER and state in ("cancelled", "failed")


def pass_on(ends: Sequence[End], *, owner: int) -> Sequence[End]:
    """Let messages that have another channel go on there, at once; return the ends that remain."""
    passing = [end for end in ends if may_pass_on(end.state, end.reason)]
    if not passing:
        return ends
    rows = [
        (end.message_id, end.reason, end.at.isoformat() if end.at else None, end.state == "due")
        for end in passing
    ]
    with connection.cursor() as cursor:
        cursor.execute(_GO_ON, [arrays.rows(rows), owner])
        gone = {row[0] for row in cursor.fetchall()}
    return [end for end in ends if end.message_id not in gone]
