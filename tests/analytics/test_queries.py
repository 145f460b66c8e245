"""Claims about the recovery report."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from recoup.analytics.figures import Figure, count_rows_of, rows_of
from recoup.analytics.queries import recovery_report
from recoup.core import humane
from recoup.core.money import Money
from recoup.messaging.models import Message
from recoup.recovery.actions import close_cases, lapse_due_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop, Source
from tests.analytics.conftest import order_of, pay, unpaid
from tests.factories.cases import make_case
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_cart
from tests.factories.shops import make_shop, make_source

YEAR: dict[str, Any] = {
    "start": datetime(2026, 1, 1, tzinfo=UTC),
    "end": datetime(2027, 1, 1, tzinfo=UTC),
}


def test_nothing_of_nothing_is_a_dash(shop: Shop) -> None:
    report = recovery_report(shop, **YEAR)

    assert (report.lines, report.cases, report.rate, report.money) == ([], 0, None, ())
    assert humane.percent(report.rate, "en", 2) == "–"


def test_rate_is_recovered_out_of_those_that_got_a_message(shop: Shop) -> None:
    pay(unpaid(shop, NOW), NOW + 2 * HOUR)
    unpaid(shop, NOW)
    pay(unpaid(shop, NOW, messages=0), NOW + 2 * HOUR)
    unpaid(shop, NOW, messages=0)

    [line] = recovery_report(shop, **YEAR).lines

    assert (line.cases, line.messaged, line.messages, line.recovered) == (4, 2, 2, 1)
    assert (line.unaided, line.open, line.rate) == (1, 2, Decimal("0.5"))
    assert line.money == Money(Decimal("100.0000"), "PLN")


def test_false_orders_and_dropped_duplicates_are_left_out(shop: Shop) -> None:
    cases = [unpaid(shop, NOW).pk for _ in range(3)]
    close_cases(cases[:1], outcome="false", now=NOW)
    close_cases(cases[1:2], outcome="duplicate", now=NOW)

    [line] = recovery_report(shop, **YEAR).lines

    assert (line.cases, line.messaged, line.messages) == (1, 1, 1)


def test_currencies_are_never_added(shop: Shop) -> None:
    for currency, total in (("PLN", "100.00"), ("PLN", "50.50"), ("EUR", "20.00")):
        case = unpaid(shop, NOW, total=total, currency=currency)
        RecoveryCase.objects.filter(pk=case.pk).update(currency=currency)
        pay(case, NOW + 2 * HOUR)

    report = recovery_report(shop, **YEAR)

    assert [(line.currency, line.recovered) for line in report.lines] == [("EUR", 1), ("PLN", 2)]
    assert report.money == (Money(Decimal("20.0000"), "EUR"), Money(Decimal("150.5000"), "PLN"))
    assert (report.cases, report.rate) == (3, Decimal(1))


def test_money_given_back_is_subtracted_and_the_case_stays_recovered(shop: Shop) -> None:
    pay(unpaid(shop, NOW), NOW + 2 * HOUR, refunded="30.00")
    pay(unpaid(shop, NOW), NOW + 2 * HOUR, refunded="100.00")

    [line] = recovery_report(shop, **YEAR).lines

    assert (line.recovered, line.refunded, line.taken, line.given_back) == (2, 2, Decimal(200), Decimal(130))
    assert line.money == Money(Decimal("70.0000"), "PLN")


def test_late_payment_restates_the_period_in_which_the_case_opened(shop: Shop) -> None:
    october: dict[str, Any] = {
        "start": datetime(2026, 9, 30, 22, tzinfo=UTC),
        "end": datetime(2026, 10, 31, 23, tzinfo=UTC),
    }
    case = unpaid(shop, NOW - 5 * DAY)
    lapse_due_cases(now=NOW + 90 * DAY)
    before = recovery_report(shop, **october).lines[0]

    pay(case, NOW + 20 * DAY, learnt_after=100 * DAY)
    after = recovery_report(shop, **october).lines[0]

    assert (before.lapsed, before.recovered, before.rate) == (1, 0, Decimal(0))
    assert (after.lapsed, after.recovered, after.rate) == (0, 1, Decimal(1))


def test_report_keeps_to_its_shops(shop: Shop) -> None:
    other = make_shop(currency="EUR")
    unpaid(shop, NOW)
    unpaid(other, NOW)

    assert [line.shop for line in recovery_report(shop, **YEAR).lines] == [shop]
    assert [line.shop for line in recovery_report([shop, other], **YEAR).lines] == [shop, other]


def test_report_by_month_is_cut_in_the_zone_of_the_shop(shop: Shop) -> None:
    unpaid(shop, datetime(2026, 10, 31, 22, 59, tzinfo=UTC))  # 23:59 in Warsaw
    unpaid(shop, datetime(2026, 10, 31, 23, 1, tzinfo=UTC))  # 00:01 in November

    lines = recovery_report(shop, **YEAR, by="month").lines

    assert [(line.first_day, line.cases) for line in lines] == [
        (date(2026, 10, 1), 1),
        (date(2026, 11, 1), 1),
    ]
    assert [count_rows_of(shop, line.rows(Figure.CASES)).number for line in lines] == [1, 1]


def test_orders_and_carts_can_be_told_apart(shop: Shop) -> None:
    unpaid(shop, NOW)
    make_case(make_cart(shop))

    assert [recovery_report(shop, **YEAR, kind=kind).cases for kind in ("", "order", "cart")] == [2, 1, 1]


def test_money_by_week_leaves_no_week_out(shop: Shop) -> None:
    for day in (datetime(2026, 10, 19, 8, tzinfo=UTC), datetime(2026, 11, 1, 22, 59, tzinfo=UTC)):
        pay(unpaid(shop, day - DAY), day)
    refunded = unpaid(shop, NOW - DAY)
    pay(refunded, datetime(2026, 11, 1, 23, 1, tzinfo=UTC), refunded="40.00")  # Monday in Warsaw

    period: dict[str, Any] = {
        "start": datetime(2026, 10, 18, 22, tzinfo=UTC),
        "end": datetime(2026, 11, 8, 23, tzinfo=UTC),
    }
    [series] = recovery_report(shop, **period).series

    assert [(s.first_day, s.cases, s.money.amount) for s in series.slices] == [
        (date(2026, 10, 19), 1, Decimal(100)),
        (date(2026, 10, 26), 1, Decimal(100)),
        (date(2026, 11, 2), 1, Decimal(60)),
    ]
    assert [count_rows_of(shop, s.rows).number for s in series.slices] == [1, 1, 1]


def test_empty_weeks_are_shown_as_empty(shop: Shop) -> None:
    period: dict[str, Any] = {
        "start": datetime(2026, 10, 18, 22, tzinfo=UTC),
        "end": datetime(2026, 11, 8, 23, tzinfo=UTC),
    }

    [series] = recovery_report(shop, **period).series

    assert (series.currency, [s.money.amount for s in series.slices]) == ("PLN", [Decimal(0)] * 3)


def late(shop: Shop, *, handed: timedelta, **values: Any) -> Message:
    """Make a reminder about an order that was paid at `NOW`, which we learnt ten minutes later."""
    case = unpaid(shop, NOW - DAY, messages=0)
    message = make_message(
        order_of(case),
        **{"case_id": case.pk, "state": "sent", "handed_at": NOW + handed, **values},
    )
    pay(case, NOW, learnt_after=10 * MINUTE)
    return message


@pytest.mark.parametrize(
    ("handed", "values", "figures"),
    [
        (-MINUTE, {}, (0, 0)),
        (MINUTE, {}, (0, 1)),
        (10 * MINUTE, {}, (1, 0)),
        (11 * MINUTE, {"state": "uncertain"}, (1, 0)),
        (11 * MINUTE, {"is_test": True}, (0, 0)),
        (11 * MINUTE, {"purpose": "thanks"}, (0, 0)),
        (11 * MINUTE, {"state": "failed"}, (0, 0)),
    ],
)
def test_reminders_after_the_payment_are_counted_and_shown(
    shop: Shop, handed: timedelta, values: dict[str, Any], figures: tuple[int, int]
) -> None:
    message = late(shop, handed=handed, **values)

    [found] = recovery_report(shop, **YEAR).late
    shown = [list(rows_of(shop, found.rows(f)).rows) for f in (Figure.AFTER_KNOWN, Figure.BEFORE_KNOWN)]

    assert (found.after_known, found.before_known) == figures
    assert shown == [[message] * figures[0], [message] * figures[1]]


@pytest.mark.parametrize("of", ["its source", "here", "the shop that its plugin names"])
def test_reminder_of_a_cart_whose_order_was_paid_is_counted_too(shop: Shop, of: str) -> None:
    order = order_of(pay(unpaid(shop, NOW - DAY, messages=0), NOW))
    told: dict[str, Any] = {
        "source": make_source(shop),
        "order_ref": order.ref,
        "started_at": order.placed_at,
    }
    if of == "its source":
        told["source"] = order.source
    elif of == "here":
        Source.objects.filter(pk=order.source_id).update(kind="own")
    else:
        told["contact"] = order.contact
    cart = make_cart(shop, **told)
    if of != "here":  # else any cart that names an order here is the one that it was placed from
        stranger = make_cart(shop, source=make_source(shop), order_ref=order.ref, started_at=order.placed_at)
        make_message(stranger, state="sent", handed_at=NOW + MINUTE)
    message = make_message(cart, state="sent", handed_at=NOW + MINUTE)

    [found] = recovery_report(shop, **YEAR).late

    assert (found.after_known, found.before_known) == (1, 0)
    assert list(rows_of(shop, found.rows(Figure.AFTER_KNOWN)).rows) == [message]


def test_delay_of_a_source_is_told(shop: Shop) -> None:
    quick, slow = make_source(shop, name="Quick"), make_source(shop, name="Slow")
    for minutes, source in ((2, quick), (10, slow), (20, slow)):
        pay(unpaid(shop, NOW, source=source), NOW + 2 * HOUR, learnt_after=minutes * MINUTE)

    delays = recovery_report(shop, **YEAR).delays

    assert [(one.name, one.orders, one.mean, one.longest) for one in delays] == [
        ("Quick", 1, 2 * MINUTE, 2 * MINUTE),
        ("Slow", 2, 15 * MINUTE, 20 * MINUTE),
    ]


def test_every_figure_opens_exactly_its_rows(shop: Shop) -> None:
    outcomes = ("superseded", "cancelled", "lapsed", "became_order", "false", "duplicate")
    for number, outcome in enumerate(outcomes):
        close_cases([unpaid(shop, NOW, messages=number).pk], outcome=outcome, now=NOW)
    pay(unpaid(shop, NOW, messages=2), NOW + 3 * HOUR, refunded="10.00")
    pay(unpaid(shop, NOW, messages=0), NOW + 3 * HOUR)
    unpaid(shop, NOW, messages=3)
    unpaid(shop, NOW - 400 * DAY)
    unpaid(make_shop(), NOW)

    [line] = recovery_report(shop, **YEAR).lines

    figures = {
        figure: (getattr(line, figure.value), count_rows_of(shop, line.rows(figure)).number)
        for figure in Figure
        if hasattr(line, figure.value)
    }
    assert {figure.value: told for figure, (told, _) in figures.items()} == {
        "cases": 7,
        "messaged": 5,
        "messages": 0 + 1 + 2 + 3 + 2 + 0 + 3,
        "recovered": 1,
        "refunded": 1,
        "unaided": 1,
        "superseded": 1,
        "became_order": 1,
        "cancelled": 1,
        "lapsed": 1,
        "open": 1,
    }
    assert [told for told, _ in figures.values()] == [counted for _, counted in figures.values()]
    assert all(
        len(list(rows_of(shop, line.rows(figure), size=100).rows)) == counted
        for figure, (_, counted) in figures.items()
    )
