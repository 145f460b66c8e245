"""Roles of staff in a shop and what each may do."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person is in a shop."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    CLERK = "clerk", _("Clerk")
    MARKETER = "marketer", _("Marketer")
    SERVICE = "service", _("Service")
    VIEWER = "viewer", _("Viewer")


class Right(models.TextChoices):
    """One thing a role may do; doors ask for a right, never for a role."""

    SEE_ORDERS = "see_orders", _("See orders and recovery")
    WORK_ORDERS = "work_orders", _("Change orders")
    WORK_TASKS = "work_tasks", _("Do tasks")
    SEE_CUSTOMERS = "see_customers", _("See customers")
    EDIT_CUSTOMERS = "edit_customers", _("Change customers")
    EDIT_PRODUCTS = "edit_products", _("Change products")
    SEE_PROCESSES = "see_processes", _("See processes and messages")
    EDIT_PROCESSES = "edit_processes", _("Change processes and templates")
    SEND_MESSAGES = "send_messages", _("Settle and resend messages")
    SEE_REPORTS = "see_reports", _("See reports")
    SETTLE_ATTENTION = "settle_attention", _("Settle what needs attention")
    MANAGE_INTAKE = "manage_intake", _("Import and retry what was quarantined")
    MANAGE_SHOP = "manage_shop", _("Change settings, sources and mail")
    MANAGE_STAFF = "manage_staff", _("Invite and remove staff")
    EXPORT_PEOPLE = "export_people", _("Export personal data")


_SEE = {Right.SEE_ORDERS, Right.SEE_CUSTOMERS, Right.SEE_PROCESSES, Right.SEE_REPORTS}

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.MANAGER: frozenset(Right) - {Right.MANAGE_SHOP, Right.MANAGE_STAFF, Right.EXPORT_PEOPLE},
    Role.CLERK: frozenset(
        _SEE
        | {
            Right.WORK_ORDERS,
            Right.WORK_TASKS,
            Right.EDIT_CUSTOMERS,
            Right.SEND_MESSAGES,
            Right.SETTLE_ATTENTION,
        }
    ),
    Role.MARKETER: frozenset(_SEE | {Right.EDIT_PROCESSES, Right.WORK_TASKS}),
    Role.SERVICE: frozenset({Right.SEE_ORDERS, Right.WORK_TASKS, Right.SEE_CUSTOMERS, Right.EDIT_CUSTOMERS}),
    Role.VIEWER: frozenset({Right.SEE_ORDERS, Right.SEE_REPORTS}),
}
