"""Who comes to the doors of processes by news that are no case: paid, failed, tagged, the end of another process.

Only news lets somebody in, so switching a process on never brings in those of before (rule 7).
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from recoup.customers.events import TagsChanged
from recoup.payments.events import PaymentFailed
from recoup.processes.engine.codes import Code, Flag, SubjectKind
from recoup.processes.engine.entry import key_of
from recoup.processes.entering import KINDS, Arrival, enrol
from recoup.processes.events import EnrolmentEnded

PAYMENT_FAILED, ORDER_PAID, TAG_SET, PROCESS_ENDED = (
    "payment.failed", "order.paid", "tag.set", "process.ended",
)  # fmt: skip
NO_CAUSE = "unknown"  # of a payment that failed without a word why
# Test orders and those from before their shop was connected or went live stay out (B6), as do payments from before.
_OURS = """
    SELECT o.shop_id, o.contact_id, o.id, least(o.paid_at, o.paid_learnt_at), o.failure_class
    FROM orders_order o
    JOIN shops_source source ON source.id = o.source_id JOIN shops_shop shop ON shop.id = o.shop_id
    WHERE o.id = ANY(%s) AND o.contact_id IS NOT NULL AND NOT o.is_test AND NOT o.is_backfill
      AND o.placed_at >= greatest(source.live_since, shop.live_since)
"""


_FAILURES = "SELECT id, order_id, failure_class FROM payments_attempt WHERE id = ANY(%s) AND state = 'failed'"


def _rows(statement: str, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [sorted(set(ids))])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def enrol_paid(order_ids: Sequence[int]) -> int:
    """Let the buyers of orders that are paid in full into the processes that begin with it, such as thanks or a renewal."""
    found = _rows(_OURS + " AND o.paid_at IS NOT NULL ORDER BY o.id", order_ids)
    return enrol(
        [
            Arrival(ORDER_PAID, shop, contact, "order", order, paid_at)
            for shop, contact, order, paid_at, _ in found
        ]
    )


def enrol_failed(news: Sequence[PaymentFailed]) -> int:
    """Let those whose payment has failed into the processes that begin with it; each failure is an event of its own (G6).

    What is paid by now is no failure any more. Its cause is that of the attempt: the order has another one, or none, once
    its buyer has tried again. A cause that nobody told is `unknown`, never one of the others.
    """
    orders = {row[2]: row for row in _rows(_OURS + " AND o.paid_at IS NULL", [one.order_id for one in news])}
    told = {
        (attempt, order): cause
        for attempt, order, cause in _rows(_FAILURES, [one.attempt_id for one in news])
    }
    return enrol(
        [
            Arrival(
                door=PAYMENT_FAILED,
                shop_id=shop,
                contact_id=contact,
                kind="order",
                subject_id=order,
                at=one.at,
                event_id=key_of("failed", order, one.at.isoformat()),
                marks=frozenset({cause or NO_CAUSE}),
                cause=cause or NO_CAUSE,
            )
            for one in sorted(news, key=lambda one: (one.at, one.order_id))
            if one.order_id in orders
            for shop, contact, order, _, of_order in [orders[one.order_id]]
            for cause in [told.get((one.attempt_id, order), of_order)]
        ]
    )


def enrol_tagged(changes: Sequence[TagsChanged]) -> int:
    """Let people into the processes that begin with one of the tags that were just set on them."""
    ids = sorted({tag_id for news in changes for tag_id in news.added})
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, key FROM customers_tag WHERE id = ANY(%s)", [ids])
        keys = dict(cursor.fetchall())
    return enrol(
        [
            Arrival(
                door=TAG_SET,
                shop_id=news.shop_id,
                contact_id=news.contact_id,
                kind="contact",
                subject_id=news.contact_id,
                at=news.at,
                event_id=key_of("tags", news.contact_id, news.added, news.at.isoformat()),
                marks=frozenset(keys[tag_id] for tag_id in news.added if tag_id in keys),
                chain=news.chain,
            )
            for news in changes
            if news.added
        ]
    )


# Whoever was stopped by hand, erased or failed has not come to an end of their own.
ENDS = (
    Code.COMPLETED, Code.GOAL_PAID, Code.GOAL_CANCELLED, Code.GOAL_SUPERSEDED, Code.GOAL_CONVERTED, Code.GOAL_EMPTIED,
    Code.GOAL_CASE_CLOSED,
)  # fmt: skip
_ENDED = """
    SELECT e.id, e.shop_id, e.process_id, e.contact_id, e.case_id, e.subject_kind, e.subject_id, e.flags, l.outcome, l.at,
        coalesce((e.variables ->> 'chain')::int, 0)
    FROM processes_enrolment e JOIN processes_step_log l ON l.enrolment_id = e.id AND l.step_no = e.step_no
    WHERE e.id = ANY(%s) AND e.state >= 8 ORDER BY e.id
"""


def enrol_ended(news: Sequence[EnrolmentEnded]) -> int:
    """Let those who came to the end of a process into the processes that begin with it, with the same order or cart.

    Whoever went through in test mode goes on in it. A chain of processes that begin with each other's end comes to its own
    end after `LONGEST_CHAIN`.
    """
    ends = {int(code) for code in ENDS}
    named = {code.name.lower() for code in ENDS}
    found = _rows(_ENDED, [one.enrolment_id for one in news if one.outcome in named])
    return enrol(
        [
            Arrival(
                door=PROCESS_ENDED,
                shop_id=shop,
                contact_id=contact,
                kind=KINDS[SubjectKind(kind)],
                subject_id=subject,
                at=at,
                case_id=case,
                event_id=key_of("ended", enrolment),
                marks=frozenset({f"process:{process}", Code(outcome).name.lower()}),
                chain=chain + 1,
                is_test=bool(flags & Flag.TEST),
            )
            for enrolment, shop, process, contact, case, kind, subject, flags, outcome, at, chain in found
            if outcome in ends
        ]
    )
