"""Granting offers: decided with everything that is known, in the transaction of the step that asks (K1-K3, K5-K7; D5)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django_scopes import scope

from recoup.core import activity, outbox
from recoup.core.activity import Actor
from recoup.core.clock import real_now
from recoup.customers.models import Contact
from recoup.offers import budgets
from recoup.offers.baskets import basket_of, gift_of
from recoup.offers.codes import new_code
from recoup.offers.events import OfferDecided, OfferGranted
from recoup.offers.linked import linked_to
from recoup.offers.models import Offer, OfferSettings
from recoup.offers.origins import Origin, maker_of, origin_of
from recoup.offers.personal import expected_cost, look_at_shops, why_not_for_person
from recoup.offers.pricing import Part, Quote, quote
from recoup.offers.reasons import Reason
from recoup.offers.settings import get_settings, limits_of, rules_of
from recoup.offers.terms import BudgetLimit, Terms
from recoup.offers.wishing import promise_for, why_no_code
from recoup.orders.models import Cart, Order
from recoup.orders.queries import OPEN_STATUSES, OWED_STATES
from recoup.shops.models import Shop

State = Offer.State
_LOCK = 0x0FFE5  # of the people about whom offers are decided, among the advisory locks


@dataclass(frozen=True, slots=True)
class Wish:
    """An offer that a step of a process, or a person, wants to make. One of `order_id` and `cart_id` says about what.

    `is_for_person`: about neither, but for whatever they order next. `order_id` or `cart_id` is then what led to it, which
    does not count against them.
    """

    shop_id: int
    contact_id: int
    terms: Terms
    valid_until: datetime
    order_id: int | None = None
    cart_id: int | None = None
    budget: BudgetLimit | None = None
    budget_key: str = ""
    process_id: int | None = None
    enrolment_id: int | None = None
    step_no: int | None = None
    node: int | None = None
    is_test: bool = False
    is_for_person: bool = False


class OfferRefused(Exception):
    """The offer was not granted; `reason` says why, `offer` is the row that was written about it."""

    def __init__(self, offer: Offer) -> None:
        super().__init__(offer.reason)
        self.reason = offer.reason
        self.offer = offer


def grant_offers(wishes: Sequence[Wish], *, now: datetime) -> list[Offer]:
    """Decide about wishes and write each down, granted or refused, in the present transaction.

    The clock of an offer starts now. Granted only if the order or cart is still open, its origin can apply it, the person
    has not had enough, the whole promise stands above the floor, and the budget carries it; the first of these that fails is
    the reason. An offer that the shop itself applies is `asked` until its coupon stands there. Announces `OfferGranted`, and
    `OfferDecided` for a step that waits.
    """
    people = {wish.contact_id for wish in wishes}
    lock_people(people | linked_to(people))
    written = []
    for wish in sorted(wishes, key=_place):
        with scope(shop=wish.shop_id):
            written.append((_write(wish, now=now, granted_by=None), wish))
    _pay_from_budgets(written, now=now)
    for offer, _wish in written:
        announce_decision(offer, at=now)
    return [offer for offer, _wish in written]


def lock_people(contact_ids: Collection[int]) -> None:
    """Let one transaction at a time decide what a person gets: of many at once none reads what they had before."""
    keys = sorted({contact_id % 2**31 for contact_id in contact_ids})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS one (key)", [_LOCK, keys]
        )


def _place(wish: Wish) -> tuple[int, int, int]:
    """Return where a wish is written: rows in one order, so that two who write do not hold each other up."""
    return wish.order_id or 0, wish.cart_id or 0, wish.enrolment_id or 0


def grant_by_hand(wish: Wish, *, actor: Actor, now: datetime) -> Offer:
    """Grant an offer as a person wishes, held against the same floor; it is not stopped by what the person has had.

    :raises OfferRefused: with the reason; the refusal is written down, too.
    """
    with transaction.atomic():
        lock_people({wish.contact_id})
        offer = _write(wish, now=now, granted_by=actor.id)
        _pay_from_budgets([(offer, wish)], now=now)
        announce_decision(offer, at=now)
        refused = offer.state == State.REFUSED
        activity.record(
            "offers.offer.refused" if refused else "offers.offer.granted",
            shop_id=offer.shop_id,
            subject=("order", offer.order_id) if offer.order_id else ("contact", offer.contact_id),
            at=now,
            actor=actor,
            offer_id=offer.pk,
        )
    if refused:
        raise OfferRefused(offer)
    return offer


def _write(wish: Wish, *, now: datetime, granted_by: int | None) -> Offer:
    """Write down what was decided about a wish; its budget is asked when all rows stand."""
    shop = Shop.objects.get(pk=wish.shop_id)
    wish, subject = _in_currency(wish, shop), _subject(wish)
    reason, found = _look_at(shop, wish, subject, is_by_hand=granted_by is not None, now=now)
    part = found.parts[0] if found is not None else Part()
    maker = None
    if subject is not None and not reason and origin_of(subject, wish.terms) is Origin.SHOP:
        maker = maker_of(subject)
    elif wish.is_for_person and not reason:  # where no shop can bear it, our page alone takes it off
        maker = look_at_shops(shop, wish.contact_id, wish.terms, get_settings(shop)).maker
    cost = part.cost
    if wish.is_for_person and wish.budget is not None and not reason:
        cost = expected_cost(shop, wish.contact_id, wish.terms, get_settings(shop))
    offer = Offer(
        shop=shop,
        contact_id=wish.contact_id,
        order_id=wish.order_id if isinstance(subject, Order) else None,
        cart_id=wish.cart_id if isinstance(subject, Cart) else None,
        process_id=wish.process_id,
        enrolment_id=wish.enrolment_id,
        step_no=wish.step_no,
        node=wish.node,
        code="" if reason else new_code(),
        kind=str(wish.terms.kind),
        terms=wish.terms.as_json(),
        currency=subject.currency if subject is not None else shop.currency,
        expected=cost,
        expected_discount=part.discount,
        new_total=found.after if found is not None and not wish.is_for_person else None,
        is_guessed=found is not None and found.is_guessed,
        is_for_person=wish.is_for_person,
        granted_at=now,
        granted_by=granted_by,
        valid_until=wish.valid_until,
        state=State.REFUSED if reason else State.GRANTED,
        reason=str(reason),
        ended_at=now if reason else None,
        is_test=wish.is_test,
    )
    if maker is not None and not wish.is_test:  # a trial calls no shop
        offer.state, offer.maker, offer.remote_next_at = State.ASKED, maker, real_now()
    _insert(offer, now=now)
    return offer


def _insert(offer: Offer, *, now: datetime) -> None:
    """Insert an offer; a second coupon for the same order or cart at the same time is refused."""
    if offer.maker is None:
        offer.save(force_insert=True)
        return
    try:
        with transaction.atomic():
            offer.save(force_insert=True)
    except IntegrityError as error:
        if "offers_coupon_of_" not in str(error):
            raise
        offer.maker = offer.remote_next_at = None
        _refuse(offer, Reason.OTHER_OFFER, now=now)
        offer.save(force_insert=True)


def _refuse(offer: Offer, reason: Reason, *, now: datetime) -> None:
    offer.state, offer.reason, offer.ended_at, offer.code = State.REFUSED, str(reason), now, ""


def _pay_from_budgets(written: Sequence[tuple[Offer, Wish]], *, now: datetime) -> None:
    """Take what was granted from its budgets, in the order of their keys; what a budget does not carry is refused."""
    for offer, wish in sorted(written, key=lambda one: (one[1].budget_key, one[0].pk)):
        if offer.state == State.REFUSED or wish.budget is None or wish.is_test:
            continue
        start = budgets.period_start(wish.budget.period, offer.shop, now)
        if budgets.reserve(offer.shop, wish.budget_key, wish.budget, offer.expected, start=start):
            offer.budget_key, offer.budget_start = wish.budget_key, start
            offer.budget_limit = wish.budget.amount
        else:
            offer.maker = offer.remote_next_at = None
            _refuse(offer, Reason.BUDGET, now=now)
        with scope(shop=offer.shop_id):
            offer.save()


def announce_decision(offer: Offer, *, at: datetime) -> None:
    """Tell those who wait that an offer is in force or refused; nothing while the shop is still being asked."""
    if offer.state == State.ASKED:
        return
    if offer.state == State.GRANTED:
        outbox.announce(OfferGranted(shop_id=offer.shop_id, offer_id=offer.pk, at=at))
    if offer.enrolment_id is not None:
        outbox.announce(
            OfferDecided(shop_id=offer.shop_id, offer_id=offer.pk, enrolment_id=offer.enrolment_id, at=at)
        )


def _subject(wish: Wish) -> Order | Cart | None:
    if wish.is_for_person:
        return None
    if wish.order_id is not None:
        return (
            Order.objects.select_related("source")
            .filter(pk=wish.order_id, shop_id=wish.shop_id, contact_id=wish.contact_id)
            .first()
        )
    return (
        Cart.objects.select_related("source")
        .filter(pk=wish.cart_id or 0, shop_id=wish.shop_id, contact_id=wish.contact_id)
        .first()
    )


def _in_currency(wish: Wish, shop: Shop) -> Wish:
    """Return a wish whose promise names its currency: what somebody orders next may be in another one."""
    if not wish.is_for_person or wish.terms.currency:
        return wish
    return replace(wish, terms=replace(wish.terms, currency=shop.currency))


def _look_at(
    shop: Shop, wish: Wish, subject: Order | Cart | None, *, is_by_hand: bool, now: datetime
) -> tuple[str, Quote | None]:
    """Examine a wish about an order, a cart, or for a person."""
    if not wish.is_for_person:
        return _examine(shop, wish, subject, is_by_hand=is_by_hand, now=now)
    settings, unknown = get_settings(shop), Quote(Decimal(0), Decimal(0), (Part(),))
    currencies = {
        wish.terms.currency or shop.currency,
        wish.budget.currency if wish.budget else shop.currency,
    }
    if currencies != {shop.currency}:
        return Reason.CURRENCY, unknown
    if not is_by_hand and (enough := _why_no_more_for(wish, settings, now=now)):
        return enough, unknown
    reason, is_guessed = why_not_for_person(shop, wish.contact_id, wish.terms, settings)
    return reason, replace(unknown, is_guessed=is_guessed)


def _why_no_more_for(wish: Wish, settings: OfferSettings, *, now: datetime) -> str:
    """Return why a person gets nothing for a next order: as `why_no_more`, but an offer about what led here counts."""
    is_about_person = wish.order_id is None and wish.cart_id is None
    led_here = None if is_about_person else _subject(replace(wish, is_for_person=False))
    return _why_no_more(wish.shop_id, wish.contact_id, settings, led_here, now=now)


def _examine(
    shop: Shop, wish: Wish, subject: Order | Cart | None, *, is_by_hand: bool, now: datetime
) -> tuple[str, Quote | None]:
    """Return why a wish is refused, or nothing, and what it would come to."""
    if subject is None or not is_open(subject):
        return Reason.SUBJECT_OVER, None
    if Contact.objects.filter(pk=wish.contact_id, shop=shop, erased_at__isnull=False).exists():
        return Reason.ERASED, None
    if misfit := _misfit(wish, subject):
        return misfit, None
    settings = get_settings(shop)
    if not is_by_hand and (enough := why_no_more(subject, settings, now=now)):
        return enough, None
    found = quote_offer(shop, subject, wish.terms, settings)
    return _why_not_carried(shop, subject, wish.terms, found.parts[0]), found


def _why_not_carried(shop: Shop, subject: Order | Cart, terms: Terms, part: Part) -> str:
    """Return why an order or cart does not carry an offer; a cart that its shop takes further may be changed before that."""
    if part.refusal is not None:
        return Reason(str(part.refusal))
    if part.is_cut:
        return Reason.FLOOR
    if isinstance(subject, Order) or origin_of(subject, terms) is not Origin.SHOP:
        return ""
    return why_no_code(terms, subject, promise_for(shop, terms, subject).code)


def look_ahead(wish: Wish, *, now: datetime) -> tuple[str, Order | Cart | None, Quote | None]:
    """Return why a person could not grant a wish now, or nothing, its subject, and what it would come to; reads only."""
    shop, subject = Shop.objects.get(pk=wish.shop_id), _subject(wish)
    reason, found = _look_at(shop, wish, subject, is_by_hand=True, now=now)
    return reason, subject, found


def _misfit(wish: Wish, subject: Order | Cart) -> str:
    if origin_of(subject, wish.terms) is Origin.NONE:
        return Reason.ORIGIN
    # What an offer costs can be taken from no budget of another currency.
    is_foreign = wish.budget is not None and wish.budget.currency != subject.currency
    return Reason.CURRENCY if is_foreign else ""


def quote_offer(
    shop: Shop, subject: Order | Cart, wanted: Terms, settings: OfferSettings | None = None
) -> Quote:
    """Return what an offer would come to on an order or cart, by the shop's rules; reads only."""
    settings = settings or get_settings(shop)
    rules = rules_of(shop, settings, subject.currency)
    return quote(basket_of(subject), [wanted], rules, gifts=[gift_of(subject, wanted)])


def is_open(subject: Order | Cart) -> bool:
    """Tell whether an order is still owed, or a cart still left: payers get no offer (K3)."""
    if isinstance(subject, Cart):
        return subject.state in {Cart.State.OPEN, Cart.State.ABANDONED}
    return (
        subject.payment_state in OWED_STATES
        and subject.status in OPEN_STATUSES
        and subject.superseded_by_id is None
        and subject.captured == 0
    )


def why_no_more(subject: Order | Cart, settings: OfferSettings, *, now: datetime) -> str:
    """Return why a person gets no more discounts: enough used, one that still counts, or orders left again and again.

    They keep their reminders and lose the discounts. The order or cart that this is about does not count; what others have
    had who are very likely the same person does.
    """
    if subject.contact_id is None:
        return Reason.ABANDONER
    about = Q(order=subject) if isinstance(subject, Order) else Q(cart=subject)
    return _why_no_more(subject.shop_id, subject.contact_id, settings, subject, now=now, but=about)


def _why_no_more(
    shop_id: int,
    person: int,
    settings: OfferSettings,
    own: Order | Cart | None,
    *,
    now: datetime,
    but: Q | None = None,
) -> str:
    """Return why a person gets no more discounts. `own` is not counted as left, offers in force that are `but` neither."""
    limits = limits_of(settings)
    since = now - limits.memory
    people = [person, *linked_to([person])]
    theirs = Offer.objects.filter(shop_id=shop_id, contact_id__in=people, is_test=False)
    used = theirs.filter(state=State.REDEEMED, ended_at__gt=since).count()
    if used >= limits.most_discounts:
        return Reason.ABANDONER
    in_force = theirs.filter(state__in=(State.ASKED, State.GRANTED), valid_until__gt=now)
    if but is not None:
        in_force = in_force.exclude(but)
    if used + in_force.count() >= limits.most_discounts:
        return Reason.HAS_OFFER
    orders = Order.objects.filter(shop_id=shop_id, contact_id__in=people, unpaid_at__gt=since)
    carts = Cart.objects.filter(shop_id=shop_id, contact_id__in=people, abandoned_at__gt=since, order_ref="")
    if isinstance(own, Order):
        orders = orders.exclude(pk=own.pk)
        carts = carts.exclude(source_id=own.source_id, ref=own.cart_ref) if own.cart_ref else carts
    elif own is not None:
        carts = carts.exclude(pk=own.pk)
    return Reason.ABANDONER if orders.count() + carts.count() >= limits.most_left else ""


def upper_cost(shop: Shop, subject: Order | Cart, wanted: Terms) -> Decimal:
    """Return what an offer would cost on an order or cart if it were used, for back-tests; 0 if it were refused."""
    part = quote_offer(shop, subject, wanted).parts[0]
    return Decimal(0) if part.refusal is not None or part.is_cut else part.cost
