"""Visits through the links of messages: a page view when it happens, a click once it is known to be a person's.

Who clicks has opened. Where a shop counts opened mails, the picture in a mail leaves a visit, too, which is no click.

Opening a page changes nothing but the tables of visits (R33): one through a link of a message stands in `MessageVisit`, and
once it counts, in `PageVisit` as well; of those who come straight only the latter keeps one. Mail scanners open every link
within seconds; so a visit is weighed a little later, together with its neighbours, and only a person's counts and is told.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from recoup.core import links, outbox
from recoup.core.models import Link
from recoup.messaging.events import MessageClicked, MessageOpened, PageVisited
from recoup.messaging.visit_models import MessageVisit

_ROBOTS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|proofpoint|mimecast|barracuda|urldefense|safelinks|googleimageproxy"
    r"|facebookexternalhit|whatsapp|telegrambot|curl/|wget/|python-|go-http|java/|okhttp|libwww|headlesschrome",
    re.IGNORECASE,
)
# A scanner in front of a mailbox opens the links before anybody could have read the mail.
TOO_SOON = timedelta(seconds=5)
# So many links of one mail within so short a time are opened by no person. Its picture is none: it loads by itself.
BURST, BURST_LINKS = timedelta(seconds=10), 3
OPEN = "open"  # the purpose of the visit that the picture in a mail leaves; no link has it
# Neighbours of a visit have come after this.
PATIENCE = timedelta(seconds=15)
# Of visits of one page within the same such time the first and the last are kept. A row of those who came straight is not
# weighed before its time is over, so that a later visit never falls into a row whose news is out.
SLOT, STRAIGHT_SLOT = timedelta(minutes=2), PATIENCE
SUBJECTS = {"order": 1, "cart": 2, "contact": 3}


def is_machine(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request looks like a scanner's or a robot's, by itself."""
    return (
        method not in ("GET", "POST")
        or _is_ahead_of_a_person(headers)
        or _is_robot(headers.get("User-Agent", ""))
        or not headers.get("Accept-Language", "")
    )


# Gmail asks by its proxy when somebody opens the mail. Apple's, whose whole name this is, loads what nobody may ever open.
_ASKS_FOR_A_PERSON = re.compile("googleimageproxy", re.IGNORECASE)
_APPLES_PROXY = "Mozilla/5.0"


def is_machine_at_picture(headers: Mapping[str, str]) -> bool:
    """Tell whether the picture of a mail was loaded by what opens mails for nobody; no language need be named."""
    agent = headers.get("User-Agent", "")
    return (
        _is_ahead_of_a_person(headers)
        or agent.strip() == _APPLES_PROXY
        or _is_robot(_ASKS_FOR_A_PERSON.sub("", agent))
    )


def _is_ahead_of_a_person(headers: Mapping[str, str]) -> bool:
    purpose = (
        f"{headers.get('Purpose', '')} {headers.get('Sec-Purpose', '')} {headers.get('X-Moz', '')}".lower()
    )
    return "prefetch" in purpose or "preview" in purpose


def _is_robot(agent: str) -> bool:
    return not agent or _ROBOTS.search(agent) is not None


def record_visit(link: Link, *, at: datetime, is_machine: bool) -> None:
    """Keep a visit through a link of a message; a link that no message carried leaves none. Writes no other row."""
    if link.message_id is not None:
        MessageVisit.objects.bulk_create(
            [
                MessageVisit(
                    shop_id=link.shop_id,
                    message_id=link.message_id,
                    purpose=link.purpose,
                    subject_kind=link.subject_kind,
                    subject_id=link.subject_id,
                    at=at,
                    is_machine=is_machine,
                )
            ]
        )


_CAME = """
    INSERT INTO messaging_pagevisit AS p (shop_id, subject_kind, subject_id, contact_id, page, slot, at)
    VALUES (%s, %s, %s, %s, %s, -floor(extract(epoch FROM %s::timestamptz) / %s), %s)
    ON CONFLICT (subject_kind, subject_id, page, slot) DO UPDATE
        SET at = least(p.at, EXCLUDED.at), last_at = greatest(p.at, p.last_at, EXCLUDED.at) WHERE p.noted_at IS NULL
"""


def record_straight_visit(link: Link, contact_id: int | None, *, at: datetime, is_machine: bool) -> None:
    """Keep that a person came to a page by a link that no message carried; it counts once it is weighed."""
    if link.message_id is None and link.subject_kind in SUBJECTS and not is_machine:
        subject = (SUBJECTS[link.subject_kind], link.subject_id)
        with connection.cursor() as cursor:
            cursor.execute(
                _CAME,
                [link.shop_id, *subject, contact_id, link.purpose, at, STRAIGHT_SLOT.total_seconds(), at],
            )


_OPENED = """
    INSERT INTO messaging_messagevisit (shop_id, message_id, purpose, at, is_machine)
    SELECT m.shop_id, m.id, %s, %s, %s FROM core_link l
    JOIN messaging_message m ON m.id = l.message_id AND m.opened_at IS NULL
    JOIN shops_shop s ON s.id = m.shop_id AND s.counts_opens WHERE l.token_hash = %s
"""


def record_opening(token: str, *, at: datetime, is_machine: bool) -> None:
    """Keep that the picture in a mail was loaded, unless the mail is known to have been opened. Writes no other row.

    The picture is named by the token of a link that the mail carries anyway, of any purpose and age.
    """
    if links.is_token(token):
        with connection.cursor() as cursor:
            cursor.execute(_OPENED, [OPEN, at, is_machine, links.hash_token(token)])


_NOTE = """
    WITH ripe AS (
        SELECT id FROM messaging_messagevisit WHERE noted_at IS NULL AND at <= %(now)s - %(patience)s
        ORDER BY at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    ), noted AS (
        UPDATE messaging_messagevisit v SET noted_at = %(now)s,
            is_machine = v.is_machine OR coalesce(v.at < m.handed_at + %(too_soon)s, false) OR (
                SELECT count(DISTINCT n.purpose) FROM messaging_messagevisit n
                WHERE n.message_id = v.message_id AND n.purpose <> %(open)s
                    AND n.at BETWEEN v.at - %(burst)s AND v.at + %(burst)s
            ) >= %(burst_links)s
        FROM ripe, messaging_message m WHERE v.id = ripe.id AND m.id = v.message_id
        RETURNING v.message_id, v.at, v.is_machine, v.purpose, v.subject_kind, v.subject_id
    ), came AS (
        SELECT m.shop_id, m.contact_id, m.source_id, n.purpose, n.at, n.slot, s.kind, s.id FROM (
            SELECT *, floor(extract(epoch FROM at) / %(slot)s)::bigint AS slot FROM noted
        ) n JOIN messaging_message m ON m.id = n.message_id AND NOT m.is_test,
        LATERAL (SELECT
            CASE coalesce(nullif(n.subject_kind, ''), CASE WHEN m.order_id IS NOT NULL THEN 'order'
                WHEN m.cart_id IS NOT NULL THEN 'cart' ELSE 'contact' END)
                WHEN 'order' THEN 1 WHEN 'cart' THEN 2 WHEN 'contact' THEN 3 END AS kind,
            CASE WHEN n.subject_id IS NULL THEN coalesce(m.order_id, m.cart_id, m.contact_id) ELSE n.subject_id END AS id
        ) s
        WHERE NOT n.is_machine AND n.purpose <> %(open)s AND s.kind IS NOT NULL
    ), kept AS (
        INSERT INTO messaging_pagevisit AS p
            (shop_id, subject_kind, subject_id, contact_id, page, slot, at, last_at, source_id, noted_at)
        SELECT DISTINCT ON (kind, id, purpose, slot)
            shop_id, kind, id, contact_id, purpose, slot, at,
            nullif(max(at) OVER (PARTITION BY kind, id, purpose, slot), at), source_id, %(now)s FROM came
        ORDER BY kind, id, purpose, slot, at
        ON CONFLICT (subject_kind, subject_id, page, slot) DO UPDATE SET
            noted_at = CASE WHEN p.is_machine THEN EXCLUDED.noted_at ELSE coalesce(p.noted_at, EXCLUDED.noted_at) END,
            is_machine = false,
            at = CASE WHEN p.is_machine THEN EXCLUDED.at ELSE least(p.at, EXCLUDED.at) END,
            last_at = CASE WHEN p.is_machine THEN EXCLUDED.last_at
                ELSE nullif(greatest(p.at, p.last_at, EXCLUDED.at, EXCLUDED.last_at), least(p.at, EXCLUDED.at)) END
            WHERE p.noted_at IS NULL OR p.is_machine OR EXCLUDED.at < p.at
                OR coalesce(EXCLUDED.last_at, EXCLUDED.at) > coalesce(p.last_at, p.at)
        RETURNING shop_id, subject_kind, subject_id, contact_id, coalesce(last_at, at) AS at
    ), seen AS (
        SELECT message_id, min(at) AS opened_at, min(at) FILTER (WHERE purpose <> %(open)s) AS clicked_at
        FROM noted WHERE NOT is_machine GROUP BY message_id
    ), held AS (
        SELECT id, opened_at, clicked_at FROM messaging_message WHERE id IN (SELECT message_id FROM seen)
        ORDER BY id FOR NO KEY UPDATE
    ), first AS (
        UPDATE messaging_message m
        SET opened_at = coalesce(m.opened_at, seen.opened_at), clicked_at = coalesce(m.clicked_at, seen.clicked_at)
        FROM seen, held WHERE m.id = seen.message_id AND held.id = m.id
            AND (m.opened_at IS NULL OR (m.clicked_at IS NULL AND seen.clicked_at IS NOT NULL))
        RETURNING m.shop_id, m.id, m.enrolment_id, m.opened_at, m.clicked_at,
            held.clicked_at IS DISTINCT FROM m.clicked_at AS is_click
    )
    SELECT 'message', shop_id, id, enrolment_id, opened_at, clicked_at, is_click, NULL FROM first
    UNION ALL SELECT 'page', shop_id, subject_id, contact_id, at, NULL, NULL, subject_kind FROM kept
"""
# Those who came straight: there is no hand-over to come too soon after, but who looks at every page at once is a machine.
_NOTE_STRAIGHT = """
    WITH ripe AS (
        SELECT id FROM messaging_pagevisit WHERE noted_at IS NULL AND at <= %(now)s - %(patience)s
        ORDER BY at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    ), noted AS (
        UPDATE messaging_pagevisit v SET noted_at = %(now)s, is_machine = (
                SELECT count(DISTINCT n.page) FROM messaging_pagevisit n
                WHERE n.subject_kind = v.subject_kind AND n.subject_id = v.subject_id
                    AND n.at BETWEEN v.at - %(burst)s AND v.at + %(burst)s
            ) >= %(burst_links)s
        FROM ripe WHERE v.id = ripe.id
        RETURNING v.shop_id, v.subject_kind, v.subject_id, v.contact_id, coalesce(v.last_at, v.at) AS at, v.is_machine
    )
    SELECT shop_id, subject_kind, subject_id, contact_id, at FROM noted WHERE NOT is_machine
"""


def note_visits(*, now: datetime, limit: int = 500) -> int:
    """Weigh visits of some seconds ago, across shops, and announce what each message saw first of a person.

    Whoever follows a link has opened the message: the click is both, and its news tells both. Each visit of a person to a
    page is told, too. Return how many messages were opened or clicked for the first time.
    """
    values: dict[str, Any] = {
        "now": now,
        "limit": limit,
        "patience": PATIENCE,
        "too_soon": TOO_SOON,
        "burst": BURST,
        "burst_links": BURST_LINKS,
        "open": OPEN,
        "slot": SLOT.total_seconds(),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NOTE, values)
        rows = cursor.fetchall()
        messages = [row[1:7] for row in rows if row[0] == "message"]
        visits = [
            (shop, kind, key, who, at) for what, shop, key, who, at, _, _, kind in rows if what == "page"
        ]
        cursor.execute(_NOTE_STRAIGHT, values)
        outbox.announce(
            *[
                MessageClicked(shop_id, message_id, enrolment_id, clicked_at)
                if is_click
                else MessageOpened(shop_id, message_id, enrolment_id, opened_at)
                for shop_id, message_id, enrolment_id, opened_at, clicked_at, is_click in messages
            ],
            *[PageVisited(*visit) for visit in (*visits, *cursor.fetchall())],
        )
    return len(messages)
