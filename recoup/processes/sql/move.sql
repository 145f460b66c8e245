-- Move up to `limit` of those inside a process to another version, as the rules say; a line of the ledger each. Whoever is
-- locked by somebody else is left for the next round. Walks the active ones of the process alone, by their active key.
WITH rule AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(rules)s::jsonb) AS r (
        version_id bigint, number smallint, node smallint, action text, to_node smallint, mask bigint, wakes boolean,
        goal_bits int[], loosens boolean, round_key text, is_send boolean)
), picked AS MATERIALIZED (
    SELECT id, version_id, node, active_key, due_at FROM processes_enrolment
    WHERE shop_id = %(shop_id)s AND process_id = %(process)s AND active_key >= %(cursor)s AND version_id = ANY(%(versions)s)
    ORDER BY active_key LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE processes_enrolment e SET
        version_id = %(target)s, node = r.to_node, step_no = e.step_no + 1, wait_mask = r.mask, attempt = 0,
        node_at = CASE WHEN r.action = 'enter' THEN greatest(e.node_at, %(now)s) ELSE e.node_at END,
        due_at = CASE WHEN r.action = 'keep' THEN e.due_at END,
        state = CASE WHEN e.state IN (1, 2) AND (r.action = 'enter' OR r.wakes
                     OR r.action = 'recompute' AND e.due_at IS NOT NULL) THEN 2 ELSE e.state END,
        prio = CASE WHEN e.state IN (1, 2) AND (r.action = 'enter' OR r.wakes
                    OR r.action = 'recompute' AND e.due_at IS NOT NULL) THEN 2 ELSE e.prio END,
        run_at = CASE WHEN e.state IN (1, 2) AND (r.action = 'enter' OR r.wakes
                      OR r.action = 'recompute' AND e.due_at IS NOT NULL) THEN least(e.run_at, %(now)s)
                 ELSE e.run_at END,
        flags = CASE WHEN r.goal_bits = '{}' OR e.flags & 4080 = 0 THEN e.flags ELSE (e.flags & ~4080) | (
                    SELECT coalesce(bit_or(g.bit), 0) FROM unnest(r.goal_bits) WITH ORDINALITY AS g (bit, n)
                    WHERE e.flags & (8 << g.n::int) <> 0) END
                & CASE WHEN r.action = 'enter' THEN ~8200 ELSE -1 END
                & CASE WHEN r.loosens AND e.due_at IS NOT NULL THEN ~8196 ELSE -1 END,
        variables = CASE WHEN r.round_key <> '' AND e.due_at IS NOT NULL AND (e.variables ->> r.round_key)::int > 0
                    THEN jsonb_set(e.variables, ARRAY[r.round_key], to_jsonb((e.variables ->> r.round_key)::int - 1))
                    ELSE e.variables END
    FROM picked p JOIN rule r ON r.version_id = p.version_id AND r.node = p.node AND r.action <> 'exit'
    WHERE e.id = p.id
    RETURNING e.id, e.shop_id, e.step_no, e.node, e.node_at, r.number,
        r.is_send AND r.action = 'enter' AND p.due_at IS NOT NULL AS leaves_message
), logged AS (
    INSERT INTO processes_step_log (enrolment_id, step_no, shop_id, version_id, node, outcome, arm, at, done_at, reason)
    SELECT id, step_no, shop_id, %(target)s, node, %(code)s, number, node_at, %(now)s, '' FROM moved
)
SELECT (SELECT count(*) FROM picked), (SELECT max(active_key) FROM picked), (SELECT count(*) FROM moved),
    (SELECT array_agg(id ORDER BY id) FROM moved WHERE leaves_message),
    (SELECT array_agg(p.id ORDER BY p.id) FROM picked p JOIN rule r ON r.version_id = p.version_id AND r.node = p.node
     WHERE r.action = 'exit')
