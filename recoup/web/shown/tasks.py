"""Tasks in lists and on their page: what, about whom, by when, by whom."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.accounts.roles import Right, Role
from recoup.desk.models import Task
from recoup.shops.access import Seat
from recoup.shops.models import Membership
from recoup.web import screens
from recoup.web.answers import place
from recoup.web.parts import Words
from recoup.web.shown.orders import order_url
from recoup.web.shown.people import name_of

_REASONS = {
    "paid": gettext_lazy("The order was paid"),
    "goal": gettext_lazy("The process came to its goal"),
    "stopped": gettext_lazy("The process was stopped"),
    "by_hand": gettext_lazy("By hand"),
}


def task_rows(seat: Seat, tasks: Sequence[Task], now: datetime) -> list[screens.TaskRow]:
    """Return the rows of tasks."""
    return [task_row(seat, one, now) for one in tasks]


def task_row(seat: Seat, one: Task, now: datetime) -> screens.TaskRow:
    """Return the row of a task."""
    is_open = one.state == Task.State.OPEN
    return screens.TaskRow(
        title=one.title,
        url=place(seat, "task", one.pk),
        person=name_of(one.contact) if one.contact is not None else "",
        about=_("Order %(number)s") % {"number": one.order.number} if one.order is not None else "",
        due_at=one.due_at,
        who=who_does(one),
        state=_state(one, now),
        state_label=_("Overdue") if is_open and one.due_at < now else one.get_state_display(),
        is_urgent=is_open and one.priority == Task.Priority.HIGH,
        closed_at=one.closed_at,
    )


def _state(one: Task, now: datetime) -> str:
    if one.state != Task.State.OPEN:
        return str(one.state)
    return "overdue" if one.due_at < now else "open"


def who_does(one: Task) -> Words:
    """Return whose task it is."""
    if one.assignee is not None:
        return str(one.assignee)
    return Role(one.role).label if one.role else _("everybody")


def task_page(seat: Seat, one: Task, now: datetime) -> screens.TaskPage:
    """Return all that the page of a task shows."""
    may = seat.may(Right.WORK_TASKS) and one.state == Task.State.OPEN
    facts: list[tuple[Words, Words]] = [
        (_("Whose it is"), who_does(one)),
        (_("How urgent"), one.get_priority_display()),
    ]
    if one.reason:
        facts.append((_("Why it was called off"), str(_REASONS.get(one.reason, one.reason))))
    phone = one.contact.phone if one.contact is not None else ""
    return screens.TaskPage(
        row=task_row(seat, one, now),
        note=one.note,
        result=one.result,
        facts=facts,
        order_url=order_url(seat, one.order) if one.order is not None else "",
        customer_url=place(seat, "customer", one.contact_id) if one.contact_id is not None else "",
        phone=phone,
        process_url=place(seat, "process", one.process_id)
        if one.process_id is not None and seat.may(Right.SEE_PROCESSES)
        else "",
        close_url=place(seat, "task_close", one.pk) if may else "",
        hand_on_url=place(seat, "task_hand_on", one.pk) if may else "",
    )


def assignees(seat: Seat, one: Task) -> list[tuple[str, Words, bool]]:
    """Return to whom a task may be given: value, name, and whether it is theirs now."""
    now = f"person:{one.assignee_id}" if one.assignee_id else f"role:{one.role}" if one.role else "everybody"
    people = Membership.objects.filter(shop=seat.shop).select_related("user").order_by("user__name", "pk")
    found: list[tuple[str, Words]] = [("everybody", _("everybody"))]
    found += [(f"role:{role.value}", role.label) for role in Role if role is not Role.VIEWER]
    found += [(f"person:{member.user_id}", str(member.user)) for member in people]
    return [(value, name, value == now) for value, name in found]
