"""What a message is by the text that it is really written from: it was queued by another version, or for another channel."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from recoup.core import arrays
from recoup.messaging.rendering.tokens import OFFER_TOKENS
from recoup.messaging.rules.deciding import Basis, bases_of, contents_of
from recoup.messaging.rules.ways import Way
from recoup.messaging.sender.facts import Sight
from recoup.messaging.sender.records import Claimed
from recoup.messaging.texts import Texts

# An offer is looked for again where none was spoken of before: as when it is queued, the last one that was made.
_RESTATE = """
    WITH held AS (SELECT id FROM messaging_message WHERE id = ANY(%s) AND state = 'claimed' ORDER BY id FOR NO KEY UPDATE)
    UPDATE messaging_message m SET message_class = coalesce(p.r ->> 1, m.message_class),
        content = coalesce(p.r ->> 2, m.content), relation = coalesce(p.r ->> 3, m.relation),
        country = coalesce(p.r ->> 4, m.country), offer_id = coalesce(m.offer_id, CASE WHEN (p.r ->> 5)::boolean THEN (
            SELECT f.id FROM offers_offer f WHERE f.enrolment_id = m.enrolment_id AND f.state = 'granted'
            ORDER BY f.step_no DESC LIMIT 1) END)
    FROM held JOIN jsonb_array_elements(%s::jsonb) AS p (r) ON (p.r ->> 0)::bigint = held.id
    WHERE m.id = held.id
    RETURNING m.id, m.message_class, m.content, m.relation, m.country, m.offer_id
"""


class _Told(NamedTuple):
    """What a row says now."""

    message_class: str
    content: str
    relation: str
    country: str
    offer_id: int | None


def restated(
    messages: Sequence[Claimed], texts: Mapping[int, Texts], shop_locale: str, *, now: datetime
) -> list[Claimed]:
    """Return the messages as their texts make them now; nothing is asked or written while the texts say what they said.

    Only a text that prints an offer hangs on one: what is written without it goes out whatever became of it.
    """
    contents = contents_of({found.version_id for found in texts.values()})
    speaking = {one.id for one in messages if _speaks_of_offer(one, texts, shop_locale)}
    stale = [one for one in messages if _says_else(one, texts, contents)]
    unknown = [one for one in messages if one.id in speaking and one.offer_id is None]
    told: dict[int, _Told] = {}
    if stale or unknown:
        told = _restate({one.id: one for one in (*stale, *unknown)}, speaking, _bases(stale, texts, now))
    found = [one._replace(**told[one.id]._asdict()) if one.id in told else one for one in messages]
    return [
        one._replace(offer_id=None) if one.offer_id is not None and one.id not in speaking else one
        for one in found
    ]


def _speaks_of_offer(message: Claimed, texts: Mapping[int, Texts], shop_locale: str) -> bool:
    found = texts.get(message.template_id or 0)
    text = found.choose(message.locale, shop_locale) if found is not None else None
    return text is not None and bool(OFFER_TOKENS.intersection(text[1].tokens))


def _says_else(message: Claimed, texts: Mapping[int, Texts], contents: Mapping[int, str]) -> bool:
    """Tell whether the text is about something else than what the message was queued as, or looked at too late for it."""
    found = texts.get(message.template_id or 0)
    is_about_something = message.order_id is not None or message.cart_id is not None
    if found is None or not message.content or not is_about_something:
        return False
    return contents.get(found.version_id, message.content) != message.content


def _bases(messages: Sequence[Claimed], texts: Mapping[int, Texts], now: datetime) -> dict[int, Basis]:
    """Return the classes anew, by exactly the versions that are written from."""
    if not messages:
        return {}
    ways = [Way(one.shop_id, one.contact_id, "", one.channel, one.order_id, one.cart_id) for one in messages]
    versions = [texts[one.template_id or 0].version_id for one in messages]
    bases = bases_of(ways, now=now, versions=versions)
    return {one.id: basis for one, basis in zip(messages, bases, strict=True)}


def _restate(
    messages: Mapping[int, Claimed], speaking: set[int], bases: Mapping[int, Basis]
) -> dict[int, _Told]:
    rows = []
    for key in messages:
        basis = bases.get(key)
        said = (basis.message_class, basis.content, basis.relation, basis.country) if basis else (None,) * 4
        rows.append((key, *said, key in speaking))
    with connection.cursor() as cursor:
        cursor.execute(_RESTATE, [sorted(messages), arrays.rows(rows)])
        return {key: _Told(*values) for key, *values in cursor.fetchall()}


def note_classes(messages: Sequence[Claimed], sights: Mapping[int, Sight]) -> None:
    """Let the rows say by which rule they are judged: one that was planned, or a law, may have begun since they were queued.

    What is left with an unsubscribe link, what is counted and the ground that is shown go by the row.
    """
    anew = {
        one.id: sights[one.id].message_class
        for one in messages
        if one.id in sights and sights[one.id].message_class != one.message_class
    }
    if not anew:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_message m SET message_class = n.class"
            " FROM unnest(%s::bigint[], %s::text[]) AS n (id, class) WHERE m.id = n.id",
            [list(anew), list(anew.values())],
        )
