"""What crosses the port of a shop platform: orders, carts, payments and products in our own words.

A snapshot says what the source says now; the actions of the parts compare it with what they know. Money is `Decimal`
in the major unit of `currency` (ISO 4217, upper case); instants are aware, in UTC. A field that the source did not
tell is `None` (or an empty tuple where stated) and changes nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class FailureClass(StrEnum):
    """Why a payment failed, in our classes (`integrations`, section 0)."""

    SOFT = "soft"
    HARD = "hard"
    USER = "user"
    AUTH = "auth"
    TECHNICAL = "technical"
    FRAUD = "fraud"
    CONFIG = "config"
    UNKNOWN = "unknown"


class AttemptState(StrEnum):
    """Where a payment attempt stands."""

    CREATED = "created"
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    AUTHORIZED = "authorized"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class ShopState(StrEnum):
    """What the platform says of an order as a whole."""

    PENDING = "pending"
    ON_HOLD = "on_hold"
    FAILED = "failed"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    FULFILLED = "fulfilled"
    DRAFT = "draft"
    DELETED = "deleted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PersonSnapshot:
    """The buyer as the source knows them."""

    email: str = ""
    phone: str = ""
    name: str = ""
    account_ref: str = ""  # the id of a signed-in account; empty for a guest
    country: str = ""  # ISO 3166-1 alpha-2 of the billing address
    company: str = ""
    locale: str = ""
    time_zone: str = ""
    address: dict[str, str] = field(
        default_factory=dict
    )  # of the bill; where the goods go is `DeliverySnapshot`
    marketing_consent: bool | None = None
    marketing_consent_at: datetime | None = None
    marketing_consent_text: str = ""


@dataclass(frozen=True, slots=True)
class LineSnapshot:
    """One line of an order or a cart."""

    product_ref: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    total: Decimal
    sku: str = ""
    variant_ref: str = ""
    options: dict[str, str] = field(default_factory=dict)
    url: str = ""
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class PointSnapshot:
    """A parcel locker, or another place where the buyer collects the goods."""

    ref: str = ""  # the carrier's own, such as KRA01M
    name: str = ""
    address: str = ""  # on one line

    @property
    def is_known(self) -> bool:
        """Tell whether there is such a place."""
        return bool(self.ref or self.name)


@dataclass(frozen=True, slots=True)
class DeliverySnapshot:
    """How the goods are to reach the buyer; what it costs is the `shipping_total` of the order or cart."""

    method: str = ""  # the platform's code
    title: str = ""  # what the buyer was shown
    point: PointSnapshot = field(default_factory=PointSnapshot)
    name: str = ""  # of whoever receives it, as far as it was told apart from the buyer
    company: str = ""
    phone: str = ""
    address: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InvoiceSnapshot:
    """To whom the invoice is made out."""

    is_wanted: bool | None = None  # `None`: the source does not say
    company: str = ""
    tax_id: str = ""
    address: dict[str, str] = field(default_factory=dict)  # empty: that of the bill


# Begins the ref of a failed attempt that is known only because the shop calls its order failed; its instant follows.
FAILED_BY_WORD = "failed:"


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """One payment attempt of an order."""

    ref: str
    state: AttemptState
    amount: Decimal
    currency: str
    at: datetime  # when it became so
    operator: str = ""
    method: str = ""
    failure_class: FailureClass | None = None
    failure_code: str = ""  # the operator's own word, kept raw
    is_only: bool = False  # the source knows one payment of an order: told under another name, it is the same


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """Money given back."""

    ref: str
    amount: Decimal
    currency: str
    at: datetime
    payment_ref: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CouponSnapshot:
    """A coupon on an order: its code, and what it took off, tax included."""

    code: str
    discount: Decimal


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """An order as its source shows it at `version_at`."""

    ref: str
    state: ShopState
    currency: str
    total: Decimal
    placed_at: datetime
    version_at: datetime  # the source's own instant of the change; older snapshots change nothing (T24)
    number: str = ""
    person: PersonSnapshot = field(default_factory=PersonSnapshot)
    lines: tuple[LineSnapshot, ...] = ()
    payments: tuple[PaymentSnapshot, ...] = ()
    refunds: tuple[RefundSnapshot, ...] = ()
    method: str = ""  # the platform's code of the payment method
    method_title: str = ""
    is_offline_method: bool = False  # bank transfer, cheque, cash on delivery: chase later and softly
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    pay_url: str = ""  # the source's own link to pay this very order
    cart_ref: str = ""
    locale: str = ""
    origin: str = ""  # checkout, api, import ...
    discount_total: Decimal | None = None
    shipping_total: Decimal | None = None
    tax_total: Decimal | None = None
    delivery: DeliverySnapshot | None = None
    invoice: InvoiceSnapshot | None = None
    raw_state: str = ""  # the platform's own word
    is_test: bool = False
    coupons: tuple[CouponSnapshot, ...] = ()


@dataclass(frozen=True, slots=True)
class CartSnapshot:
    """A cart as its source shows it at `version_at`."""

    ref: str
    currency: str
    total: Decimal
    version_at: datetime
    person: PersonSnapshot = field(default_factory=PersonSnapshot)
    lines: tuple[LineSnapshot, ...] = ()
    url: str = ""  # where the shop itself would open the cart again
    locale: str = ""
    order_ref: str = ""  # set once the cart became an order
    is_deleted: bool = False
    coupon: str = ""
    shipping_total: Decimal | None = None
    delivery: DeliverySnapshot | None = None
    invoice: InvoiceSnapshot | None = None


@dataclass(frozen=True, slots=True)
class OrderPaymentSnapshot:
    """News of a payment or refund that comes by itself and names its order."""

    order_ref: str
    payment: PaymentSnapshot | None = None
    refund: RefundSnapshot | None = None


@dataclass(frozen=True, slots=True)
class OrderDeleted:
    """The source deleted an order; history stays."""

    ref: str
    at: datetime
    is_by_our_clock: bool = False  # the source does not say when: `at` is when we heard of it


@dataclass(frozen=True, slots=True)
class ProductSnapshot:
    """A product (or a variant of one) as its source shows it."""

    ref: str
    name: str
    price: Decimal | None
    currency: str
    version_at: datetime
    variant_ref: str = ""
    sku: str = ""
    is_available: bool = True
    stock: Decimal | None = None
    url: str = ""
    image_url: str = ""
    is_deleted: bool = False
    is_repeatable: bool | None = None  # bought again and again (F2); `None`: the source does not say
    cost: Decimal | None = None  # what one costs the shop
    says_cost: bool = False  # whether the source says anything of it; `cost` is `None` where it knows none


@dataclass(frozen=True, slots=True)
class DeliveryOptionSnapshot:
    """A way of delivery, or a point where goods are collected, as the shop offers it."""

    ref: str
    version_at: datetime
    is_point: bool = False
    title: str = ""
    price: Decimal | None = None
    currency: str = ""
    needs_point: bool = False  # it is collected from a point that the carrier's map shows
    is_available: bool = True


Snapshot = (
    DeliveryOptionSnapshot
    | OrderSnapshot
    | CartSnapshot
    | OrderPaymentSnapshot
    | OrderDeleted
    | ProductSnapshot
)
