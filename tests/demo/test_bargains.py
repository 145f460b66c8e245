"""Offers in the demo's past."""

from decimal import Decimal

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import SYSTEM
from recoup.demo import bargains
from recoup.demo.groups import keep_segments
from recoup.demo.stage import Stage
from recoup.offers.models import Offer
from recoup.processes.examples import run_examples
from recoup.processes.graph.validation import load_process
from recoup.processes.models import Process
from recoup.segments.models import Segment
from recoup.shops.actions import NewShop
from recoup.web.setup import found_shop
from tests.factories.clock import set_clock
from tests.factories.moments import HOUR, NOW
from tests.factories.offers import TEN, make_offer, make_settings
from tests.factories.operators import make_operator_account
from tests.factories.orders import make_order
from tests.factories.shops import make_shop, make_source
from tests.web.world import make_person

D = Decimal
pytestmark = pytest.mark.django_db


def test_a_buyer_of_the_past_pays_with_the_offer_that_was_made_to_them() -> None:
    set_clock(NOW)
    with scopes_disabled():
        shop = make_shop()
        make_settings(shop)
        scenery = Stage(shop, make_source(shop), make_operator_account(shop))
        order = make_order(shop, source=scenery.source, total="100.00")
        plain = bargains.pay_with_offer(scenery, order, NOW, message_id=0)
        offer = make_offer(order, TEN)
        paid = bargains.pay_with_offer(scenery, order, NOW + HOUR, message_id=0)
        while outbox.dispatch():
            pass
        order.refresh_from_db()
        offer.refresh_from_db()

    assert (plain, paid) == (False, True)
    assert (order.payment_state, order.captured, order.discount_given) == ("paid", D(90), D(10))
    assert offer.state == Offer.State.REDEEMED


def test_large_orders_go_through_the_process_with_a_discount_and_the_others_as_before() -> None:
    shop = found_shop(
        NewShop(name="Own", currency="PLN", locale="pl", time_zone="Europe/Warsaw", email="a@own.example"),
        owner=make_person("owner@own.example"),
        now=NOW,
    )
    with scopes_disabled():
        bargains.begin_offers(shop, holdout_bp=3000, now=NOW)
        found = (
            Process.objects.filter(shop=shop).exclude(key="abandoned_cart").select_related("current_version")
        )
        entries = {
            one.name: one.current_version.doc["entry"]["if"]["all"][1] for one in found if one.current_version
        }
        live = list(found.filter(status="live").values_list("name", flat=True))

    assert {name: (entry["op"], entry["v"]) for name, entry in entries.items()} == {
        "Unpaid order": ("<", 250), "Unpaid order with a discount": (">=", 250),
    }  # fmt: skip
    assert live == ["Unpaid order with a discount"]


def test_the_segments_of_the_demo_hold_and_are_counted() -> None:
    with scopes_disabled():
        shop = make_shop()
        make_order(shop, total="250.00", status="unpaid")
        make_order(shop, total="20.00", status="unpaid")
        keep_segments(shop, actor=SYSTEM, now=NOW)

        assert list(Segment.objects.order_by("id").values_list("about", "rows")) == [(3, 0), (1, 1), (2, 0)]


@pytest.mark.parametrize(("key", "op"), [("unpaid_order", "<"), (bargains.READY, ">=")])
def test_the_examples_hold_of_the_processes_that_the_demo_changes(key: str, op: str) -> None:
    ran = run_examples(load_process(bargains._with_sum(key, op)))

    assert [one.holds for one in ran] == [True] * len(ran)
