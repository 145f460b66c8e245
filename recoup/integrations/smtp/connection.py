"""A kept-open connection: connect, TLS and AUTH by `smtplib`, everything after that by `Exchange`."""

import contextlib
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from recoup.integrations.smtp.exchange import Exchange
from recoup.integrations.smtp.line import Line, LineBroken, boot_time
from recoup.integrations.smtp.terms import Abilities, Counts, Timeouts
from recoup.messaging.handover import Stage

_QUIET_SECONDS = 15.0
"""After so long without a word the line is tried with NOOP before a mail is trusted to it."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Security(StrEnum):
    """How the line is protected. There is no "if possible": what is set is required."""

    TLS = "tls"
    """From the first byte on; usually port 465."""

    STARTTLS = "starttls"
    """Before the first mail; usually port 587."""

    NONE = "none"
    """For a server on this machine or network; no password is ever sent over it elsewhere."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how a shop's mail is handed over."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    hostname: str = ""
    """The name that we introduce ourselves with; the machine's own by default."""

    ca_file: str = ""
    """Certificates to trust beside the system's."""

    timeouts: Timeouts = field(default_factory=Timeouts)


class ConnectFailed(Exception):
    """No mail could be named; `code` is the server's, 500 where a person must mend the settings, 0 where it may heal."""

    def __init__(self, stage: Stage, code: int, reason: str) -> None:
        super().__init__(f"{stage.value}: {code or ''} {reason}".replace("  ", " "))
        self.stage, self.code, self.reason = stage, code, reason


class SmtpConnection:
    """One connection to one server, opened when needed. Used by one thread at a time."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        self.counts = Counts()
        self.abilities = Abilities()
        self._line: Line | None = None
        self._exchange: Exchange | None = None
        self._heard_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the line stands, as far as one knows without asking."""
        return self._line is not None and self._line.is_open

    @property
    def can_pipeline(self) -> bool:
        """Whether the batch way is open (RFC 2920)."""
        return self.abilities.pipelining

    def open(self) -> None:
        """Connect, secure the line and sign in; does nothing if it stands.

        :raises ConnectFailed: with the stage that failed. Nothing was sent in the clear that should not be.
        """
        if self.is_open:
            return
        client = connect(self.settings)
        assert client.sock is not None
        self.abilities = Abilities(
            pipelining=client.has_extn("pipelining"),
            smtputf8=client.has_extn("smtputf8"),
            largest_mail=int(client.esmtp_features.get("size") or 0),
        )
        self._line = Line(client.sock)
        self._exchange = Exchange(self._line, self.abilities, self.settings.timeouts, self.counts)
        self._heard_at = boot_time()
        self.counts.opened += 1

    def ready(self) -> None:
        """Make sure that somebody listens: open the line, or try a quiet one with NOOP and open it again if it is dead.

        :raises ConnectFailed: if no line can be had.
        """
        if self.is_open and self._exchange is not None:
            is_quiet = boot_time() - self._heard_at > _QUIET_SECONDS
            if not self._exchange.settle_down() or (is_quiet and not self._answers_noop()):
                self.close()
        self.open()

    def exchange(self) -> Exchange:
        """Return the stream of this line; call `ready` first."""
        assert self._exchange is not None, "not open"
        self._heard_at = boot_time()
        self._exchange.forget()
        return self._exchange

    def close(self) -> None:
        """Say QUIT if the line stands, and close it without waiting long for an answer."""
        if self._line is not None and self._line.is_open:
            is_tidy = self._exchange is not None and self._exchange.settle_down()
            with contextlib.suppress(LineBroken):
                if is_tidy:
                    self._line.write(b"QUIT\r\n")
                    self._line.read(seconds=1.0)
            self._line.close()
        self._line = self._exchange = None

    def _answers_noop(self) -> bool:
        assert self._line is not None
        try:
            self._line.write(b"NOOP\r\n")
            answer = self._line.read(seconds=self.settings.timeouts.answer)
        except LineBroken:
            return False
        self._heard_at = boot_time()
        return answer is not None and 200 <= answer.code < 300


class Pace:
    """How many mails to check under one lock: as many as the server takes in 50 ms, found by growing from one."""

    quantum_seconds = 0.05
    largest = 100

    def __init__(self) -> None:
        self.size = 1

    def note(self, count: int, seconds: float) -> None:
        """Learn from what the last lock took; a slow answer falls back at once, a fast one doubles."""
        if count <= 0:
            return
        fitting = int(self.quantum_seconds * count / max(seconds, 1e-6))
        self.size = max(1, min(fitting, self.size * 2, self.largest))


def connect(settings: SmtpSettings) -> smtplib.SMTP:
    """Return a client that is connected, secured and signed in.

    :raises ConnectFailed: with the stage that failed.
    """
    client = _connected(settings)
    try:
        _introduce(client)
        if settings.security is Security.STARTTLS:
            _start_tls(client, settings)
        if settings.username:
            _sign_in(client, settings)
    except BaseException:
        client.close()
        raise
    return client


def _connected(settings: SmtpSettings) -> smtplib.SMTP:
    hostname = settings.hostname or _own_name()
    try:
        if settings.security is Security.TLS:
            context = tls_context(settings.ca_file)
            return smtplib.SMTP_SSL(
                settings.host, settings.port, hostname, timeout=settings.timeouts.connect, context=context
            )
        return smtplib.SMTP(settings.host, settings.port, hostname, timeout=settings.timeouts.connect)
    except ssl.SSLError as error:
        raise ConnectFailed(Stage.TLS, 500, _tls_reason(error)) from error
    except smtplib.SMTPResponseException as error:
        raise ConnectFailed(Stage.CONNECT, error.smtp_code, _text(error.smtp_error)) from error
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise ConnectFailed(Stage.CONNECT, 0, str(error) or type(error).__name__) from error


def _introduce(client: smtplib.SMTP) -> None:
    try:
        client.ehlo_or_helo_if_needed()
    except smtplib.SMTPResponseException as error:
        raise ConnectFailed(Stage.CONNECT, error.smtp_code, _text(error.smtp_error)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise ConnectFailed(Stage.CONNECT, 0, str(error)) from error


def _start_tls(client: smtplib.SMTP, settings: SmtpSettings) -> None:
    if not client.has_extn("starttls"):
        raise ConnectFailed(Stage.TLS, 502, "the server does not offer STARTTLS")
    try:
        code, text = client.starttls(context=tls_context(settings.ca_file))
        if code != 220:
            raise ConnectFailed(Stage.TLS, code, _text(text))
        client.ehlo()
    except ssl.SSLError as error:
        raise ConnectFailed(Stage.TLS, 500, _tls_reason(error)) from error
    except smtplib.SMTPResponseException as error:
        raise ConnectFailed(Stage.TLS, error.smtp_code, _text(error.smtp_error)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise ConnectFailed(Stage.TLS, 0, str(error)) from error


def _sign_in(client: smtplib.SMTP, settings: SmtpSettings) -> None:
    is_private = isinstance(client.sock, ssl.SSLSocket) or settings.host in _LOOPBACK
    if not is_private:
        raise ConnectFailed(Stage.AUTH, 538, "the password would travel unencrypted")
    try:
        client.login(settings.username, settings.password)
    except smtplib.SMTPNotSupportedError as error:
        raise ConnectFailed(Stage.AUTH, 502, str(error)) from error
    except smtplib.SMTPResponseException as error:
        raise ConnectFailed(Stage.AUTH, error.smtp_code, _text(error.smtp_error)) from error
    except smtplib.SMTPServerDisconnected as error:
        raise ConnectFailed(Stage.AUTH, 0, str(error)) from error
    except (smtplib.SMTPException, UnicodeError) as error:
        raise ConnectFailed(Stage.AUTH, 500, str(error)) from error
    except OSError as error:
        raise ConnectFailed(Stage.AUTH, 0, str(error)) from error


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that checks name and certificate, TLS 1.2 at least."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


@lru_cache(maxsize=1)
def _own_name() -> str:
    """Return this machine's name; `getfqdn` may ask a name server, so it is asked once."""
    name = socket.getfqdn()
    return name if "." in name and name.isascii() else "localhost.localdomain"


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    return error.reason or str(error)


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
