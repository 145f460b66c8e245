"""What a shop has set for its messages, as it is set today; its sending rules are dated, and those of then count."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from recoup.messaging.accounts import find_account
from recoup.messaging.models import ChannelKind
from recoup.messaging.ports import Account
from recoup.messaging.rules.book import RuleHistory, history_of
from recoup.messaging.sender.limits import Caps, Quiet


@dataclass(frozen=True, slots=True)
class PastRules:
    """Limits, quiet hours, sending rules, ranks and accounts of a shop."""

    shop_id: int
    zone: str
    country: str
    locale: str
    caps: Caps
    sms_caps: Caps
    quiet: Mapping[str, tuple[Quiet, ...]]  # by channel
    books: RuleHistory
    ranks: Mapping[int, int]  # of message sources
    accounts: Mapping[str, Account | None]  # by channel
    ledger_since: datetime | None
    """Since when consents are written down here; nothing if none ever was."""


_SHOP = """
    SELECT s.time_zone, s.country, s.locale, coalesce(l.per_day, 2), coalesce(l.per_week, 5), coalesce(l.per_order, 3),
        coalesce(l.sms_per_day, 1), coalesce(l.sms_per_week, 2),
        least(s.live_since, (SELECT min(c.learnt_at) FROM customers_consentevent c WHERE c.shop_id = s.id))
    FROM shops_shop s LEFT JOIN messaging_sendinglimits l ON l.shop_id = s.id WHERE s.id = %s
"""


def read_rules(shop_id: int) -> PastRules:
    """Read what a shop has set."""
    with connection.cursor() as cursor:
        cursor.execute(_SHOP, [shop_id])
        zone, country, locale, *limits, ledger_since = cursor.fetchone()
        per_day, per_week, per_order, sms_per_day, sms_per_week = limits
        cursor.execute(
            "SELECT channel, starts, ends, weekdays, keeps_holidays FROM messaging_quiethours WHERE shop_id = %s",
            [shop_id],
        )
        quiet: dict[str, tuple[Quiet, ...]] = {}
        for channel, starts, ends, days, keeps in cursor.fetchall():
            quiet[channel] = (*quiet.get(channel, ()), Quiet(starts, ends, tuple(days), keeps))
        cursor.execute("SELECT id, priority FROM messaging_messagesource WHERE shop_id = %s", [shop_id])
        ranks = dict(cursor.fetchall())
    return PastRules(
        shop_id=shop_id,
        zone=zone,
        country=country,
        locale=locale,
        caps=Caps(per_day, per_week, per_order),
        sms_caps=Caps(sms_per_day, sms_per_week),
        quiet=quiet,
        books=history_of(shop_id),
        ranks=ranks,
        accounts={kind: find_account(shop_id, kind) for kind in ChannelKind.values},
        ledger_since=ledger_since,
    )
