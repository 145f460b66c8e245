"""Connections and mails for tests of the line to a server."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from recoup.integrations.smtp.connection import Security, SmtpConnection, SmtpSettings
from recoup.integrations.smtp.exchange import Exchange
from recoup.integrations.smtp.terms import Timeouts
from recoup.messaging.handover import Accepted, Mail, NotHanded, Outcome, Rejected, Uncertain
from tests.support.smtp_sink import SmtpSink

PATIENT = Timeouts(connect=60, answer=60, data=60, dot=60)


def settings(sink: SmtpSink, *, timeouts: Timeouts = PATIENT, **changes: object) -> SmtpSettings:
    """Return settings for the sink, in the clear unless said otherwise."""
    parts: dict[str, object] = {
        "host": "127.0.0.1",
        "port": sink.port,
        "security": Security.NONE,
        "timeouts": timeouts,
    }
    return SmtpSettings(**{**parts, **changes})  # type: ignore[arg-type]


@contextmanager
def connected(sink: SmtpSink, *, timeouts: Timeouts = PATIENT) -> Iterator[SmtpConnection]:
    """Return an open connection to the sink."""
    connection = SmtpConnection(settings(sink, timeouts=timeouts))
    connection.ready()
    try:
        yield connection
    finally:
        connection.close()


def mail(
    recipient: str, *, key: Hashable = None, sender: str = "shop@example.com", body: str = "hello"
) -> Mail:
    """Return a mail whose key is its recipient, unless another is given."""
    content = f"Subject: to {recipient}\r\n\r\n{body}\r\n".encode()
    return Mail(recipient if key is None else key, sender, recipient, content)


def send_batch(exchange: Exchange, mails: list[Mail]) -> dict[Hashable, Outcome]:
    """Hand mails over in the batch way and wait for all answers."""
    settled: list[tuple[Hashable, Outcome]] = []
    for one in mails:
        exchange.write_next(one)
        settled += exchange.collect(None)
    exchange.write_last()
    settled += exchange.collect(None)
    assert len({key for key, _ in settled}) == len(settled), "settled twice"
    return dict(settled)


def send_single(exchange: Exchange, one: Mail) -> Outcome:
    """Hand one mail over in the single way and wait for its answer."""
    refusal = exchange.open(one)
    if refusal is not None:
        return refusal
    exchange.write_data()
    [(key, outcome)] = exchange.collect(None)
    assert key == one.key
    return outcome


def word(outcome: Outcome) -> str:
    """Return an outcome in a word: `accepted`, `rcpt 550`, `not handed`, `uncertain`."""
    match outcome:
        case Accepted():
            return "accepted"
        case Rejected():
            return f"{outcome.stage.value} {outcome.code}"
        case NotHanded():
            return "not handed"
        case Uncertain():
            return "uncertain"
