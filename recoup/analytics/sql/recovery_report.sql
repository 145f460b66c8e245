-- The cases of a shop that opened in a period, by currency and by day, week or month of its zone.
SELECT c.currency,
       CASE WHEN %(step)s = '' THEN NULL ELSE date_trunc(nullif(%(step)s, ''), c.opened_at AT TIME ZONE %(zone)s)::date END
           AS first_day,
       count(*) FILTER (WHERE c.outcome NOT IN ('false', 'duplicate')) AS cases,
       count(*) FILTER (WHERE c.outcome NOT IN ('false', 'duplicate') AND c.messages_sent > 0) AS messaged,
       coalesce(sum(c.messages_sent) FILTER (WHERE c.outcome NOT IN ('false', 'duplicate')), 0) AS messages,
       count(*) FILTER (WHERE c.outcome = 'recovered') AS recovered,
       count(*) FILTER (WHERE c.outcome = 'recovered' AND c.refunded_amount > 0) AS refunded,
       count(*) FILTER (WHERE c.outcome = 'paid_unaided') AS unaided,
       count(*) FILTER (WHERE c.outcome = 'superseded') AS superseded,
       count(*) FILTER (WHERE c.outcome = 'became_order') AS became_order,
       count(*) FILTER (WHERE c.outcome = 'cancelled') AS cancelled,
       count(*) FILTER (WHERE c.outcome = 'lapsed') AS lapsed,
       count(*) FILTER (WHERE c.closed_at IS NULL) AS open,
       coalesce(sum(c.recovered_amount) FILTER (WHERE c.outcome = 'recovered'), 0) AS taken,
       coalesce(sum(c.refunded_amount) FILTER (WHERE c.outcome = 'recovered'), 0) AS given_back
FROM recovery_recoverycase c
WHERE c.shop_id = %(shop_id)s AND c.opened_at >= %(start)s AND c.opened_at < %(end)s
  AND (%(kind)s = '' OR c.kind = %(kind)s)
GROUP BY 1, 2
ORDER BY 1, 2
