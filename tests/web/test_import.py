"""Importing a file in the browser: upload, say what columns mean, try it, import it."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.catalog.models import Product
from recoup.core.clock import trade_now
from recoup.integrations.csvfile.importing import import_waiting
from recoup.orders.models import Order
from recoup.shops.models import ImportRun, Membership, Shop
from tests.factories.shops import make_shop
from tests.web.world import client_of, make_person

pytestmark = pytest.mark.django_db
SHOPIFY = Path(__file__).parents[1] / "integrations/csvfile/payloads/shopify_orders.csv"
OWN = (
    "Nr;Kiedy;Razem;Kto;Stan\n"
    "A-1;03.09.2026 10:15;149,00;anna@example.com;czeka na przelew\n"
    "A-2;04.09.2026 11:00;59,90;piotr@example.com;zapłacone\n"
    "=A-3;05.09.2026 12:00;dużo;ola@example.com;zapłacone\n"
)
UPLOAD = "/s/own/settings/import/"
COLUMNS = "/s/own/settings/import/columns/"
MEANT = {
    "column_ref": "Nr", "column_placed_at": "Kiedy", "column_total": "Razem", "column_email": "Kto",
    "column_status": "Stan", "word_0": "", "decimal": ",", "dates": "dmy", "zone": "Europe/Warsaw", "currency": "PLN",
}  # fmt: skip


@pytest.fixture
def shop(settings: Any, tmp_path: Path) -> Shop:
    settings.MEDIA_ROOT = tmp_path
    return make_shop(slug="own", currency="PLN", locale="pl")


@pytest.fixture
def manager(shop: Shop) -> Client:
    user = make_person("manager@own.example")
    Membership(shop=shop, user=user, role=Role.MANAGER).save(force_insert=True)
    return client_of(user)


def upload(client: Client, content: bytes, name: str = "orders.csv") -> Any:
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})


def work() -> int:
    now: datetime = trade_now()
    return import_waiting(now=now)


def orders() -> dict[str, str]:
    with scopes_disabled():
        return {order.ref: str(order.total) for order in Order.objects.order_by("ref")}


def test_a_file_of_ones_own_is_tried_then_imported(manager: Client) -> None:
    assert upload(manager, OWN.encode()).headers["Location"] == COLUMNS
    page = manager.get(COLUMNS).content.decode()
    assert "anna@example.com" in page
    asked = manager.post(COLUMNS, MEANT)
    assert asked.status_code == 302, asked.context["form"].errors
    running = manager.get(asked.headers["Location"]).content.decode()
    assert "every 2s" in running
    work()
    tried = manager.get(asked.headers["Location"])
    assert orders() == {}
    assert [number for _words, number in tried.context["counts"]] == [1, 0, 2]
    assert "Import them now" in tried.content.decode()
    begun = manager.post(f"{asked.headers['Location']}start/").headers["Location"]
    assert manager.post(f"{asked.headers['Location']}start/").headers["Location"] == begun
    work()
    done = manager.get(begun)
    assert [number for _words, number in done.context["counts"]] == [1, 0, 2]
    assert orders() == {"A-2": "59.9000"}


def test_the_refused_lines_are_downloaded_without_formulas(manager: Client) -> None:
    upload(manager, OWN.encode())
    asked = manager.post(COLUMNS, MEANT).headers["Location"]
    work()
    answer = manager.get(f"{asked}refused.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("4,'=A-3,")


def test_words_of_a_status_get_their_meaning(manager: Client) -> None:
    upload(manager, OWN.replace("Stan\n", "Etap\n").encode())
    assert "word_0" not in manager.get(COLUMNS).context["form"].fields
    meant = {name: value for name, value in MEANT.items() if name != "word_0"} | {"column_status": "Etap"}
    page = manager.post(COLUMNS, meant)
    assert page.status_code == 422
    assert "czeka na przelew" in str(page.context["form"]["word_0"].label)
    asked = manager.post(COLUMNS, {**meant, "word_0": "pending"})
    work()
    tried = manager.get(asked.headers["Location"])
    assert [number for _words, number in tried.context["counts"]] == [2, 0, 1]


def test_an_export_of_shopify_asks_for_no_columns(manager: Client) -> None:
    upload(manager, SHOPIFY.read_bytes())
    form = manager.get(COLUMNS).context["form"]
    assert not [name for name in form.fields if name.startswith("column_")]
    asked = manager.post(COLUMNS, {name: field.initial for name, field in form.fields.items()})
    work()
    manager.post(f"{asked.headers['Location']}start/")
    work()
    assert len(orders()) >= 2


def test_what_is_missing_is_said_in_words(manager: Client) -> None:
    upload(manager, OWN.encode())
    page = manager.post(COLUMNS, {**MEANT, "column_total": ""})
    assert page.status_code == 422
    assert "column_total" in page.context["form"].errors
    with scopes_disabled():
        assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"PK\x03\x04 something", "spreadsheet"), (b"1,2,3\n4,5,6\n", "names of the columns")],
)
def test_a_file_that_is_no_table_is_refused_in_words(manager: Client, content: bytes, says: str) -> None:
    page = upload(manager, content)
    assert page.status_code == 422
    assert says in str(page.context["form"].errors["file"])


def test_a_file_is_kept_where_its_name_cannot_lead_out(manager: Client, settings: Any) -> None:
    upload(manager, OWN.encode(), name="../../../../etc/passwd")
    (kept,) = Path(settings.MEDIA_ROOT).rglob("*passwd*")
    assert kept.resolve().is_relative_to(Path(settings.MEDIA_ROOT).resolve())


def test_the_columns_page_without_a_file_leads_to_the_upload(manager: Client) -> None:
    assert manager.get(COLUMNS).headers["Location"] == UPLOAD


FRENCH = (
    "Nr;Kiedy;Razem;Kto;Stan;Imię\nA-1;03.09.2026 10:15;149,00;anna@example.com;czeka na przelew;Hélène\n"
)


def test_a_file_of_unsure_letters_is_kept_and_read_as_a_person_says(manager: Client, settings: Any) -> None:
    content = FRENCH.replace("Imię", "Kim").encode("cp1252")
    asked = upload(manager, content, "zamówienia.csv")
    assert asked.status_code == 422
    choices = [(code, str(words)) for code, words in asked.context["form"].fields["encoding"].choices]
    assert [code for code, _words in choices] == [
        "cp1250",
        "iso-8859-2",
        "cp1252",
        "cp1251",
        "utf-8",
        "utf-16",
    ]
    assert [words for code, words in choices if "Hélène" in words]
    assert "zam" in asked.context["kept_name"]

    assert manager.get(COLUMNS).headers["Location"] == UPLOAD
    refused = manager.post(UPLOAD, {"encoding": "utf-8"})
    assert refused.status_code == 422
    assert "utf-8" in str(refused.context["form"].errors["encoding"])
    assert manager.post(UPLOAD, {"encoding": "klingon"}).status_code == 422
    chosen = manager.post(UPLOAD, {"encoding": "cp1252"})

    assert chosen.headers["Location"] == COLUMNS
    assert len(list(Path(settings.MEDIA_ROOT).rglob("*.csv"))) == 1
    assert "Hélène" in manager.get(COLUMNS).content.decode()
    tried = manager.post(COLUMNS, {**MEANT, "word_0": "pending"})
    assert tried.status_code == 302, tried.context["form"].errors
    with scopes_disabled():
        assert ImportRun.objects.get().plan["encoding"] == "cp1252"


def test_the_next_file_is_judged_by_itself(manager: Client) -> None:
    upload(manager, FRENCH.replace("Imię", "Kim").encode("cp1252"))
    manager.post(UPLOAD, {"encoding": "cp1252"})

    assert upload(manager, OWN.encode()).headers["Location"] == COLUMNS
    assert "zapłacone" in manager.get(COLUMNS).content.decode()


def test_letters_without_a_file_lead_to_the_upload(manager: Client) -> None:
    assert manager.post(UPLOAD, {"encoding": "cp1252"}).headers["Location"] == UPLOAD


def test_a_file_of_costs_is_recognised_tried_and_taken(manager: Client, shop: Shop) -> None:
    upload(manager, b"Symbol;Nazwa;Koszt\nK-1;Kawa;12,50\nK-2;Herbata;drogo\n", "costs.csv")
    form = manager.get(COLUMNS).context["form"]
    fields = {name: form.fields[name].initial for name in form.fields}
    asked = manager.post(COLUMNS, {name: value for name, value in fields.items() if value})
    assert asked.status_code == 302, asked.context["form"].errors
    work()
    tried = manager.get(asked.headers["Location"])
    begun = manager.post(f"{asked.headers['Location']}start/").headers["Location"]
    work()
    done = manager.get(begun)

    assert set(fields) >= {"column_cost", "column_sku", "decimal", "currency", "replaces_hand"}
    assert "dates" not in fields
    assert [str(number) for _words, number in tried.context["counts"]] == ["1", "0", "1"]
    assert "Line 3: K-2" in tried.content.decode()
    assert done.context["orders_url"] == "/s/own/settings/costs/"
    with scopes_disabled():
        assert list(Product.objects.values_list("sku", "name", "cost")) == [("K-1", "Kawa", Decimal("12.5"))]
