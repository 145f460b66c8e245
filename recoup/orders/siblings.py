"""Which other orders of the same person make an order pointless (B4, F2, F3): one SQL for the sweep and the last check.

The functions return conditions over table aliases of ours; they hold no parameters and no text from outside.
`docs/order-states.md` says the same in words.
"""


def is_same_goods(order: str, other: str, shop: str) -> str:
    """Return SQL telling whether `other` holds all that `order` holds, as far as the shop asks.

    What was placed by a link of ours instead of the other one is the same goods, at whatever they cost by then.

    `Shop.supersede_scope` may ask for nothing more than the same person. Products that are bought again and again do not
    count (F2). An order whose source told no products is compared by its sum, as are orders of two sources: what one of
    them calls product 5 is something else to the other.
    """
    return f"""CASE
        WHEN {shop}.supersede_scope = 'person' OR {replaces(order, other)} OR {replaces(other, order)} THEN true
        WHEN {order}.product_refs = '{{}}' OR {other}.source_id <> {order}.source_id
            THEN {other}.total = {order}.total AND {other}.currency = {order}.currency
        -- One look-up by key for each product; the cheap test stands first, because nearly all siblings fail it.
        ELSE {other}.product_refs && {order}.product_refs AND (
            SELECT count(*) > 0 AND bool_and(held.ref = ANY({other}.product_refs))
            FROM unnest({order}.product_refs) AS held (ref)
            WHERE (
                SELECT true FROM catalog_product repeatable
                WHERE repeatable.shop_id = {order}.shop_id AND repeatable.source_id = {order}.source_id
                  AND repeatable.ref = held.ref AND repeatable.is_repeatable LIMIT 1
            ) IS NULL
        )
    END"""  # noqa: S608 - put together from aliases of ours


def replaces(order: str, other: str) -> str:
    """Return SQL telling whether `order` was placed by a link of ours instead of `other`."""
    return f"{order}.replaces_id = {other}.id"


def is_paid_since(order: str, other: str, shop: str) -> str:
    """Return SQL telling whether the same person paid for the same goods by `other` since `order` was placed.

    A newer order that is paid, or an older one that was paid in the meantime.
    """
    return f"""{other}.shop_id = {order}.shop_id AND {other}.contact_id = {order}.contact_id
        AND {other}.placed_at > {order}.placed_at - interval '90 days' AND {other}.id <> {order}.id
        AND {other}.payment_state IN ('paid', 'partly_refunded') AND {other}.paid_at >= {order}.placed_at
        AND NOT {other}.is_test AND {is_same_goods(order, other, shop)}"""


def is_newer_twin(order: str, other: str, shop: str) -> str:
    """Return SQL telling whether `other` is a newer order of the same person for the same set of products, also owed.

    So is one that was placed instead of it, unless a part of it was paid. Of several such orders the newest is kept (F3).
    One whose money is reserved, to be taken later, counts as it will once it is paid. One whose status nobody knows counts
    only so: nobody is reminded of it.
    """
    return f"""{other}.shop_id = {order}.shop_id AND {other}.contact_id = {order}.contact_id
        AND {other}.placed_at >= {order}.placed_at
        AND ({other}.placed_at, {other}.id) > ({order}.placed_at, {order}.id)
        AND {other}.status IN ('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid')
        AND {other}.payment_state IN ('owed', 'on_hold', 'failed', 'partly_paid', 'authorized')
        AND {other}.duplicate_of_id IS NULL AND {other}.superseded_by_id IS NULL
        AND NOT {other}.is_test AND NOT {other}.is_backfill AND {other}.total > 0
        AND ({other}.shop_state <> 'unknown' OR {other}.payment_state = 'authorized')
        AND ({replaces(other, order)} AND {order}.captured <= {order}.refunded OR {_is_same_set(order, other)}
             OR {other}.payment_state = 'authorized' AND {is_same_goods(order, other, shop)})"""


def _is_same_set(order: str, other: str) -> str:
    return f"""{other}.product_refs @> {order}.product_refs AND {other}.product_refs <@ {order}.product_refs
        AND ({order}.product_refs <> '{{}}' AND {other}.source_id = {order}.source_id
             OR {order}.product_refs = '{{}}' AND ({other}.total = {order}.total AND {other}.currency = {order}.currency))"""
