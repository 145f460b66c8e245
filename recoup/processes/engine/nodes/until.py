"""Until: an event or a deadline, whichever comes first."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from recoup.processes.engine.codes import Code, Flag
from recoup.processes.engine.compiled import STAY, CompiledNode, Move, Shield
from recoup.processes.engine.happenings import (
    EVENTS,
    MESSAGE_EVENTS,
    PAGE_EVENTS,
    PAGES,
    PRODUCT_EVENTS,
    SUBJECT_EVENTS,
    bought_at,
    latest_message,
    visited_at,
)
from recoup.processes.engine.nodes.base import (
    ForwardSpan,
    Kind,
    NodeDocument,
    NodeId,
    Strict,
    Summary,
    Surroundings,
    Trouble,
    Workshop,
    refuse,
)
from recoup.processes.engine.records import Facts, MessageFacts
from recoup.processes.engine.times import after, parse_span, zone_of
from recoup.processes.engine.wording import gettext_noop

_PAID = SUBJECT_EVENTS["order.paid"]
# Whether a person or a machine came or opened is known only once the visit was weighed with its neighbours: what happened in
# the last second is looked for a little after the deadline, which stays where it is.
WEIGHED_WITHIN = timedelta(seconds=30)
_AT_ONCE = timedelta(0)
_READ_MESSAGE: dict[str, Callable[[MessageFacts], datetime | None]] = {
    "message.opened": lambda message: message.opened_at,
    "message.clicked": lambda message: message.clicked_at,
}


ProductRef = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Event(Strict):
    """An event; `ref` names the sending block that a message event is about, `products` what must be bought.

    Of several products any one is enough, or all are needed (J4). `page` is where the person must come to: where one
    buys (the pay page, the cart), where one leaves, or any page of ours about the order, cart or person (D14); with a
    `ref`, whoever never got that message and does not come anyway is not asked.
    """

    e: Literal[
        "order.paid", "order.cancelled", "cart.converted", "cart.emptied", "contact.ordered_again",
        "case.closed", "message.opened", "message.clicked", "product.bought", "page.visited",
    ]  # fmt: skip
    ref: NodeId | None = None
    products: Annotated[list[ProductRef], Field(max_length=50)] = Field(default_factory=list)
    match: Literal["any", "all"] = "any"
    page: Literal["buy", "leave", "any"] = "buy"

    @model_validator(mode="after")
    def _has_its_message(self) -> "Event":
        if self.e not in PAGE_EVENTS and (self.e in MESSAGE_EVENTS) != (self.ref is not None):
            raise refuse("event_and_ref")
        if (self.e in PRODUCT_EVENTS) != bool(self.products):
            raise refuse("event_and_products")
        if self.e not in PAGE_EVENTS and self.page != "buy":
            raise refuse("event_and_page")
        return self


class UntilPorts(Strict):
    """`unsent` is taken at once when the message that is asked about never went out; else that is `no`."""

    yes: NodeId
    no: NodeId
    unsent: NodeId | None = None


class UntilDocument(NodeDocument):
    """A question with a deadline: yes at once, no when the time is over.

    An event at the very second of the deadline is a yes. `earlier` counts an event from before the block was
    reached as well; of a visit, one since the person entered.
    """

    t: Literal["until"]
    on: Event
    within: ForwardSpan
    earlier: bool = Field(default=True)
    out: UntilPorts

    @model_validator(mode="after")
    def _has_fitting_ports(self) -> "UntilDocument":
        if self.out.unsent is not None and self.on.ref is None:
            raise refuse("unsent_without_message")
        return self


def _check(document: UntilDocument, around: Surroundings) -> Iterator[Trouble]:
    if around.subject not in EVENTS[document.on.e].subjects:
        yield Trouble("on.e", "event_of_other_subject", {"event": document.on.e})
    if document.on.ref is None:
        return
    target = around.nodes.get(document.on.ref)
    if target is None or target.t != "send":
        yield Trouble("on.ref", "ref_is_no_send", {"ref": document.on.ref})
    elif not around.reaches(document.on.ref, around.node_id):
        yield Trouble("on.ref", "ref_comes_later", {"ref": document.on.ref})


def _build(document: UntilDocument, shop: Workshop) -> CompiledNode:
    mask = EVENTS[document.on.e].wake.value
    if document.on.e in MESSAGE_EVENTS:
        return CompiledNode(_about_message(document, shop), mask)
    if document.on.e in PRODUCT_EVENTS:
        return CompiledNode(*_about_products(document, shop, mask))
    if document.on.e in PAGE_EVENTS:
        return CompiledNode(_about_pages(document, shop), mask)
    run = _answerer(document, shop, SUBJECT_EVENTS[document.on.e].read)
    goal = shop.goals.get(document.on.e)
    shield = Shield(goal[0], document.earlier, _deadline(document, shop)) if goal is not None else None
    return CompiledNode(run, mask, shield)


def _deadline(document: UntilDocument, shop: Workshop) -> Callable[[int, datetime, Facts], datetime]:
    span, anchored, anchor = parse_span(document.within), Flag.ANCHORED.value, shop.anchor

    def compute(flags: int, node_at: datetime, facts: Facts) -> datetime:
        start = (flags & anchored and anchor(facts)) or node_at
        return max(after(start, span, zone_of(facts.contact)), node_at)

    return compute


def _answerer(
    document: UntilDocument,
    shop: Workshop,
    read: Callable[[Facts], datetime | None],
    known_within: timedelta = _AT_ONCE,
) -> Callable[[Move, Facts, datetime], int]:
    ask = _asker(document, shop, known_within)
    return lambda move, facts, now: ask(move, facts, now, read(facts))


def _asker(
    document: UntilDocument, shop: Workshop, known_within: timedelta = _AT_ONCE
) -> Callable[[Move, Facts, datetime, datetime | None], int]:
    yes, no = shop.node_map[document.out.yes], shop.node_map[document.out.no]
    deadline, takes_earlier = _deadline(document, shop), document.earlier
    taken = shop.goals.get(document.on.e, (0, 0))[1]
    not_anchored = ~Flag.ANCHORED.value

    def run(move: Move, facts: Facts, now: datetime, at: datetime | None) -> int:
        if move.due_at is None:
            move.due_at = deadline(move.flags, move.node_at, facts)
            move.flags &= not_anchored
        due = move.due_at
        if at is not None and at <= due and (takes_earlier or at >= move.node_at):
            move.at = max(at, move.node_at)
            move.log(Code.YES)
            move.flags |= taken
            return yes
        known_at = due + known_within
        if known_at <= now:
            move.at = due
            move.log(Code.NO)
            return no
        move.run_at = known_at
        return STAY

    return run


def _about_message(document: UntilDocument, shop: Workshop) -> Callable[[Move, Facts, datetime], int]:
    node = shop.node_map[document.on.ref or ""]
    read = _READ_MESSAGE[document.on.e]
    unsent = shop.node_map[document.out.unsent or document.out.no]

    def read_instant(facts: Facts) -> datetime | None:
        message = latest_message(facts, node)
        return None if message is None else read(message)

    ask = _answerer(document, shop, read_instant, _weighed_within(shop))

    def run(move: Move, facts: Facts, now: datetime) -> int:
        if not move.is_holdout and not _is_sent(facts, node):
            move.log(Code.NOT_SENT)  # never sent is not the same as not opened
            return unsent
        return ask(move, facts, now)

    return run


def _weighed_within(shop: Workshop) -> timedelta:
    return _AT_ONCE if shop.knows_at_once else WEIGHED_WITHIN


def _is_sent(facts: Facts, node: int) -> bool:
    message = latest_message(facts, node)
    return message is not None and message.sent_at is not None


def _about_pages(document: UntilDocument, shop: Workshop) -> Callable[[Move, Facts, datetime], int]:
    pages, takes_earlier = PAGES.get(document.on.page), document.earlier
    ask = _asker(document, shop, _weighed_within(shop))
    node = None if document.on.ref is None else shop.node_map[document.on.ref]
    unsent = shop.node_map[document.out.unsent or document.out.no]

    def run(move: Move, facts: Facts, now: datetime) -> int:
        at = visited_at(facts, pages, None if takes_earlier else move.node_at)
        if at is None and node is not None and not move.is_holdout and not _is_sent(facts, node):
            move.log(Code.NOT_SENT)  # never sent is not the same as not come
            return unsent
        return ask(move, facts, now, at)

    return run


def _about_products(
    document: UntilDocument, shop: Workshop, mask: int
) -> tuple[Callable[[Move, Facts, datetime], int], int, Shield | None]:
    """Return what the block does. The payment of the order that buys the goods is its yes, not the end of the process."""
    products, needs_all = tuple(document.on.products), document.on.match == "all"
    takes_earlier = document.earlier
    goal = shop.goals.get(_PAID.name)
    ask = _asker(document, shop)

    def read(facts: Facts, since: datetime | None) -> datetime | None:
        return bought_at(facts, products, needs_all=needs_all, since=since)

    def run(move: Move, facts: Facts, now: datetime) -> int:
        steps = len(move.steps)
        following = ask(move, facts, now, read(facts, None if takes_earlier else move.node_at))
        if goal is not None and len(move.steps) > steps and move.steps[-1].outcome == Code.YES:
            paid_at = _PAID.read(facts)
            if paid_at is not None and paid_at <= move.at:
                move.flags |= goal[1]
        return following

    shield = Shield(goal[0], takes_earlier, _deadline(document, shop), read) if goal is not None else None
    return run, mask, shield


def _summarise(document: UntilDocument) -> Summary:
    event = document.on
    values = {"within": document.within, "ref": event.ref, "products": event.products, "match": event.match}
    if event.e in PAGE_EVENTS and event.page != "buy":
        return Summary(f"process.node.until.{event.e}.{event.page}", values)
    return Summary(f"process.node.until.{event.e}", values)


KIND = Kind(
    UntilDocument,
    _build,
    _check,
    _summarise,
    words={
        "until.order.paid": gettext_noop("Paid within {within}?"),
        "until.order.cancelled": gettext_noop("Cancelled within {within}?"),
        "until.cart.converted": gettext_noop("Ordered within {within}?"),
        "until.cart.emptied": gettext_noop("Cart emptied within {within}?"),
        "until.contact.ordered_again": gettext_noop("A newer order paid within {within}?"),
        "until.case.closed": gettext_noop("Case closed within {within}?"),
        "until.product.bought": gettext_noop("Bought within {within}?"),
        "until.message.opened": gettext_noop("Message opened within {within}?"),
        "until.message.clicked": gettext_noop("Link followed within {within}?"),
        "until.page.visited": gettext_noop("Came to the pay page or cart within {within}?"),
        "until.page.visited.leave": gettext_noop("Came to a page for stopping messages within {within}?"),
        "until.page.visited.any": gettext_noop("Came to a page of yours within {within}?"),
    },
    texts={
        "event_and_ref": gettext_noop(
            "A question about a message names the block that sends it; others name none."
        ),
        "event_and_products": gettext_noop(
            "A question about a purchase names what must be bought; others name nothing."
        ),
        "event_and_page": gettext_noop("Only a question about a visit says which page is meant."),
        "unsent_without_message": gettext_noop(
            "Only a question about a message has a way for one that was not sent."
        ),
        "ref_is_no_send": gettext_noop("{ref} sends no message."),
        "ref_comes_later": gettext_noop("{ref} never comes before this block."),
    },
    waits=True,
)
