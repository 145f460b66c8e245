"""`docs/order-states.md` says what the code does: the moves, and the matrix of status and payment (design rule 4)."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import override
from django_scopes import scopes_disabled

from recoup.core.models import AttentionItem
from recoup.orders.actions import record_deletion
from recoup.orders.models import Order, StatusChange
from recoup.orders.pointless import close_superseded, drop_older_twins
from recoup.orders.status import MOVES, reopen_from_source
from recoup.payments.actions import record_payment
from recoup.recovery.detection import open_due_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from recoup.shops.snapshots import AttemptState, OrderDeleted, PaymentSnapshot
from tests.factories.moments import HOUR, MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/order-states.md"
STATUSES = ("new", "in_work", "not_confirmed", "awaiting_payment", "unpaid", "cancelled", "false")
WORKED = ("in_work", "not_confirmed", "awaiting_payment")


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def of_status(shop: Shop, status: str) -> Order:
    """Return a due order of 149.00 in a status; an Unpaid one was marked an hour ago and has no time of looking."""
    values: dict[str, Any] = {} if status == "new" or status in WORKED else {"check_at": None}
    if status == "unpaid":
        values["unpaid_at"] = NOW - HOUR
    if status == "cancelled":
        values |= {"cancelled_at": NOW - HOUR, "cancel_reason": "Too dear"}
    return make_order(shop, status=status, **values)


def pay(order: Order, amount: str) -> None:
    payment = PaymentSnapshot("p1", AttemptState.SUCCEEDED, Decimal(amount), order.currency, NOW)
    record_payment(order, payment, now=NOW)


def ends(order: Order) -> tuple[str, str, int]:
    """Return the status, the payment state, and how many moves it took to get there."""
    order.refresh_from_db()
    return order.status, order.payment_state, StatusChange.objects.filter(order=order).count()


@pytest.mark.parametrize("status", STATUSES)
def test_waiting_time_over(shop: Shop, status: str) -> None:
    order = of_status(shop, status)

    open_due_cases(now=NOW)

    to = "unpaid" if status == "new" else status
    assert ends(order) == (to, "owed", int(to != status))
    assert RecoveryCase.objects.count() == int(status == "new" or status in WORKED)


@pytest.mark.parametrize("status", STATUSES)
def test_paid_in_full(shop: Shop, status: str) -> None:
    order = of_status(shop, status)

    pay(order, "149.00")

    asked = list(AttentionItem.objects.values_list("kind", flat=True))
    if status == "cancelled":
        assert (ends(order), asked) == (("cancelled", "paid", 0), ["orders.paid_after_cancel"])
    else:
        assert (ends(order), asked) == (("completed", "paid", 1), [])


@pytest.mark.parametrize("status", STATUSES)
def test_paid_in_part(shop: Shop, status: str) -> None:
    order = of_status(shop, status)

    pay(order, "49.00")

    assert ends(order) == (status, "partly_paid", 0)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("is_paid", [True, False])
def test_newer_order_for_the_same_goods(shop: Shop, status: str, is_paid: bool) -> None:
    order = of_status(shop, status)
    paid: dict[str, Any] = {"paid_at": NOW - MINUTE} if is_paid else {"check_at": None}
    newer = make_order(shop, contact=order.contact, placed_at=NOW - HOUR, **paid)

    open_due_cases(now=NOW)
    close_superseded([newer.pk], now=NOW) if is_paid else drop_older_twins([newer.pk], now=NOW)

    ended = "cancelled" if is_paid else "false"
    is_open = status not in {"cancelled", "false"}
    assert ends(order) == (ended if is_open else status, "owed", int(is_open))


@pytest.mark.parametrize("status", STATUSES)
def test_deleted_at_its_source(shop: Shop, status: str) -> None:
    order = of_status(shop, status)

    record_deletion(order.source, OrderDeleted(ref=order.ref, at=NOW), now=NOW)

    is_open = status not in {"cancelled", "false"}
    assert ends(order) == ("cancelled" if is_open else status, "owed", int(is_open))


def test_taken_up_again_at_its_source(shop: Shop) -> None:
    order = of_status(shop, "unpaid")
    record_deletion(order.source, OrderDeleted(ref=order.ref, at=NOW), now=NOW)
    order.refresh_from_db()

    reopen_from_source(order, at=NOW + MINUTE, now=NOW + MINUTE)

    assert ends(order) == ("new", "owed", 2)
    assert order.unpaid_at is None


def table(heading: str) -> list[list[str]]:
    """Return the rows of a table of the document, by the heading above it."""
    part = DOCUMENT.read_text("utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_document_lists_the_moves_that_there_are() -> None:
    with override("en"):
        labels = {str(status.label): status.value for status in Order.Status}
    told = {
        labels[re.sub(r" \(.*", "", name)]: {labels[to] for to in re.sub(r" \(.*?\)", "", moves).split(", ")}
        for name, _, moves in table("Status")
    }

    assert told == {status: set(moves) for status, moves in MOVES.items()}


def test_the_document_names_every_payment_state_and_every_outcome() -> None:
    with override("en"):
        outcomes = {str(outcome.label).lower() for outcome in RecoveryCase.Outcome}
    states = ", ".join(row[0] for row in table("Payment state"))
    ends_told = ", ".join(row[0] for row in table("How a case ends")).lower()

    assert len(states.split(", ")) == len(Order.PaymentState)
    assert len(ends_told.split(", ")) == len(outcomes)
