"""Claims about the numbers that the database keeps up beside the cases."""

from decimal import Decimal

import pytest
from django.db import connection

from recoup.analytics.models import CaseTally
from recoup.analytics.queries import home_tiles
from recoup.analytics.tallies import (
    Drift,
    coarse_before,
    drifts,
    fold_tallies,
    rebuild_tallies,
    tally_of,
)
from recoup.orders.models import Order
from recoup.recovery.actions import close_cases, follow_orders, lapse_due_cases
from recoup.recovery.detection import open_due_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.analytics.conftest import pay, unpaid
from tests.factories.cases import make_case
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.shops import make_shop


def numbers(shop: Shop) -> dict[str, dict[str, Decimal]]:
    return {figure: tally_of(shop, figure) for figure in CaseTally.Figure.values}


def live_a_little(shop: Shop) -> None:
    """Let cases open, be written to, closed, restated, reopened, changed and removed."""
    for _ in range(3):
        make_order(shop, total="10.00", check_at=NOW)
    open_due_cases(now=NOW)
    pay(unpaid(shop, NOW - 3 * DAY, messages=2), NOW - DAY, refunded="30.00")
    restated = unpaid(shop, NOW - 20 * DAY)
    lapse_due_cases(now=NOW + 11 * DAY)
    pay(restated, NOW - 19 * DAY, learnt_after=40 * DAY)
    unpaid(shop, NOW)
    dropped = unpaid(shop, NOW, messages=1)
    close_cases([dropped.pk], outcome="false", now=NOW + HOUR)
    changed = unpaid(shop, NOW)
    Order.objects.filter(pk=changed.order_id or 0).update(captured=Decimal("40.00"))
    follow_orders([changed.order_id or 0], now=NOW)
    make_case(make_cart(shop))
    RecoveryCase.objects.filter(pk=unpaid(shop, NOW).pk).delete()


def test_numbers_add_up_to_the_rows_whatever_happened(shop: Shop) -> None:
    live_a_little(shop)

    open_ones = RecoveryCase.objects.filter(shop=shop, closed_at=None)
    assert drifts(shop, now=NOW) == []
    assert numbers(shop) == {
        "open": {"PLN": Decimal(open_ones.count())},
        "waiting": {"PLN": sum((case.amount for case in open_ones), Decimal(0))},
        "messaged": {"PLN": Decimal(4)},
        "recovered": {"PLN": Decimal(2)},
        "money": {"PLN": Decimal("170.00")},
    }


def test_folding_changes_rows_and_no_number(shop: Shop) -> None:
    live_a_little(shop)
    before, rows = numbers(shop), CaseTally.objects.count()

    folded = fold_tallies(now=NOW)
    again = fold_tallies(now=NOW)
    live_a_little(shop)
    fold_tallies(now=NOW)

    assert (folded, again) == (rows, 0)
    assert CaseTally.objects.count() < rows
    assert drifts(shop, now=NOW) == []
    assert numbers(shop)["money"] == {"PLN": 2 * before["money"]["PLN"]}


def test_number_that_drifted_is_found_and_made_anew(shop: Shop) -> None:
    live_a_little(shop)
    before = numbers(shop)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE recovery_recoverycase DISABLE TRIGGER analytics_tally_insert")
        lost = unpaid(shop, NOW, messages=0)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE recovery_recoverycase ENABLE TRIGGER analytics_tally_insert")

    found = drifts(shop, now=NOW)
    rebuild_tallies(shop)

    kept = {drift.figure: drift.counted - drift.kept for drift in found}
    assert kept == {"open": Decimal(1), "waiting": lost.amount}
    assert drifts(shop, now=NOW) == []
    assert numbers(shop)["open"]["PLN"] == before["open"]["PLN"] + 1


def test_numbers_of_shops_are_apart(shop: Shop) -> None:
    other = make_shop(currency="EUR")
    unpaid(shop, NOW)
    unpaid(other, NOW)
    unpaid(other, NOW)

    assert tally_of(shop, "open") == {"PLN": Decimal(1)}
    assert tally_of(other, "open") == {"EUR": Decimal(2)}
    rebuild_tallies(other)
    assert (drifts(shop, now=NOW), drifts(other, now=NOW)) == ([], [])


def test_drift_names_what_differs(shop: Shop) -> None:
    unpaid(shop, NOW, messages=0)
    CaseTally.objects.filter(figure="open").update(value=7)

    assert drifts(shop, now=NOW) == [Drift("open", "order", "PLN", NOW, Decimal(7), Decimal(1))]


@pytest.mark.parametrize("change", ["messages_sent = messages_sent", "is_holdout = false"])
def test_change_that_moves_no_number_writes_nothing(shop: Shop, change: str) -> None:
    unpaid(shop, NOW)
    rows = CaseTally.objects.count()

    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE recovery_recoverycase SET {change}")

    assert CaseTally.objects.count() == rows


def test_old_changes_are_kept_by_month_and_no_number_of_home_moves(shop: Shop) -> None:
    for days in (1, 30, 150, 151, 152, 200, 400):
        pay(unpaid(shop, NOW - days * DAY - HOUR), NOW - days * DAY)
    unpaid(shop, NOW - 300 * DAY)
    before, tiles = numbers(shop), home_tiles(shop, now=NOW)

    folded = fold_tallies(now=NOW - 90 * DAY)  # some were not old then
    again = fold_tallies(now=NOW)

    old = CaseTally.objects.filter(at__lt=coarse_before(NOW))
    assert folded > again > 0
    assert {(tally.at.day, tally.at.hour, tally.is_folded) for tally in old} == {(1, 0, True)}
    assert (numbers(shop), home_tiles(shop, now=NOW)) == (before, tiles)
    assert (drifts(shop, now=NOW), fold_tallies(now=NOW)) == ([], 0)
