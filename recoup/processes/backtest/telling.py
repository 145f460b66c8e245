"""From the facts of one order or cart to the news of the simulator: when it came to the door, and what was heard when.

An order comes to the door when its case was opened. Of orders that nobody ever looked at, because they were imported or are
from before the shop went live, it is worked out when their case would have been opened, by the rules of
`recovery.detection` over what was known at that instant. Of imported ones nobody knows when we would have learnt what: it
is taken as told at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from recoup.processes.backtest.causes import causes_of, first_cause, learnt
from recoup.processes.backtest.reading import Fact, Held, Page, PastCart, PastOrder
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.entry import Candidate, key_of
from recoup.processes.engine.records import Facts
from recoup.processes.facts import contact_facts
from recoup.processes.worlds import Arrival, Change, ChangeKind, News
from recoup.recovery.detection import LAPSES_AFTER
from recoup.segments.facts import CartFacts, ContactFacts, OrderFacts

ORDER, CART = int(SubjectKind.ORDER), int(SubjectKind.CART)
_EARLY = ("order.placed", "order.paid", "payment.failed")  # entries that ask for no case
_ENDS = ("cancelled", "false", "duplicate", "superseded")
_PASSED_OVER = {"too_old": "too_old", "before_live": "other"}


@dataclass(frozen=True, slots=True)
class Process:
    """The version that is tried, as somebody who stands at its door sees it."""

    shop_id: int
    process_id: int
    version_id: int
    entry: str  # the event that opens its door
    holdout_bp: int
    now: datetime
    shop_holdout_bp: int = 0
    failures: frozenset[str] = frozenset()  # the causes that open the door; none is every one


@dataclass(slots=True)
class Told:
    """One order or cart as it is told: either why it never came to the door, or the news about it."""

    contact_id: int
    subject_id: int
    refused: str = ""
    arrived_at: datetime | None = None
    paid_at: datetime | None = None  # when it became true
    part_at: datetime | None = None  # when we learnt of the first part of its payment
    is_guessed: bool = False  # when its case would have opened is worked out
    news: list[News] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """An instant that became true and was learnt later."""

    became_true_at: datetime
    learnt_at: datetime
    cause: str = ""  # of a failed payment


def tell_order(order: PastOrder, page: Page, process: Process) -> Told:
    """Tell of an order."""
    facts = page.facts.get(order.id, [])
    paid = _payment(order, facts, process.now)
    told = Told(order.contact_id, order.id, paid_at=paid.became_true_at if paid is not None else None)
    told.part_at = next((at for at, _amount in page.parts.get(order.id, ())), None)
    failures: list[_Known] = []
    if process.entry == "order.placed":
        at = order.placed_at if order.is_backfill else order.learnt_at
        told.refused = _refused_when_placed(order, paid, at)
        entered_at, cause, status = order.placed_at, "", "new"
    elif process.entry == "order.paid":
        known = paid or _Known(order.placed_at, order.placed_at)
        told.refused = "test" if order.is_test else "not_paid" if paid is None else ""
        at, entered_at, cause, status = (
            known.learnt_at,
            min(known.became_true_at, known.learnt_at),
            "",
            "completed",
        )
    elif process.entry == "payment.failed":
        failures = _failed(order, paid, page, process)
        told.refused = "test" if order.is_test else "" if failures else "no_failure"
        first_failure = failures[0] if failures else _Known(order.placed_at, order.placed_at)
        at, entered_at, cause, status = first_failure.learnt_at, first_failure.became_true_at, "", "new"
    else:
        told.is_guessed = order.case_id is None
        at, told.refused = _opening(order, facts, paid, page, process.now)
        entered_at, cause, status = at, first_cause(order, facts, page, at), "unpaid"
    if told.refused:
        return told
    told.arrived_at = at
    changes = sorted(_changes(order, facts, paid, page, process, at), key=lambda change: change.at)
    first = OrderFacts(
        order.placed_at, order.total, order.total, order.currency, order.method, order.is_offline_method, cause, status,
        products=_first_products(order, facts),
    )  # fmt: skip
    case_id = None if process.entry in _EARLY else order.case_id
    door = _Known(entered_at, at, failures[0].cause if failures else "")
    _tell(told, process, Facts(order=first, contact=_contact(order)), changes, door, case_id)
    _tell_again(told, failures[1:])
    return told


def _refused_when_placed(order: PastOrder, paid: "_Known | None", at: datetime) -> str:
    """Return why a new order was not let in: nobody is asked for one that is paid at once (J3)."""
    if order.is_test:
        return "test"
    if order.total <= 0:
        return "nothing_due"
    return "paid_before" if paid is not None and paid.learnt_at <= at else ""


def _first_products(order: PastOrder, facts: list[Fact]) -> tuple[str, ...]:
    """Return what an order held when it was first told, before its goods were exchanged."""
    was = next((fact.was_products for fact in facts if fact.was_products is not None), None)
    return tuple(order.products if was is None else was)


def _failed(order: PastOrder, paid: "_Known | None", page: Page, process: Process) -> list["_Known"]:
    """Return the failed payments that open the door: of the chosen causes, and while the order was not paid."""
    found = []
    for one in page.failures.get(order.id, ()):
        is_meant = not process.failures or one.cause in process.failures
        learnt_at = learnt(order, one)
        if is_meant and (paid is None or learnt_at < paid.learnt_at):
            found.append(_Known(one.became_true_at, learnt_at, one.cause))
    return found


def _tell_again(told: Told, failures: list["_Known"]) -> None:
    """Let the same order come to the door once more with each later failure; the rules of re-entry decide."""
    first = next((one for one in told.news if isinstance(one, Arrival)), None)
    for one in failures:
        if first is not None:
            event_id = key_of("failed", told.subject_id, one.became_true_at.isoformat())
            candidate = replace(
                first.candidate, entered_at=one.became_true_at, event_id=event_id, cause=one.cause
            )
            told.news.append(replace(first, at=one.learnt_at, candidate=candidate))


def tell_cart(cart: PastCart, page: Page, process: Process) -> Told:
    """Tell of a cart."""
    history = [fact for fact in page.facts.get(cart.id, []) if fact.kind != "abandoned"]
    orders = page.ordered_at.get(cart.contact_id, [])
    at, refused = _leaving(cart, history, orders, process.now)
    told = Told(cart.contact_id, cart.id, refused, is_guessed=cart.case_id is None)
    told.paid_at = next((fact.became_true_at for fact in history if fact.kind == "converted"), None)
    if refused:
        return told
    told.arrived_at = at
    changes = sorted(_cart_changes(cart, history, orders, at), key=lambda change: change.at)
    first = CartFacts(
        cart.started_at, cart.total, cart.currency, cart.item_count, products=tuple(cart.products)
    )
    _tell(told, process, Facts(cart=first, contact=_contact(cart)), changes, _Known(at, at), cart.case_id)
    return told


def _tell(
    told: Told,
    process: Process,
    facts: Facts,
    changes: list[Change],
    door: _Known,
    case_id: int | None,
) -> None:
    """Put the news together. What was known by the instant of the arrival is told before it, at that instant."""
    at = door.learnt_at
    kind = ORDER if facts.order is not None else CART
    candidate = Candidate(
        shop_id=process.shop_id,
        process_id=process.process_id,
        version_id=process.version_id,
        contact_id=told.contact_id,
        subject_kind=kind,
        subject_id=told.subject_id,
        event_id=case_id or told.subject_id,
        entered_at=door.became_true_at,
        case_id=case_id,
        cause=door.cause,
    )
    told.news = [change for change in changes if change.at <= at]
    told.news.append(Arrival(at, candidate, facts, process.holdout_bp, process.shop_holdout_bp))
    told.news += [change for change in changes if at < change.at <= process.now]


def _payment(order: PastOrder, facts: list[Fact], now: datetime) -> _Known | None:
    """Return when an order was paid and when we learnt it, unless that was after the facts end."""
    for fact in facts:
        if fact.kind == "paid":
            return _Known(fact.became_true_at, learnt(order, fact))
    if order.paid_at is None:
        return None
    learnt_at = order.paid_at if order.is_backfill else order.paid_learnt_at or order.paid_at
    return _Known(order.paid_at, learnt_at) if learnt_at <= now else None


def _opening(  # noqa: PLR0911 - one line a reason, the strongest first
    order: PastOrder, facts: list[Fact], paid: _Known | None, page: Page, now: datetime
) -> tuple[datetime, str]:
    """Return when the case of an order was opened, or would have been, and why it was not."""
    if order.opened_at is not None:
        return order.opened_at, ""
    at = order.due_at if order.is_backfill else max(order.due_at, order.learnt_at)
    if order.is_test:
        return at, "test"
    if order.total <= 0:
        return at, "nothing_due"
    if paid is not None and paid.learnt_at <= at:
        return at, "paid_before"
    ends = {fact.kind for fact in facts if fact.kind in _ENDS and learnt(order, fact) <= at}
    if order.is_never_looked_at:
        instants = {"superseded": page.paid_since.get(order.id), "duplicate": page.twin_at.get(order.id)}
        ends |= {kind for kind, instant in instants.items() if instant is not None and instant <= at}
        return at, _end_word(ends) or ("not_due" if at > now else "")
    passed = next((fact for fact in facts if fact.kind == "passed_over"), None)
    if passed is not None:
        return at, _PASSED_OVER.get(passed.reason or "", "other")
    ends |= {fact.kind for fact in facts if fact.kind in _ENDS}
    is_waiting = order.check_at is not None
    return at, _end_word(ends) or (
        "not_due" if is_waiting else "paid_before" if paid is not None else "other"
    )


def _end_word(kinds: set[str]) -> str:
    for kind in ("superseded", "duplicate"):
        if kind in kinds:
            return kind
    return "cancelled" if kinds else ""


def _changes(
    order: PastOrder, facts: list[Fact], paid: _Known | None, page: Page, process: Process, at: datetime
) -> Iterator[Change]:
    if paid is not None:
        yield Change(paid.learnt_at, ORDER, order.id, ChangeKind.PAID, paid.became_true_at)
    is_real = order.opened_at is not None and process.entry not in _EARLY
    for fact in facts:
        learnt_at = learnt(order, fact)
        if fact.kind in _ENDS and not (is_real and learnt_at <= at):  # an end that was taken back before
            yield from _end(order, fact.kind, fact.became_true_at, learnt_at)
    if order.is_never_looked_at and order.case_id is None:
        yield from _worked_out(order, page, process, at)
    if order.closed_at is not None:
        yield Change(order.closed_at, ORDER, order.id, ChangeKind.CASE_CLOSED, order.closed_at)
    yield from _sums(order, facts, page, paid)
    for fact in facts:
        if fact.products is not None and fact.was_products is not None:
            swapped = (ORDER, order.id, ChangeKind.SWAPPED, fact.became_true_at)
            yield Change(learnt(order, fact), *swapped, products=tuple(fact.products))
    if process.entry not in _EARLY:
        yield from causes_of(order, facts, page, paid.learnt_at if paid is not None else None, at)
    for moved_at, status in page.moves.get(order.id, ()):
        if process.entry in _EARLY or not (moved_at <= at and status == "new"):
            yield Change(moved_at, ORDER, order.id, ChangeKind.STATUS, moved_at, status=status)
    if order.id in page.held:
        yield from _holds(order, page.held[order.id])


def _end(order: PastOrder, kind: str, became_true_at: datetime, learnt_at: datetime) -> Iterator[Change]:
    if kind in ("false", "duplicate"):  # the store reads the instant of the order's last version
        became_true_at = min(order.version_at, learnt_at)
    yield Change(learnt_at, ORDER, order.id, ChangeKind.CANCELLED, became_true_at)
    if kind == "superseded":
        yield Change(learnt_at, ORDER, order.id, ChangeKind.SUPERSEDED, became_true_at)


def _worked_out(order: PastOrder, page: Page, process: Process, at: datetime) -> Iterator[Change]:
    """Tell what the system would have done itself about an order that it never looked at."""
    superseded_at, twin_at = page.paid_since.get(order.id), page.twin_at.get(order.id)
    if superseded_at is not None:
        yield from _end(order, "superseded", superseded_at, superseded_at)
    if twin_at is not None:
        yield from _end(order, "duplicate", twin_at, twin_at)
    if process.entry not in _EARLY:
        lapses_at = at + LAPSES_AFTER
        yield Change(lapses_at, ORDER, order.id, ChangeKind.CASE_CLOSED, lapses_at)


def _sums(order: PastOrder, facts: list[Fact], page: Page, paid: _Known | None) -> Iterator[Change]:
    """Tell what was due after each part of a payment and each change of the sum, until all of it was paid."""
    parts = page.parts.get(order.id, [])
    sums = [
        (learnt(order, fact), Decimal(fact.total))
        for fact in facts
        if fact.kind == "changed" and fact.total is not None and fact.total != fact.was_total
    ]
    if not parts and not sums:
        return
    total, taken = order.total, Decimal(0)
    steps = sorted([(at, True, part) for at, part in parts] + [(at, False, whole) for at, whole in sums])
    for at, is_part, amount in steps:
        if paid is not None and at >= paid.learnt_at:
            return
        taken, total = (taken + amount, total) if is_part else (taken, amount)
        yield Change(at, ORDER, order.id, ChangeKind.DUE, at, amount=max(total - taken, Decimal(0)))


def _holds(order: PastOrder, held: list[Held]) -> Iterator[Change]:
    """Tell what rested the reminders: the buyer's promise, somebody's claim, a pause without an end."""
    for verb, at, until in held:
        match verb.rpartition(".")[2]:
            case "reminders_paused":
                yield Change(at, ORDER, order.id, ChangeKind.HELD, at)
            case "reminders_resumed":
                yield Change(at, ORDER, order.id, ChangeKind.RELEASED, at)
                yield Change(at, ORDER, order.id, ChangeKind.PROMISED, at)
            case "payment_promised":
                yield Change(at, ORDER, order.id, ChangeKind.PROMISED, at, until=until)
            case "claimed":
                yield Change(at, ORDER, order.id, ChangeKind.CLAIMED, at, until=until)
            case _:
                yield Change(at, ORDER, order.id, ChangeKind.CLAIMED, at)


def _leaving(
    cart: PastCart, history: list[Fact], orders: list[tuple[datetime, datetime]], now: datetime
) -> tuple[datetime, str]:
    """Return when the case of a cart was opened, or would have been, and why it was not."""
    if cart.opened_at is not None:
        return cart.opened_at, ""
    touches = [fact.became_true_at for fact in history if fact.kind != "converted"] or [cart.last_activity_at]
    at, touched = _first_gap(touches, cart.left_after)
    if any(touched <= placed_at <= at for placed_at, _ in orders) or (
        cart.converted_at is not None and cart.converted_at <= at
    ):
        return at, "ordered"
    if any(fact.kind == "emptied" and fact.became_true_at <= at for fact in history):
        return at, "emptied"
    if at > now or (cart.check_at is not None and not cart.is_never_looked_at):
        return at, "not_due"
    return at, "" if cart.is_never_looked_at else "other"


def _first_gap(touches: list[datetime], span: timedelta) -> tuple[datetime, datetime]:
    """Return when a cart had first lain untouched for the span, and when it was touched before that."""
    ordered = sorted(touches)
    for touched, following in pairwise(ordered):
        if following > touched + span:
            return touched + span, touched
    return ordered[-1] + span, ordered[-1]


def _cart_changes(
    cart: PastCart, history: list[Fact], orders: list[tuple[datetime, datetime]], at: datetime
) -> Iterator[Change]:
    last_activity_at = cart.started_at
    for fact in history:
        learnt_at = learnt(cart, fact)
        if fact.kind == "converted":
            yield Change(learnt_at, CART, cart.id, ChangeKind.CONVERTED, fact.became_true_at)
            continue
        yield Change(learnt_at, CART, cart.id, ChangeKind.CART_ACTIVITY, fact.became_true_at)
        if learnt_at <= at:
            last_activity_at = max(last_activity_at, fact.became_true_at)
        if fact.kind == "emptied" and learnt_at > at:
            yield Change(learnt_at, CART, cart.id, ChangeKind.EMPTIED, fact.became_true_at)
    since = next((known for known in orders if known[0] > last_activity_at), None)
    if since is not None:
        yield Change(max(since[1], since[0]), CART, cart.id, ChangeKind.SUPERSEDED, since[0])
    if cart.closed_at is not None:
        yield Change(cart.closed_at, CART, cart.id, ChangeKind.CASE_CLOSED, cart.closed_at)
    elif cart.case_id is None:
        yield Change(at + LAPSES_AFTER, CART, cart.id, ChangeKind.CASE_CLOSED, at + LAPSES_AFTER)


def _contact(subject: PastOrder | PastCart) -> ContactFacts:
    return contact_facts(
        subject.zone, subject.locale, subject.country, subject.shop_zone, subject.shop_country
    )
