"""The connection test of the settings screen says in plain words what to do."""

import socket

import pytest
from django.utils import translation

from recoup.integrations.smtp import diagnose
from recoup.integrations.smtp.connection import Security, SmtpSettings
from recoup.integrations.smtp.terms import Timeouts
from tests.integrations.smtp.lines import settings
from tests.support.smtp_sink import SinkOptions, SmtpSink


def told(wanted: SmtpSettings) -> list[tuple[str, bool, str]]:
    """Return the steps with their English words."""
    with translation.override("en"):
        return [
            (step.name, step.is_good, str(step.message)) for step in diagnose.test_connection(wanted).steps
        ]


def test_a_good_server_passes_every_step_and_gets_no_mail() -> None:
    with SmtpSink(SinkOptions(starttls=True, username="anna", password="secret")) as sink:
        wanted = settings(
            sink, security=Security.STARTTLS, ca_file=sink.ca_file, username="anna", password="secret"
        )

        assert told(wanted) == [
            ("name", True, "The server's name was found."),
            ("connect", True, "The server answered."),
            ("tls", True, "The line is encrypted and the certificate is valid."),
            ("auth", True, "The server accepted user name and password."),
        ]
        assert diagnose.test_connection(wanted).is_good
        assert not any(command.startswith(b"MAIL") for command in sink.commands)


NO_STARTTLS = "The server offers no STARTTLS, so that nothing was sent. Try TLS on port 465."
NO_TLS = "The server does not speak TLS on this port. Try STARTTLS on port 587."
BAD_CERTIFICATE = (
    "The certificate is not valid for this name, so that nothing was sent. Use the name that it was made for."
)
BAD_PASSWORD = "User name or password is wrong. Some providers want a password made for this application."
NO_PASSWORDS = "The server takes no passwords on this port. Usual ports are 587 and 465."
NOT_US = "The server does not want to talk to us. Its own words say why."
GUARDED = SinkOptions(username="a", password="b")


@pytest.mark.parametrize(
    ("options", "changes", "step", "words"),
    [
        (SinkOptions(), {"security": Security.STARTTLS}, "tls", NO_STARTTLS),
        (SinkOptions(), {"security": Security.TLS}, "tls", NO_TLS),
        (SinkOptions(tls=True), {"security": Security.TLS}, "tls", BAD_CERTIFICATE),
        (GUARDED, {"username": "a", "password": "c"}, "auth", BAD_PASSWORD),
        (SinkOptions(), {"username": "a", "password": "c"}, "auth", NO_PASSWORDS),
        (SinkOptions(greeting="554 go away"), {}, "connect", NOT_US),
    ],
)
def test_the_first_failure_is_told_with_what_to_do(
    options: SinkOptions, changes: dict[str, object], step: str, words: str
) -> None:
    with SmtpSink(options) as sink:
        steps = told(settings(sink, **changes))  # type: ignore[arg-type]

    assert steps[-1] == (step, False, words)
    assert all(is_good for _, is_good, _ in steps[:-1])


def test_a_closed_port_and_a_wrong_name_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    closed = told(SmtpSettings("127.0.0.1", port, Security.NONE))
    unknown = told(SmtpSettings("no such host.invalid", 587, Security.NONE))

    assert closed[-1] == (
        "connect",
        False,
        f"Nothing listens on port {port} there. Usual ports are 587 and 465.",
    )
    assert unknown == [
        ("name", False, "There is no server called “no such host.invalid”. Check the spelling.")
    ]


def test_a_silent_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        steps = told(SmtpSettings("127.0.0.1", port, Security.NONE, timeouts=Timeouts(connect=0.3)))

    assert steps[-1] == (
        "connect",
        False,
        f"No answer on port {port}. A firewall may close it; many hosts close port 25.",
    )
