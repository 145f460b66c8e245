-- Move up to `limit` of those inside a process to another version, as the rules say; a line of the ledger each. Whoever is
-- locked by somebody else is left for the next round. Walks the active ones of the process alone, by their active key.
WITH rule AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(rules)s::jsonb) AS r (
        version_id bigint, number smallint, node smallint, action text, to_node smallint, mask bigint, wakes boolean,
        goal_bits int[], loosens boolean, round_key text, is_send boolean, also smallint[], also_masks bigint[],
        other smallint[], looser smallint[], again smallint[])
), picked AS MATERIALIZED (
    SELECT id, version_id, node, active_key, due_at, flags, variables FROM processes_enrolment
    WHERE shop_id = %(shop_id)s AND process_id = %(process)s AND active_key >= %(cursor)s AND version_id = ANY(%(versions)s)
    ORDER BY active_key LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), going AS MATERIALIZED (
    -- Each with what is done first (those added blocks that they have never been at, in their order), and with what is kept.
    SELECT p.id, p.due_at, r.*, t.todo, t.masks, t.todo IS NOT NULL AS is_aside,
        -- A message is under way from here, or from the place that somebody who is aside comes back to.
        r.is_send AND p.due_at IS NOT NULL OR p.variables -> 'back_step' IS NOT NULL AS has_message,
        -- The place that they come back to is a block of another kind, another wait whose instant is kept, or one that is
        -- counted again.
        (p.variables ->> 'back')::int = ANY(r.other) AS is_other, l.is_looser, (p.variables ->> 'back_step')::int AS back_step,
        p.variables -> 'back_due' IS NOT NULL AND (p.variables ->> 'back')::int = ANY(r.again) AS is_again,
        t.todo IS NOT NULL OR r.action = 'enter' AS enters, r.action = 'recompute' AND p.due_at IS NOT NULL AS begins_again,
        CASE WHEN r.goal_bits = '{}' OR p.flags & 4080 = 0 THEN p.flags ELSE (p.flags & ~4080) | (
                SELECT coalesce(bit_or(b.bit), 0) FROM unnest(r.goal_bits) WITH ORDINALITY AS b (bit, n)
                WHERE p.flags & (8 << b.n::int) <> 0) END
            & CASE WHEN r.loosens AND p.due_at IS NOT NULL OR l.is_looser THEN ~8196 ELSE -1 END AS kept_flags,
        CASE WHEN r.round_key <> '' AND p.due_at IS NOT NULL AND (p.variables ->> r.round_key)::int > 0
            THEN jsonb_set(p.variables, ARRAY[r.round_key], to_jsonb((p.variables ->> r.round_key)::int - 1))
            ELSE p.variables END AS kept_variables
    FROM picked p JOIN rule r ON r.version_id = p.version_id AND r.node = p.node AND r.action <> 'exit'
    CROSS JOIN LATERAL (
        SELECT r.action <> 'enter' AND p.variables -> 'back_due' IS NOT NULL AND (p.variables ->> 'back')::int = ANY(r.looser)
            AS is_looser
    ) l
    LEFT JOIN LATERAL (
        SELECT array_agg(a.node ORDER BY a.n) AS todo, array_agg(a.mask ORDER BY a.n) AS masks
        FROM unnest(r.also, r.also_masks) WITH ORDINALITY AS a (node, mask, n)
        WHERE coalesce(p.variables, '{}') -> 'back' IS NULL AND NOT EXISTS (
            SELECT FROM processes_step_log s WHERE s.enrolment_id = p.id AND s.node = a.node)
    ) t ON r.also <> '{}'
), moved AS (
    UPDATE processes_enrolment e SET
        version_id = %(target)s, node = CASE WHEN g.is_aside THEN g.todo[1] ELSE g.to_node END, step_no = e.step_no + 1,
        wait_mask = CASE WHEN g.is_aside THEN g.masks[1] ELSE g.mask END, attempt = 0,
        node_at = CASE WHEN g.enters THEN greatest(e.node_at, %(now)s) ELSE e.node_at END,
        due_at = CASE WHEN g.action = 'keep' AND NOT g.is_aside THEN e.due_at END,
        state = CASE WHEN e.state IN (1, 2) AND (g.enters OR g.wakes OR g.begins_again) THEN 2 ELSE e.state END,
        prio = CASE WHEN e.state IN (1, 2) AND (g.enters OR g.wakes OR g.begins_again) THEN 2 ELSE e.prio END,
        run_at = CASE WHEN e.state IN (1, 2) AND (g.enters OR g.wakes OR g.begins_again) THEN least(e.run_at, %(now)s)
                 ELSE e.run_at END,
        flags = g.kept_flags & CASE WHEN g.enters THEN ~8200 ELSE -1 END,
        variables = CASE
            WHEN g.is_aside THEN coalesce(g.kept_variables, '{}') || jsonb_strip_nulls(jsonb_build_object(
                'back', g.to_node,
                'back_at', (extract(epoch FROM e.node_at) * 1000000)::bigint,
                'back_due', CASE WHEN g.action = 'keep' THEN (extract(epoch FROM e.due_at) * 1000000)::bigint END,
                'back_step', CASE WHEN g.is_send AND e.due_at IS NOT NULL THEN e.last_message_step END,
                'back_flag', nullif(g.kept_flags & 8204, 0),
                'then', (SELECT sum(t.node::bigint << (16 * (t.n - 1)::int))::bigint
                         FROM unnest(g.todo[2:]) WITH ORDINALITY AS t (node, n))))
            WHEN g.action = 'enter' AND e.variables -> 'back' IS NOT NULL
            THEN nullif(e.variables - '{back,back_at,back_due,back_step,back_flag,then}'::text[], '{}')
            WHEN g.is_other THEN g.kept_variables - '{back_due,back_step,back_flag}'::text[] || jsonb_build_object('back_at',
                greatest((g.kept_variables ->> 'back_at')::bigint, (extract(epoch FROM %(now)s::timestamptz) * 1000000)::bigint))
            WHEN g.is_looser THEN g.kept_variables - 'back_flag'
            WHEN g.is_again THEN CASE WHEN (g.kept_variables ->> (g.kept_variables ->> 'back'))::int > 0
                THEN jsonb_set(g.kept_variables, ARRAY[g.kept_variables ->> 'back'],
                    to_jsonb((g.kept_variables ->> (g.kept_variables ->> 'back'))::int - 1))
                ELSE g.kept_variables END - 'back_due'
            ELSE g.kept_variables END
    FROM going g
    WHERE e.id = g.id
    RETURNING e.id, e.shop_id, e.step_no, e.node, e.node_at, g.number,
        g.action = 'enter' AND g.has_message AS leaves_message,
        CASE WHEN g.action <> 'enter' AND g.is_other THEN g.back_step END AS left_step
), logged AS (
    INSERT INTO processes_step_log (enrolment_id, step_no, shop_id, version_id, node, outcome, arm, at, done_at, reason)
    SELECT id, step_no, shop_id, %(target)s, node, %(code)s, number, node_at, %(now)s, '' FROM moved
)
SELECT (SELECT count(*) FROM picked), (SELECT max(active_key) FROM picked), (SELECT count(*) FROM moved),
    (SELECT array_agg(id ORDER BY id) FROM moved WHERE leaves_message),
    (SELECT array_agg(ARRAY[id, left_step] ORDER BY id) FROM moved WHERE left_step IS NOT NULL),
    (SELECT array_agg(p.id ORDER BY p.id) FROM picked p JOIN rule r ON r.version_id = p.version_id AND r.node = p.node
     WHERE r.action = 'exit')
