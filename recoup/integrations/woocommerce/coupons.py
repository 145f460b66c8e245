"""Coupons of WooCommerce over its REST API: made once, put on unpaid orders, taken off and deleted again.

What its source does and its reference does not say:

- `date_expires_gmt` is read and never written; `date_expires` takes an instant with its offset.
- Codes are kept in lower case. `coupon_lines` of an order is the whole list: all are taken off and put on again, and what
  cannot be put on again is lost. So coupons of others on an order are looked at before anything is sent.
- A coupon that has expired or is deleted goes on counting on an order that bears it: it must be taken off the order.
- `product_ids` takes variations as well: a product counts by its own id or that of its parent. There is no limit of ids.
- `free_shipping` changes nothing of an order that is placed.
- No write is conditional: an order that is paid between our look and our change is changed all the same, so the answer of
  the change and the order afterwards are looked at.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from recoup.core.text import clean_line
from recoup.integrations import values
from recoup.integrations.woocommerce import orders, paging
from recoup.integrations.woocommerce.client import Api, RequestRefused
from recoup.shops.coupons import (
    Coupon,
    CouponCodeTaken,
    CouponKind,
    CouponRefused,
    CouponTrouble,
    CouponWish,
)
from recoup.shops.models import Source
from recoup.shops.ports import BodyQuarantined, SourceRefused, SourceUnavailable
from recoup.shops.snapshots import OrderSnapshot

Json = dict[str, Any]
REFERENCE = "_recoup_offer"  # in the coupon's own data; the underline hides it from the shop's screens
_OPEN = frozenset({"pending", "failed", "on-hold"})
_TAKEN = "woocommerce_rest_coupon_code_already_exists"
_TYPES = {
    CouponKind.PERCENT: "percent",
    CouponKind.AMOUNT: "fixed_cart",
    CouponKind.ONE_PIECE: "fixed_product",
    CouponKind.NOTHING: "percent",
}
_SUMS = frozenset({CouponKind.AMOUNT, CouponKind.ONE_PIECE})
_CENT = Decimal("0.01")


def make(source: Source, wish: CouponWish) -> Coupon:
    """Make a coupon, or find the one that was made for this reference.

    :raises CouponCodeTaken: :raises CouponRefused: :raises SourceUnavailable: :raises SourceRefused:
    """
    with Api(source) as api:
        _refuse_disabled(api)
        order = _order(api, wish.order_ref) if wish.order_ref else None
        has_sum = wish.kind in _SUMS or wish.min_sum is not None
        if has_sum and wish.currency != _currency(source, order):
            raise CouponRefused(CouponTrouble.UNFIT, wish.currency)
        body = _body(wish, order)
        try:
            row = _object(api.send("POST", "coupons", body).body)
        except RequestRefused as refused:
            if refused.code != _TAKEN:
                raise CouponRefused(
                    CouponTrouble.NOT_APPLICABLE, refused.message or refused.code
                ) from refused
            row = _mend(api, wish, body)
        if not _is_as_asked(row, body):
            api.delete(f"coupons/{_id(row)}")
            raise CouponRefused(CouponTrouble.DIFFERS, wish.code)
        return Coupon(str(_id(row)), str(row.get("code", "")))


def _mend(api: Api, wish: CouponWish, body: Json) -> Json:
    """Return the coupon of this code, written anew, if it is ours: the answer about it was lost."""
    row = _find(api, wish.code)
    if row is None or not _is_ours(row, wish.reference):
        raise CouponCodeTaken(wish.code)
    changes = {name: value for name, value in body.items() if name not in {"code", "meta_data"}}
    return _object(api.send("PUT", f"coupons/{_id(row)}", changes).body)


def _refuse_disabled(api: Api) -> None:
    """Refuse where coupons are switched off; keys that may not read settings say nothing about it."""
    try:
        setting = api.get("settings/general/woocommerce_enable_coupons").body
    except (LookupError, SourceRefused):
        return
    if isinstance(setting, dict) and setting.get("value") == "no":
        raise CouponRefused(CouponTrouble.DISABLED)


def _body(wish: CouponWish, order: Json | None) -> Json:
    emails = {email.strip().lower() for email in wish.emails}
    value = wish.value
    if order is not None:
        emails.add(str(values.members(order.get("billing")).get("email") or "").strip().lower())
        if wish.kind is not CouponKind.PERCENT:
            value *= _share_without_tax(order)
    return {
        "code": wish.code,
        "discount_type": _TYPES[wish.kind],
        "amount": f"{value.quantize(_CENT, ROUND_HALF_UP):f}",
        "date_expires": wish.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "individual_use": wish.is_alone,
        "product_ids": sorted({*map(_product_id, wish.products), *(_sold_as(*one) for one in wish.variants)}),
        "usage_limit": 1,
        **({"limit_usage_to_x_items": 1} if wish.kind is CouponKind.ONE_PIECE else {}),
        **({"minimum_amount": f"{wish.min_sum:f}"} if wish.min_sum is not None else {}),
        "email_restrictions": sorted(emails - {""}),
        "description": clean_line(wish.note, length=200),
        "meta_data": [{"key": REFERENCE, "value": wish.reference}],
    }


def _currency(source: Source, order: Json | None) -> str:
    return paging.currency_of(source) if order is None else str(order.get("currency", ""))


def _sold_as(product: str, variant: str) -> int:
    """Return the id of a variation; of its product where the variant is known by something else."""
    is_id = variant.isascii() and variant.isdecimal() and int(variant) > 0
    return int(variant) if is_id else _product_id(product)


def _product_id(ref: str) -> int:
    if not ref.isascii() or not ref.isdecimal():
        raise CouponRefused(CouponTrouble.UNFIT, ref)
    return int(ref)


def _share_without_tax(order: Json) -> Decimal:
    """Return what of a sum with tax a coupon must say: the net share of the goods where prices are kept without tax."""
    if order.get("prices_include_tax"):
        return Decimal(1)
    lines = values.items(order.get("line_items"), "line_items", most=1000)
    net = sum((_decimal(line.get("subtotal")) for line in lines), Decimal(0))
    tax = sum((_decimal(line.get("subtotal_tax")) for line in lines), Decimal(0))
    return net / (net + tax) if net > 0 and tax > 0 else Decimal(1)


def _is_as_asked(row: Json, body: Json) -> bool:
    """Tell whether a coupon is what was asked for: a plugin may forbid, round or drop something."""
    try:
        ends_at = values.utc_instant(row.get("date_expires_gmt"), "date_expires_gmt")
    except BodyQuarantined:
        return False
    asked = datetime.fromisoformat(body["date_expires"])
    return (
        row.get("discount_type") == body["discount_type"]
        and _decimal(row.get("amount")).quantize(_CENT) == Decimal(body["amount"])
        and abs((ends_at - asked).total_seconds()) < 1
        and row.get("usage_limit") == 1
        and (row.get("limit_usage_to_x_items") or 0) == body.get("limit_usage_to_x_items", 0)
        and _decimal(row.get("minimum_amount") or 0) == Decimal(body.get("minimum_amount", "0"))
        and bool(row.get("individual_use")) == body["individual_use"]
        and sorted(row.get("product_ids") or []) == sorted(body["product_ids"])
        and sorted(str(email).lower() for email in row.get("email_restrictions") or [])
        == body["email_restrictions"]
    )


def put(source: Source, order_ref: str, code: str, *, is_beside: bool) -> OrderSnapshot:
    """Put a coupon on an unpaid order and return the order as it reads afterwards.

    :raises CouponRefused: :raises SourceUnavailable: :raises SourceRefused:
    """
    with Api(source) as api:
        order = _order(api, order_ref)
        if not _is_open(order):
            raise CouponRefused(CouponTrouble.CLOSED, str(order.get("status", "")))
        others = [one for one in _codes(order) if one != code.lower()]
        if others and not is_beside:
            raise CouponRefused(CouponTrouble.BESIDE, others[0])
        if code.lower() not in _codes(order):
            _refuse_losing(api, order, others)
            changed = _write_codes(api, order_ref, [*others, code])
            read = _order(api, order_ref)
            if _is_open(changed) and _is_open(read):
                return _snapshot(read)
            return _put_back(api, order, others) or _snapshot(read)
        return _snapshot(order)


def _put_back(api: Api, before: Json, codes: Sequence[str]) -> OrderSnapshot | None:
    """Take a coupon off an order that was paid or closed while it was put on: what was paid is the sum before.

    `None` if the shop does not; the order bears it then.

    :raises CouponRefused: if the order costs again what it did.
    """
    order_ref = str(_id(before))
    try:
        _write_codes(api, order_ref, codes)
        read = _order(api, order_ref)
    except (CouponRefused, SourceUnavailable, SourceRefused):
        return None
    if _decimal(read.get("total")) == _decimal(before.get("total")):
        raise CouponRefused(CouponTrouble.CLOSED, str(read.get("status", "")))
    return _snapshot(read)


def take_off(source: Source, order_ref: str, code: str) -> OrderSnapshot | None:
    """Take a coupon off an unpaid order; one that is paid or closed keeps it.

    :raises CouponRefused: :raises SourceUnavailable: :raises SourceRefused:
    """
    with Api(source) as api:
        try:
            order = _order(api, order_ref)
        except CouponRefused:
            return None
        if _is_open(order) and code.lower() in _codes(order):
            others = [one for one in _codes(order) if one != code.lower()]
            _refuse_losing(api, order, others)
            _write_codes(api, order_ref, others)
            order = _order(api, order_ref)
        return _snapshot(order)


def remove(source: Source, code: str, reference: str) -> None:
    """Delete a coupon of ours.

    :raises SourceUnavailable: :raises SourceRefused:
    """
    with Api(source) as api:
        row = _find(api, code)
        if row is None or not _is_ours(row, reference):
            return
        try:
            api.delete(f"coupons/{_id(row)}")
        except LookupError:
            return


def _refuse_losing(api: Api, order: Json, others: Sequence[str]) -> None:
    """Refuse where a coupon that stands on the order could not be put back: WooCommerce takes all of them off first."""
    for code in others:
        found = api.get("coupons", code=code, per_page=paging.PAGE)
        row = _of_code(found.body, code)
        if row is None or not _can_be_put_back(row, order, found.at):
            raise CouponRefused(CouponTrouble.BESIDE, code)


def _can_be_put_back(row: Json, order: Json, now: datetime | None) -> bool:
    """Tell whether the shop would take a coupon again, by its own clock."""
    ends_at = row.get("date_expires_gmt")
    try:
        has_ended = bool(ends_at) and (now is None or values.utc_instant(ends_at, "date_expires_gmt") <= now)
    except BodyQuarantined:
        has_ended = True
    # The uses of a guest are counted by address, and taking a coupon off does not take that count back.
    is_counted = bool(row.get("usage_limit_per_user")) and not order.get("customer_id")
    return not has_ended and not is_counted


def _write_codes(api: Api, order_ref: str, codes: Sequence[str]) -> Json:
    try:
        lines = [{"code": code} for code in codes]
        return _object(api.send("PUT", f"orders/{order_ref}", {"coupon_lines": lines}).body)
    except RequestRefused as refused:  # `woocommerce_rest_invalid_coupon`, with a sentence that says why
        raise CouponRefused(CouponTrouble.NOT_APPLICABLE, refused.message or refused.code) from refused
    except LookupError as error:
        raise CouponRefused(CouponTrouble.CLOSED, order_ref) from error


def _order(api: Api, order_ref: str) -> Json:
    """Fetch an order.

    :raises CouponRefused: if there is none.
    """
    if not order_ref.isdecimal():
        raise CouponRefused(CouponTrouble.CLOSED, order_ref)
    try:
        return _object(api.get(f"orders/{order_ref}").body)
    except LookupError as error:
        raise CouponRefused(CouponTrouble.CLOSED, order_ref) from error


def _snapshot(order: Json) -> OrderSnapshot:
    try:
        return orders.read_order(order)
    except BodyQuarantined as reason:
        raise SourceUnavailable(str(reason)) from reason


def _is_open(order: Json) -> bool:
    return str(order.get("status", "")).lower() in _OPEN and not order.get("date_paid_gmt")


def _codes(order: Json) -> list[str]:
    try:
        rows = values.items(order.get("coupon_lines"), "coupon_lines", most=100)
    except BodyQuarantined as reason:
        raise SourceUnavailable(str(reason)) from reason
    return [str(row.get("code", "")).lower() for row in rows]


def _find(api: Api, code: str) -> Json | None:
    """Return the coupon of a code, or `None`."""
    return _of_code(api.get("coupons", code=code.lower(), per_page=paging.PAGE).body, code)


def _of_code(rows: Any, code: str) -> Json | None:
    if not isinstance(rows, list):
        raise SourceUnavailable("answer_not_list")
    wanted = (row for row in rows if isinstance(row, dict))
    return next((row for row in wanted if str(row.get("code", "")).lower() == code.lower()), None)


def _is_ours(row: Mapping[str, Any], reference: str) -> bool:
    rows = row.get("meta_data")
    told = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
    return any(one.get("key") == REFERENCE and str(one.get("value")) == reference for one in told)


def _id(row: Json) -> int:
    number = row.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise SourceUnavailable("answer_not_json")
    return number


def _object(body: Any) -> Json:
    if not isinstance(body, dict):
        raise SourceUnavailable("answer_not_json")
    return body


def _decimal(value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() else Decimal(0)
