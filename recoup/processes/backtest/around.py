"""What stands around a process while it is only tried: the shop's rules, its texts and money, and the other processes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from recoup.messaging.models import SmsAccount
from recoup.messaging.past.deciding import PastSender
from recoup.messaging.past.people import Wanted, read_people
from recoup.messaging.past.purse import Purse
from recoup.messaging.past.rules import PastRules, read_rules
from recoup.messaging.past.sent import Others, read_others, spent_by_others
from recoup.messaging.past.texts import PastText, Reader, ShortTexts, read_texts
from recoup.processes.backtest.sending import ShopSending
from recoup.processes.engine.codes import Flag
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import group_key_of
from recoup.processes.engine.nodes.send import SendDocument
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.worlds import Elsewhere

Ways = tuple[tuple[str, str], ...]  # channels with the keys of their texts


class Whom(NamedTuple):
    """The people of a page with what they are written to about."""

    contact_ids: Collection[int]
    order_ids: Collection[int] = ()
    cart_ids: Collection[int] = ()
    readers: Collection[Reader] = ()


class Standing(NamedTuple):
    """How a process stands to the others; one that is not there yet has no source, no rank and no group."""

    source_id: int | None = None
    rank: int = 0
    group: str = ""


NEW = Standing()


@dataclass(frozen=True, slots=True)
class Around:
    """Read once for a run; the people page by page."""

    shop_id: int
    rules: PastRules
    standing: Standing
    ways: Ways
    texts: Mapping[str, PastText]
    purse: Purse | None
    since: datetime
    now: datetime

    def fresh(self) -> "Around":
        """Return the same with the money not yet spent that this process has spent in thought."""
        if self.purse is None:
            return self
        spent = spent_by_others(
            self.shop_id, self.rules.zone, but=self.standing.source_id, since=self.since, now=self.now
        )
        return replace(self, purse=Purse.of(self.purse.account, spent))

    def sending(self, whom: Whom) -> ShopSending:
        """Return the sender over the past of some people."""
        others = read_others(
            self.shop_id, whom.contact_ids, but=self.standing.source_id, since=self.since, now=self.now
        )
        return self._sending(whom, others)

    def sending_now(self, whom: Whom) -> ShopSending:
        """Return the sender over the present of some people, with all that they have had, from this process too."""
        others = read_others(self.shop_id, whom.contact_ids, but=None, since=self.now, now=self.now)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT contact_id, recent FROM customers_contactgate WHERE shop_id = %s AND contact_id = ANY(%s)",
                [self.shop_id, list(whom.contact_ids)],
            )
            others.recent.update(cursor.fetchall())
        return self._sending(whom, others)

    def _sending(self, whom: Whom, others: Others) -> ShopSending:
        people = read_people(
            Wanted(
                self.shop_id,
                whom.contact_ids,
                whom.order_ids,
                whom.cart_ids,
                channels={channel for channel, _ in self.ways},
                asks_for_purchases=self.rules.books.ever_had_ground,
            )
        )
        short = ShortTexts(self.shop_id, whom.readers)
        return ShopSending(
            PastSender(self.rules, people, others, self.texts, short, self.purse, self.standing.rank)
        )


def look_around(shop_id: int, graph: Graph, standing: Standing, *, since: datetime, now: datetime) -> Around:
    """Read what stands around a process."""
    rules, ways = read_rules(shop_id), ways_of(graph.document)
    account = rules.accounts.get("sms")
    purse = None
    if isinstance(account, SmsAccount) and any(channel != "email" for channel, _ in ways):
        purse = Purse.of(
            account, spent_by_others(shop_id, rules.zone, but=standing.source_id, since=since, now=now)
        )
    texts = read_texts(shop_id, {key for _, key in ways})
    return Around(shop_id, rules, standing, ways, texts, purse, since, now)


def ways_of(document: ProcessDocument) -> Ways:
    """Return every channel that a process writes over, with the keys of its texts."""
    found = [way for node in document.nodes.values() if isinstance(node, SendDocument) for way in node.ways]
    return tuple(dict.fromkeys(found))


def standing_of(process_id: int, document: ProcessDocument) -> Standing:
    """Return how a process stands to the others; a group that the shop has set counts before its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT message_source_id, priority, exclusive_group FROM processes_process WHERE id = %s",
            [process_id],
        )
        row = cursor.fetchone()
    if row is None:
        return Standing(group=document.entry.group or "")
    return Standing(row[0], row[1], row[2] or document.entry.group or "")


# Who really was in another process of the group, and until when: the last line of the ledger tells.
_STAYS = """
    SELECT e.id, e.contact_id, p.priority, e.entered_at, CASE WHEN e.state >= 8 THEN coalesce(
        (SELECT l.at FROM processes_step_log l WHERE l.enrolment_id = e.id AND l.step_no = e.step_no), e.node_at) END
    FROM processes_enrolment e JOIN processes_process p ON p.id = e.process_id
    JOIN processes_processversion v ON v.id = e.version_id
    WHERE e.shop_id = %s AND e.process_id <> %s AND e.contact_id = ANY(%s) AND e.entered_at <= %s AND e.flags & %s = 0
        AND coalesce(nullif(p.exclusive_group, ''), v.doc -> 'entry' ->> 'group') = %s
    ORDER BY e.entered_at, e.id
"""


def stays_elsewhere(
    shop_id: int, process_id: int, group: str, contact_ids: Collection[int], *, now: datetime
) -> list[Elsewhere]:
    """Return when people came into other processes of an exclusive group, as news; none where there is no group."""
    if not group:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_STAYS, [shop_id, process_id, list(contact_ids), now, int(Flag.TEST), group])
        rows = cursor.fetchall()
    return [
        Elsewhere(entered_at, shop_id, group_key_of(group, contact_id), enrolment_id, rank, until)
        for enrolment_id, contact_id, rank, entered_at, until in rows
    ]
