-- Reminders of a shop that were handed over in a period although the order was paid: after we knew, and before we could.
-- A reminder of a cart counts by the order that the cart became.
SELECT count(*) FILTER (WHERE late.handed_at >= late.paid_learnt_at) AS after_known,
       count(*) FILTER (WHERE late.handed_at < late.paid_learnt_at) AS before_known
FROM (
    SELECT m.handed_at, o.paid_learnt_at
    FROM messaging_message m JOIN orders_order o ON o.id = m.order_id
    WHERE m.shop_id = %(shop_id)s AND m.handed_at >= %(start)s AND m.handed_at < %(end)s
      AND m.state IN ('sent', 'uncertain') AND NOT m.is_test AND m.purpose = 'reminder' AND m.handed_at >= o.paid_at
    UNION ALL
    SELECT m.handed_at, o.paid_learnt_at
    FROM messaging_message m
    JOIN orders_cart k ON k.id = m.cart_id
    JOIN orders_order o ON o.id = {order_became_k}
    WHERE m.shop_id = %(shop_id)s AND m.handed_at >= %(start)s AND m.handed_at < %(end)s AND m.order_id IS NULL
      AND m.state IN ('sent', 'uncertain') AND NOT m.is_test AND m.purpose = 'reminder' AND k.order_ref <> ''
      AND m.handed_at >= o.paid_at
) late
