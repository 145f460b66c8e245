"""What conditions may ask about orders and carts."""

from decimal import Decimal

from recoup.segments.facts import Known, Need, Subject
from recoup.segments.field import Field, FieldType, column, in_shop, local, plain
from recoup.segments.history import COUNTS, Value

_ORDER = frozenset({int(Subject.ORDER)})
_CART = frozenset({int(Subject.CART)})

CAUSES = (
    "no_payment", "soft", "hard", "user", "auth", "technical", "fraud", "config", "offline", "cart_left",
    "unknown",
)  # fmt: skip
STATUSES = (
    "new", "in_work", "not_confirmed", "awaiting_payment", "unpaid", "completed", "cancelled", "false",
)  # fmt: skip
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _weekday(facts: Known) -> Value:
    return None if facts.order is None else WEEKDAYS[local(facts, facts.order.placed_at).weekday()]


def _hour(facts: Known) -> Value:
    return None if facts.order is None else Decimal(local(facts, facts.order.placed_at).hour)


_CAUSE = "(SELECT nullif(k.cause, '') FROM recovery_recoverycase k WHERE k.shop_id = r.shop_id AND k.order_id = r.id)"
_LINES = "(SELECT count(*) FROM orders_orderline k WHERE k.shop_id = r.shop_id AND k.order_id = r.id)"
_WEEKDAY = f"(ARRAY{list(WEEKDAYS)})[extract(isodow FROM r.placed_at AT TIME ZONE %s)::int]"
_NUMBER, _TEXT, _YES_NO, _LIST, _INSTANT = FieldType


def last_visit(subject: int) -> str:
    """Return SQL for the last time that a person came to where the order or cart `r` is paid or ordered."""
    return (
        f"(SELECT max(v.at) FROM messaging_pagevisit v WHERE v.shop_id = r.shop_id AND v.subject_kind = {subject}"  # noqa: S608 - ours
        f" AND v.subject_id = r.id AND {COUNTS})"
    )


ORDER_FIELDS = (
    Field("order.total", _NUMBER, _ORDER, plain(lambda f: f.order and f.order.total), column("r.total")),
    Field(
        "order.amount_due",
        _NUMBER,
        _ORDER,
        plain(lambda f: f.order and f.order.total_due),
        column("greatest(r.total - r.discount_given - r.captured + r.refunded, 0)"),
    ),
    Field(
        "order.currency",
        _TEXT,
        _ORDER,
        plain(lambda f: f.order and f.order.currency),
        column("r.currency"),
    ),
    Field("order.method", _TEXT, _ORDER, plain(lambda f: f.order and f.order.method), column("r.method")),
    Field(
        "order.is_offline",
        _YES_NO,
        _ORDER,
        plain(lambda f: f.order and f.order.is_offline_method),
        column("r.is_offline_method"),
    ),
    Field(
        "order.cause",
        _TEXT,
        _ORDER,
        plain(lambda f: f.order and (f.order.cause or None)),
        column(_CAUSE),
        CAUSES,
    ),
    Field(
        "order.status",
        _TEXT,
        _ORDER,
        plain(lambda f: f.order and f.order.status),
        column("r.status"),
        STATUSES,
    ),
    Field(
        "order.is_paid",
        _YES_NO,
        _ORDER,
        plain(lambda f: f.order and f.order.paid_at is not None),
        column("(r.paid_at IS NOT NULL)"),
    ),
    Field(
        "order.products",
        _LIST,
        _ORDER,
        plain(lambda f: f.order and f.order.products),
        column("r.product_refs"),
    ),
    Field(
        "order.placed_at",
        _INSTANT,
        _ORDER,
        plain(lambda f: f.order and f.order.placed_at),
        column("r.placed_at"),
    ),
    Field("order.weekday", _TEXT, _ORDER, plain(_weekday), in_shop(_WEEKDAY), WEEKDAYS),
    Field(
        "order.hour",
        _NUMBER,
        _ORDER,
        plain(_hour),
        in_shop("extract(hour FROM r.placed_at AT TIME ZONE %s)"),
    ),
    Field(
        "order.item_count",
        _NUMBER,
        _ORDER,
        plain(lambda f: f.details and Decimal(f.details.item_count)),
        column(_LINES),
        need=Need.DETAILS,
        keeps_past=False,
    ),
    Field(
        "order.country",
        _TEXT,
        _ORDER,
        plain(lambda f: f.details and (f.details.country or None)),
        column("nullif(r.buyer ->> 'country', '')"),
        need=Need.DETAILS,
        keeps_past=False,
    ),
    Field(
        "order.origin",
        _TEXT,
        _ORDER,
        plain(lambda f: f.details and (f.details.origin or None)),
        column("nullif(r.origin, '')"),
        need=Need.DETAILS,
    ),
    Field(
        "order.source",
        _TEXT,
        _ORDER,
        plain(lambda f: f.details and f.details.source),
        column("r.source_id::text"),
        need=Need.DETAILS,
    ),
    Field(
        "order.has_discount",
        _YES_NO,
        _ORDER,
        plain(lambda f: f.details and f.details.has_discount),
        column("(r.discount_total > 0)"),
        need=Need.DETAILS,
        keeps_past=False,
    ),
    Field(
        "order.visited_at",
        _INSTANT,
        _ORDER,
        plain(lambda f: f.details and f.details.visited_at),
        column(last_visit(Subject.ORDER)),
        need=Need.DETAILS,
        keeps_past=False,
    ),
)
CART_FIELDS = (
    Field("cart.total", _NUMBER, _CART, plain(lambda f: f.cart and f.cart.total), column("r.total")),
    Field("cart.currency", _TEXT, _CART, plain(lambda f: f.cart and f.cart.currency), column("r.currency")),
    Field(
        "cart.item_count",
        _NUMBER,
        _CART,
        plain(lambda f: f.cart and Decimal(f.cart.item_count)),
        column("jsonb_array_length(r.lines)"),
    ),
    Field(
        "cart.products",
        _LIST,
        _CART,
        plain(lambda f: f.cart and f.cart.products),
        column("r.product_refs"),
    ),
    Field(
        "cart.last_activity_at",
        _INSTANT,
        _CART,
        plain(lambda f: f.cart and f.cart.last_activity_at),
        column("r.last_activity_at"),
    ),
    Field(
        "cart.source",
        _TEXT,
        _CART,
        plain(lambda f: f.details and f.details.source),
        column("r.source_id::text"),
        need=Need.DETAILS,
    ),
    Field(
        "cart.has_coupon",
        _YES_NO,
        _CART,
        plain(lambda f: f.details and f.details.has_discount),
        column("(r.coupon <> '')"),
        need=Need.DETAILS,
        keeps_past=False,
    ),
    Field(
        "cart.visited_at",
        _INSTANT,
        _CART,
        plain(lambda f: f.details and f.details.visited_at),
        column(last_visit(Subject.CART)),
        need=Need.DETAILS,
        keeps_past=False,
    ),
)
