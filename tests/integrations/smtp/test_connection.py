"""Connecting, securing and signing in: what fails, at which stage, and that nothing is sent in the clear (F12, F18)."""

import socket
import time

import pytest

from recoup.integrations.smtp import connection as connection_module
from recoup.integrations.smtp.connection import ConnectFailed, Pace, Security, SmtpConnection
from recoup.integrations.smtp.terms import Timeouts
from recoup.integrations.smtp.words import Then, verdict
from recoup.messaging.handover import Stage
from tests.integrations.smtp.lines import connected, mail, send_batch, send_single, settings, word
from tests.support.smtp_sink import SinkOptions, SmtpSink


def failure(sink: SmtpSink, **changes: object) -> ConnectFailed:
    """Return why a connection could not be opened."""
    with pytest.raises(ConnectFailed) as caught:
        SmtpConnection(settings(sink, **changes)).open()  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(
    ("options", "security"),
    [(SinkOptions(starttls=True), Security.STARTTLS), (SinkOptions(tls=True), Security.TLS)],
)
@pytest.mark.parametrize("way", ["batch", "single"])
def test_mail_goes_over_an_encrypted_line(options: SinkOptions, security: Security, way: str) -> None:
    with SmtpSink(options) as sink:
        connection = SmtpConnection(settings(sink, security=security, ca_file=sink.ca_file))
        connection.ready()
        mails = [mail(f"{number}@x.pl", body="y" * 70 * 1000) for number in range(3)]
        exchange = connection.exchange()
        outcomes = (
            send_batch(exchange, mails)
            if way == "batch"
            else {m.key: send_single(exchange, m) for m in mails}
        )
        connection.close()

        assert [word(outcome) for outcome in outcomes.values()] == ["accepted"] * 3
        assert [taken.content for taken in sink.mails()] == [one.content for one in mails]


def test_a_server_that_lost_its_starttls_gets_no_mail_and_no_password() -> None:
    with SmtpSink(SinkOptions(username="anna", password="secret")) as sink:
        failed = failure(sink, security=Security.STARTTLS, username="anna", password="secret")

        assert (failed.stage, failed.code) == (Stage.TLS, 502)
        assert verdict(failed.stage, failed.code).then is Then.HALT
        assert [command.split(b" ")[0].lower() for command in sink.commands] == [b"ehlo"]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize("trouble", ["unknown issuer", "wrong name"])
def test_a_wrong_certificate_stops_before_the_password(security: Security, trouble: str) -> None:
    options = SinkOptions(
        starttls=security is Security.STARTTLS,
        tls=security is Security.TLS,
        wrong_name=trouble == "wrong name",
        username="anna",
        password="secret",
    )
    with SmtpSink(options) as sink:
        ca_file = sink.ca_file if trouble == "wrong name" else ""
        failed = failure(sink, security=security, ca_file=ca_file, username="anna", password="secret")

        assert (failed.stage, failed.code) == (Stage.TLS, 500)
        assert "certificate is not valid" in failed.reason
        assert verdict(failed.stage, failed.code).then is Then.HALT
        assert not any(command.upper().startswith((b"AUTH", b"MAIL")) for command in sink.commands)


def test_a_port_that_does_not_speak_tls_is_told_from_a_bad_certificate(smtp_sink: SmtpSink) -> None:
    failed = failure(smtp_sink, security=Security.TLS)

    assert (failed.stage, failed.code) == (Stage.TLS, 500)
    assert "certificate" not in failed.reason


@pytest.mark.parametrize(("password", "is_taken"), [("secret", True), ("wrong", False)])
def test_a_password_is_taken_or_the_shops_sending_halts(password: str, is_taken: bool) -> None:
    with SmtpSink(SinkOptions(starttls=True, username="anna", password="secret")) as sink:
        changes = {
            "security": Security.STARTTLS,
            "ca_file": sink.ca_file,
            "username": "anna",
            "password": password,
        }
        if is_taken:
            connection = SmtpConnection(settings(sink, **changes))  # type: ignore[arg-type]
            connection.ready()
            assert word(send_single(connection.exchange(), mail("a@x.pl"))) == "accepted"
            connection.close()
        else:
            failed = failure(sink, **changes)
            assert (failed.stage, failed.code) == (Stage.AUTH, 535)
            assert verdict(failed.stage, failed.code).then is Then.HALT


def test_a_server_that_wants_a_password_first_halts_the_shop() -> None:
    with SmtpSink(SinkOptions(username="anna", password="secret")) as sink, connected(sink) as connection:
        outcome = send_single(connection.exchange(), mail("a@x.pl"))

        assert word(outcome) == "mail 530"
        assert verdict(Stage.SENDER, 530, "5.7.0").then is Then.HALT


def test_a_password_never_travels_in_the_clear_to_another_machine(
    smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_LOOPBACK", frozenset())

    failed = failure(smtp_sink, username="anna", password="secret")

    assert (failed.stage, failed.code) == (Stage.AUTH, 538)
    assert not any(command.upper().startswith(b"AUTH") for command in smtp_sink.commands)


def test_the_password_is_in_no_repr(smtp_sink: SmtpSink) -> None:
    assert "secret" not in repr(settings(smtp_sink, username="anna", password="secret"))


def test_nothing_listening_is_tried_again_and_counts_against_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectFailed) as caught:
        SmtpConnection(connection_module.SmtpSettings("127.0.0.1", port, Security.NONE)).open()

    found = verdict(caught.value.stage, caught.value.code)
    assert (caught.value.stage, caught.value.code) == (Stage.CONNECT, 0)
    assert (found.then, found.counts_attempt) == (Then.RETRY, False)


@pytest.mark.parametrize(
    ("greeting", "then"), [("421 come back later", Then.RETRY), ("554 not you", Then.HALT)]
)
def test_a_greeting_that_says_no_is_read(greeting: str, then: Then) -> None:
    with SmtpSink(SinkOptions(greeting=greeting)) as sink:
        failed = failure(sink)

        assert (failed.stage, failed.code) == (Stage.CONNECT, int(greeting[:3]))
        assert verdict(failed.stage, failed.code).then is then


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        quick = connection_module.SmtpSettings(
            "127.0.0.1", port, Security.NONE, timeouts=Timeouts(connect=0.3)
        )
        began = time.monotonic()
        with pytest.raises(ConnectFailed) as caught:
            SmtpConnection(quick).open()

    assert (caught.value.stage, caught.value.code) == (Stage.CONNECT, 0)
    assert time.monotonic() - began < 30


def test_a_quiet_line_is_tried_before_a_mail_is_trusted_to_it(
    smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_QUIET_SECONDS", -1.0)
    with connected(smtp_sink) as connection:
        send_single(connection.exchange(), mail("a@x.pl"))
        connection.ready()
        send_single(connection.exchange(), mail("b@x.pl"))

    assert smtp_sink.commands.count(b"NOOP") == 1
    assert smtp_sink.connections == 1


def test_a_line_that_died_while_quiet_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_QUIET_SECONDS", -1.0)
    with SmtpSink(SinkOptions(quit_after=1)) as sink, connected(sink) as connection:
        send_single(connection.exchange(), mail("a@x.pl"))
        assert word(send_single(connection.exchange(), mail("b@x.pl"))) == "mail 421"
        connection.ready()
        again = send_single(connection.exchange(), mail("b@x.pl"))

        assert word(again) == "accepted"
        assert (connection.counts.opened, sink.connections) == (2, 2)


def test_a_mail_left_open_is_never_finished_by_what_comes_next(smtp_sink: SmtpSink) -> None:
    """Whoever dropped a mail between 354 and its content gets a fresh line, not a NOOP in the middle of a mail."""
    with connected(smtp_sink) as connection:
        exchange = connection.exchange()
        exchange.write_next(mail("dropped@x.pl"))
        exchange.collect(None)
        connection.ready()
        outcome = send_single(connection.exchange(), mail("a@x.pl"))

        assert word(outcome) == "accepted"
        assert [taken.recipients for taken in smtp_sink.mails()] == [["a@x.pl"]]
        assert smtp_sink.connections == 2


def test_pace_grows_with_a_fast_server_and_falls_back_at_once() -> None:
    pace = Pace()
    sizes = []
    for seconds in (0.001, 0.001, 0.001, 0.001, 0.2, 0.05):
        sizes.append(pace.size)
        pace.note(pace.size, seconds)

    assert sizes == [1, 2, 4, 8, 16, 4]
    assert pace.size == 4


def test_a_kept_line_forgets_the_mails_of_the_turn_before(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        one = mail("a@x.pl")
        exchange = connection.exchange()
        send_batch(exchange, [one])
        was_known = exchange.began(one.key) is not None

        assert (was_known, connection.exchange().began(one.key)) == (True, None)
