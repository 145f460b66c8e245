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
        return max(by_then, key=lambda one: one.became_true_at).cause
    return "offline" if order.is_offline_method else "no_payment"


def causes_of(order: PastOrder, page: Page, paid_known_at: datetime | None, at: datetime) -> Iterator[Change]:
    """Tell for what the last payment failed, each time that one did while the case was open and unpaid."""
    last: datetime | None = None
    for one in page.failures.get(order.id, ()):
        learnt_at = learnt(order, one)
        is_closed = order.closed_at is not None and learnt_at >= order.closed_at
        if is_closed or (paid_known_at is not None and learnt_at >= paid_known_at):
            return
        if last is None or one.became_true_at > last:
            last = one.became_true_at
            if learnt_at > at:
                yield Change(learnt_at, ORDER, order.id, ChangeKind.FAILED, last, cause=one.cause)
