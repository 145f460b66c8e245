-- How long after a payment became true each source of a shop told us, over the recovered orders of a period.
SELECT s.id, s.name, count(*), avg(o.paid_learnt_at - o.paid_at), max(o.paid_learnt_at - o.paid_at)
FROM recovery_recoverycase c
JOIN orders_order o ON o.id = coalesce(c.order_id, c.paid_order_id)
JOIN shops_source s ON s.id = o.source_id
WHERE c.shop_id = %(shop_id)s AND c.recovered_at >= %(start)s AND c.recovered_at < %(end)s
  AND o.paid_learnt_at IS NOT NULL
GROUP BY s.id, s.name
ORDER BY s.name, s.id
