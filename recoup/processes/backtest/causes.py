"""Why a past order was unpaid, at each instant: when its case opened, and after each payment that failed since."""

from collections.abc import Iterator
from datetime import datetime

from recoup.processes.backtest.reading import Fact, Failure, Page, PastCart, PastOrder
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.worlds import Change, ChangeKind

ORDER = int(SubjectKind.ORDER)


def learnt(subject: PastOrder | PastCart, fact: Fact | Failure) -> datetime:
    """Return when we knew a fact; what was imported counts as known when it became true."""
    return fact.became_true_at if subject.is_backfill else fact.learnt_at


def first_cause(order: PastOrder, facts: list[Fact], page: Page, at: datetime) -> str:
    """Return why an order was unpaid when its case opened, or would have; payments may have failed since."""
    told = next((fact.cause for fact in facts if fact.kind == "marked_unpaid" and fact.cause), None)
    if told is not None or order.case_id is not None:
        return told or order.cause
    failures = page.failures.get(order.id, ())
    if not failures:
        return order.cause
    by_then = [one for one in failures if learnt(order, one) <= at]
    if by_then:
        last = max(by_then, key=lambda one: one.became_true_at)
        over = [one for one in _changes(facts) if learnt(order, one) <= at and _is_over(last, one)]
        return _cause_without(order, over[-1], page) if over else last.cause
    return "offline" if order.is_offline_method else "no_payment"


def causes_of(
    order: PastOrder, facts: list[Fact], page: Page, paid_known_at: datetime | None, at: datetime
) -> Iterator[Change]:
    """Tell for what the last payment failed, each time that one did while the case was open and unpaid.

    And when that was over, as `recovery.closing_sql` knows it.
    """
    failures = page.failures.get(order.id, ())
    if not failures:
        return
    told: list[Fact | Failure] = [*failures, *_changes(facts)]
    last: Failure | None = None
    for one in sorted(told, key=lambda one: learnt(order, one)):
        learnt_at = learnt(order, one)
        is_closed = order.closed_at is not None and learnt_at >= order.closed_at
        if is_closed or (paid_known_at is not None and learnt_at >= paid_known_at):
            return
        kind, cause = ChangeKind.FAILED, ""
        if isinstance(one, Failure):
            if last is not None and one.became_true_at <= last.became_true_at:
                continue
            last, cause = one, one.cause
        elif last is not None and _is_over(last, one):
            kind, cause = ChangeKind.OTHERWISE, _cause_without(order, one, page)
        if cause and learnt_at > at:
            yield Change(learnt_at, ORDER, order.id, kind, one.became_true_at, cause=cause)


def _changes(facts: list[Fact]) -> list[Fact]:
    """Return the changes of an order after which its shop awaits a payment."""
    return [fact for fact in facts if fact.kind == "changed" and fact.shop_state in ("on_hold", "pending")]


def _is_over(failure: Failure, change: Fact) -> bool:
    """Tell whether a change of an order ends a failure: its buyer pays otherwise, or tries again."""
    is_ended = change.shop_state == "on_hold" or failure.is_by_word
    return is_ended and change.became_true_at >= failure.became_true_at


def _cause_without(order: PastOrder, change: Fact, page: Page) -> str:
    """Return why an order is unpaid whose failure is over."""
    is_part_paid = any(at <= learnt(order, change) for at, _ in page.parts.get(order.id, ()))
    if order.is_offline_method or (change.shop_state == "on_hold" and not is_part_paid):
        return "offline"
    return "unknown" if is_part_paid else "no_payment"
