"""Reads of tasks: the list, what comes next for somebody, what is to do about an order or a customer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Q, QuerySet
from django_scopes import scope

from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.desk.models import Task
from recoup.shops.models import Shop

_WITH = ("contact", "order", "assignee")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks a list shows. Of one person are those given to them, and those of their role or of everybody."""

    user_id: int | None = None
    role: str = ""
    due_before: datetime | None = None
    due_from: datetime | None = None
    state: Literal["open", "closed"] = "open"


def list_tasks(shop: Shop, chosen: TaskFilter, *, cursor: str = "", size: int = PAGE_SIZE) -> Page[Task]:
    """Return a page of tasks: what is to do by its day, what has ended newest first."""
    page = page_keys(_keyset(shop, chosen), cursor=cursor, size=size)
    with scope(shop=shop):
        found = Task.objects.select_related(*_WITH).in_bulk(page.rows)
    return Page([found[key] for key in page.rows if key in found], older=page.older, newer=page.newer)


def count_tasks(shop: Shop, chosen: TaskFilter, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the tasks of a list, exactly up to `most`."""
    return count_rows(_keyset(shop, chosen), most=most)


def _keyset(shop: Shop, chosen: TaskFilter) -> Keyset:
    is_open = chosen.state == "open"
    conditions = ["r.state = 'open'" if is_open else "r.state <> 'open'"]
    params: list[object] = []
    if chosen.user_id is not None:
        conditions.append("(r.assignee_id = %s OR (r.assignee_id IS NULL AND r.role IN ('', %s)))")
        params += [chosen.user_id, chosen.role]
    if chosen.due_before is not None:
        conditions.append("r.due_at < %s")
        params.append(chosen.due_before)
    if chosen.due_from is not None:
        conditions.append("r.due_at >= %s")
        params.append(chosen.due_from)
    value = "due_at" if is_open else ""
    return Keyset("desk_task", shop.pk, value, not is_open, conditions, params)


def next_task(shop: Shop, *, user_id: int, role: str, but: int = 0) -> Task | None:
    """Return what somebody should do next: the urgent first, then by the day; their own before what is everybody's."""
    mine = Q(assignee=user_id) | (Q(assignee=None) & Q(role__in=["", role]))
    rows = Task.objects.filter(mine, shop=shop, state=Task.State.OPEN).exclude(pk=but)
    return rows.order_by("priority", "due_at", "id").first()


def tasks_about(shop: Shop, *, order_id: int | None = None, contact_id: int | None = None) -> QuerySet[Task]:
    """Return what is to do about an order, or about a customer and all their orders, the soonest first."""
    rows = Task.objects.filter(shop=shop, state=Task.State.OPEN).select_related(*_WITH)
    if order_id is not None:
        return rows.filter(order=order_id).order_by("due_at", "id")
    return rows.filter(contact=contact_id).order_by("due_at", "id")


def count_due(shop: Shop, *, before: datetime) -> Count:
    """Count what should be done before an instant."""
    return count_tasks(shop, TaskFilter(due_before=before))
