-- Reminders that a shop handed over in each stretch of time; no more than %(most)s are counted in one.
SELECT counted.number
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS part (starts, ends, place)
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT FROM messaging_message m
        WHERE m.shop_id = %(shop_id)s AND m.handed_at >= part.starts AND m.handed_at < part.ends
          AND m.state = 'sent' AND NOT m.is_test AND m.purpose = 'reminder'
        LIMIT %(most)s
    ) one
) counted
ORDER BY part.place
