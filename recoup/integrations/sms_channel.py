"""What short messages have in common whoever carries them: the number, the text, its parts and its price."""

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings

from recoup.integrations import sms_line
from recoup.messaging.handover import Letter, Rejected, ShortMessage, Stage
from recoup.messaging.models import SmsAccount
from recoup.messaging.ports import ParcelRefused
from recoup.messaging.sms.letters import MOST_PARTS, measure, tidy
from recoup.messaging.sms.numbers import country_of, refusal


class SmsChannel:
    """Short messages over some provider."""

    fresh = sms_line.FRESH
    is_paid = True

    def settings_of(self, account: SmsAccount) -> tuple[object, ...]:
        """Return what a line to the provider depends on."""
        return account.base_url, account.account_ref, account.secret

    def refusal_of(self, account: SmsAccount, recipient: str) -> str:
        """Return why no short message goes to a number."""
        return refusal(recipient, account.allowed_countries(account.shop.country))

    def compose(self, account: SmsAccount, letter: Letter) -> ShortMessage:
        """Return the message as it goes out, with its parts and what one costs.

        :raises ParcelRefused: if the text is empty or too long.
        """
        text = tidy(letter.text.decode(), is_without_diacritics=account.is_without_diacritics)
        found = measure(text)
        if not found.parts:
            raise ParcelRefused("text_incomplete", "the text is empty")
        if found.parts > MOST_PARTS:
            raise ParcelRefused("too_long", f"{found.parts} parts")
        country = country_of(letter.recipient)
        return ShortMessage(
            key=letter.key,
            sender=account.sender,
            recipient=letter.recipient,
            text=text,
            ref=letter.message_ref,
            parts=found.parts,
            price=account.price_in(country),
            currency=account.currency,
            country=country,
            report_url=report_url(account, letter.message_ref),
            handed_at=letter.handed_at,
        )

    def retry_delay(self, attempt: int) -> timedelta:
        """Return how long to wait after this many tries."""
        return sms_line.retry_delay(attempt)


def hook_url(account: SmsAccount, what: str) -> str:
    """Return the public address that the provider calls; its secret part is what lets it in where nothing is signed."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/hooks/channels/{account.hook_key}/{what}"


def report_url(account: SmsAccount, ref: str) -> str:
    """Return the address for reports about one message."""
    return f"{hook_url(account, 'report')}?{urlencode({'ref': ref})}"


def rejected(code: int, text: str, *, permanent: bool, about_address: bool) -> Rejected:
    """Return a refusal in our words."""
    return Rejected(
        code=code,
        enhanced="",
        stage=Stage.CONTENT,
        text=text[:500],
        permanent=permanent,
        about_address=about_address,
    )
