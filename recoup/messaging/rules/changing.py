"""A shop changes its rules: the old one stays readable, and what was not handed over yet goes by the new one."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

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


AS_SHIPPED = ""  # what the product comes with, now and in its later versions


class TooEarly(Exception):
    """A rule cannot begin in the past: what was sent then went by another one."""


class AlreadyInForce(Exception):
    """The change holds by now, so it is history; another one takes its place."""


def change_rule(
    shop: Shop,
    cell: Cell,
    verdict: str,
    *,
    note: str = "",
    actor: Actor,
    now: datetime,
    holds_from: datetime | None = None,
) -> SendingRule | None:
    """Put another verdict at one place of the table, at once or from an instant on; `None` if it stands there already.

    Messages that wait go by it: the sender looks it up anew before it hands over; where it holds at once their rows say so.
    Whoever takes the shipped rule at once wants no other later either: what is planned there is withdrawn.

    :raises TooEarly: if it is to hold from an instant that is past.
    """
    if verdict not in (*Message.MessageClass.values, AS_SHIPPED):
        raise ValueError(verdict)
    if holds_from is not None and holds_from < now:
        raise TooEarly(holds_from)
    with transaction.atomic():
        now = _in_turn(shop, now)
        if verdict == AS_SHIPPED and holds_from is None:
            _withdraw_planned(shop, cell, actor, now)
        rule = book_of(shop.pk, now=holds_from or now).rule(*cell)
        if rule.change is None if verdict == AS_SHIPPED else rule.verdict == verdict:
            return None
        change = SendingRule(
            shop=shop,
            **rule.cell._asdict(),
            verdict=verdict,
            was=rule.verdict,
            note=note,
            changed_at=now,
            holds_from=holds_from,
        )
        _write(change, actor)
        if holds_from is None:
            _reclassify(shop, rule.cell, now)
    return change


def withdraw(shop: Shop, change_id: int, *, actor: Actor, now: datetime) -> None:
    """Take back a change that does not hold yet; one that is taken back already, or is not there, changes nothing.

    :raises AlreadyInForce: if it holds by now.
    """
    with transaction.atomic():
        now = _in_turn(shop, now)
        change = SendingRule.objects.filter(shop=shop, pk=change_id, withdrawn_at=None).first()
        if change is None:
            return
        if change.since <= now:
            raise AlreadyInForce(change_id)
        _take_back(change, actor, now)


def _in_turn(shop: Shop, now: datetime) -> datetime:
    """Let people who change rules go one after the other; return the instant, no earlier than the last change.

    Whoever waited for somebody else changes what they left: by an earlier instant theirs would hold.
    """
    Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
    last: datetime | None = SendingRule.objects.filter(shop=shop).aggregate(last=Max("changed_at"))["last"]
    return now if last is None else max(now, last)


def _withdraw_planned(shop: Shop, cell: Cell, actor: Actor, now: datetime) -> None:
    planned = SendingRule.objects.filter(shop=shop, **cell._asdict(), withdrawn_at=None, holds_from__gt=now)
    for change in planned.order_by("id"):
        _take_back(change, actor, now)


def _take_back(change: SendingRule, actor: Actor, now: datetime) -> None:
    SendingRule.objects.filter(pk=change.pk).update(withdrawn_at=now, withdrawn_by=_person(actor))
    _record("messaging.rules.withdrawn", change, actor, now)


def _reclassify(shop: Shop, cell: Cell, now: datetime) -> None:
    """Let the rows of messages that wait say what they are by the rule of their place."""
    with connection.cursor() as cursor:
        named = [country for country in COUNTRIES if country != OTHER]
        verdict = book_of(shop.pk, now=now).rule(*cell).verdict
        cursor.execute(_RECLASSIFY, {"verdict": verdict, "shop": shop.pk, "named": named, **cell._asdict()})


def change_ground(shop: Shop, *, is_told: bool, actor: Actor, now: datetime) -> SendingRule | None:
    """Say whether buyers are told at the checkout that they may refuse advertising for similar goods.

    Messages that are queued from now on go by it; `None` if it was said already.
    """
    to = SendingRule.TOLD if is_told else SendingRule.NOT_TOLD
    with transaction.atomic():
        now = _in_turn(shop, now)
        has_ground = book_of(shop.pk, now=now).has_ground
        if has_ground == is_told:
            return None
        was = SendingRule.TOLD if has_ground else SendingRule.NOT_TOLD
        return _write(
            SendingRule(shop=shop, content=SendingRule.GROUND, verdict=to, was=was, changed_at=now), actor
        )


def _write(change: SendingRule, actor: Actor) -> SendingRule:
    change.note = change.note.strip()[:500]
    change.changed_by = _person(actor)
    change.save(force_insert=True)
    _record("messaging.rules.changed", change, actor, change.changed_at, was=change.was)
    return change


def _person(actor: Actor) -> int | None:
    return actor.id if actor.kind == "person" else None


def _record(verb: str, change: SendingRule, actor: Actor, now: datetime, **more: str) -> None:
    activity.record(
        verb,
        shop_id=change.shop_id,
        subject=("shop", change.shop_id),
        at=now,
        actor=actor,
        country=change.country,
        content=change.content,
        relation=change.relation,
        to=change.verdict,
        **more,
    )
