judged AS MATERIALIZED (
    SELECT w.*, o.currency, least(o.paid_at, n.paid_at) AS paid_at,
           CASE WHEN o.paid_at <= coalesce(n.paid_at, 'infinity') THEN o.id ELSE n.id END AS order_id
    FROM entered w
    JOIN orders_order o ON o.id = w.subject_id
    LEFT JOIN orders_order n ON n.id = coalesce(o.superseded_by_id, o.duplicate_of_id)
    WHERE w.subject_kind = 1
    UNION ALL
    SELECT w.*, coalesce(k.currency, shop.currency), bought.paid_at, bought.id
    FROM entered w
    JOIN shops_shop shop ON shop.id = %(shop_id)s
    LEFT JOIN orders_cart k ON k.id = w.subject_id AND w.subject_kind = 2
    LEFT JOIN LATERAL (
        SELECT o.id, o.paid_at FROM (
            SELECT o.id, o.paid_at FROM orders_order o
            WHERE o.shop_id = %(shop_id)s AND o.contact_id = w.contact_id AND o.placed_at >= w.entered_at
              AND o.placed_at < w.entered_at + %(window)s
            UNION ALL
            SELECT o.id, o.paid_at FROM orders_order o
            WHERE k.order_ref <> '' AND o.id = {order_became_k}
        ) o
        WHERE o.paid_at IS NOT NULL ORDER BY o.paid_at, o.id LIMIT 1
    ) bought ON true
    WHERE w.subject_kind <> 1
), people AS MATERIALIZED (
    SELECT j.*, coalesce(j.paid_at < j.entered_at + %(window)s, false) AS is_paid FROM judged j
    WHERE j.entered_at >= %(start)s AND j.entered_at < %(end)s AND j.entered_at <= %(now)s - %(window)s
      AND (j.paid_at IS NULL OR j.paid_at >= j.entered_at) AND j.currency = %(currency)s
), worth AS (
    SELECT p.arm, p.is_paid, coalesce(s.is_unknown OR NOT s.is_same, false) AS is_unknown,
           coalesce(s.is_guessed, false) AS is_guessed, sent.others,
           coalesce(CASE WHEN s.is_same THEN s.profit END, 0) - sent.price AS profit,
           coalesce(CASE WHEN s.is_same THEN s.spent END, 0) + sent.price AS spent
    FROM people p
    LEFT JOIN LATERAL (
        -- What is left of a sale. What came back of the money took as much of its goods along; the operator keeps its fee.
        SELECT o.currency = p.currency AS is_same,
               goods.unknown > 0 AND %(default_cost)s::numeric IS NULL OR %(fixed_fee)s::numeric IS NULL AS is_unknown,
               goods.unknown > 0 AS is_guessed,
               part.kept * part.net
                   - (goods.known + goods.unknown * coalesce(list.raised, 1) * coalesce(%(default_cost)s::numeric, 0) / 100
                       + coalesce(o.shipping_total, 0) * part.net) * part.of_goods
                   - o.captured * %(fee)s::numeric / 100 - coalesce(%(fixed_fee)s::numeric, 0) - given.gifts AS profit,
               given.spent
        FROM orders_order o
        CROSS JOIN LATERAL (
            SELECT o.captured - o.refunded AS kept,
                   CASE WHEN o.captured > 0 THEN (o.captured - o.refunded) / o.captured ELSE 0 END AS of_goods,
                   CASE WHEN o.total > 0
                       THEN least(greatest(1 - coalesce(o.tax_total, o.total * %(tax)s::numeric) / o.total, 0), 1)
                       ELSE 1 END AS net
        ) part
        CROSS JOIN LATERAL (
            SELECT CASE WHEN count(*) = 0 THEN o.total - coalesce(o.shipping_total, 0)
                       ELSE coalesce(sum(l.total) FILTER (WHERE c.cost IS NULL), 0) END AS unknown,
                   coalesce(sum(c.cost * l.quantity), 0) AS known,
                   coalesce(nullif(sum(l.total), 0), o.total - coalesce(o.shipping_total, 0)) AS sold
            FROM orders_orderline l
            -- As `offers.baskets._Costs`: by its own source, by a file (of ours any source), by the article number. The first
            -- place that knows the goods answers; those behind it are not looked at.
            LEFT JOIN LATERAL (
                SELECT true AS is_found, CASE WHEN x.currency = o.currency THEN x.cost END AS cost FROM catalog_product x
                WHERE x.shop_id = o.shop_id AND x.source_id = o.source_id AND x.ref = l.product_ref AND l.product_ref <> ''
                  AND x.variant_ref IN (l.variant_ref, '') AND x.cost IS NOT NULL
                ORDER BY x.variant_ref = l.variant_ref DESC LIMIT 1
            ) of_source ON true
            LEFT JOIN LATERAL (
                SELECT true AS is_found, CASE WHEN count(DISTINCT x.cost) FILTER (WHERE x.currency = o.currency) = 1
                                             THEN min(x.cost) FILTER (WHERE x.currency = o.currency) END AS cost
                FROM catalog_product x JOIN shops_source s ON s.id = x.source_id
                JOIN shops_source mine ON mine.id = o.source_id
                WHERE of_source.is_found IS NULL AND x.shop_id = o.shop_id AND s.shop_id = o.shop_id
                  AND x.ref = l.product_ref AND l.product_ref <> ''
                  AND x.variant_ref IN (l.variant_ref, '') AND x.cost IS NOT NULL
                  AND (mine.kind = %(own)s OR s.kind = %(file)s)
                GROUP BY x.variant_ref ORDER BY x.variant_ref = l.variant_ref DESC LIMIT 1
            ) of_file ON true
            LEFT JOIN LATERAL (
                SELECT CASE WHEN count(DISTINCT x.cost) FILTER (WHERE x.currency = o.currency) = 1
                           THEN min(x.cost) FILTER (WHERE x.currency = o.currency) END AS cost
                FROM catalog_product x
                WHERE of_source.is_found IS NULL AND of_file.is_found IS NULL
                  AND x.shop_id = o.shop_id AND x.sku = l.sku AND x.sku <> '' AND x.cost IS NOT NULL AND NOT x.is_deleted
            ) of_number ON true
            -- Only one of the three has answered, whatever it knew.
            CROSS JOIN LATERAL (SELECT coalesce(of_source.cost, of_file.cost, of_number.cost) AS cost) c
            WHERE l.order_id = o.id
        ) goods
        CROSS JOIN LATERAL (
            -- A share stands in for a cost, and goods cost no less with a coupon: it is a share of what stood on the list. A
            -- shop's coupon is off the total, and off the lines too where they add up to no more than it.
            SELECT greatest(1, least(goods.sold + off.sum, o.total - coalesce(o.shipping_total, 0) + off.sum)
                               / nullif(goods.sold, 0)) AS raised
            FROM (
                SELECT greatest(coalesce(o.discount_total, 0), coalesce(sum((k.coupon ->> 'discount')::numeric), 0)) AS sum
                FROM jsonb_array_elements(CASE WHEN jsonb_typeof(o.coupons) = 'array' THEN o.coupons END) k(coupon)
            ) off
        ) list
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(r.cost) FILTER (WHERE f.kind = 'gift' AND r.discount = 0), 0) AS gifts,
                   coalesce(sum(r.cost), 0) AS spent
            FROM offers_redemption r JOIN offers_offer f ON f.id = r.offer_id
            WHERE r.order_id = o.id AND r.paid_at IS NOT NULL AND r.freed_at IS NULL
        ) given
        WHERE p.is_paid AND o.id = p.order_id
    ) s ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(m.price) FILTER (WHERE m.price_currency = p.currency), 0) AS price,
               count(*) FILTER (WHERE m.price > 0 AND m.price_currency <> p.currency) AS others
        FROM messaging_message m
        WHERE m.enrolment_id = p.enrolment_id AND m.state IN ('sent', 'uncertain')
    ) sent
)
SELECT arm, count(*), sum(profit), sum(profit * profit), count(*) FILTER (WHERE is_paid),
       count(*) FILTER (WHERE is_unknown), count(*) FILTER (WHERE is_guessed), sum(others), sum(spent)
FROM worth GROUP BY arm ORDER BY arm
