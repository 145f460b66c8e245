"""Runs the examples of a process: the engine's own code on a made-up person, in memory, with no effect at all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from recoup.processes.engine.codes import Code, SubjectKind, is_final
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import Candidate
from recoup.processes.engine.records import Enrolment, Facts
from recoup.processes.engine.times import after, parse_span, zone_of
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.examples import Example, Happening, SampleCart, SampleOrder
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator, TooManyTurns
from recoup.processes.worlds import Arrival, Change, ChangeKind, Coming, News, Purchase, Visit
from recoup.segments.facts import CartFacts, Consent, ContactFacts, OrderFacts, PastOrder, PersonFacts

# Beyond this an example is not followed; a process with yearly waits still comes round.
HORIZON = timedelta(days=3 * 366)
# Nor after so many things that happened in it: a file from elsewhere may ask for more than a page should wait for.
MOST_TURNS = 2_000
_TELLING = {"send": ("template",), "order_status": ("to",)}  # the field that tells blocks of a kind apart
_ONE = 1  # the one shop, process, version, person and subject of an example
_CHANGES = {
    "paid": ChangeKind.PAID,
    "cancelled": ChangeKind.CANCELLED,
    "ordered_again": ChangeKind.SUPERSEDED,
    "case_closed": ChangeKind.CASE_CLOSED,
    "converted": ChangeKind.CONVERTED,
    "emptied": ChangeKind.EMPTIED,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that the process did, or had to do: `block` are the fields of the block that matter."""

    at: datetime
    block: Mapping[str, Any]
    withheld: str = ""  # a message that did not go out after all: the ledger's word for it


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where what happened is not what was expected; one of the two may be missing."""

    expected: Decision | None
    happened: Decision | None


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of an example."""

    example: Example
    decisions: tuple[Decision, ...]
    ended: str  # the ledger's code of the end in lower case; empty if nobody entered or it did not end
    has_entered: bool
    differences: tuple[Difference, ...] = ()
    error: str = ""  # the engine could not go on: which exception
    is_too_long: bool = False  # it went on after `MOST_TURNS`

    @property
    def has_other_end(self) -> bool:
        """Tell whether the process ends for the person otherwise than the example says."""
        return bool(self.example.ends) and self.ended != self.example.ends

    @property
    def holds(self) -> bool:
        """Tell whether the process did what the example says."""
        is_as_expected = self.has_entered == self.example.enters and not self.has_other_end
        return is_as_expected and not self.differences and not self.error and not self.is_too_long


def run_examples(document: ProcessDocument) -> list[Ran]:
    """Run every example of a valid document. Nothing is sent, written or counted.

    Ways of a test of ways are those of one fixed person, so that an example means the same in every shop.
    """
    graph = compile_graph(document, knows_at_once=True)
    return [run_example(graph, example) for example in document.examples]


def as_it_is(ran: Ran) -> dict[str, Any]:
    """Return the example, as plain values, with what happened in the place of what was expected."""
    plain: dict[str, Any] = ran.example.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    wanted = [one.block for one in ran.example.expect]
    expected = [
        {"after": _exact_span(done.at - ran.example.start), "block": _kept_fields(done.block, wanted)}
        for done in ran.decisions
        if not done.withheld
    ]
    changed: dict[str, Any] = {"enters": ran.has_entered, "expect": expected, "ends": ran.ended}
    plain |= changed
    return {key: value for key, value in plain.items() if value or key not in ("expect", "ends")}


def _kept_fields(block: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fields by which examples of this process name blocks of this kind."""
    names = next(
        (list(one) for one in wanted if one["t"] == block["t"]), ["t", *_TELLING.get(block["t"], ())]
    )
    return {name: block[name] for name in names if name in block}


def _exact_span(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count}{letter}" for count, letter in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count]
    return "PT" + ("".join(parts) or "0S")


def run_example(graph: Graph, example: Example) -> Ran:
    """Run one example to its end, or as far as examples are followed."""
    facts = _facts(example, graph.document.entry.subject)
    start = example.start
    store = MemoryStore(start)
    store.graphs[_ONE] = graph
    store.people[_ONE] = _person(example, facts)
    simulator = Simulator(store, _news(graph, example, facts), most=MOST_TURNS)
    try:
        simulator.run(start + HORIZON)
    except TooManyTurns:
        return Ran(example, (), "", has_entered=bool(store.enrolments), is_too_long=True)
    enrolment = next(iter(store.enrolments.values()), None)
    if enrolment is None:
        return Ran(example, (), "", has_entered=False)
    decisions = tuple(_decisions(graph, store))
    expected = [
        Decision(_later(start, one.after, facts), one.block)
        for one in sorted(example.expect, key=lambda one: _later(start, one.after, facts))
    ]
    return Ran(
        example,
        decisions,
        _end_of(store, enrolment),
        has_entered=True,
        differences=tuple(_differences(expected, decisions)),
        error=type(simulator.errors[0][1]).__name__ if simulator.errors else "",
    )


def _facts(example: Example, subject: SubjectKind) -> Facts:
    start, person = example.start, example.person
    return Facts(
        order=_order(example.order or SampleOrder(), start) if subject is SubjectKind.ORDER else None,
        cart=_cart(example.cart or SampleCart(), start) if subject is SubjectKind.CART else None,
        contact=ContactFacts(person.zone, person.locale, person.zone),
    )


def _order(order: SampleOrder, placed_at: datetime) -> OrderFacts:
    return OrderFacts(
        placed_at=placed_at,
        total=order.total,
        total_due=Decimal(0) if order.is_paid else order.total,
        currency=order.currency,
        method=order.method,
        is_offline_method=order.is_offline,
        cause=order.cause,
        status=order.status,
        paid_at=placed_at if order.is_paid else None,
        products=tuple(order.products),
    )


def _cart(cart: SampleCart, last_activity_at: datetime) -> CartFacts:
    return CartFacts(
        last_activity_at=last_activity_at,
        total=cart.total,
        currency=cart.currency,
        item_count=cart.item_count,
        products=tuple(cart.products),
    )


def _person(example: Example, facts: Facts) -> PersonFacts:
    """Return what is known of the person: the order of the example and what they buy besides, with their instants."""
    orders = [
        _past(one.products, _later(example.start, one.after, facts))
        for one in example.happens
        if one.products
    ]
    if facts.order is not None:
        paid = [_later(example.start, one.after, facts) for one in example.happens if one.what == "paid"]
        paid_at = facts.order.paid_at or next(iter(sorted(paid)), None)
        orders.append(
            _past(facts.order.products, facts.order.placed_at, paid_at, is_paid=paid_at is not None)
        )
    return PersonFacts(
        known_since=example.start,
        has_email=True,
        orders=tuple(sorted(orders, key=lambda one: one.placed_at)),
        consents=(Consent("marketing", "email", example.start, example.start, is_given=True),)
        if example.person.offers_by_email
        else (),
    )


def _past(
    products: Sequence[str], placed_at: datetime, paid_at: datetime | None = None, *, is_paid: bool = True
) -> PastOrder:
    at = (paid_at or placed_at) if is_paid else None
    return PastOrder(
        placed_at=placed_at,
        known_at=placed_at,
        kept=Decimal(100) if is_paid else Decimal(0),
        currency="EUR",
        products=tuple(products),
        settled_at=at,
        paid_at=at,
        paid_known_at=at,
        closed_at=None,
        false_at=None,
        is_payable=not is_paid,
    )


def _later(start: datetime, span: str, facts: Facts) -> datetime:
    return after(start, parse_span(span), zone_of(facts.contact))


def _news(graph: Graph, example: Example, facts: Facts) -> list[News]:
    entered_at = _later(example.start, example.enters_after, facts)
    subject = int(graph.document.entry.subject)
    candidate = Candidate(
        shop_id=_ONE,
        process_id=_ONE,
        version_id=_ONE,
        contact_id=_ONE,
        subject_kind=subject,
        subject_id=_ONE,
        event_id=_ONE,
        entered_at=entered_at,
    )
    told = [_told(one, _later(example.start, one.after, facts), subject) for one in example.happens]
    return [Arrival(entered_at, candidate, facts), *told]


def _told(one: Happening, at: datetime, subject: int) -> News:
    if one.what == "bought":
        return Purchase(at, _ONE, tuple(one.products), at)
    if one.what in ("opened", "clicked"):
        return Visit(at, subject, _ONE, one.block or "", is_click=one.what == "clicked")
    if one.what == "visited":
        return Coming(at, subject, _ONE, _ONE)
    return Change(at, subject, _ONE, _CHANGES[one.what], at)


def _decisions(graph: Graph, store: MemoryStore) -> Iterator[Decision]:
    """Yield what was done, in order: every line of the ledger in which something happened outside it."""
    for enrolment_id, step in store.ledger:
        if Code(step.outcome) // 10 != Code.QUEUED // 10:
            continue
        node = graph.document.nodes[graph.node_id(step.node)]
        message = store.messages.get((enrolment_id, step.step_no))
        withheld = ""
        if message is not None and message.outcome != Code.SENT:
            withheld = Code(message.outcome).word if message.outcome else Code.SKIPPED_STOPPED.word
        plain = node.model_dump(mode="json", by_alias=True, exclude={"out", "label"})
        yield Decision(step.at, plain, withheld)


def _end_of(store: MemoryStore, enrolment: Enrolment) -> str:
    if not is_final(enrolment.state):
        return ""
    of_it = [step for number, step in store.ledger if number == enrolment.id]
    return Code(of_it[-1].outcome).name.lower() if of_it else ""


def _differences(expected: list[Decision], happened: tuple[Decision, ...]) -> Iterator[Difference]:
    for wanted, found in zip_longest(expected, happened):
        if wanted is None or found is None or not _is_as(wanted, found):
            yield Difference(wanted, found)


def _is_as(wanted: Decision, found: Decision) -> bool:
    names_it = all(found.block.get(key) == value for key, value in wanted.block.items())
    return names_it and not found.withheld and wanted.at == found.at
