"""Ends of offers: expired, withdrawn by hand, by a payment in full or by a cancellation. What was reserved goes back."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core import activity, outbox
from recoup.core.activity import Actor
from recoup.core.clock import real_now
from recoup.offers import budgets
from recoup.offers.events import OfferDecided
from recoup.offers.models import Offer
from recoup.offers.reasons import Reason

State = Offer.State
_BATCH = 500
_MAY_FINISH = (Reason.EXPIRED, Reason.BY_HAND)


class NotInForce(Exception):
    """The offer was used, expired or withdrawn meanwhile; nothing was changed."""


_HOLD = """
    SELECT id FROM offers_offer WHERE id = ANY(%s) AND state IN ('granted', 'asked') ORDER BY id FOR NO KEY UPDATE
"""
# Who stands at the bank's page with a coupon on an order may finish; then the order costs again what it did.
GRACE = timedelta(minutes=15)
# Shops tell the instant of a change to the second: what is taken off again must not stand in that of its putting on.
PAUSE = timedelta(seconds=2)
_END = """
    UPDATE offers_offer SET state = CASE WHEN state = 'asked' THEN 'refused' ELSE %(state)s END,
        decided_at = CASE WHEN state = 'asked' THEN %(now)s ELSE decided_at END,
        reason = %(reason)s, ended_at = %(now)s, note = %(note)s, remote_tries = 0,
        remote_next_at = CASE WHEN maker_id IS NULL THEN NULL
            WHEN state = 'granted' AND %(may_finish)s AND (order_id IS NOT NULL OR EXISTS (
                SELECT FROM offers_redemption r WHERE r.offer_id = offers_offer.id AND r.freed_at IS NULL))
                THEN %(real)s + %(grace)s
            ELSE %(real)s + %(pause)s END
    WHERE id = ANY(%(ids)s) AND state IN ('granted', 'asked')
    RETURNING id, shop_id, budget_key, budget_start, currency, expected, enrolment_id, state, valid_until
"""


class _Ended(NamedTuple):
    id: int
    shop_id: int
    key: str
    start: datetime | None
    currency: str
    expected: Decimal
    enrolment_id: int | None
    state: str
    valid_until: datetime


def end_offers(
    offer_ids: Collection[int], state: str, reason: str, *, now: datetime, note: str = ""
) -> list[int]:
    """End offers that are in force, each once, and give back what they had reserved; return those that were ended.

    A coupon that stands for one in the shop is taken away by the worker's loop. One whose coupon was still being made is
    refused, and whoever waits for it goes on. Who waits for the end of one that ends before its time is told.
    """
    if not offer_ids:
        return []
    values: dict[str, Any] = {
        "state": state,
        "reason": str(reason),
        "now": now,
        "note": note,
        "real": real_now(),
        "grace": GRACE,
        "pause": PAUSE,
        "may_finish": reason in _MAY_FINISH,
        "ids": sorted(offer_ids),
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_HOLD, [sorted(offer_ids)])  # by id, as whoever uses them does
            cursor.execute(_END, values)
            rows = [_Ended(*row) for row in cursor.fetchall()]
        for one in rows:
            if one.enrolment_id is not None and (one.state == State.REFUSED or now < one.valid_until):
                outbox.announce(OfferDecided(one.shop_id, one.id, one.enrolment_id, now))
    held = [(one.key, one.shop_id, one.currency, one.start, one.expected) for one in rows if one.start]
    for key, shop_id, currency, start, expected in sorted(held):  # in the order in which granting takes them
        budgets.give_back(shop_id, key, currency, expected, start=start)
    return [one.id for one in rows]


def withdraw(offer: Offer, *, note: str, actor: Actor, now: datetime) -> Offer:
    """Withdraw an offer by hand. Who stands at the bank's page with it already may still finish paying.

    :raises NotInForce: if it is not in force any more.
    """
    with transaction.atomic():
        if not end_offers([offer.pk], State.VOID, Reason.BY_HAND, now=now, note=note.strip()[:500]):
            raise NotInForce(offer.pk)
        activity.record(
            "offers.offer.withdrawn",
            shop_id=offer.shop_id,
            subject=("order", offer.order_id) if offer.order_id else ("contact", offer.contact_id),
            at=now,
            actor=actor,
            offer_id=offer.pk,
        )
    offer.refresh_from_db()
    return offer


def expire_due_offers(*, now: datetime) -> int:
    """End what has run out, across shops; return how many. The worker's loop calls it.

    One that a buyer is just paying with at our page is left until that payment has ended, one way or the other. An order of
    a shop may stay unpaid for weeks: the coupon of an offer is taken off it.
    """
    with scopes_disabled(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT f.id FROM offers_offer f WHERE f.state IN ('granted', 'asked') AND f.valid_until <= %s"
                " AND (f.maker_id IS NOT NULL OR NOT EXISTS ("
                "SELECT FROM offers_redemption r WHERE r.offer_id = f.id AND r.freed_at IS NULL))"
                " ORDER BY f.valid_until LIMIT %s FOR NO KEY UPDATE SKIP LOCKED",
                [now, _BATCH],
            )
            ids = [row[0] for row in cursor.fetchall()]
        return len(end_offers(ids, State.EXPIRED, Reason.EXPIRED, now=now))
