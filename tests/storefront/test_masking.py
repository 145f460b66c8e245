"""A masked person."""

import pytest

from recoup.shops.snapshots import DeliverySnapshot, PointSnapshot
from recoup.storefront.masking import (
    masked_email,
    masked_name,
    masked_number,
    masked_place,
    masked_point,
    masked_title,
)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Anna Kowalska", "A•••a K•••a"),
        ("Jan Ó", "J••• Ó•••"),
        ("", ""),
        ("Юлия  Смирнова", "Ю•••я С•••а"),
        ("one two three four five", "o••• t••• t•••e f•••r"),
    ],
)
def test_names_keep_their_first_and_last_letters_at_most(name: str, masked: str) -> None:
    assert masked_name(name) == masked


@pytest.mark.parametrize(
    ("email", "masked"),
    [
        ("anna@mail.pl", "a•••@m•••.pl"),
        ("a@b.co.uk", "a•••@b•••.uk"),
        ("x@localhost", "x•••@l•••"),
        ("", ""),
        ("not an address", ""),
        ("@mail.pl", ""),
        ("anna@", ""),
    ],
)
def test_addresses_keep_two_letters_and_the_ending(email: str, masked: str) -> None:
    assert masked_email(email) == masked


@pytest.mark.parametrize(
    ("title", "masked"),
    [
        ("InPost Paczkomat 24/7", "InPost Paczkomat 24/7"),
        ("InPost KRA01M", "InPost •••"),
        ("Paczkomat (WAW22A)", "Paczkomat (•••)"),
        ("Odbiór: ul. Pawia 5, Kraków", "Odbiór: •••"),
        ("DHL do Przy Sklepie", "DHL do •••"),
        ("Packstation 145123", "Packstation •••"),
        ("Courier", "Courier"),
        ("", ""),
    ],
)
def test_a_way_of_delivery_loses_the_place_in_its_name(title: str, masked: str) -> None:
    point = PointSnapshot("POZ01", "przy sklepie")

    assert masked_title(DeliverySnapshot(title=title, point=point)) == masked


def test_places_points_and_numbers_keep_next_to_nothing() -> None:
    assert masked_place({"street": "Cicha 7", "city": "Nowy Sącz"}) == "N•••y S•••z"
    assert (masked_place({"street": "Cicha 7"}), masked_place({})) == ("•••", "")
    assert masked_point(PointSnapshot("KRA01M", "x")) == "K•••M"
    assert masked_point(PointSnapshot("", "Sklep Zosia")) == "S•••p"
    assert masked_point(PointSnapshot()) == ""
    assert [masked_number(number) for number in ("5252248481", "123", "")] == ["•••81", "•••", ""]
