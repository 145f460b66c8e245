"""The demo's mailbox: an SMTP server on this machine that keeps every mail instead of delivering it.

Run as `python -m recoup.demo.mailbox --port N`. A mail is stored before it is answered with 250.
"""

import argparse
import asyncio
import email
import email.policy
import os
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

LONGEST_LINE = 64 * 1024
LARGEST_MAIL = 10 * 1024 * 1024
INSERT = (
    "INSERT INTO demo_caughtmail (sender, recipient, subject, caught_at, content) VALUES"
    " (%s, %s, %s, clock_timestamp() + (SELECT trade_offset FROM core_installation), %s)"
)

Keep = Callable[[str, list[str], bytes], None]


@dataclass(slots=True)
class _Letter:
    sender: str = ""
    recipients: list[str] = field(default_factory=list)


class Mailbox:
    """An SMTP server that speaks as much of RFC 5321 and RFC 2920 as a sender needs."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep

    async def serve(self, port: int, started: Callable[[int], None] | None = None) -> None:
        """Listen on this machine only, until cancelled."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", port, limit=LARGEST_MAIL)
        if started is not None:
            started(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mailbox.recoup.invalid ESMTP\r\n")
        letter = _Letter()
        try:
            while line := await reader.readline():
                text = line[:LONGEST_LINE].decode("utf-8", "replace").strip()
                verb = text.split(" ", 1)[0].upper()
                if verb == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                if verb == "DATA" and letter.recipients:
                    writer.write(b"354 go on\r\n")
                    await writer.drain()
                    content = await self._content(reader)
                    await asyncio.to_thread(self._keep, letter.sender, letter.recipients, content)
                    letter = _Letter()
                    writer.write(b"250 2.0.0 kept\r\n")
                else:
                    letter, answer = _answer(verb, text, letter)
                    writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _content(self, reader: asyncio.StreamReader) -> bytes:
        """Return a mail up to its dot.

        :raises ConnectionResetError: if the line breaks before it; what came is no mail, and is sent again.
        """
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                raise ConnectionResetError
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


def _answer(verb: str, text: str, letter: _Letter) -> tuple[_Letter, bytes]:  # noqa: PLR0911 - a verb a line
    match verb:
        case "EHLO":
            return letter, b"250-mailbox.recoup.invalid\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
        case "HELO" | "NOOP":
            return letter, b"250 ok\r\n"
        case "MAIL":
            return _Letter(sender=_address(text)), b"250 2.1.0 ok\r\n"
        case "RCPT":
            letter.recipients.append(_address(text))
            return letter, b"250 2.1.5 ok\r\n"
        case "RSET":
            return _Letter(), b"250 ok\r\n"
        case "DATA":
            return letter, b"554 5.5.1 no recipient\r\n"
    return letter, b"502 5.5.2 not known here\r\n"


def _address(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]


def keeper(url: str) -> Keep:
    """Return what stores mails in the database of the demo."""
    connection: list[psycopg.Connection] = []

    def keep(sender: str, recipients: list[str], content: bytes) -> None:
        if not connection or connection[0].closed:
            connection[:] = [psycopg.connect(url, autocommit=True)]
        head = email.message_from_bytes(content[:LONGEST_LINE], policy=email.policy.default)
        subject = str(head.get("Subject", ""))
        for recipient in recipients:
            connection[0].execute(INSERT, [sender, recipient, subject, content])

    return keep


def main() -> None:
    """Run the mailbox until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    url = os.environ.get("DATABASE_URL") or os.environ["RECOUP_DATABASE_URL"]
    asyncio.run(Mailbox(keeper(url)).serve(port))


if __name__ == "__main__":
    main()
