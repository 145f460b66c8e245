"""Finding what is unpaid or left behind: set-based sweeps over all shops, in batches, by any number of workers.

What an order needs to open a case, and what happens to it otherwise, stands in `docs/order-states.md`.
"""

from collections.abc import Collection
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from recoup.orders.pointless import hand_on_notes
from recoup.recovery import detection_sql
from recoup.recovery.actions import close_cases
from recoup.recovery.models import RecoveryCase

# Orders of one transaction: their locks are held for about a tenth of a second, and a payment waits that long.
BATCH = 1000
# The last reminder goes out on the seventh day; a payment within three weeks of it is still its doing.
LAPSES_AFTER = timedelta(days=30)
_START = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a sweep looked at, and what became of it."""

    looked: int = 0
    opened: int = 0
    superseded: int = 0
    duplicates: int = 0
    postponed: int = 0
    passed_over: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


def open_due_cases(*, now: datetime, limit: int = 5000, askable: Collection[str] = ()) -> Counts:
    """Look at the orders whose waiting time is over and open a case for each that is still owed.

    New becomes Unpaid, once, with its line; In work, Not confirmed and Awaiting payment keep their word. Paid by another
    order of the same person since: closed as superseded. A newer order for the same products, also owed: dropped as its
    duplicate. Held by a person or a promise: looked at again later. Too old, or placed before going live: passed over.
    Announces `RecoveryCaseOpened` for each case and `OrderCancelled` for each order that was closed instead.

    :param askable: kinds of sources that can be asked: their orders wait until `asking.ask_due_orders` has asked.
    """
    counts, mark = Counts(), (_START, 0)
    while counts.looked < limit:
        batch = min(BATCH, limit - counts.looked)
        with transaction.atomic():
            *numbers, mark_at, mark_id, cart_cases, dropped = _run(
                detection_sql.OPEN_DUE_CASES,
                now=now,
                batch=batch,
                askable=sorted(askable),
                mark_at=mark[0],
                mark_id=mark[1],
            )
            # The order's own case opens a minute later, when those who work on the cart have heard.
            close_cases(cart_cases or (), outcome=RecoveryCase.Outcome.BECAME_ORDER, now=now)
            hand_on_notes(dropped or ())
        counts += Counts(*numbers)
        if numbers[0] < batch:
            break
        mark = (mark_at, mark_id)
    return counts


def open_left_carts(*, now: datetime, limit: int = 5000) -> Counts:
    """Look at the carts that were not touched for the shop's time and open a case for each that was left (B9).

    Only carts of a known person, in shops that collect carts, with nothing ordered since. Once a cart: coming back and
    leaving again opens nothing new. Announces `RecoveryCaseOpened`.
    """
    counts = Counts()
    while counts.looked < limit:
        batch = min(BATCH, limit - counts.looked)
        with transaction.atomic():
            looked, opened, postponed, passed_over = _run(detection_sql.OPEN_LEFT_CARTS, now=now, batch=batch)
        counts += Counts(looked=looked, opened=opened, postponed=postponed, passed_over=passed_over)
        if looked < batch:
            break
    return counts


def _run(statement: str, *, now: datetime, **values: Any) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(detection_sql.KEY_LOOKUPS)
        cursor.execute(
            statement, {"now": now, "at": now.isoformat(), "lapses_at": now + LAPSES_AFTER, **values}
        )
        row: tuple[Any, ...] = cursor.fetchone()
    return row
