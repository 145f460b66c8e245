"""E-mail as a channel of `messaging`: lines to the SMTP server of a shop."""

from datetime import timedelta

from recoup.integrations.smtp import own_mailbox, words
from recoup.integrations.smtp.connection import ConnectFailed, Pace, Security, SmtpConnection, SmtpSettings
from recoup.integrations.smtp.exchange import Exchange
from recoup.messaging.handover import Rejected, Stage
from recoup.messaging.models import MailAccount
from recoup.messaging.ports import LineTrouble

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

    def line(self, account: MailAccount) -> SmtpLine:
        """Return a line for the settings of a shop, not opened yet.

        :raises LineTrouble: in the demo, for any server but its own mailbox: a demo sends no real mail.
        """
        if own_mailbox.is_foreign(account):
            raise LineTrouble(
                "the demo talks to its own mailbox only", stage=Stage.CONNECT.value, is_for_person=True
            )
        return SmtpLine(SmtpConnection(smtp_settings(account)))

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
