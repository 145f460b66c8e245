"""What changes tasks: making them, doing them, handing them on, calling them off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from recoup.accounts.models import User
from recoup.accounts.roles import Role
from recoup.core import activity, outbox
from recoup.core.activity import Actor
from recoup.desk.events import TaskDone
from recoup.desk.models import Task
from recoup.desk.titles import fill
from recoup.shops.models import Membership

LONGEST_RESULT = 2_000


class TaskClosed(Exception):
    """Somebody else has done the task, or it was called off."""


class NotAColleague(Exception):
    """The person does not work in this shop."""


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """A task that a process asks for. One of `person` (a user's id) and `role` may say who does it."""

    shop_id: int
    process_id: int
    enrolment_id: int
    step_no: int
    node: int
    contact_id: int
    title: str
    due_at: datetime
    note: str = ""
    order_id: int | None = None
    cart_id: int | None = None
    priority: int = Task.Priority.NORMAL
    role: str = ""
    person: int | None = None


_NAMED = """
    SELECT c.id, c.name, c.phone, c.email, s.name FROM customers_contact c JOIN shops_shop s ON s.id = c.shop_id
    WHERE c.id = ANY(%s)
"""
_ORDERS = "SELECT id, number, total, currency, buyer ->> 'name', buyer ->> 'phone' FROM orders_order WHERE id = ANY(%s)"
_COLLEAGUES = """
    SELECT m.shop_id, m.user_id FROM shops_membership m
    JOIN unnest(%s::bigint[], %s::bigint[]) AS w (shop_id, user_id) USING (shop_id, user_id)
"""


def make_tasks(orders: Sequence[TaskOrder], *, now: datetime) -> None:
    """Make tasks, once for each step of an enrolment.

    The title is filled in with what is known now. Whoever does not work in the shop any more is not asked: the task is
    then everybody's.
    """
    if not orders:
        return
    values = _values_of(orders)
    with connection.cursor() as cursor:
        asked = [one for one in orders if one.person is not None]
        cursor.execute(_COLLEAGUES, [[one.shop_id for one in asked], [one.person for one in asked]])
        colleagues = set(cursor.fetchall())
    tasks = [
        Task(
            shop_id=one.shop_id,
            title=fill(one.title, values[one.enrolment_id]),
            note=one.note,
            contact_id=one.contact_id,
            order_id=one.order_id,
            cart_id=one.cart_id,
            priority=one.priority,
            role=one.role,
            assignee_id=one.person if (one.shop_id, one.person) in colleagues else None,
            due_at=one.due_at,
            created_at=now,
            process_id=one.process_id,
            enrolment_id=one.enrolment_id,
            step_no=one.step_no,
            node=one.node,
        )
        for one in orders
    ]
    Task.objects.bulk_create(tasks, ignore_conflicts=True)


def _values_of(orders: Sequence[TaskOrder]) -> dict[int, dict[str, str]]:
    """Return what the words of titles stand for, by enrolment."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, [sorted({one.contact_id for one in orders})])
        people: dict[int, Any] = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(_ORDERS, [sorted({one.order_id for one in orders if one.order_id is not None})])
        known: dict[int, Any] = {row[0]: row[1:] for row in cursor.fetchall()}
    found = {}
    for one in orders:
        name, phone, email, shop = people.get(one.contact_id, ("", "", "", ""))
        number, total, currency, buyer, buyer_phone = known.get(one.order_id or 0, ("", None, "", "", ""))
        who = name or buyer or email or phone or ""
        found[one.enrolment_id] = {
            "customer": who,
            "first_name": who.partition(" ")[0],
            "phone": phone or buyer_phone or "",
            "email": email,
            "order": number,
            "sum": f"{total:.2f} {currency}" if total is not None else "",
            "shop": shop,
        }
    return found


def finish_task(task: Task, *, result: str, actor: Actor, now: datetime) -> Task:
    """Note that a task was done and what came of it. Announces `TaskDone`, for which a process may wait.

    :raises TaskClosed: if it has ended before.
    """
    return _close(
        task, Task.State.DONE, result=result.strip()[:LONGEST_RESULT], reason="", actor=actor, now=now
    )


def cancel_task(task: Task, *, result: str, actor: Actor, now: datetime) -> Task:
    """Call a task off by hand. A process that waits for it goes on as if the time were over.

    :raises TaskClosed: if it has ended before.
    """
    said = result.strip()[:LONGEST_RESULT]
    return _close(task, Task.State.CANCELLED, result=said, reason="by_hand", actor=actor, now=now)


def _close(task: Task, state: str, *, result: str, reason: str, actor: Actor, now: datetime) -> Task:
    with transaction.atomic():
        closed = Task.objects.filter(shop_id=task.shop_id, pk=task.pk, state=Task.State.OPEN).update(
            state=state, result=result, reason=reason, closed_at=now, closed_by=actor.id
        )
        if not closed:
            raise TaskClosed(task.pk)
        _record(task, "done" if state == Task.State.DONE else "cancelled", actor, now)
        outbox.announce(
            TaskDone(shop_id=task.shop_id, task_id=task.pk, enrolment_id=task.enrolment_id, at=now)
        )
    task.refresh_from_db()
    return task


def reassign_task(task: Task, *, to: User | None = None, role: str = "", actor: Actor, now: datetime) -> Task:
    """Hand a task to a colleague, to everybody of a role, or to everybody.

    :raises NotAColleague: if the person does not work here. :raises TaskClosed: if it has ended before.
    """
    if to is not None and not Membership.objects.filter(shop_id=task.shop_id, user=to).exists():
        raise NotAColleague(to.pk)
    if role and role not in Role.values:
        raise NotAColleague(role)
    with transaction.atomic():
        changed = Task.objects.filter(shop_id=task.shop_id, pk=task.pk, state=Task.State.OPEN).update(
            assignee=to, role="" if to is not None else role
        )
        if not changed:
            raise TaskClosed(task.pk)
        _record(task, "handed_on", actor, now)
    task.refresh_from_db()
    return task


def _record(task: Task, verb: str, actor: Actor, now: datetime) -> None:
    """Leave a line where the task is about: at the order, else at the customer."""
    subject = ("order", task.order_id) if task.order_id else ("contact", task.contact_id or 0)
    activity.record(
        f"desk.task.{verb}", shop_id=task.shop_id, subject=subject, at=now, actor=actor, task_id=task.pk
    )


_CALL_OFF = """
    WITH l AS (SELECT id FROM desk_task WHERE {condition} AND state = 'open' ORDER BY id FOR NO KEY UPDATE)
    UPDATE desk_task t SET state = 'cancelled', reason = %(reason)s, closed_at = %(now)s FROM l WHERE t.id = l.id
    RETURNING t.shop_id, t.id, t.enrolment_id
"""


def _call_off(condition: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_CALL_OFF.format(condition=condition), values)
        rows = cursor.fetchall()
    outbox.announce(
        *[TaskDone(shop_id, task_id, enrolment, values["now"]) for shop_id, task_id, enrolment in rows]
    )
    return len(rows)


def cancel_of_enrolments(enrolment_ids: Sequence[int], *, reason: str, now: datetime) -> int:
    """Call off what is still to do for enrolments that have ended, and return how much that was."""
    if not enrolment_ids:
        return 0
    values = {"ids": list(enrolment_ids), "reason": reason, "now": now}
    return _call_off("enrolment_id = ANY(%(ids)s)", values)


def cancel_of_blocks(blocks: Sequence[tuple[int, int]], *, reason: str, now: datetime) -> int:
    """Call off what blocks, each of an enrolment, have asked for and is still to do; return how much that was."""
    if not blocks:
        return 0
    enrolment_ids, nodes = zip(*blocks, strict=True)
    values = {"ids": list(enrolment_ids), "nodes": list(nodes), "reason": reason, "now": now}
    return _call_off(
        "enrolment_id = ANY(%(ids)s)"
        " AND (enrolment_id, node) IN (SELECT * FROM unnest(%(ids)s::bigint[], %(nodes)s::smallint[]))",
        values,
    )


def cancel_of_paid(order_ids: Sequence[int], *, now: datetime) -> int:
    """Call off what processes asked for about orders that are paid now; what people noted for themselves stays."""
    values = {"ids": sorted(set(order_ids)), "reason": "paid", "now": now}
    return _call_off("order_id = ANY(%(ids)s) AND enrolment_id IS NOT NULL", values)
