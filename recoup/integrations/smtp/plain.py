"""Plain mail to the staff over a shop's own server, past lanes and templates: a forgotten password, a stopped worker."""

import smtplib
import ssl
from email.message import EmailMessage

from recoup.integrations.smtp import own_mailbox
from recoup.messaging.models import MailAccount

TIMEOUT = 20.0  # seconds


class MailNotSent(Exception):
    """The server could not be reached or refused the mail; in the demo: it is not the demo's own mailbox."""


def send_plain(account: MailAccount, *, to: str, subject: str, text: str) -> None:
    """Hand a mail over to a shop's server, at once.

    :raises MailNotSent: with the reason; nothing was sent then.
    """
    if own_mailbox.is_foreign(account):
        raise MailNotSent("the demo talks to its own mailbox only")
    mail = EmailMessage()
    mail["Subject"] = " ".join(subject.split())
    mail["From"] = account.from_email or to
    mail["To"] = to
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    try:
        _hand_over(account, mail)
    except (OSError, smtplib.SMTPException) as error:
        raise MailNotSent(repr(error)) from error


def _hand_over(account: MailAccount, mail: EmailMessage) -> None:
    trusted = ssl.create_default_context()
    is_tls = account.security == MailAccount.Security.TLS
    with (
        smtplib.SMTP_SSL(account.host, account.port, timeout=TIMEOUT, context=trusted)
        if is_tls
        else smtplib.SMTP(account.host, account.port, timeout=TIMEOUT)
    ) as server:
        if account.security == MailAccount.Security.STARTTLS:
            server.starttls(context=trusted)
        if account.username:
            server.login(account.username, account.password)
        server.send_message(mail)
