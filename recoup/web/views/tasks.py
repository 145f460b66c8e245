"""Tasks: what somebody has to do, one after the other, with what came of it."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right, Role
from recoup.desk.actions import NotAColleague, TaskClosed, cancel_task, finish_task, reassign_task
from recoup.desk.models import Task
from recoup.desk.queries import TaskFilter, count_tasks, list_tasks, next_task
from recoup.shops.access import Seat
from recoup.shops.models import Membership
from recoup.web import listing
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address
from recoup.web.parts import Filters, Link
from recoup.web.shown.tasks import assignees, task_page, task_rows

_VIEWS = ("mine", "all", "done")


@staff(Right.SEE_ORDERS)
def tasks(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show a page of tasks as the address asks for them; one's own first."""
    address = Address(request)
    view, due = address.one_of("v", _VIEWS) or "mine", address.one_of("due", ("overdue", "today"))
    chosen = _chosen(seat, view, due, request.now)
    page = list_tasks(seat.shop, chosen, cursor=address.get("c"))
    count = count_tasks(seat.shop, chosen, most=listing.wants_exact(address))
    following = next_task(seat.shop, user_id=seat.user.pk, role=seat.role)
    context = {
        "filters": Filters(
            [
                Link(_("Mine"), address.url(v="", due=due), view == "mine"),
                Link(_("All"), address.url(v="all"), view == "all"),
                Link(_("Ended"), address.url(v="done", due=""), view == "done"),
            ],
            []
            if view == "done"
            else [
                listing.menu(
                    address, "due", _("Due"), [("overdue", _("overdue")), ("today", _("by the end of today"))]
                )
            ],
            address.path if due else "",
        ),
        "rows": task_rows(seat, page.rows, request.now),
        "pager": listing.pager(address, page, count, _counted),
        "is_filtered": bool(due) or view != "mine",
        "clear_url": address.path,
        "lead_shown": listing.is_first_visit(request, "tasks"),
        "next_url": place(seat, "task", following.pk) if following is not None else "",
    }
    return render(request, "web/tasks.html", context)


def _chosen(seat: Seat, view: str, due: str, now: datetime) -> TaskFilter:
    end = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    before = {"overdue": now, "today": end}.get(due)
    if view == "done":
        return TaskFilter(state="closed")
    if view == "all":
        return TaskFilter(due_before=before)
    return TaskFilter(user_id=seat.user.pk, role=seat.role, due_before=before)


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s task", "%(n)s tasks", number) % {"n": shown}


def _get(seat: Seat, task_id: int) -> Task:
    rows = Task.objects.filter(shop=seat.shop).select_related("contact", "order", "assignee")
    return get_object_or_404(rows, pk=task_id)


@staff(Right.SEE_ORDERS)
def task(request: StaffRequest, seat: Seat, task_id: int) -> HttpResponse:
    """Show a task, with the field for what came of it."""
    return _show(request, seat, _get(seat, task_id))


def _show(request: StaffRequest, seat: Seat, one: Task, *, status: int = 200) -> HttpResponse:
    following = next_task(seat.shop, user_id=seat.user.pk, role=seat.role, but=one.pk)
    context = {
        "task": task_page(seat, one, request.now),
        "crumb_links": [Link(_("Tasks"), place(seat, "tasks")), Link(one.title, "")],
        "assignees": assignees(seat, one),
        "next_url": place(seat, "task", following.pk) if following is not None else "",
    }
    return render(request, "web/task.html", context, status=status)


def _after(seat: Seat, one: Task) -> HttpResponse:
    """Lead to what is to be done next, so that nobody has to look for it."""
    following = next_task(seat.shop, user_id=seat.user.pk, role=seat.role, but=one.pk)
    return see_other(place(seat, "task", following.pk) if following is not None else place(seat, "tasks"))


@require_POST
@staff(Right.WORK_TASKS)
def close(request: StaffRequest, seat: Seat, task_id: int) -> HttpResponse:
    """Note that a task was done, or call it off, with what came of it."""
    one, result = _get(seat, task_id), request.POST.get("result", "")
    is_done = request.POST.get("do", "done") == "done"
    act = finish_task if is_done else cancel_task
    try:
        act(one, result=result, actor=actor_of(seat), now=request.now)
    except TaskClosed:
        messages.warning(request, _("Somebody else has ended this task before you."))
        return _show(request, seat, _get(seat, task_id), status=409)
    messages.success(request, _("Done.") if is_done else _("Called off."))
    return _after(seat, one)


@require_POST
@staff(Right.WORK_TASKS)
def hand_on(request: StaffRequest, seat: Seat, task_id: int) -> HttpResponse:
    """Give a task to a colleague, to a role or to everybody."""
    one = _get(seat, task_id)
    kind, _colon, value = request.POST.get("to", "").partition(":")
    colleague = None
    if kind == "person" and value.isdecimal() and len(value) < 19:
        found = Membership.objects.filter(shop=seat.shop, user_id=int(value)).select_related("user").first()
        colleague = found.user if found is not None else None
    role = value if kind == "role" and value in Role.values else ""
    try:
        if kind != "everybody" and colleague is None and not role:
            raise NotAColleague(value)
        reassign_task(one, to=colleague, role=role, actor=actor_of(seat), now=request.now)
    except NotAColleague:
        messages.warning(request, _("Choose somebody who works here."))
        return _show(request, seat, one, status=422)
    except TaskClosed:
        messages.warning(request, _("Somebody else has ended this task before you."))
        return _show(request, seat, _get(seat, task_id), status=409)
    messages.success(request, _("Handed on."))
    return see_other(place(seat, "task", one.pk))
