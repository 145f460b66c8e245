-- Write what a batch decided about its enrolments. Keys of the ended ones are emptied. The rows are locked by the pick.
-- Crosses shops on purpose: a batch holds enrolments of many.
UPDATE processes_enrolment e SET
    state = n.state, node = n.node, step_no = n.step_no, node_at = n.node_at, anchor_shift = n.anchor_shift,
    due_at = n.due_at, run_at = n.run_at, wait_mask = n.wait_mask, prio = n.prio,
    last_message_step = n.last_message_step, attempt = n.attempt, flags = n.flags, variables = n.variables,
    active_key = CASE WHEN n.state >= 8 THEN NULL ELSE e.active_key END,
    group_key = CASE WHEN n.state >= 8 THEN NULL ELSE e.group_key END
FROM unnest(%s::bigint[], %s::smallint[], %s::smallint[], %s::int[], %s::timestamptz[], %s::interval[],
            %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::smallint[], %s::int[], %s::smallint[],
            %s::smallint[], %s::jsonb[])
    AS n (id, state, node, step_no, node_at, anchor_shift, due_at, run_at, wait_mask, prio, last_message_step,
          attempt, flags, variables)
WHERE e.id = n.id
