"""Runs a version or draft over a past period: page by page of people, each in its own store so that memory stays bounded."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection

from recoup.messaging.models import ChannelKind
from recoup.messaging.past.texts import Reader
from recoup.messaging.sender.limits import zone_of
from recoup.processes.backtest.around import Around, Whom, look_around, standing_of, stays_elsewhere
from recoup.processes.backtest.offers import PastOffers
from recoup.processes.backtest.purse import OfferPurse
from recoup.processes.backtest.reading import PEOPLE, Page, Wanted, count_subjects, pages
from recoup.processes.backtest.result import (
    UNKNOWN_BUDGET,
    UNKNOWN_DISPLACED,
    UNKNOWN_EFFECT,
    UNKNOWN_ERASED,
    UNKNOWN_GUESSED,
    UNKNOWN_LEDGER,
    UNKNOWN_MONEY,
    UNKNOWN_NO_CARTS,
    UNKNOWN_NO_MAIL,
    UNKNOWN_OFFER_USE,
    UNKNOWN_PEOPLE,
    UNKNOWN_REACTIONS,
    UNKNOWN_REMINDED,
    UNKNOWN_SETTINGS,
    UNKNOWN_START,
    UNKNOWN_TEXT,
    UNKNOWN_TODAY,
    UNKNOWN_TOLD_AT_ONCE,
    Result,
    Tally,
    Unknown,
)
from recoup.processes.backtest.sending import Sending
from recoup.processes.backtest.shop import PastShop
from recoup.processes.backtest.telling import Process, Told, tell_cart, tell_order
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import Reentry
from recoup.processes.graph.compiling import compile_graph, number_nodes
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.picture import draw
from recoup.processes.offering import makes_offers
from recoup.processes.purchases import asks_for_purchases
from recoup.processes.simulator import Simulator
from recoup.processes.visiting import asks_for_visits
from recoup.processes.worlds import Lane, News
from recoup.segments.facts import Need
from recoup.segments.fields import FIELDS
from recoup.segments.reading import details_of, people_of
from recoup.segments.tree import comparisons


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried on which past. `graph` is a compiled version, or a draft compiled with the salt of its process."""

    shop_id: int
    process_id: int
    version_id: int  # 0 of a draft
    graph: Graph
    holdout_bp: int
    since: datetime
    until: datetime
    now: datetime  # where the facts end: what is learnt later does not exist
    shop_holdout_bp: int = 0


def plan_of_draft(
    document: ProcessDocument,
    *,
    shop_id: int,
    process_id: int,
    salt: int,
    holdout_bp: int,
    shop_holdout_bp: int = 0,
    node_map: Mapping[str, int] | None = None,
    **period: datetime,
) -> Plan:
    """Return the plan of a document that is not published.

    :param node_map: of the latest version: blocks keep their numbers, and with them the ways that chance sends people.
    """
    graph = compile_graph(document, salt=salt, node_map=number_nodes(document, node_map))
    return Plan(
        shop_id=shop_id,
        process_id=process_id,
        version_id=0,
        graph=graph,
        holdout_bp=holdout_bp,
        since=period["since"],
        until=period["until"],
        now=period["now"],
        shop_holdout_bp=shop_holdout_bp,
    )


def run_backtest(
    plan: Plan,
    *,
    sending: Callable[[Page], Sending] | None = None,
    tell: Callable[[int, int], None] | None = None,
    look: Callable[[PastShop], None] | None = None,
    people: int = PEOPLE,
) -> Result:
    """Walk the past through the live engine and return what would have come of it. Writes nothing at all.

    :param sending: the sender of a page; by default the shop's rules over what is known of its people.
    :param tell: called after each page with how many orders are done, of how many.
    :param look: called with the store of each page before it is forgotten.
    """
    standing = standing_of(plan.process_id, plan.graph.document)
    wanted = _wanted(plan, standing.source_id)
    whole, of_nobody = count_subjects(wanted)
    around = look_around(plan.shop_id, plan.graph, standing, since=plan.since, now=plan.now)
    tally = Tally(ZoneInfo(str(zone_of(around.rules.zone))))
    purse = OfferPurse(plan.now)
    done, prompt = 0, 0
    for page in pages(wanted, people=people):
        told = _walk(
            plan, page, tally, around, sending(page) if sending else around.sending(_whom(page)), purse, look
        )
        done += len(told)
        prompt += sum(order.is_backfill for order in page.orders) + sum(
            cart.is_backfill for cart in page.carts
        )
        if tell is not None:
            tell(done, whole)
    tally.add_offers(0, purse.costs())
    tally.budgets_spent = purse.refused
    return tally.result(_node_ids(plan.graph), _unknown(plan, tally, around, whole, of_nobody, prompt))


def _wanted(plan: Plan, source_id: int | None) -> Wanted:
    text = json.dumps(plan.graph.document.as_json(is_bare=True))
    return Wanted(
        shop_id=plan.shop_id,
        since=plan.since,
        until=min(plan.until, plan.now),
        now=plan.now,
        is_about_carts=plan.graph.document.entry.subject is SubjectKind.CART,
        asks_for_purchases=asks_for_purchases(plan.graph),
        asks_for_visits=asks_for_visits(plan.graph),
        source_id=source_id,
        asks_for_status='"order.status"' in text,
        asks_for_failures=plan.graph.document.entry.on == "payment.failed" or '"order.cause"' in text,
    )


def _walk(
    plan: Plan,
    page: Page,
    tally: Tally,
    around: Around,
    sending: Sending,
    purse: OfferPurse,
    look: Callable[[PastShop], None] | None,
) -> list[Told]:
    process = Process(
        plan.shop_id,
        plan.process_id,
        plan.version_id,
        plan.graph.document.entry.on,
        plan.holdout_bp,
        plan.now,
        plan.shop_holdout_bp,
        frozenset(plan.graph.document.entry.failures),
    )
    told = [tell_order(order, page, process) for order in page.orders]
    told += [tell_cart(cart, page, process) for cart in page.carts]
    group, rank = around.standing.group, around.standing.rank
    people = {one.contact_id for one in told}
    news: list[News] = [*page.purchases, *page.visits]
    news += stays_elsewhere(plan.shop_id, plan.process_id, group, people, now=plan.now)
    for one in told:
        news += one.news
    shop = PastShop(plan.since, plan.graph, plan.version_id, sending)
    shop.groups[plan.process_id], shop.ranks[plan.process_id] = group, rank
    _know(plan, told, shop, around.standing.source_id)
    if makes_offers(plan.graph):
        kind = int(plan.graph.document.entry.subject)
        shop.past_offers = PastOffers(plan.shop_id, plan.process_id, told, kind, purse)
    simulator = Simulator(shop, news, lane=Lane(lag=sending.lag))
    simulator.run(plan.now)
    tally.add(shop, told, shop.turned_away, len(simulator.errors))
    if shop.past_offers is not None:
        tally.add_offers(shop.past_offers.granted, shop.past_offers.costs)
    if look is not None:
        look(shop)
    return told


def _know(plan: Plan, told: list[Told], shop: PastShop, source_id: int | None) -> None:
    """Tell the store what the version's conditions ask for of the people and of the orders or carts themselves.

    Facts of people keep their instants; what is known today alone is named among the unknown. Visits by messages of the
    process itself (its source) are left out.
    """
    needs = Need(plan.graph.needs)
    if not needs:
        return
    people = [(plan.shop_id, one.contact_id) for one in told]
    shop.people |= people_of(people, needs, visits_but_by=source_id)
    kind = int(plan.graph.document.entry.subject)
    if needs & Need.DETAILS:
        details = details_of(kind, [one.subject_id for one in told])
        shop.details |= {(kind, key): more for key, more in details.items()}


def _whom(page: Page) -> Whom:
    orders = [Reader(one.contact_id, one.id, None) for one in page.orders]
    carts = [Reader(one.contact_id, None, one.id) for one in page.carts]
    readers = orders + carts
    return Whom(
        {one.contact_id for one in readers},
        [one.id for one in page.orders],
        [one.id for one in page.carts],
        readers,
    )


def _node_ids(graph: Graph) -> list[str]:
    return [node.id for node in draw(graph.document).nodes]


def _unknown(
    plan: Plan, tally: Tally, around: Around, whole: int, of_nobody: int, prompt: int
) -> list[Unknown]:
    """Return what the facts cannot tell, so that no number pretends to say it."""
    entry = plan.graph.document.entry
    reminded = _really_written_to(plan)
    found = [Unknown(UNKNOWN_OFFER_USE, tally.offers)] if tally.offers else []
    found += [Unknown(UNKNOWN_EFFECT), Unknown(UNKNOWN_REACTIONS)]
    if around.ways:
        found.append(Unknown(UNKNOWN_SETTINGS))
    counted = (
        (UNKNOWN_LEDGER, tally.unknown_words),
        (UNKNOWN_ERASED, tally.erased),
        (UNKNOWN_TEXT, tally.guessed_texts),
        (UNKNOWN_MONEY, around.purse.refused if around.purse is not None else 0),
        (UNKNOWN_BUDGET, tally.budgets_spent),
        (UNKNOWN_NO_MAIL, _mails_of_nobody(around, tally)),
        (UNKNOWN_DISPLACED, tally.displaced),
        (UNKNOWN_REMINDED, reminded),
        (UNKNOWN_TOLD_AT_ONCE, prompt),
        (UNKNOWN_GUESSED, tally.guessed),
        (UNKNOWN_PEOPLE, of_nobody),
    )
    found += [Unknown(code, count) for code, count in counted if count]
    if _asks_for_today(plan.graph.document):
        found.append(Unknown(UNKNOWN_TODAY))
    if entry.reentry is not Reentry.PER_SUBJECT or entry.group is not None:
        found.append(Unknown(UNKNOWN_START))
    if entry.subject is SubjectKind.CART and not whole:
        found.append(Unknown(UNKNOWN_NO_CARTS))
    return found


def _mails_of_nobody(around: Around, tally: Tally) -> int:
    """Return how many mails would have gone though the shop cannot send any yet."""
    if around.rules.accounts.get(ChannelKind.EMAIL) is not None:
        return 0
    return tally.channels.messages[ChannelKind.EMAIL.value]


def _asks_for_today(document: ProcessDocument) -> bool:
    """Tell whether a condition asks for something of which only the present state is kept."""
    conditions = [
        document.entry.condition,
        *(getattr(node, "condition", None) for node in document.nodes.values()),
    ]
    return any(
        not FIELDS[comparison.f].keeps_past
        for condition in conditions
        if condition is not None
        for comparison in comparisons(condition)
    )


def _really_written_to(plan: Plan) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT contact_id) FROM messaging_message"
            " WHERE shop_id = %s AND state = 'sent' AND purpose = 'reminder' AND NOT is_test"
            " AND handed_at >= %s AND handed_at < %s",
            [plan.shop_id, plan.since, plan.until],
        )
        return int(cursor.fetchone()[0])
