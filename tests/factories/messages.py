"""Messages and the lanes they travel on."""

import itertools
from decimal import Decimal
from typing import Any

from django_scopes import scopes_disabled

from recoup.messaging.models import Lane, MailAccount, Message, MessageSource, SmsAccount
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop
from tests.factories.moments import DAY, NOW

_numbers = itertools.count(1)


def make_lane(shop: Shop, **values: Any) -> Lane:
    """Return a lane of a shop, that of e-mail unless told, made if there is none."""
    channel = values.pop("channel", "email")
    lane, _ = Lane.objects.get_or_create(shop=shop, channel=channel, defaults=values)
    return lane


def make_message_source(shop: Shop, **values: Any) -> MessageSource:
    """Make a running source of messages."""
    source = MessageSource(**{"shop": shop, "name": "Unpaid order", "state": "live", **values})
    source.save(force_insert=True)
    return source


def make_message(subject: Order | Cart, **values: Any) -> Message:
    """Make a reminder about an order or a cart, due at `NOW`; with `state="sent"` it was handed over then."""
    number = next(_numbers)
    with scopes_disabled():
        shop, contact = subject.shop, subject.contact
        assert contact is not None
        defaults: dict[str, Any] = {
            "shop": shop,
            "order": subject if isinstance(subject, Order) else None,
            "cart": subject if isinstance(subject, Cart) else None,
            "contact": contact,
            "lane": values.get("lane") or make_lane(shop),
            "enrolment_id": number,
            "step_no": 1,
            "locale": subject.locale,
            "message_class": "contract",
            "recipient": contact.email,
            "queued_at": NOW,
            "due_at": NOW,
            "not_after": NOW + DAY,
            "message_ref": f"message-{number}@shop.example",
        }
        if values.get("state") == "sent":
            handed_at = values.get("handed_at", NOW)
            defaults |= {"handed_at": handed_at, "settled_at": handed_at}
        message = Message(**{**defaults, **values})
        message.save(force_insert=True)
    return message


def make_sms_account(shop: Shop, *, port: int, provider: str = "smsapi", **values: Any) -> SmsAccount:
    """Make the settings of a shop that sends short messages through a stand-in on this machine."""
    account = SmsAccount(
        **{
            "shop": shop,
            "provider": provider,
            "account_ref": "AC" + "0" * 32 if provider == "twilio" else "",
            "secret": "right",
            "sender": "Pottery" if provider == "smsapi" else "+15005550006",
            "base_url": f"http://127.0.0.1:{port}",
            "countries": ["PL"],
            "price_per_part": Decimal("0.10"),
            "daily_cap": Decimal("100.00"),
            "per_number_day": 20,
            **values,
        }
    )
    account.save(force_insert=True)
    return account


def make_mail_account(shop: Shop, *, port: int, **values: Any) -> MailAccount:
    """Make the settings of a shop that sends through a server on this machine, in the clear."""
    account = MailAccount(
        **{
            "shop": shop,
            "host": "127.0.0.1",
            "port": port,
            "security": "plain",
            "from_name": shop.name,
            "from_email": "hello@shop.example",
            **values,
        }
    )
    account.save(force_insert=True)
    return account
