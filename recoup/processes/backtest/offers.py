"""What offers would have cost in a back-test: an upper bound, because nobody knows who would have used one."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from django_scopes import scope

from recoup.offers.baskets import baskets_of, gift_of
from recoup.offers.origins import Origin, makers_of, origin_of
from recoup.offers.personal import expected_cost, why_not_for_person
from recoup.offers.pricing import Basket, Refusal, quote
from recoup.offers.settings import get_settings, rules_of
from recoup.offers.terms import Terms
from recoup.orders.models import Cart, Order
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.records import Enrolment
from recoup.processes.offering import offer_outcome
from recoup.shops.models import Shop

_ORDER, _CART = int(SubjectKind.ORDER), int(SubjectKind.CART)


class PastOffers:
    """Decides about the offers of one page of people by sums and costs as they are known today.

    Budgets and what a person has had are not looked at: they hang on what really happened.
    """

    def __init__(self, shop_id: int, order_ids: Collection[int], cart_ids: Collection[int]) -> None:
        shop = Shop.objects.get(pk=shop_id)
        with scope(shop=shop):
            orders = Order.objects.filter(shop=shop, pk__in=order_ids).select_related("source")
            carts = Cart.objects.filter(shop=shop, pk__in=cart_ids).select_related("source")
            found: list[Order | Cart] = [*orders.prefetch_related("lines"), *carts]
            self._shop, self._settings = shop, get_settings(shop)
            baskets = baskets_of(found) if found else []
            self._makers = makers_of(shop_id)
        self._subjects: dict[tuple[int, int], tuple[Order | Cart, Basket]] = {
            (_ORDER if isinstance(one, Order) else _CART, one.pk): (one, basket)
            for one, basket in zip(found, baskets, strict=True)
        }
        self._next: dict[int, tuple[Code, Decimal]] = {}  # of offers for a next order, by block
        self.granted = 0
        self.costs: dict[str, Decimal] = {}

    def judge(self, enrolment: Enrolment, effect: OfferEffect) -> Code:
        """Decide about one offer and count what it would cost if it were used."""
        known = self._subjects.get((enrolment.subject_kind, enrolment.subject_id))
        if known is None:
            return Code.OFFER_UNFIT
        subject, basket = known
        terms = Terms.from_json(effect.terms)
        if effect.is_for_person:
            return self._judge_next(effect.node, terms)
        if origin_of(subject, terms, makers=self._makers) is Origin.NONE:
            return Code.OFFER_ORIGIN
        rules = rules_of(self._shop, self._settings, subject.currency)
        with scope(shop=self._shop):
            gift = gift_of(subject, terms)
        part = quote(basket, [terms], rules, gifts=[gift]).parts[0]
        if part.is_cut or part.refusal in (Refusal.FLOOR, Refusal.NO_COST):
            return Code.SKIPPED_FLOOR
        if part.refusal is not None:
            return Code.OFFER_UNFIT
        self.granted += 1
        self.costs[subject.currency] = self.costs.get(subject.currency, Decimal(0)) + part.cost
        return Code.OFFER_GRANTED

    def _judge_next(self, node: int, terms: Terms) -> Code:
        """Decide about an offer for whatever somebody orders next: the same for all, of no known sum."""
        if node not in self._next:
            with scope(shop=self._shop):
                reason, _ = why_not_for_person(self._shop, None, terms, self._settings)
                cost = expected_cost(self._shop, None, terms, self._settings)
            self._next[node] = (Code(offer_outcome("refused" if reason else "granted", reason)), cost)
        code, cost = self._next[node]
        if code == Code.OFFER_GRANTED:
            self.granted += 1
            self.costs[self._shop.currency] = self.costs.get(self._shop.currency, Decimal(0)) + cost
        return code


def plain_costs(costs: Mapping[str, Decimal]) -> dict[str, str]:
    """Return costs by currency as they are kept."""
    return {currency: str(cost) for currency, cost in sorted(costs.items())}
