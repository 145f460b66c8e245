-- The people of a process, or of a whole shop, by the day of its zone on which they came in: in which group they are and
-- whether they paid within the window. Everybody counts once, by their first entry under one share, whatever was sent to
-- them (by intention to treat). An order counts as paid when it was, or a newer one that took its place; a cart, or
-- a person, when an order of that person was placed and paid since. Who had paid before they came in is counted apart, and so is who came in
-- too lately to be judged. Test mode is left out; so is, for a process, who is left alone by the whole shop.
WITH entered AS MATERIALIZED (
    SELECT DISTINCT ON (e.contact_id) e.id AS enrolment_id, e.contact_id, e.subject_kind, e.subject_id, e.entered_at,
           (e.flags & %(control)s <> 0)::int AS arm
    FROM processes_enrolment e
    WHERE e.shop_id = %(shop_id)s AND (%(process_id)s::bigint IS NULL OR e.process_id = %(process_id)s)
      AND e.id > %(after)s AND e.id <= %(until)s AND e.flags & %(outside)s = 0
    ORDER BY e.contact_id, e.id
), wanted AS MATERIALIZED (
    SELECT * FROM entered WHERE entered_at >= %(start)s AND entered_at < %(end)s
), judged AS (
    SELECT w.entered_at, w.arm, o.currency,
           least(o.paid_at, n.paid_at) AS paid_at,
           CASE WHEN o.paid_at <= coalesce(n.paid_at, 'infinity') THEN o.captured - o.refunded
                WHEN n.currency = o.currency THEN n.captured - n.refunded ELSE 0 END AS amount
    FROM wanted w
    JOIN orders_order o ON o.id = w.subject_id
    LEFT JOIN orders_order n ON n.id = coalesce(o.superseded_by_id, o.duplicate_of_id)
    WHERE w.subject_kind = 1
    UNION ALL
    SELECT w.entered_at, w.arm, coalesce(k.currency, shop.currency), bought.paid_at,
           CASE WHEN bought.currency = coalesce(k.currency, shop.currency) THEN bought.amount ELSE 0 END
    FROM wanted w
    JOIN shops_shop shop ON shop.id = %(shop_id)s
    LEFT JOIN orders_cart k ON k.id = w.subject_id AND w.subject_kind = 2
    LEFT JOIN LATERAL (
        SELECT o.paid_at, o.currency, o.captured - o.refunded AS amount FROM (
            SELECT o.id, o.paid_at, o.currency, o.captured, o.refunded FROM orders_order o
            WHERE o.shop_id = %(shop_id)s AND o.contact_id = w.contact_id AND o.placed_at >= w.entered_at
              AND o.placed_at < w.entered_at + %(window)s
            UNION ALL
            SELECT o.id, o.paid_at, o.currency, o.captured, o.refunded FROM orders_order o
            WHERE k.order_ref <> '' AND o.id = {order_became_k}
        ) o
        WHERE o.paid_at IS NOT NULL ORDER BY o.paid_at, o.id LIMIT 1
    ) bought ON true
    WHERE w.subject_kind <> 1
), counted AS (
    SELECT j.*, coalesce(j.paid_at < j.entered_at + %(window)s, false) AS is_paid,
           CASE WHEN j.paid_at < j.entered_at THEN 'before'
                WHEN j.entered_at > %(now)s - %(window)s THEN 'young' ELSE 'judged' END AS part
    FROM judged j
)
SELECT (c.entered_at AT TIME ZONE %(zone)s)::date AS day, c.currency, c.arm, c.part,
       count(*), count(*) FILTER (WHERE c.is_paid),
       coalesce(sum(c.amount) FILTER (WHERE c.is_paid), 0),
       coalesce(sum(c.amount * c.amount) FILTER (WHERE c.is_paid), 0)
FROM counted c
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
