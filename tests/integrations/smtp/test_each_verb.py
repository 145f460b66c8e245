"""A server that falls silent or hangs up at one verb: each has its end, and no wait is longer than promised (F16, F17)."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from recoup.integrations.smtp.connection import ConnectFailed, Security, SmtpConnection, SmtpSettings
from recoup.integrations.smtp.terms import Timeouts
from recoup.integrations.smtp.words import Then, verdict
from recoup.messaging.handover import Stage
from recoup.messaging.sender.timing import TIMING
from tests.integrations.smtp.lines import PATIENT, mail, send_batch, send_single, word

# Which wait is short where: all others are long, so that a busy machine is not taken for a silent server.
_WAITS = {
    "greeting": {"connect": 0.3},
    "EHLO": {"connect": 0.3},
    "AUTH": {"connect": 1.5},  # greeting and EHLO are answered within it
    "MAIL": {"answer": 0.3},
    "RCPT": {"answer": 0.3},
    "DATA": {"data": 0.3},
    "dot": {"dot": 0.3},
}
_ANSWERS = {
    "EHLO": b"250-here\r\n250-PIPELINING\r\n250 AUTH PLAIN",
    "AUTH": b"235 welcome",
    "DATA": b"354 go on",
    "QUIT": b"221 bye",
}


def _serve(listener: socket.socket, silent_at: str, cut_at: str) -> None:
    """Answer one line until the verb at which it falls silent, or hangs up when it has answered."""
    line, _ = listener.accept()
    is_content = False
    with line, line.makefile("rb") as rows:
        if silent_at == "greeting":
            rows.read()
            return
        line.sendall(b"220 here\r\n")
        for row in rows:
            if is_content and row != b".\r\n":
                continue
            verb = "dot" if is_content else row[:4].decode().strip().upper()
            if verb == silent_at:
                rows.read()
                return
            line.sendall(_ANSWERS.get(verb, b"250 ok") + b"\r\n")
            if verb == cut_at:
                return
            is_content = verb == "DATA"


@contextmanager
def server(*, silent_at: str = "", cut_at: str = "") -> Iterator[SmtpConnection]:
    """Return a connection, not opened yet, to a server that stops at a verb."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, silent_at, cut_at), daemon=True)
        thread.start()
        settings = SmtpSettings(
            host="127.0.0.1",
            port=listener.getsockname()[1],
            security=Security.NONE,
            username="shop",
            password="secret",
            hostname="client.example",
            timeouts=replace(PATIENT, **_WAITS.get(silent_at, {})),
        )
        connection = SmtpConnection(settings)
        yield connection
        connection.close()
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("verb", "stage"), [("greeting", Stage.CONNECT), ("EHLO", Stage.CONNECT), ("AUTH", Stage.AUTH)]
)
def test_silence_before_a_mail_is_named_counts_against_no_mail(verb: str, stage: Stage) -> None:
    started = time.monotonic()
    with server(silent_at=verb) as connection, pytest.raises(ConnectFailed) as failed:
        connection.ready()

    assert time.monotonic() - started < 30
    assert (failed.value.stage, failed.value.code) == (stage, 0)
    end = verdict(failed.value.stage, failed.value.code)
    assert (end.then, end.counts_attempt) == (Then.RETRY, False)


@pytest.mark.parametrize("way", ["batch", "single"])
@pytest.mark.parametrize(
    ("verb", "outcome"),
    [("MAIL", "not handed"), ("RCPT", "not handed"), ("DATA", "not handed"), ("dot", "uncertain")],
)
def test_silence_at_a_verb_is_cut_and_only_after_the_dot_uncertain(way: str, verb: str, outcome: str) -> None:
    one = mail("u@x.pl")
    started = time.monotonic()
    with server(silent_at=verb) as connection:
        connection.ready()
        exchange = connection.exchange()
        found = send_batch(exchange, [one])[one.key] if way == "batch" else send_single(exchange, one)

        assert (word(found), connection.is_open) == (outcome, False)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("way", ["batch", "single"])
def test_a_line_cut_after_250_and_before_quit_has_sent(way: str) -> None:
    one = mail("u@x.pl")
    with server(cut_at="dot") as connection:
        connection.ready()
        exchange = connection.exchange()
        found = send_batch(exchange, [one])[one.key] if way == "batch" else send_single(exchange, one)

        assert word(found) == "accepted"


def test_waits_are_as_long_as_promised_and_a_lease_outlasts_them() -> None:
    assert Timeouts() == Timeouts(connect=60, answer=60, data=120, dot=600)
    assert (TIMING.fresh, TIMING.hold, TIMING.claim) == (1.0, 2.0, 100)
    assert TIMING.longest_handing > TIMING.hold + Timeouts().data + Timeouts().dot
