"""Whole mails: each is read back with `email`, without a defect and with the same words."""

import email
import email.policy
import random
from binascii import a2b_qp
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recoup.messaging.handover import CrlfLines, to_wire
from recoup.messaging.mime.addresses import AddressRefused
from recoup.messaging.mime.headers import clean_line
from recoup.messaging.mime.writer import MailHeaders, Sender, build_mail, encode_body, new_message_id

SENDER = Sender("Mała Garncarnia", "sklep@example.com", "kontakt@example.com")
NOW = datetime(2026, 11, 22, 9, 30, 5, 123456, tzinfo=UTC)
ID = new_message_id("example.com", "shop-1/message-7")

# Bodies come from the render child, which lets no control sign but the line feed through.
bodies = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
)


def headers(**changes: str | None) -> MailHeaders:
    """Return the headers of an ordinary mail."""
    parts: dict[str, object] = {"to_name": "Anna Nowak", "to_address": "anna@example.org", "message_id": ID}
    parts |= {"date": NOW, "unsubscribe_link": "https://shop.example.com/u/abc", "language": "pl"}
    return MailHeaders(**{**parts, **changes})  # type: ignore[arg-type]


def build(subject: str = "x", html: str = "<p>x</p>", text: str = "x\n", **changes: str | None) -> bytes:
    """Return a mail with these words."""
    return build_mail(SENDER, headers(**changes), subject=subject, html=html.encode(), text=text.encode())


def read(mail: bytes) -> EmailMessage:
    """Read a mail back; there must be no defect anywhere in it."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        assert [header.defects for header in part.values()] == [()] * len(part.values())
    return message


def bodies_of(message: EmailMessage) -> tuple[str, str]:
    """Return the plain text and the HTML with plain line feeds."""
    parts = [part.get_payload(decode=True) for part in message.iter_parts()]
    text, html = (payload.decode().replace("\r\n", "\n") for payload in parts if isinstance(payload, bytes))
    return text, html


def test_a_mail_has_these_headers_and_no_others() -> None:
    message = read(build("Zamówienie 1042"))

    assert message.items()[:-1] == [
        ("From", "Mała Garncarnia <sklep@example.com>"),
        ("Reply-To", "kontakt@example.com"),
        ("Auto-Submitted", "auto-generated"),
        ("Date", "Sun, 22 Nov 2026 09:30:05 +0000"),
        ("Message-ID", ID),
        ("To", "Anna Nowak <anna@example.org>"),
        ("Subject", "Zamówienie 1042"),
        ("List-Unsubscribe", "<https://shop.example.com/u/abc>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Content-Language", "pl"),
        ("MIME-Version", "1.0"),
    ]
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_a_mail_about_a_purchase_has_no_list_headers() -> None:
    message = read(build(unsubscribe_link=None))

    assert [name for name in message if name.startswith("List-")] == []


def test_the_same_key_gives_the_same_message_id() -> None:
    ids = [
        new_message_id("example.com", "a"),
        new_message_id("example.com", "a"),
        new_message_id("example.com", "b"),
    ]

    assert ids[0] == ids[1] != ids[2]
    assert new_message_id("żółw.pl", "a").endswith("@xn--w-uga1v8h.pl>")


@given(text=bodies, html=bodies)
@example(text=".", html="..")
@example(text="a\n.\nb\n..\n", html="\n.")
@example(text="x" * 5000, html="ż" * 3000)
@example(text=" \n\t\n x ", html="From me\n")
@example(text="=3D=\n", html="--=_\n--\n")
def test_bodies_come_back_as_written(text: str, html: str) -> None:
    mail = build(html=html, text=text)

    assert bodies_of(read(mail)) == (text, html)
    assert max(len(line) for line in mail.split(b"\r\n")) <= 78
    assert mail.isascii()
    assert mail.count(b"\n") == mail.count(b"\r\n") == mail.count(b"\r")


@given(subject=st.text(max_size=300))
@example(subject="x" * 998)
@example(subject="word " * 60)
@example(subject="=?utf-8?q?fake?=")
@example(subject="ż" * 200)
@example(subject="😀" * 200)
def test_subjects_come_back_clean(subject: str) -> None:
    mail = build(subject)
    raw = email.message_from_bytes(mail)["Subject"]

    assert (
        str(make_header(decode_header(raw))).split()
        == clean_line(subject).encode("utf-8", "replace").decode().split()
    )
    assert read(mail)["Message-ID"] == ID
    assert max(len(line) for line in mail.partition(b"\r\n\r\n")[0].split(b"\r\n")) <= 78


@given(name=st.text(max_size=250))
@example(name='A, B <x@y.z>; "q"')
@example(name="a@b.c, x@y.z")
@example(name="Łucja Brzęczyszczykiewicz-Konstantynopolitańczykowianeczka")
@example(name="Константин Константинович Константинопольский")
@example(name="x" * 250)
def test_names_never_become_addresses(name: str) -> None:
    mail = build(to_name=name)
    raw = email.message_from_bytes(mail)["To"]

    assert [address.addr_spec for address in read(mail)["To"].addresses] == ["anna@example.org"]
    shown = str(make_header(decode_header(raw))).rpartition("<")[0].strip().strip('"').replace("\\", "")
    wanted = clean_line(name).strip()[:200].encode("utf-8", "replace").decode().replace("\\", "")
    assert "".join(shown.split()) == "".join(wanted.strip('"').split()) or '"' in wanted
    assert max(len(line) for line in mail.partition(b"\r\n\r\n")[0].split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "<a@b>\r\nBcc: x@y.z"},
        {"message_id": "<a b@c>"},
        {"unsubscribe_link": "javascript:x"},
        {"unsubscribe_link": "http://shop.example.com/u"},
        {"unsubscribe_link": "https://x/\r\nBcc: x@y.z"},
        {"unsubscribe_link": "https://x/>, <mailto:x@y.z"},
    ],
)
def test_what_could_break_a_header_stops_the_mail(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"link|token"):
        build(**changes)


@pytest.mark.parametrize("address", ["a@b.pl, c@d.pl", "a@b.pl\r\nBcc: c@d.pl", "nobody"])
def test_a_stored_address_that_is_none_stops_the_mail(address: str) -> None:
    with pytest.raises(AddressRefused):
        build(to_address=address)


def test_a_domain_outside_ascii_goes_as_punycode() -> None:
    assert read(build(to_address="d@é.pl"))["To"].addresses[0].addr_spec == "d@xn--9ca.pl"


@pytest.mark.parametrize("body", [b"a\r\n.\r\nb", b"a\n.\nb", b"a\r.\rb", b"a\r\r\n.\nb", b"\0a\n.\nb"])
def test_line_ends_of_all_kinds_become_one_kind(body: bytes) -> None:
    encoded = encode_body(body)

    assert encoded.count(b"\n") == encoded.count(b"\r\n") == encoded.count(b"\r")
    assert b"\r\n.\r\n" not in encoded


def test_a_body_encoded_line_by_line_reads_back_as_it_was() -> None:
    chance = random.Random(7)
    pieces = [
        b"a",
        b" ",
        b"\t",
        b".",
        b"=",
        b"\n",
        b"\r\n",
        b"\r",
        "ó".encode(),
        b"x" * 70,
        b"<td>",
        b"\n.\n",
        b"y" * 500,
    ]

    for _ in range(3_000):
        body = b"".join(chance.choices(pieces, k=chance.randrange(12)))
        encoded = encode_body(body)

        assert a2b_qp(encoded) == body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        assert max(map(len, encoded.split(b"\r\n"))) <= 76
        assert encoded.count(b"\n") == encoded.count(b"\r\n") == encoded.count(b"\r")


@given(bodies, bodies, st.text(), st.text())
def test_what_is_called_clean_has_no_bare_line_end(html: str, text: str, subject: str, name: str) -> None:
    mail = build_mail(
        SENDER,
        headers(to_name=name),
        subject=subject,
        html=html.encode("utf-8", "replace"),
        text=text.encode("utf-8", "replace"),
    )

    assert isinstance(mail, CrlfLines)
    assert mail.count(b"\n") == mail.count(b"\r\n") == mail.count(b"\r")
    assert to_wire(mail) == to_wire(bytes(mail))
