"""From the models of the contract to snapshots."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from recoup.integrations import values
from recoup.integrations.generic import contract, particulars, words
from recoup.shops.ports import BodyQuarantined
from recoup.shops.snapshots import (
    CartSnapshot,
    CouponSnapshot,
    DeliveryOptionSnapshot,
    DeliverySnapshot,
    FailureClass,
    InvoiceSnapshot,
    LineSnapshot,
    OrderPaymentSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    PersonSnapshot,
    PointSnapshot,
    ProductSnapshot,
    RefundSnapshot,
    ShopState,
)


def _moment(text: str | None, field: str) -> datetime | None:
    return values.instant(text, field) if text else None


def person(customer: contract.Customer) -> PersonSnapshot:
    """Return the buyer.

    :raises BodyQuarantined: if the account's id or the instant of the consent is unreadable.
    """
    marketing = customer.marketing
    return PersonSnapshot(
        email=values.line(customer.email, length=254),
        phone=values.line(customer.phone, length=40),
        name=values.line(customer.name),
        account_ref=values.optional_ref(customer.account_id, "customer.account_id"),
        country=values.country_code(customer.country),
        company=values.line(customer.company),
        locale=values.language_code(customer.locale),
        time_zone=values.line(customer.time_zone, length=64),
        address=_address(customer.address),
        marketing_consent=marketing.consent if marketing else None,
        marketing_consent_at=_moment(marketing.at, "customer.marketing.at") if marketing else None,
        marketing_consent_text=values.line(marketing.text, length=2000) if marketing else "",
    )


def _address(told: Mapping[str, str | None]) -> dict[str, str]:
    parts = list(told.items())[:20]
    return {values.line(name, length=40): values.line(text) for name, text in parts if text}


def delivery(told: particulars.Delivery | None) -> DeliverySnapshot:
    """Return how it is delivered; a whole order or cart that names no delivery has none."""
    if told is None:
        return DeliverySnapshot()
    point = told.point or particulars.Point()
    return DeliverySnapshot(
        method=values.line(told.method, length=80),
        title=values.line(told.title),
        point=PointSnapshot(
            ref=values.line(point.id), name=values.line(point.name), address=values.line(point.address)
        ),
        name=values.line(told.name),
        company=values.line(told.company),
        phone=values.line(told.phone, length=40),
        address=_address(told.address),
    )


def invoice(told: particulars.Invoice | None) -> InvoiceSnapshot:
    """Return to whom it is invoiced."""
    if told is None:
        return InvoiceSnapshot()
    return InvoiceSnapshot(
        is_wanted=told.wanted,
        company=values.line(told.company),
        tax_id=values.line(told.tax_id, length=40),
        address=_address(told.address),
    )


def lines(items: list[contract.Item], currency: str) -> tuple[LineSnapshot, ...]:
    """Return the lines of an order or a cart.

    :raises BodyQuarantined: naming the line and the field.
    """
    found = []
    for number, item in enumerate(items):
        field = f"items.{number}"
        count = values.quantity(item.quantity, f"{field}.quantity")
        price = values.amount(item.unit_price, currency, f"{field}.unit_price")
        total = values.optional_amount(item.total, currency, f"{field}.total")
        found.append(
            LineSnapshot(
                product_ref=values.external_ref(item.product_id, f"{field}.product_id"),
                name=values.line(item.name) or "—",
                quantity=count,
                unit_price=price,
                total=price * count if total is None else total,
                sku=values.line(item.sku, length=100),
                variant_ref=values.optional_ref(item.variant_id, f"{field}.variant_id"),
                options={
                    values.line(name, length=60): values.line(text)
                    for name, text in list(item.options.items())[:20]
                    if text
                },
                url=values.web_address(item.url),
                image_url=values.web_address(item.image_url),
            )
        )
    return tuple(found)


def payment(told: contract.Payment, currency: str, field: str) -> PaymentSnapshot | None:
    """Return one attempt, or `None` if its status is no word of ours: kept raw, never guessed.

    :raises BodyQuarantined: naming the field.
    """
    state = words.PAYMENT_STATES.get(told.status.strip().lower())
    if state is None:
        return None
    failure = (told.failure_class or "").strip().lower()
    return PaymentSnapshot(
        ref=values.external_ref(told.id, f"{field}.id"),
        state=state,
        amount=values.amount(told.amount, currency, f"{field}.amount"),
        currency=currency,
        at=values.instant(told.at, f"{field}.at"),
        operator=values.line(told.operator, length=40),
        method=values.line(told.method, length=60),
        failure_class=words.FAILURE_CLASSES.get(failure, FailureClass.UNKNOWN) if failure else None,
        failure_code=values.line(told.failure_code),
    )


def refund(told: contract.Refund, currency: str, field: str) -> RefundSnapshot:
    """Return money given back.

    :raises BodyQuarantined: naming the field; nothing given back is none.
    """
    given = values.amount(told.amount, currency, f"{field}.amount")
    if given == 0:
        raise BodyQuarantined("bad_amount", f"{field}.amount: 0")
    return RefundSnapshot(
        ref=values.external_ref(told.id, f"{field}.id"),
        amount=given,
        currency=currency,
        at=values.instant(told.at, f"{field}.at"),
        payment_ref=values.optional_ref(told.payment_id, f"{field}.payment_id"),
        reason=values.line(told.reason),
    )


def order(told: contract.Order, *, is_test: bool) -> OrderSnapshot:
    """Return a whole order.

    :raises BodyQuarantined: naming the field.
    """
    currency = values.currency_code(told.currency)
    word = told.status.strip().lower()
    state = words.ORDER_STATES.get(word, ShopState.UNKNOWN)
    updated_at = values.instant(told.updated_at, "updated_at")
    payments = [
        payment(told_one, currency, f"payments.{number}") for number, told_one in enumerate(told.payments)
    ]
    paid_at = _moment(told.paid_at, "paid_at")
    if state in {ShopState.PAID, ShopState.FULFILLED} and paid_at is None:
        paid_at = updated_at  # the shop says so, and this is when it said it
    ref = values.external_ref(told.id, "id")
    discount = values.optional_amount(told.discount_total, currency, "discount_total")
    return OrderSnapshot(
        ref=ref,
        state=state,
        currency=currency,
        total=values.amount(told.total, currency, "total"),
        placed_at=values.instant(told.placed_at, "placed_at"),
        version_at=updated_at,
        number=values.optional_ref(told.number, "number") or ref,
        person=person(told.customer),
        lines=lines(told.items, currency),
        payments=tuple(one for one in payments if one is not None),
        refunds=tuple(
            refund(told_one, currency, f"refunds.{number}") for number, told_one in enumerate(told.refunds)
        ),
        method=values.line(told.payment_method, length=60),
        method_title=values.line(told.payment_method_title),
        is_offline_method=told.is_offline_payment,
        paid_at=paid_at,
        cancelled_at=_moment(told.cancelled_at, "cancelled_at"),
        cancel_reason=values.line(told.cancel_reason),
        pay_url=values.web_address(told.pay_url),
        cart_ref=values.optional_ref(told.cart_id, "cart_id"),
        locale=values.language_code(told.locale),
        origin=values.line(told.origin, length=24),
        discount_total=discount,
        shipping_total=values.optional_amount(told.shipping_total, currency, "shipping_total"),
        tax_total=values.optional_amount(told.tax_total, currency, "tax_total"),
        coupons=_coupons(told.coupon, discount),
        delivery=delivery(told.delivery),
        invoice=invoice(told.invoice),
        raw_state=values.line(told.status, length=60),
        is_test=is_test,
    )


def _coupons(code: str | None, discount: Decimal | None) -> tuple[CouponSnapshot, ...]:
    """Return the code that was typed; what it took off is the discount of the order."""
    typed = values.line(code, length=100)
    return (CouponSnapshot(typed, discount or Decimal(0)),) if typed else ()


def cart(told: contract.Cart) -> CartSnapshot:
    """Return a whole cart.

    :raises BodyQuarantined: naming the field.
    """
    currency = values.currency_code(told.currency)
    return CartSnapshot(
        ref=values.external_ref(told.id, "id"),
        currency=currency,
        total=values.amount(told.total, currency, "total"),
        version_at=values.instant(told.updated_at, "updated_at"),
        person=person(told.customer),
        lines=lines(told.items, currency),
        url=values.web_address(told.url),
        locale=values.language_code(told.locale),
        order_ref=values.optional_ref(told.order_id, "order_id"),
        coupon=values.line(told.coupon, length=60),
        shipping_total=values.optional_amount(told.shipping_total, currency, "shipping_total"),
        delivery=delivery(told.delivery),
        invoice=invoice(told.invoice),
    )


def cart_gone(told: contract.CartGone, *, currency: str) -> CartSnapshot:
    """Return a cart that holds nothing any more.

    :raises BodyQuarantined: naming the field.
    """
    return CartSnapshot(
        ref=values.external_ref(told.id, "id"),
        currency=currency,
        total=Decimal(0),
        version_at=values.instant(told.deleted_at, "deleted_at"),
        is_deleted=True,
    )


def order_payment(told: contract.OrderPayment) -> OrderPaymentSnapshot | None:
    """Return a payment that names its order, or `None` if its status is no word of ours.

    :raises BodyQuarantined: naming the field.
    """
    one = payment(told, values.currency_code(told.currency), "data")
    order_ref = values.external_ref(told.order_id, "order_id")
    return OrderPaymentSnapshot(order_ref=order_ref, payment=one) if one else None


def order_refund(told: contract.OrderRefund) -> OrderPaymentSnapshot:
    """Return a refund that names its order.

    :raises BodyQuarantined: naming the field.
    """
    return OrderPaymentSnapshot(
        order_ref=values.external_ref(told.order_id, "order_id"),
        refund=refund(told, values.currency_code(told.currency), "data"),
    )


def product(told: contract.Product) -> ProductSnapshot:
    """Return a product.

    :raises BodyQuarantined: naming the field.
    """
    currency = values.currency_code(told.currency)
    return ProductSnapshot(
        ref=values.external_ref(told.id, "id"),
        name=values.line(told.name) or "—",
        price=values.optional_amount(told.price, currency, "price"),
        cost=None if told.cost is None else values.positive_fine_amount(told.cost, "cost"),
        says_cost="cost" in told.model_fields_set,
        currency=currency,
        version_at=values.instant(told.updated_at, "updated_at"),
        variant_ref=values.optional_ref(told.variant_id, "variant_id"),
        sku=values.line(told.sku, length=100),
        is_available=told.is_available,
        is_repeatable=told.is_repeatable,
        stock=values.stock(told.stock, "stock"),
        url=values.web_address(told.url),
        image_url=values.web_address(told.image_url),
    )


def product_gone(told: contract.ProductGone, *, currency: str) -> ProductSnapshot:
    """Return a product that is gone; its name stays as it is known.

    :raises BodyQuarantined: naming the field.
    """
    return ProductSnapshot(
        ref=values.external_ref(told.id, "id"),
        name="",
        price=None,
        currency=currency,
        version_at=values.instant(told.deleted_at, "deleted_at"),
        variant_ref=values.optional_ref(told.variant_id, "variant_id"),
        is_available=False,
        is_deleted=True,
    )


def delivery_option(told: contract.DeliveryMethod | contract.DeliveryPoint) -> DeliveryOptionSnapshot:
    """Return a way of delivery or a pick-up point.

    :raises BodyQuarantined: naming the field.
    """
    ref, at = values.external_ref(told.id, "id"), values.instant(told.updated_at, "updated_at")
    if isinstance(told, contract.DeliveryPoint):
        return DeliveryOptionSnapshot(
            ref=ref,
            version_at=at,
            is_point=True,
            title=values.line(told.name),
            is_available=told.is_available,
        )
    currency = values.currency_code(told.currency)
    return DeliveryOptionSnapshot(
        ref=ref,
        version_at=at,
        title=values.line(told.title) or ref,
        price=values.optional_amount(told.price, currency, "price"),
        currency=currency,
        needs_point=told.needs_point,
        is_available=told.is_available,
    )


def delivery_gone(told: contract.DeliveryGone, *, is_point: bool) -> DeliveryOptionSnapshot:
    """Return a way of delivery or a pick-up point that was given up.

    :raises BodyQuarantined: naming the field.
    """
    at = values.instant(told.deleted_at, "deleted_at")
    ref = values.external_ref(told.id, "id")
    return DeliveryOptionSnapshot(ref=ref, version_at=at, is_point=is_point, is_available=False)
