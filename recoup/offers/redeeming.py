"""Using an offer: what applies to an order, once, freed if the payment ends without money (K2, K3, K5; T67-T69, R28)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations

from django.db import connection
from django.db.models import Q, QuerySet

from recoup.core import attention, outbox
from recoup.core.clock import real_now
from recoup.offers import budgets
from recoup.offers.baskets import basket_of, gift_of
from recoup.offers.coupons import Used, pay_coupons
from recoup.offers.ending import PAUSE, end_offers
from recoup.offers.events import OfferDecided, OfferRedeemed
from recoup.offers.models import Offer, Redemption
from recoup.offers.origins import Origin, origin_of
from recoup.offers.pricing import Basket, Part, Quote, Rules, quote
from recoup.offers.reasons import Reason
from recoup.offers.settings import get_settings, rules_of
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Order
from recoup.shops.models import OWN_KIND, Shop

State = Offer.State
# Without a maker but with a coupon, this stands in a shop whose source is gone. Who may order anywhere may order here, too.
NOT_AT_SHOP = Q(maker=None, remote_ref="") | Q(is_for_person=True)
KEPT = timedelta(days=7)  # a coupon that was used is deleted in the shop after that
MOST_TRIED = 6  # offers in force for one person that are tried together
_ZERO = Decimal(0)


class OfferTaken(Exception):
    """The offer is being used, or was used, for another order. A door answers 409."""


class OfferOver(Exception):
    """The offer was withdrawn or ran out in between; nothing was charged. A door shows the price anew."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The offers that an order is paid with, and what they come to."""

    offers: tuple[Offer, ...]
    quote: Quote

    @property
    def discount(self) -> Decimal:
        """Return what is taken off."""
        return self.quote.discount

    @property
    def valid_until(self) -> datetime | None:
        """Return when the first of them ends."""
        return min((offer.valid_until for offer in self.offers), default=None)


def terms_of(offer: Offer) -> Terms:
    """Return the frozen terms of an offer."""
    return Terms.from_json(offer.terms)


def find_applied(order: Order, *, now: datetime, least: Decimal = _ZERO) -> Applied | None:
    """Return the offers of its buyer that take most off an order of ours, or `None`; reads only.

    `least` is the smallest sum that the order can be paid with.
    """
    offers = [offer for offer in offers_in_force(order, now=now) if not _is_elsewhere(offer, order)]
    if not offers or not _is_ours(order, offers):
        return None
    return choose(order, offers[:MOST_TRIED], least=least)


def _is_ours(order: Order, offers: Sequence[Offer]) -> bool:
    return any(origin_of(order, terms_of(offer)) is Origin.OURS for offer in offers)


def offers_in_force(order: Order, *, now: datetime) -> list[Offer]:
    """Return the offers of an order's buyer that are in force, the first to end first."""
    if order.contact_id is None:
        return []
    rows = Offer.objects.filter(
        shop_id=order.shop_id,
        contact_id=order.contact_id,
        state=State.GRANTED,
        valid_until__gt=now,
    ).filter(NOT_AT_SHOP)
    return list(rows.exclude(is_test=True).order_by("valid_until", "id"))


def _is_elsewhere(offer: Offer, order: Order) -> bool:
    taken = Redemption.objects.filter(offer=offer, freed_at=None).first()
    return taken is not None and taken.order_id != order.pk


def choose(order: Order, offers: Sequence[Offer], *, least: Decimal = _ZERO) -> Applied | None:
    """Return which of these offers, alone or together, take most off an order; `None` if none gives anything."""
    shop: Shop = order.shop
    basket = basket_of(order)
    rules = rules_of(
        shop, get_settings(shop), order.currency, least=max(least, order.captured - order.refunded)
    )
    friendly = [offer for offer in offers if terms_of(offer).with_offers]
    groups: list[tuple[Offer, ...]] = [(offer,) for offer in offers]
    for size in range(2, len(friendly) + 1):
        groups += combinations(friendly, size)
    best: Applied | None = None
    for group in groups:
        terms = [terms_of(offer) for offer in group]
        found = _quote(order, basket, terms, rules)
        if any(part.refusal is not None for part in found.parts):
            continue
        within = [
            _within(offer, one, part) for offer, one, part in zip(group, terms, found.parts, strict=True)
        ]
        if within != terms:
            found = _quote(order, basket, within, rules)
        if any(part.refusal is not None for part in found.parts):
            continue
        if best is None or _worth(found) > _worth(best.quote):
            best = Applied(tuple(group), found)
    return best


def _quote(order: Order, basket: Basket, terms: Sequence[Terms], rules: Rules) -> Quote:
    return quote(basket, terms, rules, gifts=[gift_of(order, one) for one in terms])


def _within(offer: Offer, terms: Terms, part: Part) -> Terms:
    """Return terms that cost no more than the budget carries: at least what was reserved is always there."""
    room = None if terms.kind is Kind.GIFT else budgets.room_of(offer)
    if room is None or part.cost <= room:
        return terms
    return replace(terms, kind=Kind.AMOUNT, percent=_ZERO, amount=room, currency=offer.currency)


def _worth(found: Quote) -> tuple[Decimal, int]:
    return found.discount, sum(part.gift is not None for part in found.parts)


_USE = """
    INSERT INTO offers_redemption (shop_id, offer_id, order_id, discount, cost, by_line, made_at)
    SELECT f.shop_id, f.id, %s, %s, %s, %s::jsonb, %s FROM offers_offer f WHERE f.id = %s
    ON CONFLICT (offer_id) WHERE freed_at IS NULL DO UPDATE
        SET discount = excluded.discount, cost = excluded.cost, by_line = excluded.by_line
        WHERE offers_redemption.order_id = excluded.order_id AND offers_redemption.paid_at IS NULL
    RETURNING id
"""


def redeem(order: Order, applied: Applied, *, now: datetime) -> None:
    """Use offers for a locked order, in the transaction that opens its payment; using them again for it is the same use.

    What the order was to be paid with before, and is not now, is free again: else its payment would use up both. Of many
    who use one at the same moment the unique row lets one through.

    :raises OfferTaken: if one is used for another order.
    :raises OfferOver: if one is not in force any more.
    """
    ids = sorted(offer.pk for offer in applied.offers)
    with connection.cursor() as cursor:
        # Withdrawing waits for us and we for it; those who use the same offer at this moment do not wait here.
        cursor.execute(
            "SELECT id FROM offers_offer WHERE id = ANY(%s) AND state = 'granted' AND valid_until > %s"
            " ORDER BY id FOR SHARE",
            [ids, now],
        )
        if [row[0] for row in cursor.fetchall()] != ids:
            raise OfferOver(ids)
        for offer, part in sorted(
            zip(applied.offers, applied.quote.parts, strict=True), key=lambda one: one[0].pk
        ):
            lines = "[" + ", ".join(f'"{share}"' for share in part.by_line) + "]"
            cursor.execute(_USE, [order.pk, part.discount, part.cost, lines, now, offer.pk])
            if cursor.fetchone() is None:
                raise OfferTaken(offer.pk)
    free_others(order, ids, now=now)


def free_others(order: Order, kept: Collection[int] = (), *, now: datetime) -> None:
    """Free what a locked order was to be paid with before, but for the offers that it is paid with now."""
    others = Redemption.objects.filter(order=order, freed_at=None, paid_at=None).exclude(offer__in=kept)
    others.update(freed_at=now)


# Whatever an end or a payment of these orders may touch: what they use, what was made for them, what their buyers may use.
_HOLD = """
    WITH wanted AS (
        SELECT offer_id AS id FROM offers_redemption WHERE order_id = ANY(%(orders)s)
        UNION SELECT id FROM offers_offer WHERE order_id = ANY(%(orders)s) AND state IN ('granted', 'asked')
        UNION SELECT f.id FROM orders_order o
            JOIN offers_offer f ON f.shop_id = o.shop_id AND f.contact_id = o.contact_id
            WHERE o.id = ANY(%(orders)s) AND f.state IN ('granted', 'asked')
        UNION SELECT f.id FROM orders_order o CROSS JOIN jsonb_array_elements(o.coupons) c
            JOIN offers_offer f ON f.shop_id = o.shop_id AND f.maker_id = o.source_id
                AND f.code <> '' AND f.code = upper(translate(c ->> 'code', '- ', ''))
            WHERE o.id = ANY(%(orders)s))
    SELECT f.id FROM offers_offer f JOIN wanted USING (id) ORDER BY f.id FOR NO KEY UPDATE OF f
"""


def hold_offers(order_ids: Collection[int]) -> None:
    """Lock the offers that these orders may touch, before their uses and their budgets: the one order of locks here.

    Order, offers by id, uses, budgets. Whoever uses an offer takes them in this order too, so neither waits for the other.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"orders": sorted(set(order_ids))})
        held = [row[0] for row in cursor.fetchall()]
    budgets.hold(held)


def free_unpaid(order_ids: Collection[int], *, now: datetime) -> int:
    """Free the offers of orders whose payment ended without money, once each; return how many.

    One whose time is over meanwhile has expired.
    """
    hold_offers(order_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE offers_redemption r SET freed_at = %s FROM orders_order o"
            " WHERE r.order_id = ANY(%s) AND r.freed_at IS NULL AND r.paid_at IS NULL AND o.id = r.order_id"
            " AND o.payment_state NOT IN ('paid', 'partly_refunded', 'authorized') RETURNING r.offer_id",
            [now, sorted(order_ids)],
        )
        freed = [row[0] for row in cursor.fetchall()]
    _end_late(freed, now=now)
    return len(freed)


def confirm_paid(order: Order, *, now: datetime) -> list[Offer]:
    """Note that an order was paid: the offers it was paid with are used up, all others made for it are withdrawn.

    An offer whose time ran out while the buyer stood at the bank's page counts: it was agreed in time. Announces
    `OfferRedeemed`. A payment that came after its offer was freed and used for another order asks for a person.
    """
    hold_offers([order.pk])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE offers_redemption SET paid_at = %s WHERE order_id = %s AND freed_at IS NULL AND paid_at IS NULL"
            " AND (discount = 0 OR %s > 0) RETURNING offer_id, cost, discount",
            [order.paid_at or now, order.pk, order.discount_given],
        )
        used = {offer_id: Used(*sums) for offer_id, *sums in cursor.fetchall()}
    if order.discount_given > 0 and not used and not _uses_of(order):
        used = _use_again(order)
    if order.discount_given > 0 and not used and not _uses_of(order):
        attention.ask(
            "offers.used_twice",
            shop_id=order.shop_id,
            key=str(order.pk),
            now=now,
            subject=("order", order.pk),
            number=order.number,
        )
    used |= pay_coupons(order, now=now)
    redeemed = _mark_used(order, used, now=now) if used else []
    left = list(_made_for(order).exclude(pk__in=used).values_list("pk", flat=True))
    free_unpaid_of(left, now=now)
    end_offers(left, State.VOID, Reason.PAID_FULL, now=now)
    _free_lent(order, now=now)
    return redeemed


def _free_lent(order: Order, *, now: datetime) -> None:
    """Free offers made for other orders of the buyer that this one was to be paid with, and was not."""
    lent = Redemption.objects.filter(order=order, freed_at=None, paid_at=None)
    ids = list(lent.order_by("offer_id").values_list("offer_id", flat=True))
    free_unpaid_of(ids, now=now)
    _end_late(ids, now=now)


def _end_late(offer_ids: Collection[int], *, now: datetime) -> None:
    over = Offer.objects.filter(pk__in=offer_ids, state=State.GRANTED, valid_until__lte=now)
    end_offers(list(over.values_list("pk", flat=True)), State.EXPIRED, Reason.EXPIRED, now=now)


def _use_again(order: Order) -> dict[int, Used]:
    """Take up uses that were freed too early: their payment was called ended and succeeded all the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH last AS (SELECT DISTINCT ON (offer_id) id, offer_id FROM offers_redemption"
            " WHERE order_id = %s AND freed_at IS NOT NULL AND discount > 0 ORDER BY offer_id, id DESC)"
            " UPDATE offers_redemption r SET freed_at = NULL, paid_at = %s FROM last WHERE r.id = last.id"
            " AND NOT EXISTS (SELECT FROM offers_redemption o WHERE o.offer_id = r.offer_id AND o.freed_at IS NULL)"
            " RETURNING r.offer_id, r.cost, r.discount",
            [order.pk, order.paid_at],
        )
        return {offer_id: Used(*sums) for offer_id, *sums in cursor.fetchall()}


def _uses_of(order: Order) -> bool:
    return Redemption.objects.filter(order=order, paid_at__isnull=False).exists()


def free_unpaid_of(offer_ids: Collection[int], *, now: datetime) -> None:
    """End the uses of offers that are not paid."""
    Redemption.objects.filter(offer__in=offer_ids, freed_at=None, paid_at=None).update(freed_at=now)


def _mark_used(order: Order, used: dict[int, Used], *, now: datetime) -> list[Offer]:
    changed = Offer.objects.filter(pk__in=used).exclude(state=State.REDEEMED)
    held = dict(changed.values_list("pk", "state"))
    changed.filter(pk__in=held).update(state=State.REDEEMED, reason="", ended_at=order.paid_at or now)
    of_shops = Offer.objects.filter(pk__in=held, maker__isnull=False)
    of_shops.filter(maker=order.source_id).update(remote_next_at=real_now() + KEPT, remote_tries=0)
    of_shops.exclude(maker=order.source_id).update(remote_next_at=real_now() + PAUSE, remote_tries=0)
    redeemed = list(Offer.objects.filter(pk__in=held).order_by("budget_key", "pk"))
    for offer in redeemed:
        if offer.budget_start is not None:
            is_reserved = held[offer.pk] in (State.GRANTED, State.ASKED)  # an end gave it back
            spare = (offer.expected if is_reserved else _ZERO) - used[offer.pk].cost
            budgets.give_back(
                offer.shop_id, offer.budget_key, offer.currency, spare, start=offer.budget_start
            )
        outbox.announce(
            OfferRedeemed(
                shop_id=offer.shop_id, offer_id=offer.pk, order_id=order.pk, at=order.paid_at or now
            )
        )
        if offer.enrolment_id is not None:  # it ends here, and somebody may wait for that
            outbox.announce(OfferDecided(offer.shop_id, offer.pk, offer.enrolment_id, order.paid_at or now))
        if (
            offer.kind == Offer.Kind.GIFT and not used[offer.pk].discount
        ):  # else none was left, and it gave its share
            _ask_for_gift(order, offer, now)
    return redeemed


def _ask_for_gift(order: Order, offer: Offer, now: datetime) -> None:
    """Tell whoever packs: a gift goes with the order."""
    gift = gift_of(order, terms_of(offer))
    attention.ask(
        "offers.gift_due",
        shop_id=order.shop_id,
        key=str(offer.pk),
        now=now,
        subject=("order", order.pk),
        number=order.number,
        gift=gift.name if gift is not None else terms_of(offer).gift,
    )


def _made_for(order: Order) -> QuerySet[Offer]:
    """Return the offers in force that were granted about an order, or about the cart that it was."""
    rows = Offer.objects.filter(shop_id=order.shop_id, state__in=(State.GRANTED, State.ASKED))
    mine = rows.filter(order_id=order.pk)
    if order.contact_id is not None:
        of_cart = rows.filter(contact_id=order.contact_id, cart__order_ref=order.ref)
        # An order of another source that bears the same name is another order; ours are made of carts of any source.
        mine |= of_cart if order.source.kind == OWN_KIND else of_cart.filter(cart__source_id=order.source_id)
    return mine


def made_for(order: Order) -> list[int]:
    """Return the ids of the offers in force that were granted about an order, or about the cart that it was."""
    return list(_made_for(order).values_list("pk", flat=True))
