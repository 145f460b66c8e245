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

# Where plugins keep the parcel locker or pick-up point that was chosen, on the order or on its shipping line: the key of
# its code, of its name, and of the parts of its address.
POINT_KEYS = (
    ("_parcel_machine_id", "_parcel_machine_desc", ()),  # InPost PL
    ("parcel_machine_id", "parcel_machine_desc", ()),
    ("_paczkomat_id", "", ()),  # InPost by WP Desk
    ("paczkomat_id", "", ()),
    ("_furgonetkaPoint", "_furgonetkaPointName", ()),
    (
        "packetery_point_id",  # Packeta, Zásilkovna
        "packetery_point_name",
        ("packetery_point_street", "packetery_point_zip", "packetery_point_city"),
    ),
    ("_packetery_point_id", "", ()),
    ("wcus_warehouse_ref", "wcus_warehouse_name", ("wcus_city_name",)),  # Nova Poshta
    ("wcus_ukrposhta_warehouse_id", "", ("wcus_city_name",)),
    ("wcus_rozetka_warehouse_id", "", ("wcus_city_name",)),
    ("_orlen_point_id", "", ()),
    ("", "pickup_location", ("pickup_address",)),  # collecting at the shop, WooCommerce's own
)
# The same for those that keep one object, or its JSON.
POINT_OBJECTS = (
    (
        "apaczka_delivery_point",
        "apm_access_point_id",
        "apm_name",
        ("apm_street", "apm_postal_code", "apm_city"),
    ),
    ("_gls_pickup_info", "id", "name", ("address", "postalCode", "city")),  # the address in `contact`
    ("sendcloudshipping_service_point_meta", "id", "", ("extra",)),  # name|street|town|...
)
# Where the number of a tax payer stands, and the box by which an invoice is asked for.
TAX_KEYS = (
    "_billing_nip",
    "billing_nip",
    "_nip",
    "nip",
    "_vat_number",
    "vat_number",
    "_billing_vat_number",
    "billing_vat_number",
    "_billing_eu_vat_number",
    "billing_eu_vat_number",
    "_billing_vat",
    "billing_vat",
    "_billing_vat_id",
    "billing_vat_id",
    "_billing_dic",
    "_billing_inn",
)
# The block checkout keeps fields of plugins as `_wc_billing/<plugin>/<field>` and `_wc_other/<plugin>/<field>`.
BLOCK_PREFIXES = ("_wc_billing/", "_wc_other/")
BLOCK_TAX_FIELDS = frozenset(
    {"nip", "vat", "vat-number", "vat_number", "vat-id", "vat_id", "tax-id", "tax_id"}
)
INVOICE_KEYS = (
    "_billing_invoice_ask",
    "billing_invoice_ask",
    "_billing_want_invoice",
    "_billing_chce_fakture_vat",
    "_billing_faktura",
    "_invoice_request",
)
YES = frozenset({"yes", "1", "true", "on", "tak", "ja", "да", "так"})
NO = frozenset({"no", "0", "false", "off", "nie", "nein", "нет", "ні"})
