"""What `doctor` finds about mail: a server, a sender, and what the world's DNS says of the sender's domain."""

from __future__ import annotations

from collections.abc import Iterator

from django_scopes import scopes_disabled

from recoup.cli.finding import Finding, State
from recoup.messaging.models import MailAccount
from recoup.shops.models import Shop


def mail() -> Iterator[Finding]:
    """Look at the mail settings of each shop."""
    with scopes_disabled():
        accounts = {account.shop_id: account for account in MailAccount.objects.all()}
        shops = list(Shop.objects.order_by("pk"))
    for shop in shops:
        yield from of_shop(shop, accounts.get(shop.pk))


def of_shop(shop: Shop, account: MailAccount | None) -> Iterator[Finding]:
    """Look at the mail settings of one shop."""
    matter = f"Mail of {shop.name}"
    if account is None or not account.host or not account.from_email:
        advice = "Enter the SMTP server and the sender's address under Settings, Mail."
        yield Finding(matter, State.BAD, "no server or no sender", advice)
        return
    yield Finding(matter, State.GOOD, f"{account.from_email} through {account.host}:{account.port}")
