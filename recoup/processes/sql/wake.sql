-- Make the waiting enrolments ready that listen to these events. Locked in key order, the mask tested on the locked row.
-- Crosses shops on purpose: a batch of news does. Subjects are ids of orders and carts, unique over all shops.
WITH news AS (
    SELECT * FROM unnest(%(kinds)s::smallint[], %(subjects)s::bigint[], %(bits)s::bigint[]) AS n (kind, subject, bit)
), listening AS (
    SELECT e.id, n.bit FROM news n
    JOIN processes_enrolment e ON e.subject_kind = n.kind AND e.subject_id = n.subject AND e.state IN (1, 2, 3)
), locked AS (
    SELECT e.id, e.wait_mask FROM processes_enrolment e
    WHERE e.id IN (SELECT id FROM listening) ORDER BY e.id FOR NO KEY UPDATE
)
UPDATE processes_enrolment e SET state = 2, prio = 0, run_at = least(e.run_at, %(now)s)
FROM locked l
WHERE e.id = l.id AND e.state IN (1, 2)
  AND EXISTS (SELECT FROM listening n WHERE n.id = l.id AND l.wait_mask & n.bit <> 0)
