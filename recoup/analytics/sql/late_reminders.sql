-- Reminders of a shop that were handed over in a period although the order was paid: after we knew, and before we could.
SELECT count(*) FILTER (WHERE m.handed_at >= o.paid_learnt_at) AS after_known,
       count(*) FILTER (WHERE m.handed_at < o.paid_learnt_at) AS before_known
FROM messaging_message m
LEFT JOIN orders_cart k ON k.id = m.cart_id AND k.order_ref <> ''
LEFT JOIN orders_order became ON became.shop_id = k.shop_id AND became.source_id = k.source_id AND became.ref = k.order_ref
JOIN orders_order o ON o.id = coalesce(m.order_id, became.id)
WHERE m.shop_id = %(shop_id)s AND m.handed_at >= %(start)s AND m.handed_at < %(end)s
  AND m.state IN ('sent', 'uncertain') AND NOT m.is_test AND m.purpose = 'reminder' AND m.handed_at >= o.paid_at
