"""Who is granted an offer, and who is not and why."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scope

from recoup.core import outbox
from recoup.core.activity import Actor
from recoup.customers.models import MergeSuggestion
from recoup.offers import handlers
from recoup.offers.baskets import basket_of
from recoup.offers.budgets import period_start, spent
from recoup.offers.ending import NotInForce, expire_due_offers, withdraw
from recoup.offers.events import OfferDecided, OfferGranted
from recoup.offers.granting import OfferRefused, Wish, grant_by_hand, grant_offers, upper_cost
from recoup.offers.models import Budget, Offer
from recoup.offers.terms import BudgetLimit, Kind, Period, Terms
from recoup.orders.models import Cart, Order
from recoup.payments.events import PaymentReceived
from recoup.shops.models import Shop
from tests.factories.moments import DAY, NOW
from tests.factories.offers import TEN, make_offer, make_settings
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.factories.shops import make_shop, make_source
from tests.support.together import together

D = Decimal
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    """Return a shop whose goods cost 40 %."""
    shop = make_shop()
    with scope(shop=shop):
        make_settings(shop)
    return shop


def wish_for(subject: Order | Cart, terms: Terms = TEN, **values: Any) -> Wish:
    """Return a wish about an order or cart, valid for two days."""
    is_order = isinstance(subject, Order)
    wish = Wish(subject.shop_id, subject.contact_id or 0, terms, NOW + 2 * DAY)
    return replace(wish, **{"order_id" if is_order else "cart_id": subject.pk, **values})


def decide(subject: Order | Cart, terms: Terms = TEN, **values: Any) -> Offer:
    """Let one wish be decided at `NOW`."""
    (offer,) = grant_offers([wish_for(subject, terms, **values)], now=NOW)
    return offer


def test_an_offer_is_granted_with_its_code_its_sum_and_its_end(shop: Shop) -> None:
    with scope(shop=shop):
        offer = decide(make_order(shop, total="149.00"))

    assert (offer.state, offer.reason, len(offer.code)) == ("granted", "", 12)
    assert (offer.expected_discount, offer.new_total) == (D("14.90"), D("134.10"))
    assert (offer.granted_at, offer.valid_until) == (NOW, NOW + 2 * DAY)


def test_a_step_hears_what_was_decided_and_everybody_what_was_granted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    news: list[Any] = []
    monkeypatch.setattr(outbox, "announce", lambda *items: news.extend(items))
    with scope(shop=shop):
        offer = decide(make_order(shop), enrolment_id=7, step_no=3)
        refused = decide(make_order(shop, paid_at=NOW), enrolment_id=8, step_no=1)

    assert news == [
        OfferGranted(shop.pk, offer.pk, NOW),
        OfferDecided(shop.pk, offer.pk, 7, NOW),
        OfferDecided(shop.pk, refused.pk, 8, NOW),
    ]


def test_payers_never_get_one(shop: Shop) -> None:
    with scope(shop=shop):
        paid = decide(make_order(shop, paid_at=NOW))
        cancelled = decide(make_order(shop, status="cancelled"))
        bought = decide(make_cart(shop, state="converted"))

    assert [(one.state, one.reason, one.code) for one in (paid, cancelled, bought)] == [
        ("refused", "subject_over", "")
    ] * 3


def test_what_the_floor_would_cut_is_not_promised(shop: Shop) -> None:
    with scope(shop=shop):
        make_settings(shop, floor=D(55))
        kept = decide(make_order(shop, total="100.00"), Terms(Kind.PERCENT, percent=D(11)))
        cut = decide(make_order(shop, total="100.00"), Terms(Kind.PERCENT, percent=D(12)))

    assert (kept.state, cut.state, cut.reason) == ("granted", "refused", "floor")


def test_the_delivery_that_a_cart_pays_for_is_no_profit(shop: Shop) -> None:
    lines = [
        {"name": "Mug", "product_ref": "mug", "quantity": "1", "unit_price": "100.00", "total": "100.00"}
    ]
    with scope(shop=shop):
        make_settings(shop, floor=D(50))  # of 140.00 that would be paid, 90.00 are goods and delivery
        values: dict[str, Any] = {"lines": lines, "shipping_total": D(50)}
        beside = decide(make_cart(shop, contact=make_contact(shop), total="100.00", **values))
        within = decide(make_cart(shop, contact=make_contact(shop), total="150.00", **values))

    assert [(one.state, one.reason) for one in (beside, within)] == [("granted", ""), ("refused", "floor")]


def test_an_unknown_cost_refuses_until_a_product_or_the_shop_says_it(shop: Shop) -> None:
    with scope(shop=shop):
        make_settings(shop, default_cost=None)
        source = make_source(shop)
        make_product(source, ref="vase", cost=D("20.00"), currency="EUR")
        unknown = decide(make_order(shop, source=source))
        known = decide(make_order(shop, source=source, products=["vase"]))

    assert (unknown.state, unknown.reason, known.state) == ("refused", "no_cost", "granted")


def test_a_shop_that_takes_the_payment_itself_cannot_apply_it(shop: Shop) -> None:
    with scope(shop=shop):
        elsewhere = decide(make_order(shop, pay_url="https://shop.example/pay/1"))
        plugin = make_source(shop, kind="woocommerce")
        without_keys = decide(make_order(shop, source=plugin))

    assert [(one.state, one.reason) for one in (elsewhere, without_keys)] == [("refused", "origin")] * 2


def test_who_had_a_discount_lately_keeps_reminders_alone(shop: Shop) -> None:
    with scope(shop=shop):
        anna = make_contact(shop)
        used = make_offer(make_order(shop, contact=anna), state="redeemed", ended_at=NOW - 30 * DAY)
        again = decide(make_order(shop, contact=anna))
        Offer.objects.filter(pk=used.pk).update(ended_at=NOW - 91 * DAY)
        later = decide(make_order(shop, contact=anna))

    assert [(one.state, one.reason) for one in (again, later)] == [("refused", "abandoner"), ("granted", "")]


def test_who_may_use_a_discount_now_gets_no_second_one_for_another_order(shop: Shop) -> None:
    with scope(shop=shop):
        anna = make_contact(shop)
        first = decide(make_order(shop, contact=anna))
        second = decide(make_order(shop, contact=anna))
        Offer.objects.filter(pk=first.pk).update(state="expired", valid_until=NOW - DAY)
        third = decide(make_order(shop, contact=anna))

    assert [(one.state, one.reason) for one in (first, second, third)] == [
        ("granted", ""), ("refused", "has_offer"), ("granted", ""),
    ]  # fmt: skip


def test_who_leaves_orders_again_and_again_gets_none(shop: Shop) -> None:
    with scope(shop=shop):
        make_settings(shop, most_left=3)
        anna, maria = make_contact(shop), make_contact(shop)
        for person, times in ((anna, 2), (maria, 1)):
            for _ in range(times):
                make_order(shop, contact=person, unpaid_at=NOW - DAY)
            make_cart(shop, contact=person, abandoned_at=NOW - 2 * DAY)
        gamer = decide(make_order(shop, contact=anna, unpaid_at=NOW))
        buyer = decide(make_order(shop, contact=maria, unpaid_at=NOW))

    assert [(one.state, one.reason) for one in (gamer, buyer)] == [("refused", "abandoner"), ("granted", "")]


@pytest.mark.parametrize(
    ("name", "street", "state", "reason"),
    [
        ("ANNA NOWAK", "", "open", "abandoner"),
        ("A. Bak", "Mill Street 1", "open", "abandoner"),
        ("A. Bak", "Hill Street 9", "open", ""),  # one sign alone
        ("Anna Nowak", "", "refused", ""),  # somebody has looked: two people
    ],
)
def test_who_comes_by_another_address_has_had_what_they_had_before(
    shop: Shop, name: str, street: str, state: str, reason: str
) -> None:
    with scope(shop=shop):
        anna = make_contact(shop, email="anna@gmail.com")
        again = make_contact(shop, email="anna+1@gmail.com", name=name)
        MergeSuggestion(
            shop=shop, first=anna, second=again, why="mail_alias", state=state, made_at=NOW
        ).save()
        had = make_order(shop, contact=anna, delivery={"address": {"line1": "Mill Street 1"}})
        make_offer(had, state="redeemed", ended_at=NOW)
        place = {"address": {"line1": street.upper()}} if street else {}

        assert decide(make_order(shop, contact=again, delivery=place)).reason == reason


def test_a_budget_ends_the_granting_and_begins_anew_next_month(shop: Shop) -> None:
    limit = BudgetLimit(D("25.00"), "EUR", Period.MONTH)
    with scope(shop=shop):
        offers = [
            decide(make_order(shop, total="100.00"), budget=limit, budget_key="p1:n2") for _ in range(3)
        ]
        start = period_start(Period.MONTH, shop, NOW)
        gone = spent(shop, "p1:n2", "EUR", start=start)
        (later,) = grant_offers(
            [wish_for(make_order(shop, total="100.00"), budget=limit, budget_key="p1:n2")], now=NOW + 40 * DAY
        )

    assert [(one.state, one.reason) for one in offers] == [
        ("granted", ""),
        ("granted", ""),
        ("refused", "budget"),
    ]
    assert (gone, later.state) == (D("20.00"), "granted")


def test_a_budget_pays_for_nothing_in_another_currency(shop: Shop) -> None:
    limit = BudgetLimit(D(1000), "EUR" if shop.currency != "EUR" else "PLN", Period.EVER)
    with scope(shop=shop):
        offer = decide(make_order(shop, total="100.00", currency=shop.currency), budget=limit, budget_key="k")

        assert (offer.state, offer.reason) == ("refused", "currency")
        assert not Budget.objects.filter(spent__gt=0).exists()


def test_what_is_not_used_goes_back_to_the_budget(shop: Shop) -> None:
    limit = BudgetLimit(D("10.00"), "EUR", Period.EVER)
    with scope(shop=shop):
        first = decide(make_order(shop, total="100.00"), budget=limit, budget_key="k")
        expire_due_offers(now=NOW + 3 * DAY)
        first.refresh_from_db()
        second = decide(make_order(shop, total="100.00"), budget=limit, budget_key="k")

    assert (first.state, first.reason, second.state) == ("expired", "expired", "granted")


@pytest.mark.django_db(transaction=True)
def test_a_budget_for_three_grants_three_of_twelve_at_once(shop: Shop) -> None:
    limit = BudgetLimit(D("30.00"), "EUR", Period.EVER)
    with scope(shop=shop):
        orders = [make_order(shop, total="100.00") for _ in range(12)]
    wishes = [wish_for(order, budget=limit, budget_key="k") for order in orders]

    together([lambda wish=wish: grant_offers([wish], now=NOW) for wish in wishes])  # type: ignore[misc]

    with scope(shop=shop):
        assert Offer.objects.filter(state="granted").count() == 3
        assert Offer.objects.filter(state="refused", reason="budget").count() == 9
        assert Budget.objects.get().spent == D("30.00")


def test_a_payment_at_the_moment_of_granting_withdraws_it(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop)
        offer = decide(order)
        Order.objects.filter(pk=order.pk).update(payment_state="paid", status="completed", captured=149)
        handlers.look_again([OfferGranted(shop.pk, offer.pk, NOW)])
        offer.refresh_from_db()

    assert (offer.state, offer.reason) == ("void", "paid_full")


def test_a_cart_that_became_an_open_order_keeps_its_offer(shop: Shop) -> None:
    with scope(shop=shop):
        cart = make_cart(shop)
        offer = decide(cart)
        order = make_order(shop, contact=cart.contact)
        Cart.objects.filter(pk=cart.pk).update(state="converted", order_ref=order.ref)
        handlers.look_again([OfferGranted(shop.pk, offer.pk, NOW)])
        offer.refresh_from_db()

    assert offer.state == "granted"


def test_an_order_of_the_same_name_at_another_source_is_another_order(shop: Shop) -> None:
    with scope(shop=shop):
        cart = make_cart(shop, source=make_source(shop))
        offer = decide(cart)
        elsewhere = make_order(shop, contact=cart.contact, ref="77", source=make_source(shop))
        Cart.objects.filter(pk=cart.pk).update(state="converted", order_ref="77")
        handlers.confirm_payments([PaymentReceived(shop.pk, elsewhere.pk, NOW, NOW)])
        kept = Offer.objects.get(pk=offer.pk).state
        handlers.look_again([OfferGranted(shop.pk, offer.pk, NOW)])
        offer.refresh_from_db()

    assert (kept, offer.state, offer.reason) == ("granted", "void", "paid_full")


def test_a_person_grants_in_spite_of_the_limits_and_never_below_the_floor(shop: Shop) -> None:
    with scope(shop=shop):
        make_settings(shop, floor=D(50))
        anna = make_contact(shop)
        make_offer(make_order(shop, contact=anna), state="redeemed", ended_at=NOW - DAY)
        order = make_order(shop, contact=anna)
        offer = grant_by_hand(wish_for(order), actor=Actor("user", 5), now=NOW)
        with pytest.raises(OfferRefused) as refused:
            grant_by_hand(
                wish_for(order, Terms(Kind.PERCENT, percent=D(60))), actor=Actor("user", 5), now=NOW
            )

    assert (offer.state, offer.granted_by, refused.value.reason) == ("granted", 5, "floor")


def test_an_offer_is_withdrawn_once_with_a_reason(shop: Shop) -> None:
    with scope(shop=shop):
        offer = decide(make_order(shop))
        withdraw(offer, note=" told on the phone ", actor=Actor("user", 5), now=NOW + timedelta(hours=1))
        with pytest.raises(NotInForce):
            withdraw(offer, note="again", actor=Actor("user", 5), now=NOW)

    assert (offer.state, offer.reason, offer.note) == ("void", "by_hand", "told on the phone")


def test_a_foreign_person_or_order_gets_nothing(shop: Shop) -> None:
    other = make_shop()
    with scope(shop=other):
        order = make_order(other)
    with scope(shop=shop):
        mine = make_order(shop)
        (foreign,) = grant_offers([wish_for(mine, order_id=order.pk)], now=NOW)

    assert (foreign.state, foreign.reason, foreign.order_id) == ("refused", "subject_over", None)


def test_a_back_test_reads_what_an_offer_would_cost(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")

        assert upper_cost(shop, order, TEN) == D("10.00")
        assert upper_cost(shop, order, Terms(Kind.PERCENT, percent=D(90))) == 0
        assert Offer.objects.count() == 0


def test_a_share_that_stands_in_for_an_unknown_cost_is_marked(shop: Shop) -> None:
    with scope(shop=shop):
        source = make_source(shop)
        make_product(source, ref="vase", cost=D("20.00"))
        known = decide(make_order(shop, source=source, products=["vase"]))
        guessed = decide(make_order(shop, source=source, products=["vase", "cup"]))

    assert [(one.state, one.is_guessed) for one in (known, guessed)] == [
        ("granted", False),
        ("granted", True),
    ]


def test_a_cost_is_found_by_a_file_by_the_article_number_and_for_orders_placed_here(shop: Shop) -> None:
    with scope(shop=shop):
        make_settings(shop, default_cost=None)
        theirs, ours, files = (
            make_source(shop),
            make_source(shop, kind="own"),
            make_source(shop, kind="csvfile"),
        )
        make_product(files, ref="vase", cost=D(20))
        make_product(make_source(shop), ref="cup", sku="CUP-1", cost=D(5))
        by_file = make_order(shop, source=theirs, products=["vase"])
        by_number = make_order(shop, source=theirs, products=["beaker"])
        by_number.lines.update(sku="CUP-1")
        elsewhere = make_order(shop, source=theirs, products=["cup"])
        placed_here = make_order(shop, source=ours, products=["cup"])
        costs = [basket_of(order).lines[0].cost for order in (by_file, by_number, elsewhere, placed_here)]

    assert costs == [D(20), D(5), None, D(5)]
