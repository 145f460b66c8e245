"""The statements that close and restate cases. Their rows are locked by the caller; a batch of news crosses shops.

The rows are locked by a statement of its own before: what is counted afterwards is then at least as new as the lock.
"""

from recoup.orders.became import order_became
from recoup.orders.queries import is_paid_on_delivery
from recoup.recovery.causes import cause_of
from recoup.shops.snapshots import FAILED_BY_WORD

CLOSE = """
UPDATE recovery_recoverycase c SET outcome = %(outcome)s, closed_at = %(now)s
WHERE c.id = ANY(%(cases)s) AND c.closed_at IS NULL
RETURNING c.id, c.shop_id, c.kind, coalesce(c.order_id, c.cart_id), c.outcome
"""

# Cases of orders that ended by themselves: why stands on the order.
CLOSE_ENDED = """
UPDATE recovery_recoverycase c SET
    closed_at = %(now)s,
    outcome = CASE
        WHEN o.superseded_by_id IS NOT NULL THEN 'superseded'
        WHEN o.duplicate_of_id IS NOT NULL THEN 'duplicate'
        ELSE o.status
    END
FROM orders_order o
WHERE c.id = ANY(%(cases)s) AND c.closed_at IS NULL AND o.id = c.order_id AND o.status IN ('cancelled', 'false')
RETURNING c.id, c.shop_id, c.kind, c.order_id, c.outcome
"""

# No reminder has anything to ask for: the total is zero now, or the buyer pays when the goods come.
NOTHING_TO_ASK = f"""
SELECT c.id FROM recovery_recoverycase c JOIN orders_order o ON o.id = c.order_id
WHERE c.order_id = ANY(%(orders)s) AND c.closed_at IS NULL
  AND (o.payment_state = 'nothing_due' OR {is_paid_on_delivery("o")})
"""  # noqa: S608 - put together from a condition of ours

# A person took the cancellation back: the case goes on in the numbers, its reminders do not start again.
REOPEN = f"""
UPDATE recovery_recoverycase c SET outcome = '', closed_at = NULL
FROM orders_order o
WHERE c.id = ANY(%(cases)s) AND c.outcome IN ('cancelled', 'false', 'superseded', 'duplicate') AND o.id = c.order_id
  AND o.status NOT IN ('completed', 'cancelled', 'false') AND c.lapses_at > %(now)s
  AND o.payment_state IN ('owed', 'on_hold', 'failed', 'partly_paid')
  AND o.superseded_by_id IS NULL AND o.duplicate_of_id IS NULL AND NOT {is_paid_on_delivery("o")}
RETURNING c.id
"""  # noqa: S608 - put together from a condition of ours

FOLLOW_AMOUNTS = """
UPDATE recovery_recoverycase c SET amount = due.amount, currency = due.currency
FROM (
    SELECT c.id, coalesce(k.currency, o.currency) AS currency, CASE WHEN c.kind = 'cart' THEN k.total
        ELSE o.total - o.discount_given - o.captured + o.refunded END AS amount
    FROM recovery_recoverycase c
    LEFT JOIN orders_order o ON o.id = c.order_id
    LEFT JOIN orders_cart k ON k.id = c.cart_id
    WHERE c.id = ANY(%(cases)s) AND c.closed_at IS NULL
) due
WHERE c.id = due.id AND (c.amount <> due.amount OR c.currency <> due.currency) AND due.amount > 0
"""

FOLLOW_CAUSES = f"""
UPDATE recovery_recoverycase c SET cause = why.cause
FROM (
    SELECT c.id, {cause_of("o")} AS cause
    FROM recovery_recoverycase c JOIN orders_order o ON o.id = c.order_id
    WHERE c.id = ANY(%(cases)s) AND c.closed_at IS NULL
) why
WHERE c.id = why.id AND c.cause <> why.cause
"""  # noqa: S608 - put together from an alias of ours

# A failure that is over, because its buyer pays otherwise, is the cause no more (`payments.queries`): what the shop's word
# alone told ends with that word, any other when the shop awaits a transfer. The back-test knows it too (`causes`).
END_CAUSES = f"""
UPDATE recovery_recoverycase c SET cause = why.cause
FROM (
    SELECT c.id, {cause_of("o")} AS cause
    FROM recovery_recoverycase c JOIN orders_order o ON o.id = c.order_id
    WHERE c.id = ANY(%(cases)s) AND c.closed_at IS NULL AND o.failure_class = '' AND o.version_at >= o.failed_at
      AND (o.shop_state = 'on_hold' OR o.shop_state = 'pending' AND EXISTS (
          SELECT FROM payments_attempt a WHERE a.order_id = o.id AND a.state = 'failed' AND a.settled_at = o.failed_at
            AND starts_with(a.ref, '{FAILED_BY_WORD}')))
) why
WHERE c.id = why.id AND c.cause <> why.cause
"""  # noqa: S608 - put together from an alias and a word of ours

COUNT_MESSAGES = """
UPDATE recovery_recoverycase c SET messages_sent = m.sent, first_message_at = m.first_at
FROM (
    SELECT w.id, count(m.id) AS sent, min(m.handed_at) AS first_at
    FROM unnest(%(cases)s::bigint[]) AS w (id)
    LEFT JOIN messaging_message m ON m.case_id = w.id AND m.state = 'sent' AND m.purpose = 'reminder' AND NOT m.is_test
    GROUP BY w.id
) m
WHERE c.id = m.id AND (c.messages_sent, c.first_message_at) IS DISTINCT FROM (m.sent, m.first_at)
"""


def _has_written(case: str) -> str:
    return f"""EXISTS (SELECT FROM messaging_message m WHERE m.case_id = {case}.id AND m.purpose = 'reminder'
        AND NOT m.is_test AND m.state IN ('sent', 'handing', 'uncertain'))"""


# Cases that these paid orders decide: their own, and those of the carts that they were before, unless the order had a
# case itself: money is credited once. An order that was placed by a link of ours instead of another one decides the case of
# that one, unless its own case sent something: the reminders of the other one brought the buyer here.
PAID_CASES = f"""
WITH paid AS MATERIALIZED (
    SELECT id, shop_id, source_id, contact_id, ref, cart_ref, replaces_id, placed_at, paid_at FROM orders_order
    WHERE id = ANY(%(orders)s) AND paid_at IS NOT NULL
), alone AS (
    SELECT p.* FROM paid p WHERE NOT EXISTS (
        SELECT FROM recovery_recoverycase c WHERE c.order_id IN (p.id, p.replaces_id))
)
SELECT c.id, p.id FROM paid p JOIN recovery_recoverycase c ON c.order_id = p.id
UNION
SELECT c.id, p.id FROM alone p
JOIN orders_cart k ON k.shop_id = p.shop_id AND k.ref = p.cart_ref AND p.cart_ref <> ''
    AND k.source_id = ANY(ARRAY(SELECT s.id FROM shops_source s WHERE s.shop_id = p.shop_id))  -- by key in 16, too
JOIN recovery_recoverycase c ON c.cart_id = k.id
WHERE k.source_id = p.source_id OR p.id = {order_became("k")}
UNION
SELECT c.id, p.id FROM alone p
CROSS JOIN LATERAL (  -- behind a fence: else a batch reads all carts of all shops in the order of their people
    SELECT * FROM orders_cart WHERE shop_id = p.shop_id AND contact_id = p.contact_id AND order_ref = p.ref OFFSET 0
) k
JOIN recovery_recoverycase c ON c.cart_id = k.id
WHERE p.id = {order_became("k")}
UNION
SELECT c.id, p.id FROM paid p
JOIN orders_order replaced ON replaced.id = p.replaces_id AND replaced.shop_id = p.shop_id AND replaced.paid_at IS NULL
JOIN recovery_recoverycase c ON c.order_id = replaced.id
LEFT JOIN recovery_recoverycase own ON own.order_id = p.id
WHERE (own.id IS NULL OR {_has_written("c")} AND NOT {_has_written("own")})
  AND NOT EXISTS (
    SELECT FROM orders_order later WHERE later.replaces_id = p.replaces_id AND (later.paid_at, later.id) > (p.paid_at, p.id))
"""  # noqa: S608 - put together from aliases of ours

# Recovered: paid after at least one message of the case, before it lapsed. The credit goes to the message whose link opened
# the paying attempt, else to the one followed last, else to the one sent last, all before the money came.
# How much: what came from the first of these messages on until all was paid, at most what was owed; read from the payments,
# because the sum of a case follows what is still owed. What came after that is paid twice: giving it back takes nothing off.
# A cart counts in the currency in which its order was paid.
SETTLE_PAID = """
WITH judged AS MATERIALIZED (
    SELECT c.id, c.closed_at, c.outcome AS was, o.id AS order_id, o.paid_at, credit.id AS message_id,
           credit.id IS NOT NULL AND o.paid_at < c.lapses_at AS is_recovered,
           least(o.captured - came.before - came.later,
                 greatest(o.total - o.discount_given - came.before + o.refunded,
                          CASE WHEN c.kind = 'order' THEN c.amount END)) AS amount,
           o.currency, CASE WHEN c.currency = o.currency THEN c.amount ELSE o.total END AS case_amount,
           greatest(o.refunded - came.later, 0) AS refunded, o.payment_state = 'disputed' AS is_disputed
    FROM unnest(%(cases)s::bigint[], %(orders)s::bigint[]) AS w (case_id, order_id)
    JOIN recovery_recoverycase c ON c.id = w.case_id
    JOIN orders_order o ON o.id = w.order_id
    LEFT JOIN LATERAL (
        SELECT a.message_id FROM payments_attempt a
        WHERE a.order_id = o.id AND a.state IN ('succeeded', 'refunded', 'disputed') AND a.message_id IS NOT NULL
        ORDER BY a.settled_at, a.id LIMIT 1
    ) paying ON true
    LEFT JOIN LATERAL (
        SELECT m.id FROM messaging_message m
        WHERE m.case_id = c.id AND m.state = 'sent' AND m.purpose = 'reminder' AND NOT m.is_test
          AND m.handed_at < CASE WHEN c.order_id = o.id THEN o.paid_at ELSE o.placed_at END
        ORDER BY (m.id = paying.message_id) DESC NULLS LAST,
                 CASE WHEN m.clicked_at <= o.paid_at THEN m.clicked_at END DESC NULLS LAST, m.handed_at DESC, m.id DESC
        LIMIT 1
    ) credit ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(a.amount) FILTER (WHERE coalesce(a.settled_at, a.created_at) <= (
                   SELECT min(m.handed_at) FROM messaging_message m
                   WHERE m.case_id = c.id AND m.state = 'sent' AND m.purpose = 'reminder' AND NOT m.is_test)), 0) AS before,
               coalesce(sum(a.amount) FILTER (WHERE coalesce(a.settled_at, a.created_at) > o.paid_at), 0) AS later
        FROM payments_attempt a
        WHERE a.order_id = o.id AND a.currency = o.currency AND a.state IN ('succeeded', 'refunded', 'disputed')
    ) came ON true
), decided AS (
    SELECT id, closed_at, was, order_id, currency, case_amount,
           CASE WHEN is_recovered THEN 'recovered' ELSE 'paid_unaided' END AS outcome,
           CASE WHEN is_recovered THEN message_id END AS message_id,
           CASE WHEN is_recovered THEN paid_at END AS recovered_at,
           CASE WHEN is_recovered THEN amount END AS amount,
           CASE WHEN is_recovered THEN CASE WHEN is_disputed THEN amount ELSE least(amount, refunded) END ELSE 0 END
               AS refunded
    FROM judged
)
UPDATE recovery_recoverycase c SET
    outcome = d.outcome, closed_at = coalesce(c.closed_at, %(now)s), credited_message_id = d.message_id,
    recovered_at = d.recovered_at, recovered_amount = d.amount, refunded_amount = d.refunded,
    currency = d.currency, amount = d.case_amount,
    paid_order_id = CASE WHEN c.order_id IS DISTINCT FROM d.order_id THEN d.order_id END
FROM decided d
WHERE c.id = d.id
  AND (c.outcome, c.credited_message_id, c.recovered_at, c.recovered_amount, c.refunded_amount, c.currency)
      IS DISTINCT FROM (d.outcome, d.message_id, d.recovered_at, d.amount, d.refunded, d.currency)
RETURNING c.id, c.shop_id, c.kind, coalesce(c.order_id, c.cart_id), c.outcome, d.was
"""

# Crosses shops on purpose: the sweep serves all of them.
LAPSED = """
SELECT id FROM recovery_recoverycase WHERE lapses_at <= %(now)s AND closed_at IS NULL
ORDER BY lapses_at, id LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
"""

# Orders paid on delivery whose shop has given them a time by now. As `orders.queries.check_instant`.
SCHEDULE_ON_DELIVERY = """
WITH picked AS MATERIALIZED (
    SELECT o.id, o.placed_at + make_interval(mins => own.minutes) AS check_at
    FROM orders_order o
    JOIN shops_source s ON s.id = o.source_id
    JOIN shops_waitingtime own ON own.shop_id = o.shop_id AND own.method = o.method
    WHERE o.shop_id = %(shop)s AND o.id > %(last)s AND o.method = ANY(%(on_delivery)s)
      AND o.check_at IS NULL AND o.unpaid_at IS NULL
      AND o.status = ANY(%(open)s) AND o.payment_state = ANY(%(owed)s) AND o.shop_state <> 'unknown'
      AND o.total > 0 AND NOT o.is_backfill AND NOT o.is_test AND o.placed_at >= s.live_since
      AND o.superseded_by_id IS NULL AND o.duplicate_of_id IS NULL
    ORDER BY o.id LIMIT %(batch)s FOR NO KEY UPDATE OF o
)
UPDATE orders_order o SET check_at = p.check_at FROM picked p WHERE o.id = p.id
RETURNING o.id
"""

# As `orders.queries.waiting_minutes`: the method's own time, none on delivery, then that of all offline methods, then the
# shop's.
RESCHEDULE = """
WITH picked AS MATERIALIZED (
    SELECT id, shop_id, method, is_offline_method, placed_at FROM orders_order
    WHERE shop_id = %(shop)s AND check_at IS NOT NULL AND id > %(last)s
    ORDER BY id LIMIT %(batch)s FOR NO KEY UPDATE
)
UPDATE orders_order o SET check_at = p.placed_at + make_interval(mins => coalesce(
    own.minutes,
    CASE WHEN p.method = ANY(%(on_delivery)s) THEN NULL
        WHEN p.is_offline_method
        THEN coalesce(offline.minutes, greatest(%(offline_minutes)s, shop.unpaid_after_minutes))
        ELSE shop.unpaid_after_minutes END))
FROM picked p
JOIN shops_shop shop ON shop.id = p.shop_id
LEFT JOIN shops_waitingtime own ON own.shop_id = p.shop_id AND own.method = p.method AND p.method <> ''
LEFT JOIN shops_waitingtime offline ON offline.shop_id = p.shop_id AND offline.method = 'offline'
WHERE o.id = p.id
RETURNING o.id
"""
