-- The people of the ways of one split, by the day of its zone on which they came to it: as `effect_by_day`, which follows
-- from here on, but for where they begin. Who is left alone is sent along a way too and counts in none. Its versions are
-- those in which the split and all that lies behind it is as it is now.
WITH entered AS MATERIALIZED (
    SELECT DISTINCT ON (e.contact_id) e.id AS enrolment_id, e.contact_id, e.subject_kind, e.subject_id, l.at AS entered_at, l.arm
    FROM processes_enrolment e
    JOIN processes_step_log l ON l.enrolment_id = e.id AND l.node = %(node)s AND l.outcome = 24
        AND l.version_id = ANY(%(versions)s)  -- of then: who is inside may have been moved since
    WHERE e.shop_id = %(shop_id)s AND e.process_id = %(process_id)s
      AND e.flags & 4099 = 0
    ORDER BY e.contact_id, e.id, l.step_no
), 