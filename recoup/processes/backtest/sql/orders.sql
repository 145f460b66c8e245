-- One page of past orders with what was known of each and when: every order of the next people (by key) who placed one in
-- the period. Reads only; the page is short, so no snapshot grows old (engine 12.4).
WITH people AS MATERIALIZED (
    SELECT DISTINCT o.contact_id AS id FROM orders_order o
    WHERE o.shop_id = %(shop)s AND o.contact_id > %(after)s AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
    ORDER BY o.contact_id LIMIT %(people)s
)
SELECT o.contact_id, o.id, o.placed_at, greatest(o.learnt_at, o.placed_at),
    -- The sum as it was when it was first told, if it was changed later.
    coalesce((SELECT (f.details ->> 'was_total')::numeric FROM orders_orderfact f
              WHERE f.order_id = o.id AND f.kind = 'changed' AND f.details ->> 'was_total' IS NOT NULL
                AND f.learnt_at > coalesce(c.opened_at, o.learnt_at)
              ORDER BY f.id LIMIT 1), o.total),
    o.captured - o.refunded, o.currency, o.method, o.is_offline_method, o.product_refs,
    coalesce(c.cause, CASE
        WHEN o.failure_class IN ('soft', 'hard', 'user', 'auth', 'technical', 'fraud', 'config') THEN o.failure_class
        WHEN o.failure_class <> '' THEN 'unknown'
        WHEN o.is_offline_method OR o.payment_state = 'on_hold' THEN 'offline'
        ELSE 'no_payment' END),
    c.id, c.opened_at, c.closed_at,
    -- As `orders.queries.waiting_minutes`: the method's own time, none on delivery, then that of all offline methods, then
    -- the shop's. Never while a person has yet to say what an unknown status means, as `recovery.detection_sql`.
    o.placed_at + make_interval(mins => coalesce(
        CASE WHEN o.shop_state = 'unknown' AND c.id IS NULL THEN 100 * 365 * 24 * 60 END,
        own.minutes,
        CASE WHEN o.method = ANY(%(on_delivery)s) THEN 100 * 365 * 24 * 60 -- never
            WHEN o.is_offline_method
            THEN coalesce(offline.minutes, greatest(%(offline_minutes)s, shop.unpaid_after_minutes))
            ELSE shop.unpaid_after_minutes END)),
    o.paid_at, o.paid_learnt_at, o.version_at, o.check_at, o.is_test,
    o.is_backfill OR shop.live_since IS NULL OR o.placed_at < greatest(source.live_since, shop.live_since),
    o.is_backfill, ct.time_zone, ct.locale, ct.country, shop.time_zone, shop.country
FROM people
JOIN orders_order o ON o.shop_id = %(shop)s AND o.contact_id = people.id
    AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
JOIN shops_shop shop ON shop.id = o.shop_id
JOIN shops_source source ON source.id = o.source_id
JOIN customers_contact ct ON ct.id = o.contact_id
LEFT JOIN recovery_recoverycase c ON c.order_id = o.id AND c.opened_at <= %(now)s
LEFT JOIN shops_waitingtime own ON own.shop_id = o.shop_id AND own.method = o.method AND o.method <> ''
LEFT JOIN shops_waitingtime offline ON offline.shop_id = o.shop_id AND offline.method = 'offline'
ORDER BY o.contact_id, o.placed_at, o.id
