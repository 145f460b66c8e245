-- What the tallies of a shop's cases must add up to, from the cases themselves: as the triggers write them.
SELECT f.figure, c.kind, c.currency, date_bin('15 minutes', f.at, TIMESTAMPTZ '2000-01-01 00:00+00') AS at,
       sum(f.value) AS value
FROM recovery_recoverycase c
CROSS JOIN LATERAL (VALUES
    ('open', c.opened_at, 1::numeric),
    ('open', c.closed_at, -1),
    ('waiting', c.opened_at, c.amount),
    ('waiting', c.closed_at, -c.amount),
    ('messaged', CASE WHEN c.messages_sent > 0 AND c.outcome NOT IN ('false', 'duplicate') THEN c.opened_at END, 1),
    ('recovered', CASE WHEN c.outcome = 'recovered' THEN c.opened_at END, 1),
    ('money', c.recovered_at, c.recovered_amount - c.refunded_amount)
) AS f (figure, at, value)
WHERE c.shop_id = %(shop_id)s AND f.at IS NOT NULL
GROUP BY 1, 2, 3, 4
HAVING sum(f.value) <> 0
