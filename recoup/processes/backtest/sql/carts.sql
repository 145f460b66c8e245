-- One page of past carts, as `orders.sql`: every cart of the next people (by key) who began one in the period.
WITH people AS MATERIALIZED (
    SELECT DISTINCT k.contact_id AS id FROM orders_cart k
    WHERE k.shop_id = %(shop)s AND k.contact_id > %(after)s AND k.started_at >= %(since)s AND k.started_at < %(until)s
    ORDER BY k.contact_id LIMIT %(people)s
)
SELECT k.contact_id, k.id, k.started_at, k.last_activity_at, k.learnt_at, k.total, k.currency,
    jsonb_array_length(k.lines), k.product_refs, c.id, c.opened_at, c.closed_at, k.converted_at,
    make_interval(mins => shop.cart_after_minutes),
    k.is_backfill OR shop.live_since IS NULL OR k.last_activity_at < greatest(source.live_since, shop.live_since),
    k.is_backfill, k.check_at, ct.time_zone, ct.locale, ct.country, shop.time_zone, shop.country
FROM people
JOIN orders_cart k ON k.shop_id = %(shop)s AND k.contact_id = people.id
    AND k.started_at >= %(since)s AND k.started_at < %(until)s
JOIN shops_shop shop ON shop.id = k.shop_id
JOIN shops_source source ON source.id = k.source_id
JOIN customers_contact ct ON ct.id = k.contact_id
LEFT JOIN recovery_recoverycase c ON c.cart_id = k.id AND c.opened_at <= %(now)s
ORDER BY k.contact_id, k.started_at, k.id
