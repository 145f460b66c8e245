"""The closed list of instants that waits may count from. What conditions may ask about stands in `segments.fields`."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from recoup.processes.engine.codes import SubjectKind, Wake
from recoup.processes.engine.happenings import SUBJECT_EVENTS
from recoup.processes.engine.records import Facts


class DateField(NamedTuple):
    """An instant that a wait may count from; `wake` tells that it may have moved to an earlier one."""

    name: str
    subjects: frozenset[SubjectKind]
    read: Callable[[Facts], datetime | None]
    wake: Wake = Wake(0)


def _of_a_block(facts: Facts) -> datetime | None:  # noqa: ARG001 - the shape of a reader
    return None


_ORDER = frozenset({SubjectKind.ORDER})
_CART = frozenset({SubjectKind.CART})
_BOTH = _ORDER | _CART
# Its instant is read from the offer that a block names.
OFFER_ENDS = "offer.ends_at"

DATE_FIELDS = {
    field.name: field
    for field in (
        DateField("order.placed_at", _ORDER, lambda f: f.order and f.order.placed_at),
        DateField("cart.last_activity_at", _CART, lambda f: f.cart and f.cart.last_activity_at),
        DateField("order.paid_at", _ORDER, SUBJECT_EVENTS["order.paid"].read),
        DateField("promise.until", _BOTH, lambda f: f.promised_at, Wake.HOLD_CHANGED),
        DateField(OFFER_ENDS, frozenset(SubjectKind), _of_a_block, Wake.OFFER_DECIDED),
    )
}
