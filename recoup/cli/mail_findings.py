"""What `doctor` finds about mail: a server, a sender, and what the world's DNS says of the sender's domain."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django_scopes import scopes_disabled

from recoup.cli.finding import Finding, State
from recoup.integrations.smtp import dns
from recoup.integrations.smtp.diagnose import DNS_WORDS
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
    if not settings.IS_DEMO:
        yield from of_domain(matter, account)


def of_domain(matter: str, account: MailAccount, *, lookup: dns.Lookup | None = None) -> Iterator[Finding]:
    """Look up what the world's name servers say of the sender's domain."""
    domain = account.from_email.rpartition("@")[2]
    report = dns.check_domain(domain, account.dkim_selectors.replace(",", " ").split(), lookup=lookup)
    for found in (report.spf, *report.dkim, report.dmarc):
        name = f"{matter}, {found.name.upper()}"
        if found.state is dns.State.GOOD:
            yield Finding(name, State.GOOD, found.host)
        else:
            yield Finding(name, State.DOUBTFUL, f"{found.host}: {found.state}", str(DNS_WORDS[found.code]))
    if not report.dkim:
        advice = "Enter the DKIM selectors of your mail provider under Settings, Mail, to have them checked."
        yield Finding(f"{matter}, DKIM", State.DOUBTFUL, "no selector is named", advice)
