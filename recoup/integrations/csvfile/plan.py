"""What a column means: recognised by its name, or said by a person. A plan is kept with its import as plain JSON."""

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from recoup.integrations.csvfile import cells, products
from recoup.integrations.csvfile.reading import FileRefused, Form, recognise_form, rows
from recoup.shops.models import Shop
from recoup.shops.ports import BodyQuarantined

SAMPLES = 2000  # lines that dates and decimal signs are judged by

# Everything that can be imported; nothing else can, whatever a file calls its columns (T147).
FIELDS = (
    "ref", "number", "status", "placed_at", "paid_at", "cancelled_at", "currency", "total", "outstanding", "refunded",
    "discount_total", "shipping_total", "tax_total", "method", "method_title", "payment_ref", "email", "phone",
    "billing_phone", "name", "first_name", "last_name", "company", "country", "postcode", "city", "street", "locale",
    "product_ref", "sku", "product_name", "quantity", "unit_price", "line_total", "marketing_consent",
    "consent_source", "consent_at", "coupon", "delivery_method", "delivery_point", "delivery_name", "delivery_company",
    "delivery_phone", "delivery_street", "delivery_postcode", "delivery_city", "delivery_country", "tax_id",
    "invoice_company",
)  # fmt: skip
NEEDED = ("ref", "placed_at", "total")
AMOUNTS = (
    "total",
    "outstanding",
    "refunded",
    "discount_total",
    "shipping_total",
    "tax_total",
    "unit_price",
    "line_total",
)
MOMENTS = ("placed_at", "paid_at", "cancelled_at", "consent_at")

SHOPIFY = {
    "Id": "ref", "Name": "number", "Email": "email", "Financial Status": "status", "Paid at": "paid_at",
    "Currency": "currency", "Shipping": "shipping_total", "Taxes": "tax_total", "Total": "total",
    "Discount Amount": "discount_total", "Created at": "placed_at", "Lineitem quantity": "quantity",
    "Lineitem name": "product_name", "Lineitem price": "unit_price", "Lineitem sku": "sku", "Billing Name": "name",
    "Billing Street": "street", "Billing Company": "company", "Billing City": "city", "Billing Zip": "postcode",
    "Billing Country": "country", "Cancelled at": "cancelled_at", "Payment Method": "method",
    "Payment Reference": "payment_ref", "Refunded Amount": "refunded", "Outstanding Balance": "outstanding",
    "Phone": "phone", "Billing Phone": "billing_phone", "Discount Code": "coupon", "Shipping Method": "delivery_method",
    "Shipping Name": "delivery_name", "Shipping Street": "delivery_street", "Shipping Company": "delivery_company",
    "Shipping City": "delivery_city", "Shipping Zip": "delivery_postcode", "Shipping Country": "delivery_country",
    "Shipping Phone": "delivery_phone",
}  # fmt: skip
_SHOPIFY_MARKS = {"Name", "Financial Status", "Created at", "Lineitem name", "Lineitem quantity"}
_ANALYTICS_MARKS = {"Order #", "Customer type", "Product(s)", "Items sold", "Net Sales"}

# Names of columns in files that people make, in lower case.
NAMES: dict[str, tuple[str, ...]] = {
    "ref": ("order id", "id zamówienia", "id заказа", "bestell-id", "order_id", "id"),
    "number": ("order number", "order", "order no", "number", "numer zamówienia", "numer", "zamówienie", "номер заказа",
               "номер", "заказ", "bestellnummer", "bestellung", "auftragsnummer"),
    "status": ("status", "order status", "state", "status zamówienia", "stan", "stan zamówienia", "статус", "статус заказа",
               "bestellstatus", "zahlungsstatus"),
    "placed_at": ("date", "order date", "created", "created at", "placed", "date created", "data", "data zamówienia",
                  "data utworzenia", "дата", "дата заказа", "дата создания", "datum", "bestelldatum"),
    "paid_at": ("paid at", "date paid", "payment date", "data płatności", "opłacono", "дата оплаты", "bezahlt am",
                "zahlungsdatum"),
    "cancelled_at": ("cancelled at", "data anulowania", "дата отмены", "storniert am"),
    "currency": ("currency", "order currency", "waluta", "валюта", "währung"),
    "total": ("total", "amount", "order total", "sum", "kwota", "kwota brutto", "suma", "wartość", "wartość zamówienia",
              "razem", "сумма", "стоимость", "итого",
              "betrag", "summe", "gesamtbetrag", "gesamt"),
    "email": ("email", "e-mail", "customer email", "billing email", "mail", "adres e-mail", "почта", "эл. почта",
              "e-mail-adresse"),
    "phone": ("phone", "billing phone", "telephone", "mobile", "telefon", "telefon klienta", "телефон", "telefonnummer"),
    "name": ("name", "customer", "customer name", "klient", "imię i nazwisko", "nazwa klienta", "клиент", "имя", "фио",
             "пользователь", "kunde", "kundenname"),
    "first_name": ("first name", "billing first name", "imię", "vorname"),
    "last_name": ("last name", "billing last name", "surname", "nazwisko", "фамилия", "nachname"),
    "company": ("company", "firma", "компания", "firmenname"),
    "country": ("country", "billing country", "kraj", "страна", "land"),
    "city": ("city", "miasto", "город", "stadt", "ort"),
    "postcode": ("postcode", "zip", "postal code", "kod pocztowy", "индекс", "plz"),
    "street": ("street", "address", "adres", "ulica", "адрес", "straße", "adresse"),
    "method": ("payment method", "payment", "metoda płatności", "płatność", "способ оплаты", "платежная система",
               "zahlungsart", "zahlungsmethode"),
    "sku": ("sku", "artikul", "артикул", "artikelnummer"),
    "product_name": ("product", "product name", "item", "produkt", "nazwa produktu", "towar", "товар", "title", "artikel"),
    "quantity": ("quantity", "qty", "ilość", "liczba", "количество", "кол-во", "menge", "anzahl"),
    "unit_price": ("price", "unit price", "cena", "цена", "preis", "einzelpreis"),
    "locale": ("language", "locale", "język", "язык", "sprache"),
    "marketing_consent": ("marketing consent", "consent", "newsletter", "zgoda marketingowa", "zgoda"),
    "consent_source": ("consent source", "źródło zgody", "источник согласия", "quelle der einwilligung"),
    "coupon": ("coupon", "coupon code", "discount code", "kod rabatowy", "kupon", "промокод", "купон", "gutscheincode"),
    "delivery_method": ("shipping method", "shipping method title", "delivery method", "sposób dostawy", "metoda dostawy",
                        "forma dostawy", "способ доставки", "versandart", "liefermethode"),
    "delivery_point": ("pickup point", "pick-up point", "delivery point", "parcel locker", "paczkomat", "punkt odbioru",
                       "пункт выдачи", "постамат", "packstation", "abholort"),
    "delivery_name": ("shipping name", "delivery name", "odbiorca", "получатель", "empfänger"),
    "delivery_company": ("shipping company", "delivery company"),
    "delivery_phone": ("shipping phone", "delivery phone", "telefon odbiorcy"),
    "delivery_street": ("shipping address", "shipping street", "delivery address", "adres dostawy", "адрес доставки",
                        "lieferadresse"),
    "delivery_postcode": ("shipping postcode", "shipping zip", "delivery postcode"),
    "delivery_city": ("shipping city", "delivery city", "miasto dostawy", "город доставки"),
    "delivery_country": ("shipping country", "delivery country", "kraj dostawy", "страна доставки"),
    "tax_id": ("tax id", "tax number", "vat number", "vat id", "nip", "numer nip", "инн", "ust-idnr.", "ust-idnr", "ust-id",
               "umsatzsteuer-id", "steuernummer"),
    "invoice_company": ("invoice company", "firma na fakturze", "rechnung an firma"),
    "consent_at": ("consent date", "data zgody", "дата согласия", "datum der einwilligung"),
}  # fmt: skip


class PlanIncomplete(Exception):
    """The plan cannot be used as it is; holds the reasons of `shops.reasons`."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is read: its form, its columns, and what its dates, amounts and words mean."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    columns: dict[str, str] = field(default_factory=dict)  # field -> name of the column
    decimal: str = ""  # "." or ","
    dates: str = ""  # iso, dmy or mdy
    currency: str = ""  # of rows that do not say theirs
    zone: str = "UTC"  # of times without their offset
    words: dict[str, str] = field(default_factory=dict)  # status in lower case -> shop state
    default_state: str = ""  # of files without a column of status
    kind: str = ""  # "shopify" when recognised
    about: str = ""  # "products" of a file of products and their costs; else orders
    replaces_hand: bool = False  # costs that a person entered, too

    @property
    def is_products(self) -> bool:
        """Tell whether the lines are products."""
        return self.about == products.ABOUT

    @property
    def fields(self) -> tuple[str, ...]:
        """Return everything that a column may mean."""
        return products.FIELDS if self.is_products else FIELDS

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {**asdict(self), "header": list(self.header)}


def plan_from_json(kept: dict[str, Any]) -> Plan:
    """Return a plan as it was kept, or as a person sent it; what is not part of a plan is refused.

    :raises PlanIncomplete: if it names fields or columns that there are not.
    """
    unknown = sorted(set(kept) - set(Plan.__dataclass_fields__))
    if unknown:
        raise PlanIncomplete([f"mapping_unknown: {', '.join(unknown)}"])
    return Plan(**{**kept, "header": tuple(kept.get("header", ()))})


def propose(path: Path, shop: Shop, *, encoding: str = "", delimiter: str = "", about: str = "") -> Plan:
    """Look at a file and return the plan it suggests; a person confirms or changes it.

    `about` says what its lines are, orders or products; else its columns say it.

    :raises FileRefused: if it is no table that can be imported, with the reason.
    """
    form = recognise_form(path, encoding=encoding, delimiter=delimiter)
    if about == products.ABOUT or (not about and _tells_of_products(form.header)):
        return judged(path, _of_products(form, shop))
    _refuse_analytics(path, form)
    is_shopify = set(form.header) >= _SHOPIFY_MARKS
    columns = _shopify_columns(form.header) if is_shopify else _named_columns(form.header)
    plan = Plan(
        encoding=form.encoding,
        delimiter=form.delimiter,
        header=form.header,
        columns=columns,
        currency=shop.currency,
        zone=shop.time_zone,
        kind="shopify" if is_shopify else "",
    )
    return judged(path, plan)


def _tells_of_products(header: Sequence[str]) -> bool:
    """Tell whether a file names costs of products, and nothing that an order has."""
    orders = _named_columns(header)
    is_order = "total" in orders or "placed_at" in orders or set(header) >= _SHOPIFY_MARKS
    return not is_order and not products.missing(products.columns_of(header))


def _of_products(form: Form, shop: Shop) -> Plan:
    return Plan(
        encoding=form.encoding,
        delimiter=form.delimiter,
        header=form.header,
        columns=products.columns_of(form.header),
        currency=shop.currency,
        zone=shop.time_zone,
        kind="shopify_products" if products.is_shopify(form.header) else "",
        about=products.ABOUT,
    )


def judged(path: Path, plan: Plan) -> Plan:
    """Return the plan with its decimal sign and order of day and month, judged by the columns, unless it has them."""
    samples = _samples(path, Form(plan.encoding, plan.delimiter, plan.header), plan)
    amounts = [text for name in (*AMOUNTS, "cost") for text in samples.get(name, ())]
    moments = [text for name in MOMENTS for text in samples.get(name, ())]
    return replace(
        plan,
        decimal=plan.decimal or cells.decimal_sign(amounts),
        dates=plan.dates or cells.date_order(moments),
    )


def _shopify_columns(header: Iterable[str]) -> dict[str, str]:
    return {SHOPIFY[name]: name for name in header if name in SHOPIFY}


def _named_columns(header: Sequence[str]) -> dict[str, str]:
    by_name = {" ".join(name.lower().replace("_", " ").split()): name for name in header}
    columns: dict[str, str] = {}
    for wanted, names in NAMES.items():
        found = next((by_name[name] for name in names if name in by_name), None)
        if found is not None and found not in columns.values():
            columns[wanted] = found
    if "ref" not in columns and "number" in columns:
        columns["ref"] = columns["number"]
    if {"consent_source", "consent_at"} - set(columns):
        columns.pop("marketing_consent", None)  # consent without its proof is not imported (T147)
    return columns


def _refuse_analytics(path: Path, form: Form) -> None:
    """Refuse the export of WooCommerce Analytics, whose labels are translated: by its names, or by its glued products."""
    if set(form.header) >= _ANALYTICS_MARKS:
        raise FileRefused("analytics_export")
    if not 10 <= len(form.header) <= 12:
        return
    first = [row for _, row in islice(rows(path, form), 20)]
    glued = [any("× " in cell and cell.split("× ")[0].isdecimal() for cell in row) for row in first]
    has_mail = any("@" in cell for row in first for cell in row)
    if first and sum(glued) > len(first) / 2 and not has_mail:
        raise FileRefused("analytics_export")


def _samples(path: Path, form: Form, plan: Plan) -> dict[str, list[str]]:
    places = {
        name: form.header.index(column) for name, column in plan.columns.items() if column in form.header
    }
    found: dict[str, list[str]] = {}
    for _, row in islice(rows(path, form), SAMPLES):
        for name in (*AMOUNTS, "cost", *MOMENTS, "status"):
            place = places.get(name, -1)
            if 0 <= place < len(row) and row[place].strip():
                found.setdefault(name, []).append(row[place])
    return found


def check_values(plan: Plan) -> None:
    """Check that what a person wrote into a plan by hand is of the kind that is read there.

    :raises PlanIncomplete: with everything that is not.
    """
    states = {state.value for state in cells.STATES}
    texts = (
        plan.encoding,
        plan.delimiter,
        plan.decimal,
        plan.dates,
        plan.currency,
        plan.zone,
        plan.default_state,
    )
    if not all(isinstance(text, str) for text in texts):
        raise PlanIncomplete(["mapping_bad: a text was expected"])
    if plan.about not in {"", "orders", products.ABOUT} or not isinstance(plan.replaces_hand, bool):
        raise PlanIncomplete(["mapping_bad: about, replaces_hand"])
    for name in ("columns", "words"):
        told = getattr(plan, name)
        if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
            raise PlanIncomplete([f"mapping_bad: {name}"])
    wrong = [f"words: {value}" for value in plan.words.values() if value not in states]
    if plan.default_state and plan.default_state not in states:
        wrong.append(f"default_state: {plan.default_state}")
    if plan.zone not in available_timezones():
        wrong.append(f"zone: {plan.zone}")
    if len(plan.delimiter) != 1:
        wrong.append(f"delimiter: {plan.delimiter}")
    try:
        codecs.lookup(plan.encoding)
    except (LookupError, ValueError):
        wrong.append(f"encoding: {plan.encoding}")
    if wrong:
        raise PlanIncomplete([f"mapping_bad: {reason}"[:200] for reason in wrong])


def check(plan: Plan) -> None:
    """Check that a plan can be used.

    :raises PlanIncomplete: with everything that is missing.
    """
    check_values(plan)
    reasons = [f"mapping_unknown: {name}" for name in plan.columns if name not in plan.fields]
    gone = sorted({column for column in plan.columns.values() if column not in plan.header})
    reasons += [f"mapping_no_column: {column}" for column in gone]
    if plan.is_products:
        reasons += [f"mapping_missing: {name}" for name in products.missing(plan.columns)]
        reasons += [] if plan.decimal in {cells.POINT, cells.COMMA} else ["mapping_missing: decimal"]
        if reasons:
            raise PlanIncomplete(reasons)
        return
    reasons += [f"mapping_missing: {name}" for name in NEEDED if name not in _present(plan)]
    if "status" not in plan.columns and "paid_at" not in plan.columns and not plan.default_state:
        reasons.append("mapping_missing: status")
    if plan.decimal not in {cells.POINT, cells.COMMA}:
        reasons.append("mapping_missing: decimal")
    if plan.dates not in {cells.ISO, cells.DAY_FIRST, cells.MONTH_FIRST}:
        reasons.append("mapping_missing: dates")
    consent = {"marketing_consent", "consent_source", "consent_at"} & set(plan.columns)
    if "marketing_consent" in consent and len(consent) < 3:
        reasons.append("consent_incomplete")
    if reasons:
        raise PlanIncomplete(reasons)


def _present(plan: Plan) -> set[str]:
    present = set(plan.columns)
    if "number" in present:
        present.add("ref")
    return present


def unknown_states(path: Path, plan: Plan) -> list[str]:
    """Return the statuses of a file that nobody has said the meaning of, each once, at most fifty."""
    column = plan.columns.get("status")
    if column is None:
        return []
    place, found = plan.header.index(column), dict[str, None]()
    for _, row in rows(path, Form(plan.encoding, plan.delimiter, plan.header)):
        text = row[place].strip() if place < len(row) else ""
        if text and len(found) < 50:
            try:
                cells.state(text, plan.words, field="status")
            except BodyQuarantined:
                found[text] = None
    return list(found)
