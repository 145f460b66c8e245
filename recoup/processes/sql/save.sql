-- Write what a batch decided about its enrolments. Keys of the ended ones are emptied. Instants come in microseconds. The rows are locked by the pick.
-- Crosses shops on purpose: a batch holds enrolments of many.
UPDATE processes_enrolment e SET
    state = n.state, node = n.node, step_no = n.step_no, node_at = 'epoch'::timestamptz + n.node_at * interval '1 microsecond', anchor_shift = n.anchor_shift,
    due_at = 'epoch'::timestamptz + n.due_at * interval '1 microsecond',
    run_at = 'epoch'::timestamptz + n.run_at * interval '1 microsecond', wait_mask = n.wait_mask, prio = n.prio,
    last_message_step = n.last_message_step, attempt = n.attempt, flags = n.flags, variables = n.variables,
    active_key = CASE WHEN n.state >= 8 THEN NULL ELSE e.active_key END,
    group_key = CASE WHEN n.state >= 8 THEN NULL ELSE e.group_key END
FROM unnest(%s::bigint[], %s::smallint[], %s::smallint[], %s::int[], %s::bigint[], %s::interval[],
            %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::int[], %s::smallint[],
            %s::smallint[], %s::jsonb[])
    AS n (id, state, node, step_no, node_at, anchor_shift, due_at, run_at, wait_mask, prio, last_message_step,
          attempt, flags, variables)
WHERE e.id = n.id
