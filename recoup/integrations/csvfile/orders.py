"""From lines to orders: lines of one order stand together, and its own cells may be on the first of them only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from recoup.catalog.costs import CostLine
from recoup.integrations import values
from recoup.integrations.csvfile import cells
from recoup.integrations.csvfile.plan import Plan
from recoup.integrations.csvfile.products import lines_of
from recoup.integrations.csvfile.reading import Form, rows
from recoup.integrations.csvfile.seen import Seen
from recoup.shops.ports import BodyQuarantined
from recoup.shops.snapshots import (
    AttemptState,
    CouponSnapshot,
    DeliverySnapshot,
    InvoiceSnapshot,
    LineSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    PersonSnapshot,
    PointSnapshot,
    RefundSnapshot,
    ShopState,
)

MOST_LINES = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, by field."""

    number: int
    cells: dict[str, str]
    width: int

    def get(self, name: str) -> str:
        """Return a cell, trimmed; nothing if the line is too short or the column is not there."""
        return self.cells.get(name, "")


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one order."""

    ref: str
    lines: tuple[Line, ...]
    trouble: str = ""  # a reason why it cannot be used at all


@dataclass(frozen=True, slots=True)
class Entry:
    """One order or product of the file: what it says, or why that is nothing. `last_row` is the line it ends on."""

    ref: str
    row_no: int
    last_row: int
    snapshot: OrderSnapshot | CostLine | None = None
    reason: str = ""
    status: str = ""  # of ours, that the order is to have (E3)


def entries(path: Path, plan: Plan, *, version_at: datetime) -> Iterator[Entry]:
    """Return every order or product of the file, in its order, good and bad; the file is never held whole.

    :raises FileRefused: where its letters or quotes break.
    """
    if plan.is_products:
        for number, named, found in lines_of(path, plan):
            if isinstance(found, BodyQuarantined):
                yield Entry(named, number, number, reason=str(found))
            else:
                yield Entry(named, number, number, found)
        return
    for group in groups(path, plan):
        first, last = group.lines[0], group.lines[-1]
        try:
            if group.trouble:
                raise BodyQuarantined(*group.trouble.split(": ", 1))
            snapshot = read_order(group, plan, version_at=version_at)
        except BodyQuarantined as reason:
            yield Entry(group.ref, first.number, last.number, reason=str(reason))
        else:
            status = "" if first.get("cancelled_at") else cells.own_status(first.get("status"), plan.words)
            yield Entry(group.ref, first.number, last.number, snapshot, status=status)


def groups(path: Path, plan: Plan) -> Iterator[Group]:
    """Return the lines of the file by order. Lines of an order that stand apart are refused: the first group counts."""
    seen = Seen()
    pending: list[Line] = []
    ref = ""
    for line in _lines(path, plan):
        own = _own_ref(line, plan)
        if pending and _belongs(line, own, pending[0], ref, plan):
            pending.append(line)
            continue
        if pending:
            yield _group(ref, pending, seen)
        pending, ref = [line], own
    if pending:
        yield _group(ref, pending, seen)


def _lines(path: Path, plan: Plan) -> Iterator[Line]:
    places = {name: plan.header.index(column) for name, column in plan.columns.items()}
    for number, row in rows(path, Form(plan.encoding, plan.delimiter, plan.header)):
        found = {name: row[place].strip() for name, place in places.items() if place < len(row)}
        yield Line(number, found, len(row))


def _own_ref(line: Line, plan: Plan) -> str:
    ref = line.get("ref")
    return ref or ("" if plan.kind == "shopify" and not line.get("status") else line.get("number"))


def _belongs(line: Line, own: str, first: Line, ref: str, plan: Plan) -> bool:
    """Tell whether a line goes on with the order before it: the same id, or in Shopify's export no id and its number."""
    if own:
        return own == ref
    return plan.kind == "shopify" and line.get("number") in {"", first.get("number")}


def _group(ref: str, lines: list[Line], seen: Seen) -> Group:
    trouble = ""
    if not ref:
        trouble = "row_no_order"
    elif not seen.add(ref):
        trouble = f"row_apart: {ref}"
    elif len(lines) > MOST_LINES:
        trouble = f"list_too_long: {len(lines)}"
    return Group(ref, tuple(lines), trouble)


def read_order(group: Group, plan: Plan, *, version_at: datetime) -> OrderSnapshot:
    """Return the snapshot of an order.

    :raises BodyQuarantined: naming the cell that cannot be used.
    """
    first = group.lines[0]
    if first.width != len(plan.header):
        raise BodyQuarantined("row_ragged", f"{first.width} ≠ {len(plan.header)}")
    currency = values.currency_code(first.get("currency") or plan.currency)
    total = _amount(first, "total", currency, plan)
    if total is None or total < 0:
        raise BodyQuarantined("bad_amount", f"total: {values.shown(first.get('total'))}")
    placed_at = _moment(first, "placed_at", plan)
    if placed_at is None:
        raise BodyQuarantined("bad_date", "placed_at")
    paid_at = _moment(first, "paid_at", plan)
    state = _state(first, plan, paid_at)
    if state in {ShopState.PAID, ShopState.FULFILLED, ShopState.REFUNDED}:
        paid_at = paid_at or placed_at
    ref = values.external_ref(group.ref, "ref")
    method = values.line(first.get("method"), length=60)
    discount = _amount(first, "discount_total", currency, plan)
    return OrderSnapshot(
        ref=ref,
        state=state,
        currency=currency,
        total=total,
        placed_at=placed_at,
        version_at=version_at,
        number=values.line(first.get("number")) or ref,
        person=_person(first, plan),
        lines=_order_lines(group, currency, plan),
        payments=_payments(first, ref, total, currency, state, paid_at or placed_at, plan),
        refunds=_refunds(first, ref, currency, paid_at or placed_at, plan),
        method=method.lower(),
        method_title=values.line(first.get("method_title")) or method,
        paid_at=paid_at if state is not ShopState.PENDING else None,
        cancelled_at=_moment(first, "cancelled_at", plan),
        cancel_reason="cancelled" if state is ShopState.CANCELLED else "",
        locale=values.language_code(first.get("locale")),
        origin="import",
        discount_total=discount,
        shipping_total=_amount(first, "shipping_total", currency, plan),
        tax_total=_amount(first, "tax_total", currency, plan),
        coupons=_coupons(first, discount),
        delivery=_delivery(first, plan),
        invoice=_invoice(first, plan),
        raw_state=values.line(first.get("status"), length=60),
    )


def _amount(line: Line, name: str, currency: str, plan: Plan) -> Decimal | None:
    text = line.get(name)
    return cells.amount(text, currency, sign=plan.decimal, field=name) if text else None


def _moment(line: Line, name: str, plan: Plan) -> datetime | None:
    text = line.get(name)
    return cells.moment(text, order=plan.dates, zone=plan.zone, field=name) if text else None


def _state(first: Line, plan: Plan, paid_at: datetime | None) -> ShopState:
    if first.get("cancelled_at"):
        return ShopState.CANCELLED
    text = first.get("status")
    if paid_at is not None and cells.own_status(text, plan.words):
        return ShopState.PAID  # such a status says nothing of money
    if text:
        return cells.state(text, plan.words, field="status")
    if paid_at is not None:
        return ShopState.PAID
    return ShopState(plan.default_state) if plan.default_state else ShopState.PENDING


def _person(first: Line, plan: Plan) -> PersonSnapshot:
    parts = [first.get("name")] if first.get("name") else [first.get("first_name"), first.get("last_name")]
    address = {
        # Spreadsheets get postcodes with an apostrophe before them, so that leading zeroes stay.
        "postcode": values.line(first.get("postcode").removeprefix("'")),
        "city": values.line(first.get("city")),
        "address_1": values.line(first.get("street")),
        "country": values.country_code(first.get("country")),
    }
    has_consent = bool(
        first.get("marketing_consent") and first.get("consent_at") and first.get("consent_source")
    )
    return PersonSnapshot(
        email=values.line(first.get("email"), length=254),
        phone=values.line((first.get("phone") or first.get("billing_phone")).removeprefix("'"), length=40),
        name=values.line(" ".join(part for part in parts if part)),
        country=values.country_code(first.get("country")),
        company=values.line(first.get("company")),
        locale=values.language_code(first.get("locale")),
        address={key: text for key, text in address.items() if text},
        marketing_consent=(
            cells.agreed(first.get("marketing_consent"), field="marketing_consent") if has_consent else None
        ),
        marketing_consent_at=_moment(first, "consent_at", plan) if has_consent else None,
        marketing_consent_text=values.line(first.get("consent_source")) if has_consent else "",
    )


def _coupons(first: Line, discount: Decimal | None) -> tuple[CouponSnapshot, ...]:
    code = values.line(first.get("coupon"), length=100)
    return (CouponSnapshot(code, abs(discount or Decimal(0))),) if code else ()


def _delivery(first: Line, plan: Plan) -> DeliverySnapshot | None:
    """Return how the order is delivered; `None` if the file has no column that could say so."""
    if not any(name.startswith("delivery_") for name in plan.columns):
        return None
    address = {
        "address_1": values.line(first.get("delivery_street")),
        "postcode": values.line(first.get("delivery_postcode").removeprefix("'")),
        "city": values.line(first.get("delivery_city")),
        "country": values.country_code(first.get("delivery_country")),
    }
    return DeliverySnapshot(
        title=values.line(first.get("delivery_method")),
        point=PointSnapshot(ref=values.line(first.get("delivery_point"))),
        name=values.line(first.get("delivery_name")),
        company=values.line(first.get("delivery_company")),
        phone=values.line(first.get("delivery_phone").removeprefix("'"), length=40),
        address={key: text for key, text in address.items() if text},
    )


def _invoice(first: Line, plan: Plan) -> InvoiceSnapshot | None:
    """Return to whom it is invoiced; `None` if the file has no column for it."""
    if not {"tax_id", "invoice_company"} & set(plan.columns):
        return None
    tax_id = values.line(first.get("tax_id").removeprefix("'"), length=40)
    company = values.line(first.get("invoice_company"))
    return InvoiceSnapshot(is_wanted=True if tax_id or company else None, company=company, tax_id=tax_id)


def _order_lines(group: Group, currency: str, plan: Plan) -> tuple[LineSnapshot, ...]:
    found = []
    for line in group.lines:
        name = values.line(line.get("product_name"))
        sku = values.line(line.get("sku"), length=100)
        if not name and not sku:
            continue
        count = cells.quantity(line.get("quantity") or "1", field="quantity")
        price = _amount(line, "unit_price", currency, plan)
        total = _amount(line, "line_total", currency, plan)
        if price is None:
            price = (total / count).quantize(Decimal("0.0001")) if total is not None else Decimal(0)
        found.append(
            LineSnapshot(
                product_ref=values.line(line.get("product_ref")) or sku or name,
                name=name or sku,
                quantity=count,
                unit_price=price,
                total=price * count if total is None else total,
                sku=sku,
            )
        )
    return tuple(found)


def _payments(
    first: Line, ref: str, total: Decimal, currency: str, state: ShopState, at: datetime, plan: Plan
) -> tuple[PaymentSnapshot, ...]:
    """Return what was paid: all of it by its reference, or what is not outstanding of an order that is still owed."""
    outstanding = _amount(first, "outstanding", currency, plan)
    is_paid = state in {ShopState.PAID, ShopState.FULFILLED, ShopState.REFUNDED}
    reference = values.line(first.get("payment_ref"))
    taken = total if is_paid else total - outstanding if outstanding is not None else Decimal(0)
    is_partly = first.get("status").lower().replace(" ", "_") == "partially_paid"
    if taken <= 0 or not ((is_paid and reference) or is_partly):
        return ()  # paid in full without a reference is told by `paid_at`
    return (
        PaymentSnapshot(
            ref=reference or f"partly:{ref}",
            state=AttemptState.SUCCEEDED,
            amount=taken,
            currency=currency,
            at=at,
            method=values.line(first.get("method"), length=60).lower(),
        ),
    )


def _refunds(first: Line, ref: str, currency: str, at: datetime, plan: Plan) -> tuple[RefundSnapshot, ...]:
    given = _amount(first, "refunded", currency, plan)
    if given is None or given == 0:
        return ()
    return (RefundSnapshot(ref=f"refund:{ref}", amount=abs(given), currency=currency, at=at),)
