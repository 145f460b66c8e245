"""The public address in the browser: asked for, refused in words, kept, and heard of without a restart (T60)."""

import os
from pathlib import Path

import pytest
from django.test import Client
from django_scopes import scopes_disabled
from pytest_django import Settings

from recoup.accounts.models import User
from recoup.accounts.roles import Role
from recoup.accounts.setup_code import setup_code
from recoup.core import links, public_address
from recoup.core.models import Activity
from recoup.shops.models import Membership, Shop
from tests.factories.shops import make_shop

PAGE = "/start/address/"


@pytest.fixture(autouse=True)
def _own_file(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose address the environment does not fix."""
    monkeypatch.setattr(public_address, "_seen", None)
    settings.VAR_DIR = tmp_path
    settings.IS_ADDRESS_FIXED = False
    settings.PUBLIC_URL = "https://first.example"
    settings.ALLOWED_HOSTS = ["testserver", "first.example"]
    public_address.keep_address("https://first.example", var=tmp_path)


def person(*shops: Shop, role: Role = Role.OWNER) -> Client:
    """Return the browser of somebody who works in these shops, at the present address."""
    user = User.objects.create(email=f"{role}{len(shops)}@own.example", name="Ann")
    with scopes_disabled():
        for shop in shops:
            Membership.objects.create(user=user, shop=shop, role=role)
    client = Client(headers={"host": "first.example"})
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_the_wizard_asks_after_the_owner_and_goes_on_to_the_shop(settings: Settings, tmp_path: Path) -> None:
    client = Client(headers={"host": "first.example"})
    posted = {
        "code": setup_code(),
        "name": "Ann",
        "email": "ann@own.example",
        "password": "a quiet green lamp",
    }
    assert client.post("/start/", posted).headers["Location"] == PAGE
    assert 'value="https://first.example"' in client.get(PAGE).content.decode()

    done = client.post(PAGE, {"address": " HTTPS://Second.Example/ "})

    assert done.headers["Location"] == "/start/shop/"
    assert (tmp_path / "public-address").read_text() == "https://second.example\nhttps://first.example\n"
    assert links.address("pay", "x" * 22).startswith("https://second.example/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("http://second.example", "It must begin with https://"),
        ("second.example", "It must begin with https://"),
        ("https://second.example/shop", "without a path"),
        ("https://second.example?a=1", "without a path"),
        ("https://ann@second.example", "without a path"),
        ("https://second.example:port", "without a path"),
        ("https://", "without a path"),
    ],
)
def test_what_links_cannot_begin_with_is_refused_in_words(
    settings: Settings, tmp_path: Path, typed: str, words: str
) -> None:
    page = person(make_shop()).post(PAGE, {"address": typed})

    assert page.status_code == 422
    assert words in page.content.decode()
    assert (tmp_path / "public-address").read_text() == "https://first.example\n"
    assert settings.PUBLIC_URL == "https://first.example"


@pytest.mark.django_db
def test_the_change_is_recorded_and_the_former_name_still_answered(settings: Settings) -> None:
    shop = make_shop()
    client = person(shop)
    done = client.post(PAGE, {"address": "https://zażółć.example"})

    assert done.headers["Location"] == f"/s/{shop.slug}/settings/checks/"
    assert settings.PUBLIC_URL == "https://xn--zak-spa2b3sg.example" or settings.PUBLIC_URL.startswith(
        "https://xn--"
    )
    lines = Activity.objects.values_list("verb", "details__was", "details__to")
    assert list(lines) == [("core.public_address.changed", "https://first.example", settings.PUBLIC_URL)]
    new_name = settings.PUBLIC_URL.removeprefix("https://")
    assert [
        client.get("/start/", headers={"host": name}).status_code for name in ("first.example", new_name)
    ] == [
        302,
        302,
    ]
    assert client.get("/start/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.django_db
def test_what_the_environment_fixes_is_said_and_stays(settings: Settings, tmp_path: Path) -> None:
    settings.IS_ADDRESS_FIXED = True
    client = person(make_shop())

    page = client.get(PAGE).content.decode()
    client.post(PAGE, {"address": "https://second.example"})

    assert "RECOUP_PUBLIC_URL on the server says so" in page
    assert 'name="address"' not in page
    assert settings.PUBLIC_URL == "https://first.example"
    assert (tmp_path / "public-address").read_text() == "https://first.example\n"


@pytest.mark.django_db
def test_only_who_owns_every_shop_may(tmp_path: Path) -> None:
    mine = make_shop()
    assert person(mine, role=Role.MANAGER).post(PAGE, {"address": "https://b.example"}).status_code == 403
    owner = person(mine)
    make_shop()
    assert owner.get(PAGE).status_code == 403
    assert owner.post(PAGE, {"address": "https://b.example"}).status_code == 403
    assert (tmp_path / "public-address").read_text() == "https://first.example\n"


def test_another_process_hears_of_it(settings: Settings, tmp_path: Path) -> None:
    public_address.hear_of_new_address()
    public_address.keep_address("https://second.example", var=tmp_path)  # as another process does

    public_address.hear_of_new_address()

    assert settings.PUBLIC_URL == "https://second.example"
    assert settings.ALLOWED_HOSTS == ["127.0.0.1", "first.example", "localhost", "second.example"]


def test_a_file_that_was_broken_by_hand_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "public-address").write_text("http://evil.example/x\n")
    os.utime(tmp_path / "public-address", (1, 1))

    public_address.hear_of_new_address()

    assert settings.PUBLIC_URL == "https://first.example"


def test_six_former_names_are_enough(tmp_path: Path) -> None:
    for number in range(9):
        public_address.keep_address(f"https://n{number}.example", var=tmp_path)
    public_address.keep_address("https://n7.example", var=tmp_path)

    assert public_address.kept_addresses(tmp_path) == [
        f"https://n{number}.example" for number in (7, 8, 6, 5, 4, 3)
    ]
