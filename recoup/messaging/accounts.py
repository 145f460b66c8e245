"""How a shop sends over each channel."""

from recoup.messaging.models import ChannelKind, MailAccount, SmsAccount
from recoup.messaging.ports import Account


def find_account(shop_id: int, channel: str) -> Account | None:
    """Return how a shop sends over a channel, or `None` if that is not set up."""
    if channel == ChannelKind.SMS:
        account = find_sms_account(shop_id)
        return account if account is not None and account.is_set_up else None
    mail = MailAccount.objects.filter(shop_id=shop_id).first()
    return mail if mail is not None and mail.host and mail.from_email else None


def find_sms_account(shop_id: int) -> SmsAccount | None:
    """Return the account for short messages with its shop, finished or not."""
    return SmsAccount.objects.select_related("shop").filter(shop_id=shop_id).first()


def channels_of(shop_id: int) -> tuple[str, ...]:
    """Return the channels that a shop has set up, mail first: it is the one that every shop has."""
    found = [kind for kind in ChannelKind.values if find_account(shop_id, kind) is not None]
    return tuple(found)
