"""The wire form of a mail: what a server reads is one mail, the same text (T96)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.messaging.handover import Mail, to_wire


def received(wire: bytes) -> list[bytes]:
    """Read a stream as RFC 5321 says: a line with a lone dot ends a mail; doubled dots are halved."""
    mails: list[bytes] = []
    lines: list[bytes] = []
    for line in wire.split(b"\r\n")[:-1]:
        if line == b".":
            mails.append(b"".join(part + b"\r\n" for part in lines))
            lines = []
        else:
            lines.append(line[1:] if line.startswith(b".") else line)
    assert lines == []
    return mails


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\r\n.\r\nb", b"a\r\n.\r\nb\r\n"),
        (b"a\n.\nb\n", b"a\r\n.\r\nb\r\n"),
        (b"a\n.\r\nMAIL FROM:<x@y.z>\r\n", b"a\r\n.\r\nMAIL FROM:<x@y.z>\r\n"),
        (b"a\r.\rb", b"a\r\n.\r\nb\r\n"),
        (b"a\r\n.\n.\r\n", b"a\r\n.\r\n.\r\n"),
        (b".", b".\r\n"),
        (b"..\r\n", b"..\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_smuggled_ends_stay_inside_the_mail(content: bytes, text: bytes) -> None:
    assert received(to_wire(content)) == [text]


@given(st.lists(st.sampled_from([b"a", b".", b"\r", b"\n", b"\r\n", b"\r\n.\r\n", b"DATA"]), max_size=30))
def test_any_content_is_one_mail(pieces: list[bytes]) -> None:
    wire = Mail("k", "s@x.pl", "r@x.pl", b"".join(pieces)).wire

    assert len(received(wire)) == 1
    assert wire.count(b"\n") == wire.count(b"\r\n") == wire.count(b"\r")
