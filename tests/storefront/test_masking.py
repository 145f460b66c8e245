"""A masked person."""

import pytest

from recoup.storefront.masking import masked_email, masked_name


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
