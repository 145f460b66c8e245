"""The connection test of the settings screen: each step in plain words, with what to do about the first that fails."""

import contextlib
import smtplib
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from recoup.integrations.smtp.connection import ConnectFailed, Security, SmtpSettings, connect
from recoup.messaging.handover import Stage


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the test."""

    name: str
    """`name`, `connect`, `tls`, `auth`."""

    is_good: bool
    message: Promise
    detail: str = ""
    """The server's own words, or the system's."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All steps up to the first that failed."""

    steps: tuple[Step, ...]

    @property
    def is_good(self) -> bool:
        """Whether mail can be handed over."""
        return all(step.is_good for step in self.steps)


DNS_WORDS: Mapping[str, Promise] = {
    "no_answer": _("The name server did not answer. Try again later."),
    "spf_missing": _(
        "There is no SPF record, so that others may send in your name. Ask your mail provider for it."
    ),
    "spf_twice": _("There are two SPF records; receivers then ignore both. Join them into one."),
    "spf_all": _("This SPF record allows everybody to send in your name. Replace +all by -all."),
    "spf_lookups": _("This SPF record needs more than 10 lookups; receivers then ignore it."),
    "spf_open": _("This SPF record does not end with -all or ~all, so that it forbids nobody."),
    "spf_good": _("SPF is in order."),
    "dkim_missing": _("There is no DKIM key under this name. Ask your mail provider for the record."),
    "dkim_revoked": _("This DKIM key was withdrawn: its record is empty."),
    "dkim_short": _("This DKIM key is too short. Ask your mail provider for one of 2048 bits."),
    "dkim_good": _("DKIM is in order."),
    "dmarc_missing": _("There is no DMARC record. Gmail and Yahoo want one from whoever sends a lot."),
    "dmarc_twice": _("There are two DMARC records; receivers then ignore both."),
    "dmarc_policy": _("This DMARC record names no policy that receivers know."),
    "dmarc_none": _(
        "DMARC is there, but lets everything through. Change p=none to p=quarantine when reports look good."
    ),
    "dmarc_good": _("DMARC is in order."),
}


def test_connection(settings: SmtpSettings) -> Diagnosis:
    """Go through every step that the first mail would go through, and send none."""
    steps = [_look_up(settings)]
    if not steps[-1].is_good:
        return Diagnosis(tuple(steps))
    try:
        client = connect(settings)
    except ConnectFailed as failure:
        return Diagnosis((*steps, *_steps_before(settings, failure.stage), _failed_step(settings, failure)))
    with contextlib.suppress(OSError, smtplib.SMTPException):
        client.quit()
    return Diagnosis((*steps, *_steps_before(settings, None)))


def _look_up(settings: SmtpSettings) -> Step:
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = format_lazy(
            str_(_("There is no server called “{host}”. Check the spelling.")), host=settings.host
        )
        return Step("name", False, message, str(error))
    found = ", ".join(sorted({str(address[4][0]) for address in addresses}))
    return Step("name", True, _("The server's name was found."), found)


def _steps_before(settings: SmtpSettings, failed: Stage | None) -> list[Step]:
    """Return the steps that went well before the one that failed."""
    steps = [("connect", Stage.CONNECT, _("The server answered."))]
    if settings.security is not Security.NONE:
        steps.append(("tls", Stage.TLS, _("The line is encrypted and the certificate is valid.")))
    if settings.username:
        steps.append(("auth", Stage.AUTH, _("The server accepted user name and password.")))
    done = []
    for name, stage, message in steps:
        if stage is failed:
            break
        # With TLS from the first byte on the greeting comes only after the certificate.
        done.append(Step(name, True, message))
    return done


def _failed_step(settings: SmtpSettings, failure: ConnectFailed) -> Step:
    message = _message(settings, failure)
    name = {Stage.CONNECT: "connect", Stage.TLS: "tls"}.get(failure.stage, "auth")
    detail = f"{failure.code} {failure.reason}" if failure.code and failure.code != 500 else failure.reason
    return Step(name, False, message, detail)


def _message(settings: SmtpSettings, failure: ConnectFailed) -> Promise:
    reason = failure.reason.lower()
    if failure.stage is Stage.AUTH:
        return _auth_message(failure)
    if failure.stage is Stage.TLS:
        return _tls_message(reason)
    return _connect_message(failure, reason, str(settings.port))


def _connect_message(failure: ConnectFailed, reason: str, port: str) -> Promise:
    if "refused" in reason:
        return format_lazy(
            str_(_("Nothing listens on port {port} there. Usual ports are 587 and 465.")), port=port
        )
    if "timed out" in reason:
        return format_lazy(
            str_(_("No answer on port {port}. A firewall may close it; many hosts close port 25.")), port=port
        )
    if "closed" in reason or "reset" in reason:
        return _("The server hung up at once. If its port is 465, choose TLS instead of STARTTLS.")
    if failure.code:
        return _("The server does not want to talk to us. Its own words say why.")
    return _("The server could not be reached.")


def _tls_message(reason: str) -> Promise:
    if "certificate" in reason:
        return _(
            "The certificate is not valid for this name, so that nothing was sent. Use the name that it was made for."
        )
    if "does not offer" in reason:
        return _("The server offers no STARTTLS, so that nothing was sent. Try TLS on port 465.")
    if "wrong_version" in reason or "wrong version" in reason:
        return _("The server does not speak TLS on this port. Try STARTTLS on port 587.")
    return _("The line could not be encrypted, so that nothing was sent.")


def _auth_message(failure: ConnectFailed) -> Promise:
    if failure.code == 535:
        return _("User name or password is wrong. Some providers want a password made for this application.")
    if failure.code == 538:
        return _("The password would travel unencrypted. Choose STARTTLS or TLS.")
    if failure.code == 502:
        return _("The server takes no passwords on this port. Usual ports are 587 and 465.")
    return _("The server did not let us sign in.")


def str_(text: Promise) -> str:
    """Return the text typed as `format_lazy` wants it; it stays lazy."""
    return text  # type: ignore[return-value]  # as `format_lazy` wants it
