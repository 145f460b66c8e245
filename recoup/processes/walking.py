"""Walks one real order, cart or person through a process: the engine in memory, with no effect at all (D18)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from recoup.messaging.past.deciding import PastMessage
from recoup.messaging.past.texts import Reader
from recoup.orders.models import Order
from recoup.processes.at_doors import known_at_doors
from recoup.processes.backtest.around import NEW, Around, Whom, look_around, standing_of
from recoup.processes.backtest.shop import PastShop
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import Candidate
from recoup.processes.engine.records import Facts
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.purchases import purchases_of
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Arrival, Change, ChangeKind, Lane, News, Visit
from recoup.segments.facts import Need

HORIZON = timedelta(days=400)
OPENS_AFTER = timedelta(hours=1)  # after the mail has come
_ONE = 1  # the process and the version of a walk
_KINDS = {SubjectKind.ORDER: "order", SubjectKind.CART: "cart", SubjectKind.CONTACT: "contact"}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What the person is taken to do: pay after a time, open the first mail, follow its link, or nothing."""

    pays_after: timedelta | None = None
    opens: bool = False
    clicks: bool = False


class Stop(NamedTuple):
    """A line of the walk: when, at which block, what; of a message also how it ended, when it went out, and over what."""

    at: datetime
    node: str
    code: Code
    template: str = ""
    message_end: int = 0
    sent_at: datetime | None = None
    sent_as: PastMessage | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """What would become of somebody. Who is not let in has no stops; `is_known` tells whether anything is known of them."""

    stops: Sequence[Stop] = ()
    has_entered: bool = False
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Walker:
    """Who is walked, with which order or cart (or as themselves)."""

    shop_id: int
    kind: int
    subject_id: int
    contact_id: int
    process_id: int = 0  # of which the draft is; it tells rank and group


def walk(document: ProcessDocument, walker: Walker, *, salt: int, now: datetime, what_if: WhatIf) -> Walk:
    """Let somebody enter now, with the facts as they are, and follow them to their end. Nothing is written.

    :param salt: of the process: the person takes the ways of tests that they would really take.
    """
    shop_id, kind, subject_id, contact_id = walker.shop_id, walker.kind, walker.subject_id, walker.contact_id
    graph = compile_graph(document, salt=salt)
    name = _KINDS[SubjectKind(kind)]
    facts = known_at_doors([(name, subject_id, shop_id, contact_id)], Need(graph.needs)).get(
        (name, subject_id)
    )
    if facts is None:
        return Walk(is_known=False)
    facts = _complete(facts, shop_id, kind, subject_id, contact_id)
    candidate = Candidate(shop_id, _ONE, _ONE, contact_id, kind, subject_id, subject_id, now)
    come = Arrival(now, candidate, facts)
    news = _payment(kind, subject_id, now, what_if)
    standing = standing_of(walker.process_id, document) if walker.process_id else NEW
    around = look_around(shop_id, graph, standing, since=now, now=now)
    shop = _run(around, graph, walker, [come, *news], now)
    if (what_if.opens or what_if.clicks) and (first := _first_sent(shop)) is not None:
        node, sent_at = first
        visit = Visit(sent_at + OPENS_AFTER, kind, subject_id, node, is_click=what_if.clicks)
        shop = _run(around, graph, walker, [come, *news, visit], now)
    return Walk(_stops(shop, graph), has_entered=True) if shop.enrolments else Walk()


def _complete(facts: Facts, shop_id: int, kind: int, subject_id: int, contact_id: int) -> Facts:
    """Add what only those inside are asked about: holds, newer orders, purchases."""
    facts = facts._replace(purchases=purchases_of([(shop_id, contact_id)]).get(contact_id, {}))
    order = Order.objects.filter(shop=shop_id, pk=subject_id).first() if kind == SubjectKind.ORDER else None
    if order is None:
        return facts
    return facts._replace(
        superseded_at=order.superseded_at,
        promised_at=order.promised_at,
        claimed_until=order.claimed_until,
        held_since=order.paused_at,
    )


def _payment(kind: int, subject_id: int, now: datetime, what_if: WhatIf) -> list[News]:
    if what_if.pays_after is None or kind == SubjectKind.CONTACT:
        return []
    at = now + what_if.pays_after
    change = ChangeKind.PAID if kind == SubjectKind.ORDER else ChangeKind.CONVERTED
    return [Change(at, kind, subject_id, change, at)]


def _run(around: Around, graph: Graph, walker: Walker, news: Sequence[News], now: datetime) -> PastShop:
    shop = PastShop(now, graph, _ONE, around.fresh().sending_now(_whom(walker)))
    Simulator(shop, news, lane=Lane()).run(now + HORIZON)
    return shop


def _whom(walker: Walker) -> Whom:
    order_id = walker.subject_id if walker.kind == SubjectKind.ORDER else None
    cart_id = walker.subject_id if walker.kind == SubjectKind.CART else None
    return Whom(
        [walker.contact_id],
        [order_id] if order_id is not None else (),
        [cart_id] if cart_id is not None else (),
        [Reader(walker.contact_id, order_id, cart_id)],
    )


def _first_sent(shop: PastShop) -> tuple[str, datetime] | None:
    for message in shop.sent():
        if message.sent_at is not None:
            return message.effect.node_id, message.sent_at
    return None


def _stops(shop: PastShop, graph: Graph) -> list[Stop]:
    stops = []
    for owner, step in shop.ledger:
        message = shop.messages.get((owner, step.step_no))
        sent_as = shop.sending.messages.get((owner, step.step_no))
        stops.append(
            Stop(
                step.at,
                graph.node_id(step.node),
                Code(step.outcome),
                sent_as.template_key if sent_as is not None else "",  # of the channel that it took in the end
                message.outcome if message is not None else 0,
                message.sent_at if message is not None else None,
                sent_as,
            )
        )
    return stops
