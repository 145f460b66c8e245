"""Wait: a span, a wall time, or a date of the order."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from recoup.processes.engine.codes import Code, Flag
from recoup.processes.engine.compiled import STAY, CompiledNode, Move, Run
from recoup.processes.engine.fields import DATE_FIELDS, OFFER_ENDS
from recoup.processes.engine.happenings import latest_offer
from recoup.processes.engine.nodes.base import (
    AnySpan,
    ForwardSpan,
    Kind,
    NextPort,
    NodeDocument,
    NodeId,
    Summary,
    Surroundings,
    Trouble,
    Workshop,
    refuse,
)
from recoup.processes.engine.nodes.offer import end_key
from recoup.processes.engine.records import Facts
from recoup.processes.engine.times import (
    EVERY_DAY,
    WEEKDAYS,
    Span,
    after,
    next_wall,
    parse_span,
    parse_wall,
    resolve,
    zone_of,
)
from recoup.processes.engine.wording import gettext_noop


def _is_wall(text: str) -> str:
    try:
        parse_wall(text)
    except ValueError:
        raise refuse("bad_wall_time", text=text) from None
    return text


Wall = Annotated[str, AfterValidator(_is_wall)]
Due = Callable[[datetime, Facts], datetime]
Dated = Callable[[Move, Facts], datetime]
_ANCHORED = Flag.ANCHORED.value
_NOT_ANCHORED = ~Flag.ANCHORED.value
_DATED = Flag.DATED.value
_NEITHER = ~(Flag.ANCHORED | Flag.DATED).value


class WaitPorts(NextPort):
    """`over` is taken after the last round of a bounded wait."""

    over: NodeId | None = None


class WaitDocument(NodeDocument):
    """A pause.

    `for` is a span: `PT48H` of elapsed time, `P2D` to the same wall time. `at` with `days` is the next such
    wall time in the person's zone; with `for`, the first one not before the span is over. `date` counts from
    a date of the facts, `offset` before or after it; with `at`, at that wall time of the day so found. `ref` names the
    block whose offer ends. A date that is missing or past does not wait; one that moves takes the wait along.
    """

    t: Literal["wait"]
    span: ForwardSpan | None = Field(default=None, alias="for")
    at: Wall | None = None
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = Field(
        default=None, min_length=1, max_length=7
    )
    date: str | None = None
    offset: AnySpan | None = None
    ref: NodeId | None = None
    max_rounds: int | None = Field(default=None, ge=1, le=20)
    out: WaitPorts

    @property
    def before_end_of(self) -> NodeId | None:
        """Return the block whose offer still stands when this wait is over."""
        return self.ref if self.offset is not None and self.offset.startswith("-") else None

    @model_validator(mode="after")
    def _is_one_kind(self) -> "WaitDocument":
        if self.date is not None and self.span is not None:
            raise refuse("wait_date_with_span")
        if self.date is not None and self.days is not None:
            raise refuse("wait_date_with_days")
        if (self.date == OFFER_ENDS) != (self.ref is not None):
            raise refuse("wait_date_and_offer")
        if self.at is not None and self.offset is not None and parse_span(self.offset).exact:
            raise refuse("wait_hours_with_time")
        if self.date is None and self.span is None and self.at is None:
            raise refuse("wait_without_end")
        if self.days is not None and self.at is None:
            raise refuse("wait_days_without_time")
        if self.offset is not None and self.date is None:
            raise refuse("wait_offset_without_date")
        if (self.max_rounds is None) != (self.out.over is None):
            raise refuse("wait_rounds_without_over")
        if self.max_rounds is not None and self.date is not None:
            raise refuse("wait_date_in_rounds")
        return self


def _check(document: WaitDocument, around: Surroundings) -> Iterator[Trouble]:
    if document.date is None:
        return
    field = DATE_FIELDS.get(document.date)
    if field is None or around.subject not in field.subjects:
        yield Trouble("date", "unknown_date", {"field": document.date})
    if document.ref is None:
        return
    target = around.nodes.get(document.ref)
    if target is None or target.t != "offer":
        yield Trouble("ref", "ref_is_no_offer", {"ref": document.ref})
    elif not around.reaches(document.ref, around.node_id):
        yield Trouble("ref", "ref_comes_later", {"ref": document.ref})


def _build(document: WaitDocument, shop: Workshop) -> CompiledNode:
    if document.date is not None:
        run = _dated_waiter(_from_date(document, shop), shop.node_map[document.out.next])
        return CompiledNode(run, DATE_FIELDS[document.date].wake.value)
    if document.span is None:
        wait = _waiter(_gate(document, may_be_now=False), shop.node_map[document.out.next])
    else:
        wait = _anchored_waiter(document, shop)
    if document.max_rounds is None or document.out.over is None:
        return CompiledNode(wait)
    return CompiledNode(
        _bounded(wait, document.max_rounds, shop.node_map[document.out.over], str(shop.number))
    )


def _bounded(wait: Run, most: int, over: int, key: str) -> Run:
    """Count the rounds through a wait, and leave by another port after the last one."""

    def run(move: Move, facts: Facts, now: datetime) -> int:
        if move.due_at is None:
            rounds = (move.variables or {}).get(key, 0)
            if rounds >= most:
                move.log(Code.ROUNDS_OVER)
                return over
            move.variables = {**(move.variables or {}), key: rounds + 1}
        return wait(move, facts, now)

    return run


def _waiter(compute: Due, following: int) -> Run:
    """Wait for an instant that does not depend on the anchor."""

    def run(move: Move, facts: Facts, now: datetime) -> int:
        due = move.due_at
        if due is None:
            due = compute(move.node_at, facts)
        if due > now:
            move.due_at = move.run_at = due
            return STAY
        move.at = due
        move.flags &= _NOT_ANCHORED
        return following

    return run


def _dated_waiter(compute: Dated, following: int) -> Run:
    """Wait for a date, which is read again whenever the block is looked at: when it has moved, the wait follows.

    Whoever has waited when it moved to before now goes on now, not at an instant that nobody knew then. One who waits
    since an older version, which read the date once, keeps the instant.
    """

    def run(move: Move, facts: Facts, now: datetime) -> int:
        due = move.due_at
        if due is None:
            due = compute(move, facts)
        elif move.flags & _DATED:
            target = compute(move, facts)
            due = target if target > now else max(target, min(due, now))
        if due > now:
            move.flags |= _DATED if move.due_at is None else 0
            move.due_at = move.run_at = due
            return STAY
        move.at = due
        move.flags &= _NEITHER
        return following

    return run


def _anchored_waiter(document: WaitDocument, shop: Workshop) -> Run:
    """Wait for a span: the first of a sequence counts from the anchor, the others from reaching the block."""
    span = parse_span(document.span or "")
    exact = None if span.days else span.exact
    gate = None if document.at is None else _gate(document, may_be_now=True)
    following, anchor = shop.node_map[document.out.next], shop.anchor

    def run(move: Move, facts: Facts, now: datetime) -> int:
        due = move.due_at
        is_anchored = move.flags & _ANCHORED
        if due is None or is_anchored:
            start = (is_anchored and anchor(facts)) or move.node_at
            target = start + exact if exact is not None else after(start, span, zone_of(facts.contact))
            if target < move.node_at:  # the case opened later than this step was due: everything shifts
                move.anchor_shift = move.node_at - target
                target = move.node_at
            if gate is not None:
                target = gate(target, facts)
            # The anchor is read again when the time is over: a buyer who came back to the cart starts the wait
            # again, forward only. Nothing need be woken for that.
            if due is None or target > due:
                due = target
        if due > now:
            move.due_at = move.run_at = due
            return STAY
        move.at = due
        move.flags &= _NOT_ANCHORED
        return following

    return run


def _gate(document: WaitDocument, *, may_be_now: bool) -> Due:
    """Move an instant forward to the next wall time of the document."""
    wall = parse_wall(document.at or "")
    days = frozenset(WEEKDAYS.index(day) for day in document.days) if document.days else EVERY_DAY

    def compute(start: datetime, facts: Facts) -> datetime:
        return next_wall(start, wall, days, zone_of(facts.contact), may_be_now=may_be_now)

    return compute


def _from_date(document: WaitDocument, shop: Workshop) -> Dated:
    field = DATE_FIELDS[document.date or ""]
    read = _of_facts(field.read) if document.ref is None else _end_of_offer(document.ref, shop)
    offset = parse_span(document.offset) if document.offset is not None else Span(0, timedelta(0))
    wall = None if document.at is None else parse_wall(document.at)

    def compute(move: Move, facts: Facts) -> datetime:
        start, date = move.node_at, read(move, facts)
        if date is None:
            return start
        zone = zone_of(facts.contact)
        if wall is None:
            return max(start, after(date, offset, zone))
        return max(start, resolve(date.astimezone(zone).date() + timedelta(days=offset.days), wall, zone))

    return compute


def _of_facts(read: Callable[[Facts], datetime | None]) -> Callable[[Move, Facts], datetime | None]:
    return lambda _move, facts: read(facts)


def _end_of_offer(ref: str, shop: Workshop) -> Callable[[Move, Facts], datetime | None]:
    node = shop.node_map[ref]
    key = end_key(node)

    def read(move: Move, facts: Facts) -> datetime | None:
        if move.is_holdout:
            ends_at = (move.variables or {}).get(key)
            return None if ends_at is None else datetime.fromtimestamp(ends_at, UTC)
        offer = latest_offer(facts, node)
        return None if offer is None else offer.ends_at

    return read


def _summarise(document: WaitDocument) -> Summary:
    if document.date is not None:
        values = {"date": document.date, "offset": document.offset or "PT0S", "at": document.at or ""}
        return Summary(f"process.node.wait.date{'_wall' if document.at else ''}", values)
    if document.at is None:
        return Summary("process.node.wait.span", {"span": document.span})
    word = "process.node.wait.wall" if document.span is None else "process.node.wait.span_wall"
    return Summary(word, {"span": document.span, "at": document.at, "days": tuple(document.days or ())})


KIND = Kind(
    WaitDocument,
    _build,
    _check,
    _summarise,
    words={
        "wait.span": gettext_noop("Wait {span}"),
        "wait.wall": gettext_noop("Wait until {at}"),
        "wait.span_wall": gettext_noop("Wait {span}, then until {at}"),
        "wait.date": gettext_noop("Wait for a date"),
        "wait.date_wall": gettext_noop("Wait for a date, at {at}"),
    },
    texts={
        "bad_wall_time": gettext_noop("{text} is no time of day. Write it like 10:00."),
        "unknown_date": gettext_noop("{field} is no date that this process knows."),
        "wait_date_with_span": gettext_noop("A wait for a date takes no span."),
        "wait_date_with_days": gettext_noop("A wait for a date takes no days of the week."),
        "wait_date_and_offer": gettext_noop(
            "A wait for the end of an offer names the block that makes it; others name none."
        ),
        "wait_hours_with_time": gettext_noop(
            "With a time of day, count whole days before or after the date."
        ),
        "ref_is_no_offer": gettext_noop("{ref} makes no offer."),
        "wait_without_end": gettext_noop("A wait needs a span, a time of day or a date."),
        "wait_days_without_time": gettext_noop("Days of the week need a time of day."),
        "wait_offset_without_date": gettext_noop("An offset needs a date to count from."),
        "wait_rounds_without_over": gettext_noop(
            "A limit of rounds and the way after the last round belong together."
        ),
        "wait_date_in_rounds": gettext_noop(
            "A wait for a date cannot limit rounds, because it may not wait at all."
        ),
    },
    waits=True,
    limited=lambda document: () if document.max_rounds is None else ("next",),
)
