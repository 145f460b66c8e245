"""E-mail as a channel of `messaging`: lines to the SMTP server of a shop."""

from datetime import timedelta

from recoup.integrations.smtp import own_mailbox, words
from recoup.integrations.smtp.connection import ConnectFailed, Pace, Security, SmtpConnection, SmtpSettings
from recoup.integrations.smtp.exchange import Exchange
from recoup.messaging.handover import Letter, Mail, Rejected, Stage
from recoup.messaging.mime.addresses import AddressRefused, check_address
from recoup.messaging.mime.writer import MailHeaders, Sender, build_mail
from recoup.messaging.models import MailAccount
from recoup.messaging.ports import LineTrouble, ParcelRefused

_SECURITY = {
    MailAccount.Security.STARTTLS.value: Security.STARTTLS,
    MailAccount.Security.TLS.value: Security.TLS,
    MailAccount.Security.PLAIN.value: Security.NONE,
}


class SmtpLine:
    """A kept-open line to a shop's server."""

    def __init__(self, connection: SmtpConnection) -> None:
        self._connection = connection
        self.pace = Pace()

    @property
    def can_pipeline(self) -> bool:
        """Whether the server said so."""
        return self._connection.can_pipeline

    def ready(self) -> None:
        """Open the line, or see that it still answers.

        :raises LineTrouble: if no line can be had.
        """
        try:
            self._connection.ready()
        except ConnectFailed as failure:
            verdict = words.verdict(failure.stage, failure.code)
            raise LineTrouble(
                str(failure), stage=failure.stage.value, is_for_person=verdict.then is words.Then.HALT
            ) from failure

    def exchange(self) -> Exchange:
        """Begin to hand over."""
        return self._connection.exchange()

    def close(self) -> None:
        """Say goodbye."""
        self._connection.close()


class SmtpChannel:
    """Mail by SMTP."""

    fresh = 1.0
    is_paid = False

    def settings_of(self, account: MailAccount) -> tuple[object, ...]:
        """Return what a line to the server depends on."""
        return account.host, account.port, account.security, account.username, account.password

    def line(self, account: MailAccount) -> SmtpLine:
        """Return a line for the settings of a shop, not opened yet.

        :raises LineTrouble: in the demo, for any server but its own mailbox: a demo sends no real mail.
        """
        if own_mailbox.is_foreign(account):
            raise LineTrouble(
                "the demo talks to its own mailbox only", stage=Stage.CONNECT.value, is_for_person=True
            )
        return SmtpLine(SmtpConnection(smtp_settings(account)))

    def refusal_of(self, account: MailAccount, recipient: str) -> str:  # noqa: ARG002 - of the port
        """Return nothing: whatever is an address may be tried."""
        return ""

    def compose(self, account: MailAccount, letter: Letter) -> Mail:
        """Return the mail ready for the wire.

        :raises ParcelRefused: if the recipient is not one address.
        """
        sender = Sender(account.from_name, account.from_email, account.reply_to)
        try:
            recipient = check_address(letter.recipient)
            headers = MailHeaders(
                to_name=letter.to_name,
                to_address=recipient,
                message_id=f"<{letter.message_ref}>",
                date=letter.at,
                unsubscribe_link=letter.unsubscribe_link,
                language=letter.locale,
            )
            content = build_mail(sender, headers, subject=letter.subject, html=letter.html, text=letter.text)
        except AddressRefused as error:
            raise ParcelRefused("address_bad", str(error)) from error
        return Mail(letter.key, sender.address, recipient, content)

    def verdict_of(self, refusal: Rejected) -> words.Verdict:
        """Return what follows from a server's refusal."""
        return words.verdict_of(refusal)

    def retry_delay(self, attempt: int) -> timedelta:
        """Return how long to wait after this many tries."""
        return words.retry_delay(attempt)


def smtp_settings(account: MailAccount) -> SmtpSettings:
    """Return what a connection needs of a shop's settings."""
    return SmtpSettings(
        host=account.host,
        port=account.port,
        security=_SECURITY[account.security],
        username=account.username,
        password=account.password,
    )
