"""What offers would have cost in a back-test: decided as in life, an upper bound because nobody knows who would use one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Q
from django_scopes import scope

from recoup.customers.models import Contact
from recoup.offers.baskets import baskets_of, gift_of
from recoup.offers.budgets import period_start
from recoup.offers.cart_codes import CodeTerms, code_terms
from recoup.offers.linked import links_of
from recoup.offers.models import Offer
from recoup.offers.origins import Origin, makers_of, origin_of
from recoup.offers.personal import expected_cost, why_not_for_person
from recoup.offers.pricing import Basket, Part, quote
from recoup.offers.settings import Limits, get_settings, limits_of, rules_of
from recoup.offers.terms import BudgetLimit, Period, Terms
from recoup.offers.wishing import why_no_code
from recoup.orders.models import Cart, Order
from recoup.processes.backtest.purse import Budget, Had, Left, OfferPurse, Place
from recoup.processes.backtest.telling import Told
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.records import Enrolment, Facts
from recoup.processes.offering import offer_outcome
from recoup.shops.models import Shop

_ORDER, _CART = int(SubjectKind.ORDER), int(SubjectKind.CART)
_CONTACT = int(SubjectKind.CONTACT)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Past:
    """What the people of a page have had and left."""

    had: defaultdict[int, list[Had]] = field(default_factory=lambda: defaultdict(list))
    left: defaultdict[int, list[Left]] = field(default_factory=lambda: defaultdict(list))
    really: dict[Place, Had] = field(default_factory=dict)  # what this process itself really granted


class PastOffers:
    """Decides about the offers of one page of people as `offers.granting` does, by sums and costs as they are known today.

    Who paid while an offer was in force is taken to have used it, unless this process really made one and it was not used.
    """

    def __init__(
        self, shop_id: int, process_id: int, told: Iterable[Told], kind: int, purse: OfferPurse
    ) -> None:
        known = {(kind, one.subject_id): one for one in told}
        ids = [key for _, key in known]
        shop = Shop.objects.get(pk=shop_id)
        with scope(shop=shop):
            rows = Order.objects if kind == _ORDER else Cart.objects
            lines = ["lines"] if kind == _ORDER else []
            found: list[Order | Cart] = list(
                rows.filter(shop=shop, pk__in=ids).select_related("source").prefetch_related(*lines)
            )
            self._shop, self._settings = shop, get_settings(shop)
            baskets = baskets_of(found) if found else []
            self._makers = makers_of(shop_id)
            people = {one.contact_id for one in known.values()}
            self._links = links_of(people)
            no_email = Contact.objects.filter(pk__in=people, email="", erased_at__isnull=True)
            self._no_email = set(no_email.values_list("pk", flat=True))
            self._past = _read_past(shop, process_id, people, self._links, purse)
            _add_guessed(self._past, known)
        self._subjects: dict[Place, tuple[Order | Cart, Basket]] = {
            (kind, one.pk): (one, basket) for one, basket in zip(found, baskets, strict=True)
        }
        self._paid_at = {place: one.paid_at for place, one in known.items()}
        self._part_at = {place: one.part_at for place, one in known.items()}
        self._payments: defaultdict[int, list[datetime]] = defaultdict(list)
        for one in known.values():
            if one.paid_at is not None:
                self._payments[one.contact_id].append(one.paid_at)
        # Of offers for a next order, by block and whether a shop could bind a code to an address of theirs.
        self._next: dict[tuple[int, bool], tuple[Code, Decimal]] = {}
        self._limits: Limits = limits_of(self._settings)
        self._purse = purse
        self.granted = 0
        self.costs: dict[str, Decimal] = {}  # of offers without a budget

    def judge(self, enrolment: Enrolment, effect: OfferEffect, facts: Facts, now: datetime) -> Code:
        """Decide about one offer and count what it would cost if it were used."""
        if effect.is_for_person:
            return self._judge_next(enrolment, effect, now)
        place = (enrolment.subject_kind, enrolment.subject_id)
        known = self._subjects.get(place)
        part_at = self._part_at.get(place)
        if known is None or not is_open(facts) or (part_at is not None and part_at <= now):
            return Code.OFFER_UNFIT
        subject, basket = known
        terms, limit = Terms.from_json(effect.terms), _limit_of(effect)
        origin = origin_of(subject, terms, makers=self._makers)
        refused = _misfit(origin, limit, subject) or self._why_no_more(
            enrolment.contact_id, place, subject, now
        )
        if refused is not None:
            return refused
        rules = rules_of(self._shop, self._settings, subject.currency)
        with scope(shop=self._shop):
            gift = gift_of(subject, terms)
        part = quote(basket, [terms], rules, gifts=[gift]).parts[0]
        refused = _why_not_carried(part)
        if refused is None and origin is Origin.SHOP and isinstance(subject, Cart):
            refused = _why_no_code(subject, terms, code_terms(basket, terms, rules, part))
        had = self._promise(place, effect.valid_until, now, is_made_in_shop=origin is Origin.SHOP)
        refused = refused or self._why_not_beside(enrolment.contact_id, had)
        if refused is None and not self._pay(effect.node_id, limit, part.cost, had, subject.currency):
            refused = Code.SKIPPED_BUDGET
        if refused is not None:
            return refused
        self._past.had[enrolment.contact_id].append(had)
        self.granted += 1
        return Code.OFFER_GRANTED

    def _judge_next(self, enrolment: Enrolment, effect: OfferEffect, now: datetime) -> Code:
        """Decide about an offer for whatever somebody orders next: its promise is the same for all, of no known sum."""
        shop, contact_id = self._shop, enrolment.contact_id
        terms, limit = Terms.from_json(effect.terms), _limit_of(effect)
        asked = {terms.currency or shop.currency, limit.currency if limit is not None else shop.currency}
        if asked != {shop.currency}:
            return Code.OFFER_UNFIT
        led_here = (enrolment.subject_kind, enrolment.subject_id)
        subject, _ = self._subjects.get(led_here, (None, None))
        enough = self._why_no_more(contact_id, led_here, subject, now, is_next=True)
        if enough is not None:
            return enough
        asked_about = effect.node, contact_id in self._no_email
        if asked_about not in self._next:
            whom = contact_id if contact_id in self._no_email else None
            with scope(shop=shop):
                reason, _ = why_not_for_person(shop, whom, terms, self._settings)
                expected = expected_cost(shop, None, terms, self._settings)
            code = Code(offer_outcome("refused" if reason else "granted", reason))
            self._next[asked_about] = code, expected
        code, cost = self._next[asked_about]
        if code != Code.OFFER_GRANTED:
            return code
        had = self._promise((_CONTACT, contact_id), effect.valid_until, now, is_made_in_shop=False)
        if not self._pay(effect.node_id, limit, cost, had, shop.currency):
            return Code.SKIPPED_BUDGET
        self._past.had[contact_id].append(had)
        self.granted += 1
        return code

    def _why_not_beside(self, contact_id: int, had: Had) -> Code | None:
        """Return why a coupon cannot stand beside another one: there is one at a time for an order or cart."""
        others = [one for one in self._past.had[contact_id] if one.place == had.place and one.is_made_in_shop]
        is_taken = had.is_made_in_shop and any(one.is_in_force(had.granted_at) for one in others)
        return Code.OFFER_ANOTHER if is_taken else None

    def _why_no_more(
        self,
        contact_id: int,
        place: Place,
        subject: Order | Cart | None,
        now: datetime,
        *,
        is_next: bool = False,
    ) -> Code | None:
        """Return why a person gets no more discounts, as `granting.why_no_more` does."""
        since, most = now - self._limits.memory, self._limits.most_discounts
        people = (contact_id, *self._links.get(contact_id, ()))
        theirs = [one for person in people for one in self._past.had[person]]
        used = sum(one.was_used(since, now) for one in theirs)
        if used >= most:
            return Code.SKIPPED_ABANDONER
        if used + sum((is_next or one.place != place) and one.is_in_force(now) for one in theirs) >= most:
            return Code.OFFER_ANOTHER
        own = (
            (subject.source_id, subject.cart_ref) if isinstance(subject, Order) and subject.cart_ref else None
        )
        left = sum(
            since < one.at <= now < one.until
            and one.place != place
            and not (one.place[0] == _CART and one.cart == own)
            for person in people
            for one in self._past.left[person]
        )
        return Code.SKIPPED_ABANDONER if left >= self._limits.most_left else None

    def _promise(self, place: Place, valid_until: datetime, now: datetime, *, is_made_in_shop: bool) -> Had:
        paid_at, real = self._paid_since(place, now), self._past.really.get(place)
        ends_at, used_at = valid_until, None
        if paid_at is not None and now <= paid_at < valid_until:
            ends_at, used_at = paid_at, paid_at if real is None else real.used_at
        elif real is not None:
            ends_at = min(valid_until, max(real.ends_at, now))
        return Had(place, now, ends_at, used_at, is_made_in_shop)

    def _paid_since(self, place: Place, now: datetime) -> datetime | None:
        """Return when an order or cart was paid; of a person, when they next paid for anything."""
        if place[0] != _CONTACT:
            return self._paid_at.get(place)
        return min((at for at in self._payments[place[1]] if at > now), default=None)

    def _pay(self, node: str, limit: BudgetLimit | None, cost: Decimal, had: Had, currency: str) -> bool:
        """Count a cost, or take it from its budget; tell whether that carries it."""
        if limit is None:
            self.costs[currency] = self.costs.get(currency, Decimal(0)) + cost
            return True
        start = period_start(limit.period, self._shop, had.granted_at)
        end = _LAST if limit.period is Period.EVER else start + _LONGEST[limit.period]
        until = end if had.used_at is not None else had.ends_at
        return self._purse.take(Budget(node, currency, start), limit, cost, had.granted_at, until)


# No period of a budget lasts longer; what was used stays taken until then.
_LONGEST = {
    Period.DAY: timedelta(days=1, hours=1),
    Period.WEEK: timedelta(days=7, hours=1),
    Period.MONTH: timedelta(days=31, hours=1),
}


def is_open(facts: Facts) -> bool:
    """Tell whether an order was still owed, or a cart still left, as far as was known: as `granting.is_open` does."""
    if facts.order is not None:
        ends = (facts.order.paid_at, facts.order.cancelled_at, facts.superseded_at)
        return all(at is None for at in ends)
    return facts.cart is None or (facts.cart.converted_at is None and facts.cart.emptied_at is None)


def _limit_of(effect: OfferEffect) -> BudgetLimit | None:
    plain = effect.budget
    if plain is None:
        return None
    return BudgetLimit(Decimal(plain["amount"]), plain["currency"], Period(plain.get("period", "month")))


def _misfit(origin: Origin, limit: BudgetLimit | None, subject: Order | Cart) -> Code | None:
    if origin is Origin.NONE:
        return Code.OFFER_ORIGIN
    return Code.OFFER_UNFIT if limit is not None and limit.currency != subject.currency else None


def _why_not_carried(part: Part) -> Code | None:
    if part.is_cut:
        return Code.SKIPPED_FLOOR
    return None if part.refusal is None else Code(offer_outcome("refused", str(part.refusal)))


def _why_no_code(cart: Cart, terms: Terms, code: CodeTerms) -> Code | None:
    reason = why_no_code(terms, cart, code)
    return Code(offer_outcome("refused", str(reason))) if reason else None


def _read_past(
    shop: Shop,
    process_id: int,
    people: Collection[int],
    links: Mapping[int, Collection[int]],
    purse: OfferPurse,
) -> _Past:
    """Read what people have really had, but from this process, and which orders and carts they have left.

    Of others who are very likely one with them it is what a page before has found; else what they really had, all of it.
    """
    past = _Past()
    others = {other for linked in links.values() for other in linked} - set(people)
    for person in others & purse.linked.keys():
        past.had[person], past.left[person] = purse.linked[person]
    purse.linked |= {person: (past.had[person], past.left[person]) for person in links}
    contact_ids = (others - purse.linked.keys()) | set(people)
    offers = Offer.objects.filter(shop=shop, contact_id__in=contact_ids, is_test=False)
    for one in offers.exclude(state=Offer.State.REFUSED).defer("terms"):
        place = _place_of(one)
        used_at = one.ended_at if one.state == Offer.State.REDEEMED else None
        ends_at = min(one.valid_until, one.ended_at or one.valid_until)
        had = Had(place, one.granted_at, ends_at, used_at, one.maker_id is not None)
        if one.process_id == process_id and one.contact_id in people:
            past.really[place] = had
        else:
            past.had[one.contact_id].append(had)
    orders = Order.objects.filter(shop=shop, contact_id__in=contact_ids, unpaid_at__isnull=False)
    for order_id, contact_id, at, source_id, ref in orders.values_list(
        "pk", "contact_id", "unpaid_at", "source_id", "cart_ref"
    ):
        past.left[contact_id or 0].append(Left((_ORDER, order_id), at or _LAST, _LAST, (source_id, ref)))
    carts = Cart.objects.filter(shop=shop, contact_id__in=contact_ids, abandoned_at__isnull=False)
    for cart_id, contact_id, at, source_id, ref, order_ref, converted_at in carts.filter(
        Q(order_ref="") | Q(converted_at__isnull=False)
    ).values_list("pk", "contact_id", "abandoned_at", "source_id", "ref", "order_ref", "converted_at"):
        until = converted_at if order_ref and converted_at is not None else _LAST
        past.left[contact_id or 0].append(Left((_CART, cart_id), at or _LAST, until, (source_id, ref)))
    return past


def _place_of(offer: Offer) -> Place:
    if offer.order_id is not None:
        return _ORDER, offer.order_id
    return (_CART, offer.cart_id) if offer.cart_id is not None else (_CONTACT, offer.contact_id)


def _add_guessed(past: _Past, told: Mapping[Place, Told]) -> None:
    """Add the orders and carts that nobody watched, from the instant at which they would have counted as left."""
    for place, one in told.items():
        known = past.left[one.contact_id]
        if one.is_guessed and one.arrived_at is not None and all(other.place != place for other in known):
            until = (one.paid_at or _LAST) if place[0] == _CART else _LAST
            known.append(Left(place, one.arrived_at, until, (0, "")))


def plain_costs(costs: Mapping[str, Decimal]) -> dict[str, str]:
    """Return costs by currency as they are kept."""
    return {currency: str(cost) for currency, cost in sorted(costs.items())}
