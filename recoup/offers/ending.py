"""Ends of offers: expired, withdrawn by hand, by a payment in full or by a cancellation. What was reserved goes back."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.clock import real_now
from recoup.offers import budgets
from recoup.offers.models import Offer
from recoup.offers.reasons import Reason

State = Offer.State
_BATCH = 500


class NotInForce(Exception):
    """The offer was used, expired or withdrawn meanwhile; nothing was changed."""


_HOLD = """
    SELECT id FROM offers_offer WHERE id = ANY(%s) AND state IN ('granted', 'asked') ORDER BY id FOR NO KEY UPDATE
"""
_END = """
    UPDATE offers_offer SET state = %s, reason = %s, ended_at = %s, note = %s,
        remote_next_at = CASE WHEN remote_ref <> '' THEN %s ELSE NULL END, remote_tries = 0
    WHERE id = ANY(%s) AND state IN ('granted', 'asked')
    RETURNING id, shop_id, budget_key, budget_start, currency, expected, enrolment_id
"""


def end_offers(
    offer_ids: Collection[int], state: str, reason: str, *, now: datetime, note: str = ""
) -> list[int]:
    """End offers that are in force, each once, and give back what they had reserved; return those that were ended.

    A coupon that stands for one in another shop is taken away by the worker's loop.
    """
    if not offer_ids:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HOLD, [sorted(offer_ids)])  # by id, as whoever uses them does
        cursor.execute(_END, [state, str(reason), now, note, real_now(), sorted(offer_ids)])
        rows = cursor.fetchall()
    held = [
        (key, shop_id, currency, start, expected)
        for _, shop_id, key, start, currency, expected, _ in rows
        if start
    ]
    for key, shop_id, currency, start, expected in sorted(held):  # in the order in which granting takes them
        budgets.give_back(shop_id, key, currency, expected, start=start)
    return [row[0] for row in rows]


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

    One that a buyer is just paying with is left until that payment has ended, one way or the other.
    """
    with scopes_disabled(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT f.id FROM offers_offer f WHERE f.state IN ('granted', 'asked') AND f.valid_until <= %s"
                " AND NOT EXISTS (SELECT FROM offers_redemption r WHERE r.offer_id = f.id AND r.freed_at IS NULL)"
                " ORDER BY f.valid_until LIMIT %s FOR NO KEY UPDATE SKIP LOCKED",
                [now, _BATCH],
            )
            ids = [row[0] for row in cursor.fetchall()]
        return len(end_offers(ids, State.EXPIRED, Reason.EXPIRED, now=now))
