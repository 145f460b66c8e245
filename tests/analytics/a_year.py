"""A year of unpaid orders, written by whole statements: one by one would take minutes."""

from typing import Any

from django.db import connection

from recoup.shops.models import Shop
from tests.factories.messages import make_lane
from tests.factories.moments import NOW
from tests.factories.shops import make_source


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
