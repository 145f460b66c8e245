"""Coupons of the WooCommerce shop in miniature, as its REST API documents them and its source reckons them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integrations.woocommerce.shop import Shop

D = Decimal
CENT = D("0.01")
Json = dict[str, Any]
Answer = tuple[int, Any]
_MISSING = {"code": "woocommerce_rest_shop_coupon_invalid_id", "message": "Invalid ID."}
_DEFAULTS: Json = {
    "amount": "0.00",
    "discount_type": "fixed_cart",
    "description": "",
    "date_expires": None,
    "date_expires_gmt": None,
    "usage_count": 0,
    "individual_use": False,
    "product_ids": [],
    "usage_limit": None,
    "usage_limit_per_user": None,
    "limit_usage_to_x_items": None,
    "free_shipping": False,
    "minimum_amount": "0.00",
    "email_restrictions": [],
    "used_by": [],
    "meta_data": [],
}
_READ_ONLY = {"id", "date_expires_gmt", "usage_count", "used_by"}


class Invalid(Exception):
    """What `WC_Discounts` says of a coupon that it does not take."""


def answer_coupons(shop: Shop, method: str, number: str, query: dict[str, str], body: Any) -> Answer:
    """Answer a call about coupons."""
    if method == "GET" and not number:
        wanted = query.get("code", "").lower()
        return 200, [row for row in shop.coupons.values() if not wanted or row["code"] == wanted]
    if method == "POST":
        code = str(body.get("code", "")).lower()
        if not code:
            return 400, {"code": "woocommerce_rest_empty_coupon_code", "message": "It cannot be empty."}
        if any(row["code"] == code for row in shop.coupons.values()):
            taken = "woocommerce_rest_coupon_code_already_exists"
            return 400, {"code": taken, "message": "The coupon code already exists", "data": {"status": 400}}
        row = {**_DEFAULTS, "id": shop.next_number(), "code": code}
        shop.coupons[row["id"]] = row
        _write(row, body, shop)
        return 201, row
    known = shop.coupons.get(int(number))
    if known is None:
        return 404, _MISSING
    if method == "PUT":
        _write(known, body, shop)
    if method == "DELETE":
        assert query.get("force") == "true"
        del shop.coupons[known["id"]]
    return 200, known


def _write(row: Json, body: Json, shop: Shop) -> None:
    """Write what may be written; `date_expires_gmt` is passed over in silence, as the real one does."""
    row |= {name: value for name, value in body.items() if name not in _READ_ONLY | {"code", "date_expires"}}
    row["amount"] = f"{D(str(row['amount'])):.2f}"
    if "date_expires" in body:
        at = datetime.fromisoformat(body["date_expires"])
        at = (at if at.tzinfo else at.replace(tzinfo=shop.zone)).astimezone(UTC)
        row["date_expires_gmt"] = at.strftime("%Y-%m-%dT%H:%M:%S")
        row["date_expires"] = at.astimezone(shop.zone).strftime("%Y-%m-%dT%H:%M:%S")
    row |= shop.meddles


def put_order(shop: Shop, order: Json, body: Json) -> Answer:
    """Change the coupons of an order: the list is the whole list; all come off first and are put on again."""
    wanted = [str(line["code"]).lower() for line in body["coupon_lines"]]
    present = [line["code"] for line in order["coupon_lines"]]
    try:
        for code in wanted:
            if code not in present:
                _check(shop, order, code)
        for code in present:
            _take_off(shop, order, code)
        for code in wanted:
            _put_on(shop, order, code)
    except Invalid as error:
        return 400, {"code": "woocommerce_rest_invalid_coupon", "message": str(error)}
    finally:
        _reckon(shop, order)
    return 200, order


def _row(shop: Shop, code: str) -> Json | None:
    return next((row for row in shop.coupons.values() if row["code"] == code), None)


def _check(shop: Shop, order: Json, code: str) -> None:
    row = _row(shop, code)
    if row is None:
        raise Invalid(f'Coupon "{code}" does not exist!')
    if row["usage_limit"] and row["usage_count"] >= row["usage_limit"]:
        raise Invalid("Coupon usage limit has been reached.")
    if row["date_expires_gmt"] and shop.now > datetime.fromisoformat(row["date_expires_gmt"]).replace(
        tzinfo=UTC
    ):
        raise Invalid("This coupon has expired.")
    if D(row["minimum_amount"]) > sum(_price(order, line) for line in order["line_items"]):
        raise Invalid("The minimum spend for this coupon is more.")
    if not _eligible(order, row):
        raise Invalid("Sorry, this coupon is not applicable to selected products.")
    email = order["billing"]["email"].lower()
    if row["email_restrictions"] and email not in row["email_restrictions"]:
        raise Invalid("Please enter a valid email at checkout to use this coupon code.")


def _take_off(shop: Shop, order: Json, code: str) -> None:
    order["coupon_lines"] = [line for line in order["coupon_lines"] if line["code"] != code]
    if (row := _row(shop, code)) is not None:
        row["usage_count"] = max(row["usage_count"] - 1, 0)
        if order["customer_id"]:  # of a guest the address stays among those who used it
            row["used_by"] = [one for one in row["used_by"] if one != str(order["customer_id"])]


def _put_on(shop: Shop, order: Json, code: str) -> None:
    _check(shop, order, code)
    row = _row(shop, code)
    assert row is not None
    person = str(order["customer_id"] or order["billing"]["email"].lower())
    if row["usage_limit_per_user"] and row["used_by"].count(person) >= row["usage_limit_per_user"]:
        raise Invalid("Coupon usage limit has been reached.")
    row["usage_count"] += 1
    row["used_by"] = [*row["used_by"], person]
    order["coupon_lines"] = [*order["coupon_lines"], {"id": shop.next_number(), "code": code}]


def _price(order: Json, line: Json) -> Decimal:
    """Return what a discount is reckoned on: the price before discounts, with tax where prices hold it."""
    net = D(line["subtotal"])
    return net + D(line["subtotal_tax"]) if order["prices_include_tax"] else net


def _eligible(order: Json, row: Json) -> list[Json]:
    """Return the lines that a coupon takes something off; one for the whole cart takes it off all of them."""
    ids = row["product_ids"]
    fits = [
        line
        for line in order["line_items"]
        if not ids or line["product_id"] in ids or line.get("variation_id") in ids
    ]
    return order["line_items"] if fits and row["discount_type"] == "fixed_cart" else fits


def _reckon(shop: Shop, order: Json) -> None:
    """Reckon lines, coupons and totals anew from the prices before discounts."""
    taken: dict[int, Decimal] = {}
    for coupon in order["coupon_lines"]:
        row = _row(shop, coupon["code"])
        if row is not None:
            shares = _shares(order, row, taken)
            coupon.update(_split(order, shares))
            for at, share in shares.items():
                taken[at] = taken.get(at, D(0)) + share
    for at, line in enumerate(order["line_items"]):
        whole = D(line["subtotal"]) + D(line["subtotal_tax"])
        left = _price(order, line) - taken.get(at, D(0))
        net, tax = D(line["subtotal"]), D(line["subtotal_tax"])
        if order["prices_include_tax"]:
            line["total_tax"] = f"{(left * tax / whole if whole else D(0)).quantize(CENT, ROUND_HALF_UP):f}"
            line["total"] = f"{left - D(line['total_tax']):f}"
        else:
            line["total"] = f"{left:f}"
            line["total_tax"] = f"{(left * tax / net if net else D(0)).quantize(CENT, ROUND_HALF_UP):f}"
    goods = sum((D(line["total"]) + D(line["total_tax"]) for line in order["line_items"]), D(0))
    order["discount_total"] = f"{sum((D(one['discount']) for one in order['coupon_lines']), D(0)):.2f}"
    order["total"] = f"{goods + D(order['shipping_total']) + shop.surcharge:.2f}"
    order["date_modified_gmt"] = shop.now.strftime("%Y-%m-%dT%H:%M:%S")


def _shares(order: Json, row: Json, taken: dict[int, Decimal]) -> dict[int, Decimal]:
    """Return what a coupon takes off each line, as `WC_Discounts` does: rounded down, then cent by cent."""
    fits = [(at, line) for at, line in enumerate(order["line_items"]) if line in _eligible(order, row)]
    left = {at: _price(order, line) - taken.get(at, D(0)) for at, line in fits}
    amount = D(row["amount"])
    if row["discount_type"] == "percent":
        shares = {
            at: min(left[at], (_price(order, line) * amount / 100).quantize(CENT, ROUND_FLOOR))
            for at, line in fits
        }
        whole = sum((_price(order, line) for _, line in fits), D(0)) * amount / 100
        wanted = whole.quantize(CENT, ROUND_HALF_UP)
    elif row["discount_type"] == "fixed_product":
        at, line = max(fits, key=lambda one: _price(order, one[1]))
        wanted = min(amount, left[at] / D(str(line["quantity"])))
        shares = {at: wanted}
    else:
        wanted = min(amount, sum(left.values(), D(0)))
        whole = sum(left.values(), D(0))
        shares = {at: (wanted * left[at] / whole).quantize(CENT, ROUND_FLOOR) for at in left} if whole else {}
    rest = wanted - sum(shares.values(), D(0))
    while rest >= CENT:
        below = [at for at in shares if shares[at] < left[at]]
        if not below:
            break
        shares[below[0]] += CENT
        rest -= CENT
    return shares


def _split(order: Json, shares: dict[int, Decimal]) -> dict[str, str]:
    """Return the discount of a coupon without tax, and the tax on it."""
    net = tax = D(0)
    for at, share in shares.items():
        line = order["line_items"][at]
        without, rate = D(line["subtotal"]), D(line["subtotal_tax"])
        if order["prices_include_tax"]:
            part = (share * rate / (without + rate) if without + rate else D(0)).quantize(CENT, ROUND_HALF_UP)
            net, tax = net + share - part, tax + part
        else:
            net += share
            tax += (share * rate / without if without else D(0)).quantize(CENT, ROUND_HALF_UP)
    return {"discount": f"{net:.2f}", "discount_tax": f"{tax:.2f}"}
