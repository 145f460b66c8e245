"""Offers for whatever a person orders next, which the shop applies: used once, here or there, and over in time."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import Actor
from recoup.core.clock import real_now
from recoup.customers.models import Contact
from recoup.offers import handlers
from recoup.offers.ending import PAUSE, end_offers, expire_due_offers
from recoup.offers.granting import OfferRefused, Wish, grant_by_hand
from recoup.offers.models import Budget, Offer, Redemption
from recoup.offers.redeeming import confirm_paid, find_applied, redeem
from recoup.offers.terms import BudgetLimit, Kind, Period, Terms
from recoup.orders.events import OrderPlaced
from recoup.orders.models import Order
from recoup.processes.engine.codes import Code
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import StepLog
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.offers import TEN, make_settings
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.products import make_product
from tests.factories.shops import make_source
from tests.offers.woo import D, World, address, fresh, place_with_code

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


def promise_to(world: World, contact: Contact, terms: Terms = TEN, **values: Any) -> Offer:
    """Let somebody of the staff promise a person an offer for whatever they order next."""
    wish = Wish(world.shop.pk, contact.pk, replace(terms, currency="EUR"), NOW + 2 * DAY, is_for_person=True)
    try:
        return grant_by_hand(replace(wish, **values), actor=Actor("person", 7), now=NOW)
    except OfferRefused as refused:
        return refused.offer


def test_an_offer_to_a_person_is_taken_off_whatever_they_order_at_the_shop(world: World) -> None:
    make_settings(world.shop, fixed_fee=D("1.20"))
    world.order(total="107.00", shipping_total="7.00")
    anna = make_contact(world.shop, email="anna@mail.pl")
    make_product(world.source, ref="5", price=D(50), cost=D(35))  # 10 % leave it 20 % of its price
    offer = promise_to(world, anna)
    asked = offer.state
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert (asked, fresh(offer).state, offer.new_total) == ("asked", "granted", None)
    told = (
        coupon["discount_type"],
        coupon["usage_limit"],
        coupon["product_ids"],
        coupon["email_restrictions"],
    )
    assert told == ("percent", 1, [], ["anna@mail.pl"])
    assert D(coupon["minimum_amount"]) == D(
        "6.03"
    )  # a fee of 1.20 and half a coin, of which goods earn a fifth

    order = place_with_code(world, offer, billing=address(anna))
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    world.pay(order)
    confirm_paid(world.learn(int(order.ref)), now=NOW)

    assert (world.total(order), fresh(offer).state) == (D(90), "redeemed")


def test_what_a_budget_set_aside_for_a_person_stays_so_until_the_code_is_over(world: World) -> None:
    world.order(total="200.00", shipping_total="0.00")
    anna = make_contact(world.shop, email="anna@mail.pl")
    budget = BudgetLimit(D(50), "EUR", Period.EVER)
    offer = promise_to(world, anna, budget=budget, budget_key="process:1:n1")
    kept = [offer.expected]
    world.work()
    kept.append(fresh(offer).expected)
    end_offers([offer.pk], "expired", "expired", now=NOW)

    assert (fresh(offer).state, kept) == ("expired", [D(20), D(20)])
    assert Budget.objects.get().spent == 0


def test_an_offer_to_a_person_is_off_their_unpaid_order_when_it_ends(world: World) -> None:
    anna = make_contact(world.shop, email="anna@mail.pl")
    offer = promise_to(world, anna)
    world.work()
    order = place_with_code(world, offer, billing=address(anna))
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)
    world.work()

    assert (world.total(order), world.woo.coupons, fresh(offer).state) == (D(100), {}, "expired")


def test_an_offer_to_a_person_is_used_once_here_or_there(world: World) -> None:
    anna = make_contact(world.shop, email="anna@mail.pl")
    here = make_source(world.shop)
    offer = promise_to(world, anna)
    world.work()
    ours = make_order(world.shop, source=here, contact=anna, total="100.00", currency="EUR")
    applied = find_applied(ours, now=NOW)
    assert applied is not None
    redeem(ours, applied, now=NOW)
    Order.objects.filter(pk=ours.pk).update(
        discount_given=applied.discount, payment_state="paid", paid_at=NOW
    )
    ours.refresh_from_db()
    confirm_paid(ours, now=NOW)

    due = fresh(offer).remote_next_at
    assert due is not None
    assert (offer.state, due - real_now() < PAUSE) == ("redeemed", True)
    assert (world.work(), world.woo.coupons) == (1, {})


def test_who_pays_here_when_an_offer_to_a_person_ends_may_finish(world: World) -> None:
    anna = make_contact(world.shop, email="anna@mail.pl")
    offer = promise_to(world, anna)
    world.work()
    strange = world.order()
    ours = make_order(
        world.shop,
        source=make_source(world.shop),
        contact=anna,
        ref=strange.ref,  # of our counting, and by chance one of the shop's, too
        total="100.00",
        currency="EUR",
    )
    applied = find_applied(ours, now=NOW)
    assert applied is not None
    redeem(ours, applied, now=NOW)
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)
    world.work()

    assert (fresh(offer).state, world.woo.coupons) == ("expired", {})
    assert Redemption.objects.filter(offer=offer, order=ours, freed_at=None).exists()


@pytest.mark.parametrize("trouble", ["coupons are off", "the shop is down"])
def test_what_the_shop_does_not_make_for_a_person_still_counts_here(world: World, trouble: str) -> None:
    anna = make_contact(world.shop, email="anna@mail.pl")
    make_source(world.shop)
    offer = promise_to(world, anna)
    asked = offer.state
    if trouble == "coupons are off":
        world.woo.takes_coupons = False
    else:
        world.woo.fault = "down"
        world.work()
        set_clock(NOW + 11 * HOUR)
    world.work()

    assert (asked, fresh(offer).state, offer.reason, offer.remote_next_at) == ("asked", "granted", "", None)
    assert world.woo.coupons == {}


PERSONS: dict[str, tuple[Terms, dict[str, Any], str]] = {
    "the cheapest goods do not carry it": (TEN, {"cost": D(46)}, "floor"),
    "free delivery": (Terms(Kind.DELIVERY), {}, "origin"),
    "goods of unknown cost": (TEN, {"cost": None}, "no_cost"),
    "no address": (TEN, {"email": ""}, "no_email"),
}


@pytest.mark.parametrize("case", PERSONS)
def test_a_person_gets_no_code_that_the_floor_may_not_hold(world: World, case: str) -> None:
    terms, values, reason = PERSONS[case]
    make_settings(world.shop, default_cost=None if reason == "no_cost" else D(40))
    make_product(world.source, ref="5", price=D(50), cost=values.get("cost", D(20)))
    anna = make_contact(world.shop, email=values.get("email", "anna@mail.pl"), phone="+48601000009")

    offer = promise_to(world, anna, terms)

    assert (offer.state, offer.reason, world.work()) == ("refused", reason, 0)


def test_where_the_shop_cannot_hold_it_our_own_page_takes_it_off(world: World) -> None:
    make_product(world.source, ref="5", price=D(50), cost=D(46))
    make_source(world.shop)

    offer = promise_to(world, make_contact(world.shop, email="anna@mail.pl"))

    assert (offer.state, offer.maker, world.work()) == ("granted", None, 0)


def advance() -> None:
    """Let processes and news go on as far as they can without the shop."""
    while outbox.dispatch() or Engine().run_once():
        pass


def test_who_waits_goes_on_once_the_coupon_stands_and_by_the_other_way_without_it(world: World) -> None:
    nodes = {
        "n1": {"t": "offer", "percent": 10, "valid": "P2D", "out": {"granted": "n2", "refused": "n3"}},
        "n2": {"t": "tag", "add": ["offered"], "out": {"next": "n4"}},
        "n3": {"t": "tag", "add": ["not offered"], "out": {"next": "n4"}},
        "n4": {"t": "end"},
    }
    make_process(world.shop, nodes=nodes, goals=[])
    orders = [world.order(billing={"first_name": "A", "email": f"a{n}@mail.pl"}) for n in (1, 2)]
    Order.objects.update(status="unpaid")
    enrol_cases([opened(make_case(Order.objects.get(pk=order.pk))) for order in orders])
    advance()
    assert list(Offer.objects.values_list("state", flat=True)) == ["asked", "asked"]
    assert not StepLog.objects.filter(outcome=Code.TAGGED).exists()

    world.pay(orders[1])  # nobody has told us
    world.work()
    advance()

    ways = []
    for offer in Offer.objects.order_by("order_id"):
        lines = StepLog.objects.filter(enrolment_id=offer.enrolment_id or 0).order_by("step_no")
        ways.append((offer.state, lines.values_list("outcome", flat=True)[0]))
    assert ways == [("granted", Code.OFFER_GRANTED), ("refused", Code.OFFER_UNFIT)]


def test_a_shop_without_coupons_leads_on_by_the_other_way(world: World) -> None:
    nodes = {
        "n1": {"t": "offer", "percent": 10, "valid": "P2D", "out": {"granted": "n2", "refused": "n3"}},
        "n2": {"t": "tag", "add": ["offered"], "out": {"next": "n3"}},
        "n3": {"t": "end"},
    }
    make_process(world.shop, nodes=nodes, goals=[])
    order = world.order()
    Order.objects.update(status="unpaid")
    enrol_cases([opened(make_case(Order.objects.get(pk=order.pk)))])
    advance()
    world.woo.takes_coupons = False
    world.work()
    advance()

    lines = StepLog.objects.order_by("step_no").values_list("outcome", flat=True)
    assert list(lines) == [Code.FAILED_COUPON, Code.COMPLETED]
