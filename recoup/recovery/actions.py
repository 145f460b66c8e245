"""Closing cases with their outcome, restating them when late news comes, and counting their messages.

Lock order: contact gate < order, cart < case < enrolment < message; inside a table by key.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from recoup.core import activity, outbox
from recoup.core.locks import lock_rows
from recoup.orders.became import order_became
from recoup.orders.queries import OFFLINE_MINUTES, ON_DELIVERY, OPEN_STATUSES, OWED_STATES
from recoup.recovery import closing_sql
from recoup.recovery.events import RecoveryCaseClosed
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop, WaitingTime

BATCH = 1000  # cases of one transaction of a sweep
Outcome = RecoveryCase.Outcome


class CaseAlreadyClosed(Exception):
    """Somebody else, or other news, closed the case first."""


def close_case(case: RecoveryCase, *, outcome: str, now: datetime) -> RecoveryCase:
    """Close a case, once, with an outcome that is not a payment.

    Announces `RecoveryCaseClosed`, which ends the enrolments on it. Messages handed over already are not recalled.

    :raises CaseAlreadyClosed: if it is closed.
    """
    if not close_cases([case.pk], outcome=outcome, now=now):
        raise CaseAlreadyClosed(case.pk)
    case.refresh_from_db()
    return case


def close_cases(case_ids: Collection[int], *, outcome: str, now: datetime) -> list[int]:
    """Close the open ones of these cases with an outcome that is not a payment; return which they were."""
    return _close(closing_sql.CLOSE, case_ids, now=now, outcome=str(outcome))


def close_ended_cases(order_ids: Collection[int], *, now: datetime) -> list[int]:
    """Close the cases of orders that are Cancelled or False, with the reason that stands on the order."""
    return _close(closing_sql.CLOSE_ENDED, _cases_of(order_ids), now=now)


def _close(statement: str, case_ids: Collection[int], *, now: datetime, **values: str) -> list[int]:
    if not case_ids:
        return []
    with transaction.atomic():
        locked = lock_rows(RecoveryCase, case_ids)
        closed = _rows(statement, cases=locked, now=now, **values)
        _announce_closed(closed, now)
    return sorted(row[0] for row in closed)


def _announce_closed(rows: Sequence[tuple[Any, ...]], now: datetime) -> None:
    outbox.announce(
        *(
            RecoveryCaseClosed(
                shop_id=shop_id, case_id=case_id, kind=kind, subject_id=subject_id, outcome=outcome, at=now
            )
            for case_id, shop_id, kind, subject_id, outcome, *_ in rows
        )
    )


def settle_paid_cases(order_ids: Collection[int], *, now: datetime) -> list[int]:
    """Close or restate the cases that these paid orders decide; return the cases that changed.

    Recovered if the money came after at least one message and before the case lapsed, paid unaided otherwise; judged by when
    the payment became true, whatever order the news comes in. Run again it changes nothing, so that a late message, a late
    payment or a refund restates what was said before; that leaves a line in the activity log. A cart is recovered when the
    order that it became is paid without ever having had a case. Announces `RecoveryCaseClosed` for those that were open.
    """
    if not order_ids:
        return []
    with transaction.atomic():
        decided = dict(_rows(closing_sql.PAID_CASES, orders=sorted(set(order_ids))))
        cases = lock_rows(RecoveryCase, decided)
        changed = _rows(
            closing_sql.SETTLE_PAID, cases=cases, orders=[decided[case] for case in cases], now=now
        )
        _announce_closed([row for row in changed if row[5] == ""], now)
        for case_id, shop_id, _, _, outcome, was in changed:
            if was not in ("", outcome):
                activity.record(
                    "recovery.case.restated",
                    shop_id=shop_id,
                    subject=("case", case_id),
                    at=now,
                    was=was,
                    outcome=outcome,
                )
    return sorted(row[0] for row in changed)


def follow_orders(order_ids: Collection[int], *, now: datetime) -> None:
    """Bring cases up to their changed orders: reopen what was taken out of Cancelled or False, follow the sum due,
    and forget a failed payment whose buyer pays otherwise now.

    Where nothing is to be asked for any more, because the total is zero now or it is paid on delivery, the case is
    cancelled.
    """
    over = _rows(closing_sql.NOTHING_TO_ASK, orders=sorted(set(order_ids)))
    close_cases([row[0] for row in over], outcome=Outcome.CANCELLED, now=now)
    _follow(_cases_of(order_ids), now=now)


def follow_failures(order_ids: Collection[int]) -> None:
    """Give the open cases of these orders the cause for which their last payment failed (B10)."""
    cases = _cases_of(order_ids)
    if not cases:
        return
    with transaction.atomic():
        locked = lock_rows(RecoveryCase, cases)
        with connection.cursor() as cursor:
            cursor.execute(closing_sql.FOLLOW_CAUSES, {"cases": locked})


def follow_carts(cart_ids: Collection[int], *, now: datetime) -> None:
    """Bring cases up to their changed carts: bought carts became orders, emptied ones are cancelled, sums are followed.

    A cart whose order is paid already is recovered, or paid unaided.
    """
    if not cart_ids:
        return
    rows = _rows(
        "SELECT c.id, k.state FROM recovery_recoverycase c JOIN orders_cart k ON k.id = c.cart_id"
        " WHERE c.cart_id = ANY(%(carts)s)",
        carts=sorted(set(cart_ids)),
    )
    close_cases([case for case, state in rows if state == "converted"], outcome=Outcome.BECAME_ORDER, now=now)
    close_cases([case for case, state in rows if state == "emptied"], outcome=Outcome.CANCELLED, now=now)
    _follow([case for case, state in rows if state not in ("converted", "emptied")], now=now)
    bought = _rows(
        f"SELECT o.id FROM orders_cart k JOIN orders_order o ON o.id = {order_became('k')}"  # noqa: S608 - an alias of ours
        " WHERE k.id = ANY(%(carts)s) AND o.paid_at IS NOT NULL",
        carts=sorted(set(cart_ids)),
    )
    settle_paid_cases([row[0] for row in bought], now=now)


def _follow(case_ids: Collection[int], *, now: datetime) -> None:
    if not case_ids:
        return
    with transaction.atomic():
        locked = lock_rows(RecoveryCase, case_ids)
        _rows(closing_sql.REOPEN, cases=locked, now=now)
        with connection.cursor() as cursor:
            cursor.execute(closing_sql.FOLLOW_AMOUNTS, {"cases": locked})
            cursor.execute(closing_sql.END_CAUSES, {"cases": locked})


def count_messages(case_ids: Collection[int], *, now: datetime) -> None:
    """Count the messages that these cases got, and judge again those whose order is paid."""
    if not case_ids:
        return
    with transaction.atomic():
        locked = lock_rows(RecoveryCase, case_ids)
        with connection.cursor() as cursor:
            cursor.execute(closing_sql.COUNT_MESSAGES, {"cases": locked})
        paid = _rows(
            "SELECT coalesce(paid_order_id, order_id) FROM recovery_recoverycase"
            " WHERE id = ANY(%(cases)s) AND outcome IN ('recovered', 'paid_unaided')",
            cases=locked,
        )
        settle_paid_cases([row[0] for row in paid if row[0] is not None], now=now)


def lapse_due_cases(*, now: datetime, limit: int = 5000) -> int:
    """Close the cases whose time is over as not recovered; return how many there were.

    The order stays Unpaid. A payment that became true before the case lapsed restates it when it is learnt.
    """
    done = 0
    while done < limit:
        batch = min(BATCH, limit - done)
        with transaction.atomic():
            picked = sorted(row[0] for row in _rows(closing_sql.LAPSED, now=now, batch=batch))
            closed = _rows(closing_sql.CLOSE, cases=picked, now=now, outcome=Outcome.LAPSED.value)
            _announce_closed(closed, now)
        done += len(picked)
        if len(picked) < batch:
            break
    return done


def move_contact(contact_id: int, *, gone_id: int) -> None:
    """Give the cases of a contact that was merged to the one that stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE recovery_recoverycase SET contact_id = %s WHERE contact_id = %s AND shop_id ="
            " (SELECT shop_id FROM customers_contact WHERE id = %s)",
            [contact_id, gone_id, contact_id],
        )


def reschedule_checks(shop: Shop) -> int:
    """Give the orders that were not looked at yet the waiting times as they are set now; return how many there were (B2).

    What was looked at already stays as it is. In batches of a transaction each, so that payments do not wait for it: called
    outside a transaction.
    """
    _schedule_on_delivery(shop)
    done, last = 0, 0
    while True:
        with transaction.atomic():
            moved = _rows(
                closing_sql.RESCHEDULE,
                shop=shop.pk,
                last=last,
                batch=BATCH,
                offline_minutes=OFFLINE_MINUTES,
                on_delivery=list(ON_DELIVERY),
            )
        done += len(moved)
        if len(moved) < BATCH:
            return done
        last = max(row[0] for row in moved)


def _schedule_on_delivery(shop: Shop) -> None:
    """Give the orders that are paid on delivery a time of looking, if the shop has set one for them by now."""
    if not WaitingTime.objects.filter(shop=shop, method__in=ON_DELIVERY).exists():
        return
    last = 0
    while True:
        with transaction.atomic():
            moved = _rows(
                closing_sql.SCHEDULE_ON_DELIVERY,
                shop=shop.pk,
                last=last,
                batch=BATCH,
                on_delivery=list(ON_DELIVERY),
                open=[status.value for status in OPEN_STATUSES],
                owed=[state.value for state in OWED_STATES],
            )
        if len(moved) < BATCH:
            return
        last = max(row[0] for row in moved)


def _cases_of(order_ids: Collection[int]) -> list[int]:
    return [
        row[0]
        for row in _rows(
            "SELECT id FROM recovery_recoverycase WHERE order_id = ANY(%(orders)s)",
            orders=sorted(set(order_ids)),
        )
    ]


def _rows(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
