"""Which order a cart became: one of its own source, one placed here, or one of another source that its source names.

`docs/order-states.md` says the same in words.
"""

from django.db.models.expressions import RawSQL

from recoup.orders.models import Cart, Order
from recoup.shops.models import OWN_KIND


def order_became(cart: str) -> str:
    """Return SQL for the key of the order that a cart became, over a table alias of ours; null while there is none.

    A plugin may tell the carts of a shop whose orders come by themselves (WooCommerce): the order that it names must then be
    of the same person, and younger than the cart. One look-up by key for each source of the shop.
    """
    return f"""(
        SELECT became.id FROM orders_order became JOIN shops_source maker ON maker.id = became.source_id
        WHERE became.shop_id = {cart}.shop_id AND became.ref = {cart}.order_ref AND {cart}.order_ref <> ''
          AND became.source_id = ANY(ARRAY(SELECT s.id FROM shops_source s WHERE s.shop_id = {cart}.shop_id))
          AND (maker.id = {cart}.source_id OR maker.kind = '{OWN_KIND}'
               OR became.contact_id = {cart}.contact_id AND became.placed_at >= {cart}.started_at)
        ORDER BY maker.id <> {cart}.source_id, maker.kind <> '{OWN_KIND}', became.id LIMIT 1
    )"""  # noqa: S608 - put together from aliases of ours


def find_order_of(cart: Cart) -> Order | None:
    """Return the order that a cart became, with its source, person and shop."""
    if not cart.order_ref:
        return None
    key = RawSQL(f"SELECT {order_became('k')} FROM orders_cart k WHERE k.id = %s", [cart.pk])  # noqa: S608,S611 - of ours
    return (
        Order.objects.select_related("source", "contact", "shop").filter(pk=key, shop_id=cart.shop_id).first()
    )
