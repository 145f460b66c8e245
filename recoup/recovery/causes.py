"""Why an order is unpaid (B10): one SQL for the sweep that opens its case and for the payments that fail afterwards."""

from recoup.shops.snapshots import FAILED_BY_WORD


def _failure(failure_class: str) -> str:
    return f"""CASE WHEN {failure_class} IN ('soft', 'hard', 'user', 'auth', 'technical', 'fraud', 'config')
            THEN {failure_class} ELSE 'unknown' END"""


def cause_of(order: str) -> str:
    """Return SQL for the cause of an unpaid order, over a table alias of ours.

    Whoever tries again after a payment failed is unpaid for that failure still: the new attempt may never end. It is over
    when the shop awaits a transfer, and one that was known by the shop's word alone is over with that word.
    """
    return f"""CASE
        WHEN {order}.failure_class <> '' THEN {_failure(f"{order}.failure_class")}
        WHEN {order}.is_offline_method OR {order}.payment_state = 'on_hold' THEN 'offline'
        ELSE coalesce(
            (SELECT {_failure("a.failure_class")} FROM payments_attempt a
             WHERE {order}.shop_state <> 'on_hold' AND a.order_id = {order}.id AND a.state = 'failed'
               AND a.settled_at = {order}.failed_at AND a.currency = {order}.currency
               AND NOT starts_with(a.ref, '{FAILED_BY_WORD}')
             ORDER BY a.id DESC LIMIT 1),
            CASE WHEN {order}.payment_state = 'failed' OR {order}.captured > 0 THEN 'unknown' ELSE 'no_payment' END)
    END"""  # noqa: S608 - put together from an alias of ours
