"""Files of many makers are recognised, asked about, or refused with the reason (I12, T143-T149)."""

import csv
import json
import resource
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django_scopes import scopes_disabled
from rich.console import Console

from recoup.core.clock import real_now
from recoup.customers.actions import suppress
from recoup.customers.models import ConsentEvent, Contact
from recoup.customers.queries import is_suppressed
from recoup.integrations.csvfile import cells, importing
from recoup.integrations.csvfile.commands import import_file
from recoup.integrations.csvfile.importing import (
    AlreadyRunning,
    file_source,
    import_waiting,
    preview,
    request_import,
    run_import,
)
from recoup.integrations.csvfile.plan import (
    Plan,
    PlanIncomplete,
    check,
    plan_from_json,
    propose,
    unknown_states,
)
from recoup.integrations.csvfile.reading import FileRefused
from recoup.integrations.csvfile.seen import Seen
from recoup.orders.models import Order, OrderLine, StatusChange
from recoup.payments.actions import apply_order_snapshot
from recoup.payments.models import Attempt, Refund
from recoup.shops.models import ImportRefusal, ImportRun, Shop, Source
from recoup.shops.ports import BodyQuarantined
from recoup.shops.snapshots import OrderSnapshot
from tests.factories.moments import NOW
from tests.factories.shops import make_shop

PAYLOADS = Path(__file__).parent / "payloads"
POLISH = (
    "Numer zamówienia;Data zamówienia;Status;Kwota;Waluta;Klient;E-mail;Telefon\n"
    "1001;03.09.2026 10:15;oczekujące na płatność;1 499,90;pln;Żaneta Święcka;zaneta@example.com;600 100 200\n"
    "1002;03.09.2026 11:00;zrealizowane;19,00;PLN;Łukasz Ćwik;lukasz@example.com;\n"
)
RUSSIAN = (
    "Номер заказа;Дата заказа;Статус;Сумма;Валюта;Клиент;Email\n"
    "77;03.09.2026 10:15;не оплачен;4 990,00 руб.;RUB;Анна Семёнова;anna@example.com\n"
)


@pytest.fixture
def shop(db: None) -> Shop:
    """A Polish shop."""
    return make_shop(currency="PLN", country="PL", time_zone="Europe/Warsaw")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file and return its path."""

    def write_file(text: str | bytes, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write_file


def imported(path: Path, shop: Shop, plan: Plan | None = None) -> ImportRun:
    """Import a file to its end."""
    run = request_import(file_source(shop, now=NOW), path, plan or propose(path, shop), now=NOW)
    return run_import(run, now=NOW)


def orders(*fields: str) -> list[tuple[Any, ...]]:
    """Return some columns of every order."""
    with scopes_disabled():
        return list(Order.objects.order_by("ref").values_list(*fields))


def refusals() -> list[tuple[int, str, str]]:
    """Return line, order and reason of every refusal."""
    with scopes_disabled():
        return list(ImportRefusal.objects.order_by("row_no").values_list("row_no", "ref", "reason"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1250"])
def test_t145_polish_file_is_read_in_every_encoding(
    shop: Shop, write: Callable[..., Path], encoding: str
) -> None:
    run = imported(write(POLISH, encoding=encoding), shop)

    assert (run.state, run.created, run.refused, run.rows) == ("done", 2, 0, 3)
    assert orders("ref", "total", "currency", "contact__name", "placed_at") == [
        ("1001", Decimal("1499.90"), "PLN", "Żaneta Święcka", NOW.replace(month=9, day=3, hour=8, minute=15)),
        ("1002", Decimal("19.00"), "PLN", "Łukasz Ćwik", NOW.replace(month=9, day=3, hour=9)),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1251"])
def test_t145_russian_file_is_read_in_every_encoding(
    shop: Shop, write: Callable[..., Path], encoding: str
) -> None:
    imported(write(RUSSIAN, encoding=encoding), shop)

    assert orders("ref", "total", "contact__name", "raw_state", "payment_state") == [
        ("77", Decimal("4990.00"), "Анна Семёнова", "не оплачен", "owed")
    ]


def test_t145_letters_that_nobody_can_tell_are_asked_about(shop: Shop, write: Callable[..., Path]) -> None:
    path = write(b"order;date;total;status;name\n1;2026-09-03;10;paid;\x8f\x9d\x81 \x90\x83\n")

    with pytest.raises(FileRefused, match="encoding_unsure"):
        propose(path, shop)
    assert propose(path, shop, encoding="cp1251").encoding == "cp1251"


@pytest.mark.parametrize(
    ("name", "written", "told"),
    [
        ("Jürgen Müßig", "cp1252", "Jürgen Müßig"),  # the same in both
        ("Łukasz Wąż", "cp1250", "Łukasz Wąż"),
        ("Hélène Lefèvre", "cp1252", ""),  # or Hélčne Lefčvre
        ("Dvořák", "cp1250", ""),  # or Dvoøák
    ],
)
def test_t145_letters_of_the_east_and_of_the_west_are_told_apart_or_asked_about(
    shop: Shop, write: Callable[..., Path], name: str, written: str, told: str
) -> None:
    path = write(f"Order;Date;Total;Status;Customer\n1;2026-09-03;10;paid;{name}\n", encoding=written)

    if not told:
        with pytest.raises(FileRefused, match="encoding_unsure"):
            propose(path, shop)
        told = name
    imported(path, shop, propose(path, shop, encoding=written))

    assert orders("contact__name", "buyer__name") == [(None, told)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_that_excel_was_told_is_no_header(
    shop: Shop, write: Callable[..., Path], encoding: str
) -> None:
    path = write("sep=;\nOrder;Date;Status;Total\n1;2026-09-03;paid;10,50\n2;x;paid;1\n", encoding=encoding)

    imported(path, shop)

    assert orders("ref", "total") == [("1", Decimal("10.50"))]
    assert refusals() == [(4, "2", "bad_date: placed_at: x")]


def test_export_of_a_woocommerce_plugin_needs_no_mapping(shop: Shop, write: Callable[..., Path]) -> None:
    path = write(
        "order_id,date,status,order_total,order_currency,billing_first_name,billing_last_name,billing_email\n"
        "7,2026-09-03 10:15:00,wc-processing,10.50,EUR,Anna,Nowak,anna@example.com\n"
        "8,2026-09-03 10:15:00,wc-pending,10.50,EUR,Anna,Nowak,anna@example.com\n"
    )

    imported(path, shop)

    assert orders("ref", "payment_state", "currency", "contact__name") == [
        ("7", "paid", "EUR", "Anna Nowak"),
        ("8", "owed", "EUR", "Anna Nowak"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("09/23/2026 10:15 PM", "2026-09-23T22:15:00+00:00"),
        ("09/23/2026 12:05 a.m.", "2026-09-23T00:05:00+00:00"),
        ("09/23/2026 12:05 PM", "2026-09-23T12:05:00+00:00"),
        ("09/23/2026 13:05 PM", ""),
        ("09/23/2026 0:05 AM", ""),
    ],
)
def test_hours_before_and_after_noon(text: str, told: str) -> None:
    def moment() -> str:
        return cells.moment(text, order=cells.MONTH_FIRST, zone="UTC", field="placed_at").isoformat()

    if told:
        assert moment() == told
    else:
        with pytest.raises(BodyQuarantined, match="bad_date"):
            moment()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_t145_delimiters_are_recognised(shop: Shop, write: Callable[..., Path], delimiter: str) -> None:
    text = StringIO()
    rows = [
        ["Order", "Date", "Status", "Total", "Name"],
        ["1", "2026-09-03", "paid", "10.50", 'Anna "Ania" Nowak, jr; sr | x'],
    ]
    csv.writer(text, delimiter=delimiter).writerows(rows)

    imported(write(text.getvalue()), shop)

    assert orders("ref", "total", "contact__name", "payment_state", "buyer__name") == [
        ("1", Decimal("10.50"), None, "paid", 'Anna "Ania" Nowak, jr; sr | x')
    ]


def test_t145_ragged_and_bad_lines_are_reported_and_the_good_ones_kept(
    shop: Shop, write: Callable[..., Path]
) -> None:
    path = write(
        "Order,Date,Status,Total,Email\n"
        "1,2026-09-03,paid,10.00,a@example.com\n"
        "2,2026-09-03,paid\n"
        "3,2026-99-03,paid,10.00,c@example.com\n"
        "\n"
        "4,2026-09-03,levitating,10.00,d@example.com\n"
        "5,2026-09-03,paid,ten,e@example.com\n"
        ",2026-09-03,paid,10.00,f@example.com\n"
        "7,2026-09-03,pending,10.00,g@example.com,one too many\n"
        "8,2026-09-03,pending,-10.00,h@example.com\n"
        "9,2026-09-03,pending,10.005,i@example.com\n"
        "10,2026-09-03,pending,10.00,j@example.com\n"
    )
    run = imported(path, shop)

    assert (run.created, run.refused, run.state) == (2, 8, "done")
    assert [ref for (ref,) in orders("ref")] == ["1", "10"]
    assert refusals() == [
        (3, "2", "row_ragged: 3 ≠ 5"),
        (4, "3", "bad_date: placed_at: 2026-99-03"),
        (6, "4", "bad_status: status: levitating"),
        (7, "5", "bad_amount: total: ten"),
        (8, "", "row_no_order"),
        (9, "7", "row_ragged: 6 ≠ 5"),
        (10, "8", "bad_amount: total: -10.00"),
        (11, "9", "bad_amount: total: 10.005 PLN"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf\r\n", "file_empty"),
        (b"PK\x03\x04" + b"\0" * 100, "file_not_csv"),
        (b"%PDF-1.7 ...", "file_not_csv"),
        (b'{"orders": []}', "file_not_csv"),
        (b"<html><table>", "file_not_csv"),
        (b"1,2026-09-03,10.00\n2,2026-09-03,11.00\n", "no_header"),
        (b"Order,Total,Total\n1,2,3\n", "columns_doubled: Total"),
    ],
)
def test_t146_what_is_no_table_is_refused(
    shop: Shop, write: Callable[..., Path], content: bytes, reason: str
) -> None:
    with pytest.raises(FileRefused, match=reason):
        propose(write(content), shop)


def test_t147_only_known_fields_can_be_mapped(shop: Shop, write: Callable[..., Path]) -> None:
    path = write("Order,Date,Status,Total,shop,role\n1,2026-09-03,paid,10.00,other,owner\n")
    plan = propose(path, shop)
    assert {"shop", "role"}.isdisjoint(plan.columns.values())

    mapped = Plan(**{**plan.as_json(), "columns": {**plan.columns, "shop": "shop", "role": "role"}})
    with pytest.raises(PlanIncomplete, match="mapping_unknown: shop; mapping_unknown: role"):
        check(mapped)
    with pytest.raises(PlanIncomplete, match="mapping_unknown: shop_id"):
        plan_from_json({**plan.as_json(), "shop_id": 2})


def test_t147_consent_is_imported_with_its_source_and_date_only(
    shop: Shop, write: Callable[..., Path]
) -> None:
    bare = write(
        "Order,Date,Status,Total,Email,Newsletter\n1,2026-09-03,paid,10.00,a@example.com,yes\n", "a.csv"
    )
    whole = write(
        "Order,Date,Status,Total,Email,Newsletter,Consent source,Consent date\n"
        "2,2026-09-03,paid,10.00,b@example.com,yes,paper form at the fair,2026-05-01\n"
        "3,2026-09-03,paid,10.00,c@example.com,yes,,\n"
        "4,2026-09-03,paid,10.00,d@example.com,maybe,fair,2026-05-01\n",
        "b.csv",
    )
    mapped = propose(bare, shop)
    assert "marketing_consent" not in mapped.columns
    with pytest.raises(PlanIncomplete, match="consent_incomplete"):
        check(Plan(**{**mapped.as_json(), "columns": {**mapped.columns, "marketing_consent": "Newsletter"}}))

    imported(bare, shop)
    imported(whole, shop)

    with scopes_disabled():
        given = ConsentEvent.objects.values_list("contact__email", "is_given", "text", "became_true_at")
        assert list(given) == [
            (
                "b@example.com",
                True,
                "paper form at the fair",
                NOW.replace(year=2026, month=4, day=30, hour=22, minute=0),
            )
        ]
    assert refusals() == [(4, "4", "bad_consent: marketing_consent: maybe")]


def test_t148_person_who_objected_stays_suppressed(shop: Shop, write: Callable[..., Path]) -> None:
    with scopes_disabled():
        suppress(shop.pk, "zaneta@example.com", scope="marketing", reason="unsubscribed", now=NOW)

    imported(write(POLISH), shop)

    with scopes_disabled():
        assert is_suppressed(shop.pk, "zaneta@example.com", scopes=["marketing"])
        assert not is_suppressed(shop.pk, "lukasz@example.com", scopes=["marketing"])


def test_t149_same_file_twice_makes_no_doubles(shop: Shop) -> None:
    path = PAYLOADS / "shopify_orders.csv"
    first, second = imported(path, shop), imported(path, shop)

    with scopes_disabled():
        counts = [model.objects.count() for model in (Order, OrderLine, Attempt, Refund, Contact)]
    assert (first.created, first.known) == (5, 0)
    assert (second.created, second.known) == (0, 5)
    assert counts == [5, 6, 3, 1, 5]


def test_t149_killed_import_goes_on_where_it_was(
    shop: Shop, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Order,Date,Status,Total,Email\n" + "".join(
        f"{n},2026-09-03,{'paid' if n % 2 else 'bogus'},10.00,a{n}@example.com\n" for n in range(1, 41)
    )
    source = file_source(shop, now=NOW)
    path = write(text)
    run = request_import(source, path, propose(path, shop), now=NOW)

    def kill_at(present: ImportRun, _entry: object) -> None:
        if present.rows == 21:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_import(run, now=NOW, tell=kill_at)
    with pytest.raises(AlreadyRunning):
        run_import(run, now=NOW)
    assert import_waiting(now=NOW) == 0
    with scopes_disabled():
        ImportRun.objects.update(beat_at=real_now() - importing.ABANDONED_AFTER - timedelta(seconds=1))
    applied: list[str] = []

    def noted(source: Source, snapshot: OrderSnapshot, **options: Any) -> Order:
        applied.append(snapshot.ref)
        return apply_order_snapshot(source, snapshot, **options)

    monkeypatch.setattr(importing, "apply_order_snapshot", noted)
    assert import_waiting(now=NOW) == 20

    run.refresh_from_db()
    assert (run.state, run.created, run.known, run.refused) == ("done", 20, 0, 20)
    assert applied == [str(n) for n in range(21, 41, 2)]
    assert len(refusals()) == 20


def test_same_file_asked_for_twice_at_once_is_one_run(shop: Shop, write: Callable[..., Path]) -> None:
    source, path = file_source(shop, now=NOW), write(POLISH)
    plan = propose(path, shop)

    runs = {request_import(source, path, plan, now=NOW).pk for _ in range(2)}

    assert len(runs) == 1


def test_shopify_export_is_recognised_and_grouped_by_id(shop: Shop) -> None:
    path = PAYLOADS / "shopify_orders.csv"
    plan = propose(path, shop)
    run = imported(path, shop, plan)

    assert (plan.kind, plan.decimal, plan.dates, run.refused) == ("shopify", ".", "iso", 0)
    assert orders("ref", "number", "status", "payment_state", "total", "captured", "refunded") == [
        ("5501", "#1091", "completed", "paid", Decimal("62.90"), Decimal("62.90"), Decimal("0")),
        ("5502", "#1092", "new", "owed", Decimal("23.90"), Decimal("0"), Decimal("0")),
        ("5503", "#1093", "completed", "partly_refunded", Decimal("200"), Decimal("200"), Decimal("50")),
        ("5504", "#1094", "new", "partly_paid", Decimal("100"), Decimal("40"), Decimal("0")),
        ("5505", "#1091", "cancelled", "owed", Decimal("10"), Decimal("0"), Decimal("0")),
    ]
    with scopes_disabled():
        first = Order.objects.get(ref="5501")
        lines = list(first.lines.order_by("position").values_list("name", "quantity", "total", "sku"))
    assert lines == [
        ("Hand cream, 50 ml", Decimal("2"), Decimal("38.00"), "HC-50"),
        ("Lip balm", Decimal("1"), Decimal("20.00"), "LB-1"),
    ]
    assert (first.buyer["address"]["postcode"], first.buyer["phone"]) == ("04109", "+493415550101")
    assert first.paid_at == NOW.replace(month=9, day=3, hour=14, minute=17)


def test_shopify_export_of_an_old_shop_lacks_columns(shop: Shop, write: Callable[..., Path]) -> None:
    with (PAYLOADS / "shopify_orders.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[2:4]
    text = StringIO()
    names = ["Name", "Email", "Financial Status", "Currency", "Total", "Created at", "Lineitem quantity",
             "Lineitem name", "Lineitem price"]  # fmt: skip
    writer = csv.DictWriter(text, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)

    run = imported(write(text.getvalue()), shop)

    assert (run.created, orders("ref", "payment_state")) == (2, [("#1092", "owed"), ("#1093", "paid")])


@pytest.mark.parametrize("name", ["woocommerce_analytics.csv", "woocommerce_analytics_pl.csv"])
def test_woocommerce_analytics_export_is_refused_with_the_reason(shop: Shop, name: str) -> None:
    with pytest.raises(FileRefused, match="analytics_export"):
        propose(PAYLOADS / name, shop)


def test_lines_of_an_order_that_stand_apart_are_refused(shop: Shop, write: Callable[..., Path]) -> None:
    run = imported(
        write(
            "Order,Date,Status,Total,Product,Price\n"
            "1,2026-09-03,paid,30.00,Cream,10.00\n"
            "1,2026-09-03,paid,30.00,Balm,20.00\n"
            "2,2026-09-03,paid,5.00,Soap,5.00\n"
            "1,2026-09-03,paid,30.00,Brush,1.00\n"
        ),
        shop,
    )

    with scopes_disabled():
        lines = list(OrderLine.objects.order_by("id").values_list("order__ref", "name"))
    assert (run.created, lines) == (2, [("1", "Cream"), ("1", "Balm"), ("2", "Soap")])
    assert refusals() == [(5, "1", "row_apart: 1")]


def test_imported_orders_are_never_reminded(shop: Shop, write: Callable[..., Path]) -> None:
    imported(write(POLISH), shop)

    assert orders("is_backfill", "check_at") == [(True, None), (True, None)]


def test_dry_run_writes_no_order_and_tells_the_same(shop: Shop) -> None:
    path = PAYLOADS / "shopify_orders.csv"
    plan = propose(path, shop)
    dry = run_import(
        request_import(file_source(shop, now=NOW), path, plan, now=NOW, is_dry_run=True), now=NOW
    )
    seen = preview(path, plan, now=NOW)

    assert (dry.created, dry.refused, dry.state, orders("ref")) == (5, 0, "done", [])
    assert (seen.orders, seen.refused, len(seen.shown)) == (5, 0, 5)
    assert imported(path, shop).created == 5


def test_unknown_statuses_are_listed_and_can_be_given_a_meaning(
    shop: Shop, write: Callable[..., Path]
) -> None:
    path = write("Order,Date,Status,Total\n1,2026-09-03,wysłane,10.00\n2,2026-09-03,paid,10.00\n")
    plan = propose(path, shop)
    assert unknown_states(path, plan) == ["wysłane"]

    imported(path, shop, Plan(**{**plan.as_json(), "words": {"wysłane": "fulfilled"}}))

    assert orders("ref", "payment_state") == [("1", "paid"), ("2", "paid")]


@pytest.mark.parametrize(
    ("samples", "sign"),
    [
        (["10", "20"], "."),
        (["10,50", "1 200"], ","),
        (["1.234,50"], ","),
        (["1,234.50", "7"], "."),
        (["1,234", "5.5"], "."),
        (["1,234"], ""),
        (["1,5", "1.5"], ""),
        (["1.234.567"], ","),
        (["€ 10,00", "5,00 zł"], ","),
        ([], "."),
    ],
)
def test_decimal_sign_is_known_or_asked(samples: list[str], sign: str) -> None:
    assert cells.decimal_sign(samples) == sign


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        ("1 499,90 zł", ",", "1499.90"),
        ("1\u00a0499,90", ",", "1499.90"),
        ("€1.234,5", ",", "1234.50"),
        ("$1,234.50", ".", "1234.50"),
        ("4 990 руб.", ",", "4990.00"),
        ("-5.00", ".", "-5.00"),
        ("1,2,3", ".", None),
        ("1,23", ".", None),
        ("12,3456", ",", None),
        ("", ",", None),
        ("1e3", ".", None),
        ("=1+1", ".", None),
    ],
)
def test_amounts_are_read_exactly_or_refused(text: str, sign: str, value: str | None) -> None:
    if value is None:
        with pytest.raises(BodyQuarantined):
            cells.amount(text, "PLN", sign=sign, field="total")
    else:
        assert cells.amount(text, "PLN", sign=sign, field="total") == Decimal(value)


@pytest.mark.parametrize(
    ("samples", "order"),
    [
        (["2026-09-03"], "iso"),
        (["03.09.2026"], "dmy"),
        (["13/09/2026", "03/09/2026"], "dmy"),
        (["09/13/2026"], "mdy"),
        (["03/09/2026"], ""),
        (["13/09/2026", "09/13/2026"], ""),
    ],
)
def test_order_of_day_and_month_is_known_or_asked(samples: list[str], order: str) -> None:
    assert cells.date_order(samples) == order


def test_ambiguous_file_is_asked_about(shop: Shop, write: Callable[..., Path]) -> None:
    path = write('Order,Date,Status,Total\n1,03/09/2026,paid,"1,234"\n')
    plan = propose(path, shop)
    with pytest.raises(PlanIncomplete, match="mapping_missing: decimal; mapping_missing: dates"):
        check(plan)

    imported(path, shop, Plan(**{**plan.as_json(), "decimal": ".", "dates": "mdy"}))

    assert orders("total", "placed_at") == [(Decimal("1234.00"), NOW.replace(month=3, day=8, hour=23))]


def test_times_at_the_change_of_clocks_use_the_offset_before(shop: Shop) -> None:
    gap = cells.moment("28.03.2027 02:30", order="dmy", zone="Europe/Warsaw", field="x")
    twice = cells.moment("25.10.2026 02:30", order="dmy", zone="Europe/Warsaw", field="x")

    assert (gap.isoformat(), twice.isoformat()) == ("2027-03-28T01:30:00+00:00", "2026-10-25T00:30:00+00:00")


def test_command_shows_a_report_and_its_exit_code(
    shop: Shop, write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(
        "Order,Date,Status,Total,Email\n1,2026-09-03,paid,10.00,a@example.com\n=cmd,2026-09-03,paid,x,b@example.com\n"
    )
    shown, report = StringIO(), tmp_path / "report.csv"

    code = import_file(
        path, shop=shop.slug, report=report, console=Console(file=shown, width=200, force_terminal=False)
    )

    assert code == 1
    assert "1 orders were new, 0 were known before, 1 refused. Nobody is written to." in shown.getvalue()
    assert report.read_text("utf-8").splitlines() == [
        "line,order,result,reason",
        "2,1,imported,",
        "3,'=cmd,refused,This is not an amount: total: x. Nothing was rounded or guessed.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "Choose the column for: ref."),
        ("", "The file is empty."),
    ],
)
def test_command_says_what_is_missing(shop: Shop, write: Callable[..., Path], text: str, said: str) -> None:
    shown = StringIO()

    code = import_file(write(text), shop=shop.slug, console=Console(file=shown, width=200))

    assert (code, said in shown.getvalue()) == (2, True)


def test_command_takes_a_mapping(shop: Shop, write: Callable[..., Path], tmp_path: Path) -> None:
    path = write('A,B,C,D\n1,03/09/2026,"10,50",offen\n')
    mapping = tmp_path / "mapping.json"
    columns = {"ref": "A", "placed_at": "B", "total": "C", "status": "D"}
    mapping.write_text(json.dumps({"columns": columns, "dates": "dmy"}))

    assert import_file(path, shop=shop.slug, mapping=mapping, console=Console(file=StringIO())) == 0
    assert import_file(path, shop="nobody", console=Console(file=StringIO())) == 2
    assert orders("ref", "total") == [("1", Decimal("10.50"))]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("{", "The mapping is not JSON: Expecting property name"),
        ("[1]", "The mapping is not JSON: {…}."),
        ('{"words": {"odd": "payed"}}', "The mapping holds something that cannot be used: words: payed."),
        ('{"default_state": "payed"}', "default_state: payed."),
        ('{"zone": "Mars/Base"}', "zone: Mars/Base."),
        ('{"encoding": "klingon"}', "The file is not text in klingon."),
        ('{"columns": ["a"]}', "The mapping holds something that cannot be used: columns."),
        ('{"columns": {"ref": 1}}', "The mapping holds something that cannot be used: columns."),
        ('{"delimiter": "::"}', "The mapping holds something that cannot be used: delimiter: ::."),
        ('{"header": ["a"], "colour": "red"}', "This cannot be imported: colour."),
    ],
)
def test_command_words_a_mapping_that_cannot_be_used(
    shop: Shop, write: Callable[..., Path], tmp_path: Path, mapping: str, said: str
) -> None:
    path, shown = write("Order,Date,Status,Total\n1,2026-09-03,odd,10\n"), StringIO()
    told = tmp_path / "mapping.json"
    told.write_text(mapping)

    code = import_file(path, shop=shop.slug, mapping=told, console=Console(file=shown, width=200))

    assert (code, said in shown.getvalue(), orders("ref")) == (2, True, [])


def test_command_takes_words_in_the_letters_of_the_file(
    shop: Shop, write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write("Order,Date,Status,Total\n1,2026-09-03,Bezahlt  per Rechnung,10\n")
    told = tmp_path / "mapping.json"
    told.write_text('{"words": {"Bezahlt per Rechnung": "paid"}}')

    assert import_file(path, shop=shop.slug, mapping=told, console=Console(file=StringIO())) == 0
    assert orders("ref", "payment_state") == [("1", "paid")]


def test_seen_remembers_every_reference_once() -> None:
    seen = Seen()

    first = [seen.add(f"ref-{number}") for number in range(20_000)]
    again = [seen.add(f"ref-{number}") for number in range(20_000)]

    assert (all(first), any(again)) == (True, False)


@pytest.mark.faults
def test_t145_many_lines_are_read_without_being_held(shop: Shop, tmp_path: Path, is_full_size: bool) -> None:
    lines = 1_000_000 if is_full_size else 30_000
    path = tmp_path / "big.csv"
    with path.open("w") as file:
        file.write("Order;Date;Status;Total;Email;Product;Price\n")
        for number in range(lines):
            file.write(f"{number};03.09.2026 10:15;paid;19,90;a{number}@example.com;Cream;19,90\n")
    plan = propose(path, shop)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    seen = preview(path, plan, now=NOW)

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (seen.orders, seen.refused, len(seen.shown)) == (lines, 0, 20)
    assert (
        grown < 60 * lines / 1_000_000 * 1024 + 8 * 1024
    )  # 60 bytes a line, of which the references are remembered


def test_delivery_and_invoice_come_from_their_columns_alone(shop: Shop, write: Callable[..., Path]) -> None:
    head = "order id,order number,date,total,status,email,payment method"
    with_both = write(
        f"{head},sposób dostawy,paczkomat,adres dostawy,NIP\n"
        "7,7,2026-10-01,10.00,new,a@mail.pl,card,InPost,KRA01M,Cicha 7,'5252248481\n"
    )

    run = imported(with_both, shop)

    with scopes_disabled():
        order = Order.objects.get(ref="7")
    assert run.refused == 0
    assert (order.delivery["title"], order.delivery["point"]["ref"], order.delivery["address"]) == (
        "InPost",
        "KRA01M",
        {"address_1": "Cicha 7"},
    )
    assert (order.invoice["tax_id"], order.invoice["is_wanted"]) == ("5252248481", True)


def test_shopify_export_tells_delivery(shop: Shop) -> None:
    imported(PAYLOADS / "shopify_orders.csv", shop)

    with scopes_disabled():
        orders = {order.ref: order for order in Order.objects.all()}
    assert orders["5502"].delivery["title"] == "Standard"
    assert orders["5502"].delivery["name"] == "Marek Zając"
    assert orders["5501"].delivery["title"] == ""
    assert orders["5501"].invoice == {}


# Two systems


def test_orders_of_two_systems_with_the_same_numbers_do_not_meet(
    shop: Shop, write: Callable[..., Path]
) -> None:
    head = "Order,Date,Status,Total,Email\n"
    old = write(f"{head}1,2024-05-02,paid,10.00,anna@example.com\n", "old.csv")
    new = write(f"{head}1,2026-09-03,paid,25.00,jan@example.com\n", "new.csv")

    for path, name in ((old, "PrestaShop"), (new, "Woo"), (old, " prestashop ")):
        source = file_source(shop, name, now=NOW)
        run_import(request_import(source, path, propose(path, shop), now=NOW), now=NOW)

    assert sorted(orders("total")) == [(Decimal("10.00"),), (Decimal("25.00"),)]


@pytest.mark.parametrize("is_dry_run", [True, False])
def test_a_number_that_belongs_to_somebody_elses_order_is_refused(
    shop: Shop, write: Callable[..., Path], is_dry_run: bool
) -> None:
    head = "Order,Date,Status,Total,Email\n"
    imported(write(f"{head}1,2024-05-02,paid,10.00,anna@example.com\n"), shop)
    path = write(f"{head}1,2026-09-03,paid,25.00,jan@example.com\n2,2026-09-03,paid,30.00,jan@example.com\n")
    plan = propose(path, shop)

    run = run_import(
        request_import(file_source(shop, now=NOW), path, plan, now=NOW, is_dry_run=is_dry_run), now=NOW
    )

    assert (run.created, run.known, run.refused) == (1, 0, 1)
    with scopes_disabled():
        assert ImportRefusal.objects.get(run=run).reason == "another_order: 2024-05-02"
        assert Order.objects.get(ref="1").total == Decimal("10.00")


def test_a_file_on_another_machine_is_left_to_the_worker_there(
    shop: Shop, write: Callable[..., Path]
) -> None:
    path = write(POLISH)
    here = write("Order,Date,Status,Total,Email\n1,2026-09-03,paid,10,a@example.com\n", "here.csv")
    source = file_source(shop, now=NOW)
    elsewhere = request_import(source, path, propose(path, shop), now=NOW)
    second = request_import(source, here, propose(here, shop), now=NOW)
    path.unlink()

    assert import_waiting(now=NOW + timedelta(minutes=59)) == 1
    assert import_waiting(now=NOW + timedelta(minutes=59)) == 0
    elsewhere.refresh_from_db()
    second.refresh_from_db()
    assert (elsewhere.state, second.state) == ("waiting", "done")

    import_waiting(now=NOW + timedelta(minutes=61))
    elsewhere.refresh_from_db()
    assert (elsewhere.state, elsewhere.trouble) == ("failed", "file_gone")


def test_statuses_of_a_desk_like_ours_are_kept_with_their_line_in_the_history(
    shop: Shop, write: Callable[..., Path]
) -> None:
    head = "Номер,Дата,Статус,Сумма,Email,Дата оплаты\n"
    words = ("ложный", "в работе", "не подтверждён", "ожидает оплаты", "новый")
    rows = "".join(f"{n},2026-09-0{n},{word},10.00,a{n}@example.com,\n" for n, word in enumerate(words, 1))

    run = imported(write(f"{head}{rows}6,2026-09-06,ложный,10.00,a6@example.com,2026-09-06\n"), shop)

    assert (run.created, run.refused) == (6, 0)
    assert [status for (status,) in orders("status")] == [
        "false", "in_work", "not_confirmed", "awaiting_payment", "new", "completed",
    ]  # fmt: skip
    with scopes_disabled():
        change = StatusChange.objects.get(order__ref="1", to_status="false")
        assert (change.from_status, change.reason) == ("new", "import")
        assert not Order.objects.exclude(check_at=None).exists()
