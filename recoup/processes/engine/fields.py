"""The closed list of instants that waits may count from. What conditions may ask about stands in `segments.fields`."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.records import Facts


class DateField(NamedTuple):
    """An instant that a wait may count from."""

    name: str
    subjects: frozenset[SubjectKind]
    read: Callable[[Facts], datetime | None]


_ORDER = frozenset({SubjectKind.ORDER})
_CART = frozenset({SubjectKind.CART})
_BOTH = _ORDER | _CART

DATE_FIELDS = {
    field.name: field
    for field in (
        DateField("order.placed_at", _ORDER, lambda f: f.order and f.order.placed_at),
        DateField("cart.last_activity_at", _CART, lambda f: f.cart and f.cart.last_activity_at),
        DateField("promise.until", _BOTH, lambda f: f.paused_until),
    )
}
