"""A shop changes its rules: the old one stays readable, and what was not handed over yet goes by the new one."""

from datetime import datetime

from django.db import connection, transaction

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.messaging.models import Message, SendingRule
from recoup.messaging.rules.book import Cell, book_of
from recoup.messaging.rules.law import COUNTRIES, OTHER
from recoup.shops.models import Shop

_RECLASSIFY = """
    UPDATE messaging_message SET message_class =
        CASE WHEN channel <> 'email' AND %(verdict)s = 'soft_opt_in' THEN 'needs_consent' ELSE %(verdict)s END
    WHERE shop_id = %(shop)s AND state IN ('due', 'claimed', 'handing') AND content = %(content)s
        AND relation = %(relation)s
        AND CASE WHEN %(country)s = '' THEN NOT country = ANY(%(named)s) ELSE country = %(country)s END
"""


def change_rule(
    shop: Shop, cell: Cell, verdict: str, *, note: str = "", actor: Actor, now: datetime
) -> SendingRule | None:
    """Put another verdict at one place of the table; `None` if it stands there already.

    Messages that wait go by it: the sender looks it up anew before it hands over, their rows say so at once.
    """
    if verdict not in Message.MessageClass.values:
        raise ValueError(verdict)
    with transaction.atomic():
        Shop.objects.select_for_update(no_key=True).get(
            pk=shop.pk
        )  # two people who change rules, one after the other
        rule = book_of(shop.pk).rule(*cell)
        if rule.verdict == verdict:
            return None
        change = _write(shop, rule.cell, verdict, was=rule.verdict, note=note, actor=actor, now=now)
        with connection.cursor() as cursor:
            named = [country for country in COUNTRIES if country != OTHER]
            values = {"verdict": verdict, "shop": shop.pk, "named": named, **rule.cell._asdict()}
            cursor.execute(_RECLASSIFY, values)
    return change


def change_ground(shop: Shop, *, is_told: bool, actor: Actor, now: datetime) -> SendingRule | None:
    """Say whether buyers are told at the checkout that they may refuse advertising for similar goods.

    Messages that are queued from now on go by it; `None` if it was said already.
    """
    to = SendingRule.TOLD if is_told else SendingRule.NOT_TOLD
    with transaction.atomic():
        Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
        has_ground = book_of(shop.pk).has_ground
        if has_ground == is_told:
            return None
        was = SendingRule.TOLD if has_ground else SendingRule.NOT_TOLD
        return _write(shop, Cell("", SendingRule.GROUND, ""), to, was=was, note="", actor=actor, now=now)


def _write(
    shop: Shop, cell: Cell, verdict: str, *, was: str, note: str, actor: Actor, now: datetime
) -> SendingRule:
    change = SendingRule(
        shop=shop,
        **cell._asdict(),
        verdict=verdict,
        was=was,
        note=note.strip()[:500],
        changed_at=now,
        changed_by=actor.id if actor.kind == "person" else None,
    )
    change.save(force_insert=True)
    activity.record(
        "messaging.rules.changed",
        shop_id=shop.pk,
        subject=("shop", shop.pk),
        at=now,
        actor=actor,
        **cell._asdict(),
        was=was,
        to=verdict,
    )
    return change
