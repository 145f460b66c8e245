-- Due enrolments of one priority with everything that their advance may look at. Crosses shops on purpose: the engine
-- serves all of them. `mark` keeps the scan off the dead rows that an old snapshot holds (performance goal 4).
WITH picked AS MATERIALIZED (
    SELECT * FROM processes_enrolment
    WHERE state IN (1, 2) AND prio = %(prio)s AND run_at <= %(now)s AND run_at >= %(mark)s
    ORDER BY run_at LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
)
SELECT e.id, e.shop_id, e.process_id, e.version_id, e.contact_id, e.case_id, e.subject_kind, e.subject_id, e.state,
       e.node, e.step_no, e.entered_at, e.node_at, e.anchor_shift, e.due_at, e.run_at, e.wait_mask, e.prio,
       e.last_message_step, e.attempt, e.flags, e.variables::text,
       p.status,
       o.placed_at, o.total, o.total_due, o.currency, o.method, o.is_offline_method, o.cause, o.status,
       o.paid_at, o.paid_learnt_at, o.cancelled_at, o.superseded_at, o.promised_at, o.claimed_until, o.paused_at,
       o.product_refs,
       c.last_activity_at, c.total, c.currency, c.item_count, c.converted_at, c.emptied_at, c.product_refs,
       c.superseded_at,
       ct.time_zone, ct.locale, ct.country, s.time_zone, s.country, rc.closed_at, m.messages
FROM picked e
JOIN processes_process p ON p.id = e.process_id
JOIN shops_shop s ON s.id = e.shop_id
LEFT JOIN LATERAL (
    SELECT oo.placed_at, oo.total, greatest(oo.total - oo.discount_given - oo.captured + oo.refunded, 0) AS total_due,
           oo.currency,
           oo.method, oo.is_offline_method, coalesce(cc.cause, '') AS cause, oo.status, oo.paid_at,
           oo.paid_learnt_at, coalesce(oo.cancelled_at, CASE WHEN oo.status = 'false' THEN oo.version_at END)
               AS cancelled_at,
           oo.superseded_at, oo.promised_at, oo.claimed_until, oo.paused_at,
           oo.product_refs
    FROM orders_order oo LEFT JOIN recovery_recoverycase cc ON cc.id = e.case_id
    WHERE e.subject_kind = 1 AND oo.id = e.subject_id
) o ON true
LEFT JOIN LATERAL (
    SELECT k.last_activity_at, k.total, k.currency, jsonb_array_length(k.lines) AS item_count, k.converted_at,
           CASE WHEN k.state = 'emptied' THEN k.last_activity_at END AS emptied_at,
           k.product_refs,
           (SELECT min(n.placed_at) FROM orders_order n
            WHERE n.shop_id = k.shop_id AND n.contact_id = k.contact_id AND n.placed_at > k.last_activity_at)
               AS superseded_at
    FROM orders_cart k WHERE e.subject_kind = 2 AND k.id = e.subject_id
) c ON true
LEFT JOIN LATERAL (SELECT time_zone, locale, country FROM customers_contact WHERE id = e.contact_id) ct ON true
LEFT JOIN LATERAL (SELECT closed_at FROM recovery_recoverycase WHERE id = e.case_id) rc ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(
               g.step_no, g.node, g.state, g.reason, g.settled_at, g.handed_at, g.opened_at, g.clicked_at))::text
               AS messages
    FROM messaging_message g
    WHERE e.last_message_step IS NOT NULL AND g.enrolment_id = e.id
) m ON true
