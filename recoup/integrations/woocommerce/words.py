"""WooCommerce's words, mapped to ours. A word that is not here is kept raw and never guessed."""

from recoup.shops.snapshots import ShopState

# `processing` and `completed` are looked at with `date_paid` (`orders.state_of`): goods sent cash on delivery are not paid.
ORDER_STATES = {
    "pending": ShopState.PENDING,
    "on-hold": ShopState.ON_HOLD,
    "failed": ShopState.FAILED,
    "processing": ShopState.PAID,
    "completed": ShopState.FULFILLED,
    "cancelled": ShopState.CANCELLED,
    "trash": ShopState.CANCELLED,
    "refunded": ShopState.REFUNDED,
}
DRAFTS = frozenset({"checkout-draft", "draft", "auto-draft", "new"})
OFFLINE_METHODS = frozenset({"bacs", "cheque", "cod"})

ORDER_TOPICS = frozenset({"order.created", "order.updated", "order.restored", "order.polled", "order.asked"})
PRODUCT_TOPICS = frozenset({"product.created", "product.updated", "product.restored", "product.polled"})
READ_TOPICS = ORDER_TOPICS | PRODUCT_TOPICS | {"order.deleted", "product.deleted"}
# What we ask a shop to tell us.
WANTED_TOPICS = (
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "product.created",
    "product.updated",
    "product.deleted",
    "product.restored",
)

# Where plugins for several languages keep that of an order.
LOCALE_KEYS = (
    "wpml_language",
    "_wpml_language",
    "pll_language",
    "_pll_language",
    "trp_language",
    "weglot_language",
    "_locale",
    "locale",
)
TEST_KEYS = {"_wcpay_mode": "test", "_stripe_mode": "test", "is_test": "1"}
