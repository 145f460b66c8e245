"""The demo's mailbox keeps what came whole, and nothing else."""

import asyncio

import pytest

from recoup.demo.mailbox import Mailbox

MAIL = b"EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\nSubject: s\r\n\r\n..first\r\n"


def caught(said: bytes) -> list[tuple[str, list[str], bytes]]:
    """Return what is kept of a talk that ends when all was said."""
    kept: list[tuple[str, list[str], bytes]] = []
    mailbox = Mailbox(lambda *letter: kept.append(letter))

    async def talk() -> None:
        started = asyncio.get_running_loop().create_future()
        server = asyncio.create_task(mailbox.serve(0, started.set_result))
        reader, writer = await asyncio.open_connection("127.0.0.1", await started)
        writer.write(said)
        writer.write_eof()
        await reader.read()
        writer.close()
        server.cancel()

    asyncio.run(asyncio.wait_for(talk(), 10))
    return kept


@pytest.mark.parametrize("rest", [b"", b"second, cut", b"."])
def test_a_mail_that_was_cut_before_its_dot_is_not_kept(rest: bytes) -> None:
    assert caught(MAIL + rest) == []


def test_a_whole_mail_is_kept_once() -> None:
    whole = caught(MAIL + b".\r\nQUIT\r\n")

    assert whole == [("a@x.example", ["b@x.example"], b"Subject: s\r\n\r\n.first\r\n")]
