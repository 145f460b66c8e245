"""The closed list of facts that conditions may ask about and that waits may count from."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.records import Facts

Value = Decimal | str | bool | tuple[str, ...] | None


class FieldType(StrEnum):
    """Type of a fact; it decides which operators fit."""

    NUMBER = "number"
    TEXT = "text"
    YES_NO = "yes_no"
    LIST = "list"


class Field(NamedTuple):
    """A fact of the closed list. `read` gives nothing when it does not exist; no comparison meets that."""

    name: str
    type: FieldType
    subjects: frozenset[SubjectKind]
    read: Callable[[Facts], Value]
    choices: tuple[str, ...] = ()


class DateField(NamedTuple):
    """An instant that a wait may count from."""

    name: str
    subjects: frozenset[SubjectKind]
    read: Callable[[Facts], datetime | None]


_ORDER = frozenset({SubjectKind.ORDER})
_CART = frozenset({SubjectKind.CART})
_BOTH = _ORDER | _CART
_ALL = frozenset(SubjectKind)

CAUSES = (
    "no_payment", "soft", "hard", "user", "auth", "technical", "fraud", "config", "offline", "cart_left",
    "unknown",
)  # fmt: skip
STATUSES = (
    "new", "in_work", "not_confirmed", "awaiting_payment", "unpaid", "completed", "cancelled", "false",
)  # fmt: skip

FIELDS = {
    field.name: field
    for field in (
        Field("order.total", FieldType.NUMBER, _ORDER, lambda f: f.order and f.order.total),
        Field("order.amount_due", FieldType.NUMBER, _ORDER, lambda f: f.order and f.order.total_due),
        Field("order.currency", FieldType.TEXT, _ORDER, lambda f: f.order and f.order.currency),
        Field("order.method", FieldType.TEXT, _ORDER, lambda f: f.order and f.order.method),
        Field("order.is_offline", FieldType.YES_NO, _ORDER, lambda f: f.order and f.order.is_offline_method),
        Field("order.cause", FieldType.TEXT, _ORDER, lambda f: f.order and (f.order.cause or None), CAUSES),
        Field("order.status", FieldType.TEXT, _ORDER, lambda f: f.order and f.order.status, STATUSES),
        Field("order.is_paid", FieldType.YES_NO, _ORDER, lambda f: f.order and f.order.paid_at is not None),
        Field("order.products", FieldType.LIST, _ORDER, lambda f: f.order and f.order.products),
        Field("cart.total", FieldType.NUMBER, _CART, lambda f: f.cart and f.cart.total),
        Field("cart.currency", FieldType.TEXT, _CART, lambda f: f.cart and f.cart.currency),
        Field("cart.item_count", FieldType.NUMBER, _CART, lambda f: f.cart and Decimal(f.cart.item_count)),
        Field("cart.products", FieldType.LIST, _CART, lambda f: f.cart and f.cart.products),
        Field("contact.locale", FieldType.TEXT, _ALL, lambda f: f.contact and (f.contact.locale or None)),
        Field("contact.zone", FieldType.TEXT, _ALL, lambda f: f.contact and (f.contact.zone or None)),
    )
}

DATE_FIELDS = {
    field.name: field
    for field in (
        DateField("order.placed_at", _ORDER, lambda f: f.order and f.order.placed_at),
        DateField("cart.last_activity_at", _CART, lambda f: f.cart and f.cart.last_activity_at),
        DateField("promise.until", _BOTH, lambda f: f.paused_until),
    )
}
