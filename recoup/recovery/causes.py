"""Why an order is unpaid (B10): one SQL for the sweep that opens its case and for the payments that fail afterwards."""


def cause_of(order: str) -> str:
    """Return SQL for the cause of an unpaid order, over a table alias of ours."""
    return f"""CASE
        WHEN {order}.failure_class IN ('soft', 'hard', 'user', 'auth', 'technical', 'fraud', 'config')
            THEN {order}.failure_class
        WHEN {order}.failure_class <> '' THEN 'unknown'
        WHEN {order}.is_offline_method OR {order}.payment_state = 'on_hold' THEN 'offline'
        WHEN {order}.payment_state = 'failed' OR {order}.captured > 0 THEN 'unknown'
        ELSE 'no_payment'
    END"""
