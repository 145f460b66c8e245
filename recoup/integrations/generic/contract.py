"""What a shop may tell us: the models behind the published JSON Schema. Unknown fields are allowed and kept raw (T21).

Amounts are decimal text or numbers in the major unit (`"149.00"`), instants are ISO 8601 with their offset.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter

from recoup.integrations.generic.particulars import AnyDelivery, AnyInvoice, LooseText, Part
from recoup.integrations.generic.pieces import (
    Amount,
    Currency,
    Instant,
    Number,
    OrderStatus,
    PaymentStatus,
    Ref,
    Text,
    loose_amount,
    said,
)


class Marketing(Part):
    """Whether the buyer agreed to marketing. Without the instant, it counts from when we heard of it."""

    consent: bool
    at: Instant | None = None
    text: Text = Field(None, description="The words that the buyer agreed to.")


class Customer(Part):
    """The buyer. An order without e-mail and phone is kept, but nobody can be written to."""

    email: Text = Field(None, json_schema_extra=said("anna@example.com"))
    phone: Text = Field(None, json_schema_extra=said("+48600100200"))
    name: Text = None
    account_id: Ref | None = Field(None, description="Id of a signed-in account; absent for a guest.")
    company: Text = None
    country: Text = Field(None, json_schema_extra=said("PL"))
    locale: Text = Field(None, json_schema_extra=said("pl-PL"))
    time_zone: Text = Field(None, json_schema_extra=said("Europe/Warsaw"))
    address: dict[str, Text] = Field(default_factory=dict, description="Of the bill.")
    marketing: Marketing | None = None


class Item(Part):
    """One line of an order or a cart."""

    product_id: Ref
    name: str
    quantity: Number = "1"
    unit_price: Amount
    total: Amount | None = Field(None, description="Of the line; quantity times price if absent.")
    variant_id: Ref | None = None
    sku: Text = None
    options: dict[str, Text] = Field(default_factory=dict)
    url: Text = None
    image_url: Text = None


class Payment(Part):
    """One attempt to pay."""

    id: Ref
    status: PaymentStatus
    amount: Amount
    at: Instant = Field(description="When it became so.")
    operator: Text = Field(None, json_schema_extra=said("stripe"))
    method: Text = Field(None, json_schema_extra=said("card"))
    failure_class: Text = Field(
        None, description="soft, hard, user, auth, technical, fraud, config or unknown"
    )
    failure_code: Text = Field(None, description="The operator's own word, kept as it is.")


class Refund(Part):
    """Money given back, as a positive amount."""

    id: Ref
    amount: Amount
    at: Instant
    payment_id: Ref | None = None
    reason: Text = None


class Order(Part):
    """A whole order as it is now: what is absent is empty, not unchanged."""

    id: Ref
    number: Ref | None = Field(None, description="What people call it; the id if absent.")
    status: OrderStatus
    currency: Currency
    total: Amount
    placed_at: Instant
    updated_at: Instant = Field(description="Of this state of the order; an older one changes nothing.")
    paid_at: Instant | None = Field(None, description="Proves the payment, whatever the status is called.")
    cancelled_at: Instant | None = None
    cancel_reason: Text = None
    customer: Customer = Field(default_factory=Customer)
    items: list[Item] = Field(default_factory=list, max_length=1000)
    payments: list[Payment] = Field(default_factory=list, max_length=200)
    refunds: list[Refund] = Field(default_factory=list, max_length=200)
    payment_method: Text = Field(
        None,
        description="A short code; waiting times are set by it. `cod`: on delivery, not reminded without one.",
    )
    payment_method_title: Text = None
    is_offline_payment: bool = Field(
        default=False, description="Bank transfer, cash on delivery: it is waited for longer."
    )
    pay_url: Text = Field(None, description="Where the buyer pays this very order in your shop.")
    cart_id: Ref | None = None
    locale: Text = None
    origin: Text = None
    discount_total: Amount | None = None
    shipping_total: Amount | None = Field(None, description="What the delivery costs the buyer.")
    tax_total: Amount | None = None
    coupon: LooseText = Field(None, description="The code that the buyer typed.")
    delivery: AnyDelivery = None
    invoice: AnyInvoice = None


class OrderGone(Part):
    """An order that was deleted."""

    id: Ref
    deleted_at: Instant


class Cart(Part):
    """A whole cart as it is now; without items it is emptied."""

    id: Ref
    currency: Currency
    total: Amount
    updated_at: Instant
    customer: Customer = Field(default_factory=Customer)
    items: list[Item] = Field(default_factory=list, max_length=1000)
    url: Text = Field(None, description="Where your shop opens this cart again.")
    order_id: Ref | None = Field(None, description="Set once it became an order.")
    locale: Text = None
    coupon: Text = None
    shipping_total: Annotated[Amount | None, BeforeValidator(loose_amount)] = Field(
        None, description="What the delivery costs the buyer, if it is chosen."
    )
    delivery: AnyDelivery = None
    invoice: AnyInvoice = None


class CartGone(Part):
    """A cart that was deleted."""

    id: Ref
    deleted_at: Instant


class OrderPayment(Payment):
    """A payment that is told by itself and names its order."""

    order_id: Ref
    currency: Currency


class OrderRefund(Refund):
    """A refund that is told by itself and names its order."""

    order_id: Ref
    currency: Currency


class Product(Part):
    """A product, or a variant of one."""

    id: Ref
    name: str
    updated_at: Instant
    currency: Currency
    price: Amount | None = None
    cost: Amount | None = Field(
        None,
        description="What one costs you, without tax; no offer goes below your margin floor. Null: not known. Absent: as it"
        " was. One that was entered by hand in Recoup stays.",
    )
    variant_id: Ref | None = None
    sku: Text = None
    is_available: bool = True
    is_repeatable: bool | None = Field(
        None,
        description="Bought again and again: that it was bought since closes no unpaid order. Absent: as it was.",
    )
    stock: Number | None = None
    url: Text = None
    image_url: Text = None


class ProductGone(Part):
    """A product, or a variant of one, that was deleted."""

    id: Ref
    variant_id: Ref | None = None
    deleted_at: Instant


class DeliveryMethod(Part):
    """A way of delivery that your shop offers."""

    id: Ref
    title: str
    updated_at: Instant
    currency: Currency
    price: Amount | None = None
    needs_point: bool = Field(default=False, description="The goods are collected from a point.")
    is_available: bool = True


class DeliveryPoint(Part):
    """A pick-up point, told when it can be used or cannot be used any more."""

    id: Ref
    name: Text = None
    updated_at: Instant
    is_available: bool = True


class DeliveryGone(Part):
    """A way of delivery or a point that there is no more."""

    id: Ref
    deleted_at: Instant


class Event(Part):
    """The envelope of Standard Webhooks. A test event is kept and not applied, unless the source is one for tests."""

    timestamp: Instant | None = None
    test: bool = False


class OrderEvent(Event):
    """An order was placed or changed."""

    type: Literal["order.created", "order.updated", "order.paid", "order.cancelled"]
    data: Order


class OrderGoneEvent(Event):
    """An order was deleted."""

    type: Literal["order.deleted"]
    data: OrderGone


class CartEvent(Event):
    """A cart was started or changed."""

    type: Literal["cart.created", "cart.updated"]
    data: Cart


class CartGoneEvent(Event):
    """A cart was deleted."""

    type: Literal["cart.deleted"]
    data: CartGone


class PaymentEvent(Event):
    """A payment was started or changed."""

    type: Literal["payment.created", "payment.updated", "payment.succeeded", "payment.failed"]
    data: OrderPayment


class RefundEvent(Event):
    """Money was given back."""

    type: Literal["refund.created"]
    data: OrderRefund


class ProductEvent(Event):
    """A product was made or changed."""

    type: Literal["product.created", "product.updated"]
    data: Product


class ProductGoneEvent(Event):
    """A product was deleted."""

    type: Literal["product.deleted"]
    data: ProductGone


class DeliveryMethodEvent(Event):
    """A way of delivery was made or changed."""

    type: Literal["delivery_method.created", "delivery_method.updated"]
    data: DeliveryMethod


class DeliveryPointEvent(Event):
    """A pick-up point was opened or changed."""

    type: Literal["delivery_point.created", "delivery_point.updated"]
    data: DeliveryPoint


class DeliveryGoneEvent(Event):
    """A way of delivery or a pick-up point was given up."""

    type: Literal["delivery_method.deleted", "delivery_point.deleted"]
    data: DeliveryGone


AnyEvent = (
    OrderEvent
    | OrderGoneEvent
    | CartEvent
    | CartGoneEvent
    | PaymentEvent
    | RefundEvent
    | ProductEvent
    | ProductGoneEvent
    | DeliveryMethodEvent
    | DeliveryPointEvent
    | DeliveryGoneEvent
)
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="type")])
MODELS: dict[str, type[Event]] = {
    kind: model
    for model in (
        OrderEvent,
        OrderGoneEvent,
        CartEvent,
        CartGoneEvent,
        PaymentEvent,
        RefundEvent,
        ProductEvent,
        ProductGoneEvent,
        DeliveryMethodEvent,
        DeliveryPointEvent,
        DeliveryGoneEvent,
    )
    for kind in model.model_fields["type"].annotation.__args__  # type: ignore[union-attr]  # all are `Literal`
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of every body that is understood, as it is published."""
    schema = _ADAPTER.json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Recoup: body of a signed webhook",
        **schema,
    }
