-- Recovered money of a shop by the day, week or month of its zone in which it came, less what was given back.
SELECT c.currency, date_trunc(%(step)s, c.recovered_at AT TIME ZONE %(zone)s)::date AS first_day,
       count(*), sum(c.recovered_amount - c.refunded_amount)
FROM recovery_recoverycase c
WHERE c.shop_id = %(shop_id)s AND c.recovered_at >= %(start)s AND c.recovered_at < %(end)s
  AND (%(kind)s = '' OR c.kind = %(kind)s)
GROUP BY 1, 2
ORDER BY 1, 2
