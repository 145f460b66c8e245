"""One address, never two (T93, T94, T95)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.messaging.mime.addresses import (
    AddressRefused,
    check_address,
    needs_smtputf8,
    parse_recipient,
    wire_address,
)


@pytest.mark.parametrize(
    "text",
    [
        "a@b.c, x@y.z",
        "a@b.c;x@y.z",
        "a@b.c\r\nBcc: d@e.f",
        "a@b.c\nBcc: d@e.f",
        "a@b.pl\x00",
        "a\x00@b.pl",
        "a b@c.pl",
        "a@b c.pl",
        "a@@b.pl",
        "@b.pl",
        "a@",
        "a",
        "",
        "a@b",
        "a@b..pl",
        ".a@b.pl",
        "a.@b.pl",
        "a..b@c.pl",
        "a@-b.pl",
        "<a@b.pl>",
        "a@b.pl>",
        "a@[127.0.0.1]",
        "a@b.pl\u2028",
        "a\u202e@b.pl",
        "(a)@b.pl",
        "x" * 65 + "@b.pl",
        "a@" + "b" * 250 + ".pl",
    ],
)
def test_what_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(text)


@pytest.mark.parametrize(
    ("text", "address", "wire"),
    [
        ("anna@example.com", "anna@example.com", "anna@example.com"),
        (" Anna+1@Example.COM ", "Anna+1@example.com", "Anna+1@example.com"),
        ("o'neil@example.com", "o'neil@example.com", "o'neil@example.com"),
        ("d@é.pl", "d@é.pl", "d@xn--9ca.pl"),
        ("d@ŻÓŁW.pl", "d@żółw.pl", "d@xn--w-uga1v8h.pl"),
        ("ż@e.pl", "ż@e.pl", "ż@e.pl"),
        ("a@localhost", "a@localhost", "a@localhost"),
    ],
)
def test_addresses_are_kept_as_typed_and_sent_as_punycode(text: str, address: str, wire: str) -> None:
    assert (check_address(text), wire_address(text)) == (address, wire)


def test_only_a_local_part_outside_ascii_needs_smtputf8() -> None:
    assert [needs_smtputf8(address) for address in ("ż@e.pl", "d@é.pl", "a@b.pl")] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ('"A, B" <a@b.pl>', ("A, B", "a@b.pl")),
        ('"A \\"x\\" B" <a@b.pl>', ('A "x" B', "a@b.pl")),
        ("Łucja Nowak <a@b.pl>", ("Łucja Nowak", "a@b.pl")),
        ("a@b.pl", ("", "a@b.pl")),
        ("<a@b.pl>", ("", "a@b.pl")),
    ],
)
def test_names_may_hold_commas_when_quoted(text: str, parsed: tuple[str, str]) -> None:
    assert parse_recipient(text) == parsed


@pytest.mark.parametrize(
    "text", ["A <a@b.pl>, B <c@d.pl>", "alice@good.pl <bob@evil.pl>", "A <a@b.pl\n>", "A, B <a@b.pl>"]
)
def test_a_name_that_hides_a_second_address_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        parse_recipient(text)


@given(st.text(max_size=80))
def test_what_passes_is_a_single_printable_line(text: str) -> None:
    try:
        wire = wire_address(text)
    except AddressRefused:
        return

    assert wire.isprintable()
    assert wire.count("@") == 1
    assert not set(wire) & set(' ,;<>()[]:\\"')
