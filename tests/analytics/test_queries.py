"""Claims about the recovery report."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from recoup.analytics.figures import Figure, RowFilter, count_rows_of, rows_of
from recoup.analytics.queries import recovery_report
from recoup.core import humane
from recoup.core.money import Money
from recoup.messaging.models import Message
from recoup.orders.models import Order
from recoup.recovery.actions import close_cases, lapse_due_cases, settle_paid_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.analytics.conftest import order_of, pay, unpaid
from tests.factories.cases import make_case
from tests.factories.messages import make_lane, make_message
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


def test_reminder_of_a_cart_whose_order_was_paid_is_counted_too(shop: Shop) -> None:
    order = order_of(pay(unpaid(shop, NOW - DAY, messages=0), NOW))
    cart = make_cart(shop, source=order.source, order_ref=order.ref)
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


def load_unpaid_orders(shop: Shop, *, orders: int, paid: int) -> None:
    """Load unpaid orders, each with a case and a message; so many of them are paid a day after the message."""
    values: dict[str, Any] = {
        "shop": shop.pk,
        "source": make_source(shop).pk,
        "lane": make_lane(shop).pk,
        "orders": orders,
        "paid": paid,
        "now": NOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_contact (shop_id, name, email, phone, locale, time_zone, country, company, search,
                sort_name, notes, first_seen_at)
            SELECT %(shop)s, 'Anna', 'a' || i || '@example.com', '', 'pl', '', '', '', '{}', '', '', %(now)s
            FROM generate_series(1, %(orders)s) i
            """,
            values,
        )
        cursor.execute(
            """
            INSERT INTO orders_order (shop_id, source_id, ref, number, contact_id, status, payment_state, currency,
                total, captured, refunded, locale, origin, method, method_title, is_offline_method, pay_url, cart_ref,
                buyer, product_refs, search, shop_state, raw_state, placed_at, learnt_at, version_at, version_key,
                cancel_reason, failure_class, failure_code, terms_version, ask_failures, lock_version, is_backfill,
                is_test, unpaid_at)
            SELECT %(shop)s, %(source)s, 'r' || id, 'r' || id, id, 'unpaid', 'owed', 'PLN', 100, 0, 0, 'pl',
                'checkout', 'card', 'Card', false, '', '', '{}', '{}', '{}', 'pending', '', at - interval '1 day',
                at - interval '1 day', at - interval '1 day', '', '', '', '', '', 0, 0, false, false, at
            FROM (
                SELECT id, %(now)s - interval '300 days' + row_number() OVER (ORDER BY id) * interval '11 minutes' AS at
                FROM customers_contact
            ) people
            """,
            values,
        )
        cursor.execute(
            """
            INSERT INTO recovery_recoverycase (shop_id, kind, order_id, contact_id, cause, amount, currency, opened_at,
                lapses_at, outcome, messages_sent, first_message_at, refunded_amount, is_holdout)
            SELECT shop_id, 'order', id, contact_id, 'no_payment', total, currency, unpaid_at,
                unpaid_at + interval '30 days', '', 1, unpaid_at, 0, false
            FROM orders_order
            """
        )
        cursor.execute(
            """
            INSERT INTO messaging_message (shop_id, enrolment_id, step_no, node, case_id, channel, lane_id, contact_id,
                order_id, locale, purpose, message_class, is_asked_for, is_resent, is_test, recipient, prio, state,
                queued_at, due_at, not_after, attempt, deferrals, message_ref, handed_at, settled_at, reason, answer)
            SELECT c.shop_id, c.id, 1, 'n4', c.id, 'email', %(lane)s, c.contact_id, c.order_id, 'pl', 'reminder',
                'contract', false, false, false, 'a@example.com', 1, 'sent', c.opened_at, c.opened_at,
                c.opened_at + interval '1 day', 0, 0, 'm' || c.id, c.opened_at, c.opened_at, '', ''
            FROM recovery_recoverycase c
            """,
            values,
        )
        cursor.execute(
            """
            UPDATE orders_order SET payment_state = 'paid', status = 'completed', captured = total,
                paid_at = unpaid_at + interval '1 day', paid_learnt_at = unpaid_at + interval '1 day'
            WHERE id IN (SELECT id FROM orders_order ORDER BY ref LIMIT %(paid)s)
            """,
            values,
        )
        cursor.execute("ANALYZE orders_order, recovery_recoverycase, messaging_message")


@pytest.mark.slow
def test_36942_unpaid_orders_of_which_7747_are_paid_after_a_message_read_20_97_percent(shop: Shop) -> None:
    load_unpaid_orders(shop, orders=36_942, paid=7_747)
    settle_paid_cases(list(Order.objects.filter(payment_state="paid").values_list("pk", flat=True)), now=NOW)

    report = recovery_report(shop, **YEAR)

    [line] = report.lines
    assert (line.cases, line.messaged, line.recovered) == (36_942, 36_942, 7_747)
    assert humane.percent(report.rate, "en", 2) == "20.97%"
    assert report.money == (Money(Decimal("774700.0000"), "PLN"),)
    assert sum(part.money.amount for part in report.series[0].slices) == Decimal(774_700)
    assert count_rows_of(shop, line.rows(Figure.RECOVERED)) == count_rows_of(
        shop, RowFilter(Figure.CAME_IN, line.period.start, line.period.end)
    )
    assert count_rows_of(shop, line.rows(Figure.MESSAGED), most=None).number == 36_942
    assert (report.late[0].after_known, report.late[0].before_known) == (0, 0)
    # Spares a look at the foreign keys of every row, which takes longer than the test.
    transaction.set_rollback(True)
