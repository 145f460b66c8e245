"""The statements of the sweeps. They cross shops on purpose: one sweep serves all of them; each row keeps to its own shop.

A statement locks what it picks, passing over rows that somebody else holds: an order that is being paid in this second is
left for the next sweep, or found paid. What the lock returns is the newest version of the row, so nothing is read twice.
"""

from recoup.orders.queries import is_paid_on_delivery
from recoup.orders.siblings import is_newer_twin, is_paid_since
from recoup.recovery.causes import cause_of

# PostgreSQL takes hash joins over all orders for a batch of a thousand; key look-ups are twice as fast.
KEY_LOOKUPS = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),"
    " set_config('enable_seqscan', 'off', true)"
)

_PICK_ORDERS = f"""
    SELECT o.id, o.shop_id, o.source_id, o.contact_id, o.status, o.payment_state, o.currency, o.total, o.captured,
           o.refunded, o.is_offline_method, o.shop_state, o.failed_at, o.failure_class, o.product_refs, o.placed_at,
           o.cart_ref, o.check_at,
           CASE WHEN o.check_at = o.ask_at THEN o.due_at ELSE o.check_at END AS due_at,
           o.promised_at, o.paused_at, o.claimed_until, o.replaces_id, s.live_since,
           o.is_backfill OR o.is_test OR o.total <= 0 OR o.superseded_by_id IS NOT NULL
               OR o.duplicate_of_id IS NOT NULL OR o.shop_state = 'unknown'
               OR o.status NOT IN ('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid')
               OR o.payment_state NOT IN ('owed', 'on_hold', 'failed', 'partly_paid')
               OR {is_paid_on_delivery("o")} AS is_over
    FROM orders_order o
    JOIN shops_source s ON s.id = o.source_id
    WHERE o.check_at <= %(now)s AND (o.check_at, o.id) > (%(mark_at)s, %(mark_id)s)
      AND (s.kind <> ALL(%(askable)s) OR o.asked_at >= o.check_at)
    ORDER BY o.check_at, o.id
    LIMIT %(batch)s
    FOR NO KEY UPDATE OF o SKIP LOCKED"""  # noqa: S608 - put together from a condition of ours

OPEN_DUE_CASES = f"""
WITH picked AS MATERIALIZED ({_PICK_ORDERS}
), looked AS MATERIALIZED (
    SELECT p.*, paid.id AS paid_id, twin.id AS twin_id, left_cart.case_id AS cart_case_id,
           CASE
               WHEN p.is_over THEN 'over'
               WHEN p.placed_at < greatest(p.live_since, shop.live_since) THEN 'before_live'
               -- A long waiting time, a promise or a hold makes no order too old; having lain unseen does.
               WHEN p.placed_at < %(now)s - make_interval(days => shop.max_age_days)
                   AND greatest(p.due_at, p.promised_at, p.claimed_until)
                       < %(now)s - make_interval(days => shop.max_age_days) / 2
                   AND p.paused_at IS NULL THEN 'too_old'
               WHEN paid.id IS NOT NULL THEN 'superseded'
               -- What a person holds, or the buyer has promised, is theirs to decide.
               WHEN p.paused_at IS NOT NULL OR p.promised_at > %(now)s OR p.claimed_until > %(now)s THEN 'wait'
               WHEN twin.id IS NOT NULL THEN 'duplicate'
               WHEN left_cart.case_id IS NOT NULL THEN 'wait'
               ELSE 'open'
           END AS verdict,
           greatest(
               p.promised_at, p.claimed_until,
               CASE WHEN p.paused_at IS NOT NULL THEN %(now)s + interval '1 hour' END,
               CASE WHEN left_cart.case_id IS NOT NULL THEN %(now)s + interval '1 minute' END
           ) AS wait_until,
           {cause_of("p")} AS cause
    FROM picked p
    JOIN shops_shop shop ON shop.id = p.shop_id
    LEFT JOIN LATERAL (
        SELECT n.id FROM orders_order n
        WHERE NOT p.is_over AND {is_paid_since("p", "n", "shop")}
        ORDER BY n.placed_at DESC, n.id DESC LIMIT 1
    ) paid ON true
    LEFT JOIN LATERAL (
        SELECT n.id FROM orders_order n
        WHERE NOT p.is_over AND {is_newer_twin("p", "n", "shop")}
        ORDER BY n.placed_at DESC, n.id DESC LIMIT 1
    ) twin ON true
    -- The cart that became this order: its case must be closed before the order's case opens (B12).
    LEFT JOIN LATERAL (
        SELECT c.id AS case_id FROM orders_cart k JOIN recovery_recoverycase c ON c.cart_id = k.id
        WHERE p.cart_ref <> '' AND k.shop_id = p.shop_id AND k.source_id = p.source_id AND k.ref = p.cart_ref
          AND c.closed_at IS NULL
    ) left_cart ON true
), moved AS (
    UPDATE orders_order o SET
        status = m.to_status,
        lock_version = o.lock_version + (m.to_status <> m.status)::int,
        check_at = m.wait_until,
        unpaid_at = CASE WHEN m.verdict = 'open' THEN %(now)s ELSE o.unpaid_at END,
        superseded_by_id = coalesce(o.superseded_by_id, CASE WHEN m.verdict = 'superseded' THEN m.paid_id END),
        superseded_at = CASE WHEN m.verdict = 'superseded' THEN %(now)s ELSE o.superseded_at END,
        cancelled_at = CASE WHEN m.verdict = 'superseded' THEN %(now)s ELSE o.cancelled_at END,
        cancel_reason = CASE WHEN m.verdict = 'superseded' THEN 'superseded' ELSE o.cancel_reason END,
        duplicate_of_id = coalesce(o.duplicate_of_id, CASE WHEN m.verdict = 'duplicate' THEN m.twin_id END)
    FROM (
        SELECT id, verdict, status, paid_id, twin_id,
               CASE WHEN verdict = 'wait' THEN wait_until END AS wait_until,
               CASE
                   WHEN verdict = 'open' AND status = 'new' THEN 'unpaid'
                   WHEN verdict = 'superseded' THEN 'cancelled'
                   WHEN verdict = 'duplicate' THEN 'false'
                   ELSE status
               END AS to_status
        FROM looked
    ) m
    WHERE o.id = m.id
    RETURNING o.id, o.shop_id, m.verdict, m.status AS from_status, m.to_status
), history AS (
    INSERT INTO orders_statuschange (shop_id, order_id, from_status, to_status, reason, actor_kind, at)
    SELECT shop_id, id, from_status, to_status,
           CASE verdict WHEN 'open' THEN 'not_paid_in_time' ELSE verdict END, 'system', %(now)s
    FROM moved WHERE to_status <> from_status
), facts AS (
    INSERT INTO orders_orderfact (shop_id, order_id, kind, details, became_true_at, learnt_at)
    SELECT l.shop_id, l.id,
           CASE l.verdict WHEN 'open' THEN 'marked_unpaid' WHEN 'superseded' THEN 'superseded'
                          WHEN 'duplicate' THEN 'duplicate' ELSE 'passed_over' END,
           CASE l.verdict WHEN 'open' THEN jsonb_build_object('cause', l.cause)
                          WHEN 'superseded' THEN jsonb_build_object('by', l.paid_id)
                          WHEN 'duplicate' THEN jsonb_build_object('of', l.twin_id)
                          ELSE jsonb_build_object('reason', l.verdict) END,
           %(now)s, %(now)s
    FROM looked l
    WHERE l.verdict IN ('open', 'superseded', 'duplicate')
       OR l.verdict IN ('before_live', 'too_old') AND (
           SELECT true FROM orders_orderfact f WHERE f.order_id = l.id AND f.kind = 'passed_over' LIMIT 1) IS NULL
), opened AS (
    INSERT INTO recovery_recoverycase (shop_id, kind, order_id, contact_id, cause, amount, currency, opened_at,
        lapses_at, outcome, messages_sent, refunded_amount, is_holdout)
    SELECT shop_id, 'order', id, contact_id, cause, greatest(total - captured + refunded, 0), currency, %(now)s,
           %(lapses_at)s, '', 0, 0, false
    FROM looked WHERE verdict = 'open'
    ON CONFLICT DO NOTHING
    RETURNING id, shop_id, order_id, contact_id
), news AS (
    INSERT INTO core_outbox (shop_id, kind, payload)
    SELECT shop_id, 'recovery.RecoveryCaseOpened',
           jsonb_build_object('shop_id', shop_id, 'case_id', id, 'kind', 'order', 'subject_id', order_id,
                              'contact_id', contact_id, 'at', %(at)s::text)
    FROM opened
    UNION ALL
    SELECT shop_id, 'orders.OrderCancelled',
           jsonb_build_object('shop_id', shop_id, 'order_id', id, 'at', %(at)s::text)
    FROM moved WHERE verdict IN ('superseded', 'duplicate')
)
SELECT count(*), (SELECT count(*) FROM opened), count(*) FILTER (WHERE verdict = 'superseded'),
       count(*) FILTER (WHERE verdict = 'duplicate'), count(*) FILTER (WHERE verdict = 'wait'),
       count(*) FILTER (WHERE verdict IN ('before_live', 'too_old', 'over')),
       max(check_at), max(id) FILTER (WHERE check_at = (SELECT max(check_at) FROM looked)),
       array_agg(cart_case_id) FILTER (WHERE cart_case_id IS NOT NULL AND verdict IN ('wait', 'open')),
       array_agg(id) FILTER (WHERE verdict = 'duplicate')
FROM looked
"""  # noqa: S608 - put together from conditions of ours

OPEN_LEFT_CARTS = """
WITH picked AS MATERIALIZED (
    SELECT k.id, k.shop_id, k.contact_id, k.state, k.currency, k.total, k.product_refs, k.last_activity_at, k.check_at,
           k.abandoned_at, k.converted_at, s.live_since,
           k.last_activity_at + make_interval(mins => shop.cart_after_minutes) AS left_at,
           k.is_backfill OR k.contact_id IS NULL OR k.state NOT IN ('open', 'abandoned')
               OR k.converted_at IS NOT NULL OR NOT shop.collects_carts
               OR k.last_activity_at < greatest(s.live_since, shop.live_since)
               OR k.last_activity_at < %(now)s - make_interval(days => shop.max_age_days) AS is_over
    FROM orders_cart k
    JOIN shops_source s ON s.id = k.source_id
    JOIN shops_shop shop ON shop.id = k.shop_id
    WHERE k.check_at <= %(now)s
    ORDER BY k.check_at
    LIMIT %(batch)s
    FOR NO KEY UPDATE OF k SKIP LOCKED
), looked AS MATERIALIZED (
    SELECT p.*,
           CASE
               WHEN p.is_over THEN 'over'
               -- Whoever has ordered since has not left anything.
               WHEN EXISTS (
                   SELECT FROM orders_order o
                   WHERE o.shop_id = p.shop_id AND o.contact_id = p.contact_id AND o.placed_at >= p.last_activity_at
               ) THEN 'ordered'
               WHEN p.left_at > %(now)s THEN 'wait'
               ELSE 'open'
           END AS verdict
    FROM picked p
), moved AS (
    UPDATE orders_cart k SET
        check_at = CASE WHEN l.verdict = 'wait' THEN l.left_at END,
        state = CASE WHEN l.verdict = 'open' THEN 'abandoned' ELSE k.state END,
        abandoned_at = CASE WHEN l.verdict = 'open' THEN coalesce(k.abandoned_at, %(now)s) ELSE k.abandoned_at END
    FROM looked l WHERE k.id = l.id
), facts AS (
    INSERT INTO orders_cartfact (shop_id, cart_id, kind, details, became_true_at, learnt_at)
    SELECT shop_id, id, 'abandoned', jsonb_build_object('total', total::text, 'product_refs', to_jsonb(product_refs)),
           left_at, %(now)s
    FROM looked WHERE verdict = 'open' AND abandoned_at IS NULL
), opened AS (
    INSERT INTO recovery_recoverycase (shop_id, kind, cart_id, contact_id, cause, amount, currency, opened_at,
        lapses_at, outcome, messages_sent, refunded_amount, is_holdout)
    SELECT shop_id, 'cart', id, contact_id, 'cart_left', total, currency, %(now)s, %(lapses_at)s, '', 0, 0, false
    FROM looked WHERE verdict = 'open'
    ON CONFLICT DO NOTHING
    RETURNING id, shop_id, cart_id, contact_id
), news AS (
    INSERT INTO core_outbox (shop_id, kind, payload)
    SELECT shop_id, 'recovery.RecoveryCaseOpened',
           jsonb_build_object('shop_id', shop_id, 'case_id', id, 'kind', 'cart', 'subject_id', cart_id,
                              'contact_id', contact_id, 'at', %(at)s::text)
    FROM opened
)
SELECT count(*), (SELECT count(*) FROM opened), count(*) FILTER (WHERE verdict = 'wait'),
       count(*) FILTER (WHERE verdict IN ('over', 'ordered'))
FROM looked
"""
