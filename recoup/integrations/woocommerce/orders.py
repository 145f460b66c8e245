"""Orders as WooCommerce's REST API shows them (v3), turned into snapshots."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from recoup.core.money import exponent
from recoup.integrations import values
from recoup.integrations.woocommerce import particulars, words
from recoup.shops.ports import BodyQuarantined
from recoup.shops.snapshots import (
    FAILED_BY_WORD,
    AttemptState,
    CouponSnapshot,
    FailureClass,
    LineSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    PersonSnapshot,
    RefundSnapshot,
    ShopState,
)

Json = Mapping[str, Any]
_PLACES = Decimal("0.0001")


def is_draft(body: Json) -> bool:
    """Tell whether this row is a cart of the block checkout and no order yet: never a debt."""
    return str(body.get("status", "")).lower() in words.DRAFTS


def read_order(body: Json) -> OrderSnapshot:
    """Return the snapshot of an order.

    :raises BodyQuarantined: naming the field that cannot be used.
    """
    refuse_error(body)
    currency = values.currency_code(body.get("currency"))
    total = values.amount(body.get("total"), currency, "total")
    placed_at = values.utc_instant(body.get("date_created_gmt"), "date_created_gmt")
    changed_at = _moment(body, "date_modified_gmt") or placed_at
    state, paid_at = state_of(body, changed_at)
    ref = values.external_ref(body.get("id"), "id")
    meta = particulars.meta_of(body)
    method = values.line(body.get("payment_method"), length=60)
    return OrderSnapshot(
        ref=ref,
        state=state,
        currency=currency,
        total=total,
        placed_at=placed_at,
        version_at=changed_at,
        number=values.optional_ref(body.get("number"), "number") or ref,
        person=_person(body, meta),
        lines=_lines(body),
        payments=_payments(body, ref, total, currency, state, paid_at or changed_at),
        refunds=_refunds(body, currency, changed_at),
        method=method,
        method_title=values.line(body.get("payment_method_title")),
        is_offline_method=method in words.OFFLINE_METHODS,
        paid_at=paid_at,
        cancelled_at=changed_at if state is ShopState.CANCELLED else None,
        cancel_reason=values.line(body.get("status")) if state is ShopState.CANCELLED else "",
        pay_url=_pay_url(body),
        locale=_locale(meta),
        origin=values.line(body.get("created_via"), length=24),
        discount_total=values.optional_amount(body.get("discount_total"), currency, "discount_total"),
        shipping_total=_shipping_total(body, currency),
        tax_total=values.optional_amount(body.get("total_tax"), currency, "total_tax"),
        delivery=particulars.read_delivery(body, meta),
        invoice=particulars.read_invoice(body, meta),
        raw_state=values.line(body.get("status"), length=60),
        is_test=any(str(meta.get(key)) == word for key, word in words.TEST_KEYS.items()),
        coupons=_coupons(body),
    )


def refuse_error(body: Json) -> None:
    """Refuse an error of the REST API: a webhook whose WordPress user lost its rights sends one, well signed.

    :raises BodyQuarantined: with the code of the error.
    """
    if "id" not in body and isinstance(body.get("code"), str) and "message" in body:
        raise BodyQuarantined("rest_error", f"{values.shown(body['code'])}: {values.shown(body['message'])}")


def state_of(body: Json, changed_at: datetime) -> tuple[ShopState, datetime | None]:
    """Return the state of an order and when it was paid.

    `date_paid` is the proof of payment. `processing` without it is goods sent cash on delivery: the money is awaited.
    `completed` without it is the shop's own word that all is done; nobody is to be reminded.
    """
    word = str(body.get("status", "")).lower()
    state = words.ORDER_STATES.get(word, ShopState.UNKNOWN)
    paid_at = _moment(body, "date_paid_gmt")
    if state is ShopState.PAID and paid_at is None:
        return ShopState.ON_HOLD, None
    if state is ShopState.FULFILLED and paid_at is None:
        return state, _moment(body, "date_completed_gmt") or changed_at
    return state, paid_at


def _moment(body: Json, field: str) -> datetime | None:
    told = body.get(field)
    return values.utc_instant(told, field) if told else None


def _shipping_total(body: Json, currency: str) -> Decimal | None:
    """Return what the delivery costs with its tax, as the lines hold theirs; WooCommerce tells both apart."""
    net = values.optional_amount(body.get("shipping_total"), currency, "shipping_total")
    if net is None:
        return None
    try:
        tax = values.fine_amount(body.get("shipping_tax") or "0", "shipping_tax")
    except BodyQuarantined:
        return net
    return (net + tax).quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_HALF_UP)


def _pay_url(body: Json) -> str:
    """Return the shop's link to pay; its page refuses an order that `needs_payment` no more (`on-hold`, `processing`)."""
    return "" if body.get("needs_payment") is False else values.web_address(body.get("payment_url"))


def _locale(meta: Json) -> str:
    for key in words.LOCALE_KEYS:
        found = values.language_code(meta.get(key))
        if found:
            return found
    return ""


def _person(body: Json, meta: Json) -> PersonSnapshot:
    billing = values.members(body.get("billing"))
    shipping = values.members(body.get("shipping"))
    given = [values.line(billing.get(part)) for part in ("first_name", "last_name")]
    return PersonSnapshot(
        email=values.line(billing.get("email"), length=254),
        phone=values.line(billing.get("phone") or shipping.get("phone"), length=40),
        name=" ".join(part for part in given if part),
        account_ref=values.optional_ref(body.get("customer_id"), "customer_id"),
        country=values.country_code(billing.get("country") or shipping.get("country")),
        company=values.line(billing.get("company")),
        locale=_locale(meta),
        address=particulars.bill_address(body),
    )


def _lines(body: Json) -> tuple[LineSnapshot, ...]:
    found = []
    for number, item in enumerate(values.items(body.get("line_items"), "line_items", most=1000)):
        field = f"line_items.{number}"
        count = values.quantity(item.get("quantity", 1), f"{field}.quantity")
        net = values.fine_amount(item.get("total") or "0", f"{field}.total")
        tax = values.fine_amount(item.get("total_tax") or "0", f"{field}.total_tax")
        gross = net + tax
        found.append(
            LineSnapshot(
                product_ref=values.optional_ref(item.get("product_id"), f"{field}.product_id"),
                name=values.line(item.get("name")) or "—",
                quantity=count,
                unit_price=(gross / count).quantize(_PLACES, ROUND_HALF_UP),
                total=gross,
                sku=values.line(item.get("sku"), length=100),
                variant_ref=values.optional_ref(item.get("variation_id"), f"{field}.variation_id"),
                options=_options(item),
                image_url=values.web_address(values.members(item.get("image")).get("src")),
            )
        )
    return tuple(found)


def _coupons(body: Json) -> tuple[CouponSnapshot, ...]:
    """Return the coupons of an order; its total and its lines hold their discounts already."""
    found = []
    for number, row in enumerate(values.items(body.get("coupon_lines"), "coupon_lines", most=100)):
        field = f"coupon_lines.{number}"
        net = values.fine_amount(row.get("discount") or "0", f"{field}.discount")
        tax = values.fine_amount(row.get("discount_tax") or "0", f"{field}.discount_tax")
        code = values.line(row.get("code"), length=100)
        if code:
            found.append(CouponSnapshot(code, net + tax))
    return tuple(found)


def _options(item: Json) -> dict[str, str]:
    rows = item.get("meta_data")
    found = {}
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, dict) or str(row.get("key", "_")).startswith("_"):
            continue
        name = values.line(row.get("display_key") or row.get("key"), length=60)
        text = values.line(row.get("display_value") or row.get("value"))
        if name and text and "<" not in text:
            found[name] = text
    return dict(list(found.items())[:20])


def _payments(
    body: Json, ref: str, total: Decimal, currency: str, state: ShopState, at: datetime
) -> tuple[PaymentSnapshot, ...]:
    method = values.line(body.get("payment_method"), length=40)
    if state is ShopState.FAILED:
        # The gateway said no and WooCommerce does not say why, nor which attempt it was.
        return (
            PaymentSnapshot(
                ref=f"{FAILED_BY_WORD}{ref}:{at:%Y%m%d%H%M%S}",
                state=AttemptState.FAILED,
                amount=total,
                currency=currency,
                at=at,
                operator=method,
                method=method,
                failure_class=FailureClass.UNKNOWN,
                failure_code="failed",
            ),
        )
    paid_at = _moment(body, "date_paid_gmt")
    transaction = values.line(body.get("transaction_id"))
    if paid_at is None or not transaction or total <= 0:
        return ()  # paid without a transaction is told by `paid_at`
    return (
        PaymentSnapshot(
            ref=transaction,
            state=AttemptState.SUCCEEDED,
            amount=total,
            currency=currency,
            at=paid_at,
            operator=method,
            method=method,
            is_only=True,
        ),
    )


def _refunds(body: Json, currency: str, at: datetime) -> tuple[RefundSnapshot, ...]:
    found = []
    for number, row in enumerate(values.items(body.get("refunds"), "refunds", most=500)):
        field = f"refunds.{number}"
        given = abs(values.amount(row.get("total"), currency, f"{field}.total", allow_negative=True))
        if given == 0:
            continue  # goods taken back without money
        found.append(
            RefundSnapshot(
                ref=values.external_ref(row.get("id"), f"{field}.id"),
                amount=given,
                currency=currency,
                at=at,
                reason=values.line(row.get("reason")),
            )
        )
    return tuple(found)
