"""A shop on WooCommerce that takes its payments itself, in miniature, with orders and carts that we know of."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from recoup.config.worker import record_told
from recoup.core.clock import real_now
from recoup.core.models import AttentionItem
from recoup.customers.models import Contact
from recoup.integrations.woocommerce.adapter import WooCommerce
from recoup.offers.budgets import period_start, spent
from recoup.offers.codes import shown
from recoup.offers.granting import Wish, grant_offers
from recoup.offers.making import call_shops
from recoup.offers.models import Offer
from recoup.offers.terms import BudgetLimit, Period, Terms
from recoup.orders.models import Cart, Order
from recoup.payments.actions import apply_order_snapshot
from recoup.shops.models import Shop as OurShop
from recoup.shops.models import Source
from tests.factories.moments import DAY, NOW
from tests.factories.offers import TEN
from tests.factories.orders import make_cart
from tests.factories.shops import make_source
from tests.integrations.woocommerce.coupon_desk import put_order
from tests.integrations.woocommerce.shop import KEY, SECRET, Shop

D = Decimal
BUDGET = BudgetLimit(D("1000.00"), "EUR", Period.EVER)
SECOND = timedelta(seconds=1)


@dataclass
class BusyShop(Shop):
    """The shop in miniature, in which a second passes with every call."""

    calls: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Answer a second later."""
        self.now += SECOND
        if method != "GET":
            self.calls.append(f"{method} {path.removeprefix('/wp-json/wc/v3/')}")
        return super().answer(method, path, query, body)


@dataclass
class World:
    """One shop: theirs and ours."""

    woo: BusyShop
    shop: OurShop
    source: Source

    def order(self, *, lines: list[dict[str, Any]] | None = None, **values: Any) -> Order:
        """Return an unpaid order over 100.00 that we know of as the shop told it."""
        number = 100 + len(self.woo.orders)
        one = {
            "id": 1,
            "product_id": 5,
            "name": "Cream",
            "quantity": 1,
            "total": "100.00",
            "total_tax": "0.00",
        }
        self.woo.add_order(number, **{"total": "100.00", "line_items": lines or [one], **values})
        return self.learn(number)

    def learn(self, number: int) -> Order:
        """Take in an order as the shop tells it now."""
        told = WooCommerce().ask(self.source, str(number))
        assert told is not None
        return apply_order_snapshot(self.source, told, now=NOW)

    def cart(self, **values: Any) -> Cart:
        """Return a cart that a plugin of the same shop told us about: two creams and a soap."""
        source = make_source(self.shop, base_url=self.woo.url)
        lines = [
            {"name": "Cream", "product_ref": "5", "quantity": "2", "unit_price": "30.00", "total": "60.00"},
            {"name": "Soap", "product_ref": "6", "quantity": "1", "unit_price": "40.00", "total": "40.00"},
        ]
        return make_cart(
            self.shop,
            **{
                "source": source,
                "url": f"{self.woo.url}/cart",
                "total": "100.00",
                "lines": lines,
                "product_refs": ["5", "6"],
                **values,
            },
        )

    def theirs(self, order: Order) -> dict[str, Any]:
        """Return an order as the shop has it."""
        return self.woo.orders[int(order.ref)]

    def total(self, order: Order) -> Decimal:
        """Return what the shop charges for an order."""
        return Decimal(self.theirs(order)["total"])

    def pay(self, order: Order) -> None:
        """Let the buyer pay at the shop; nobody has told us yet."""
        paid_at = self.woo.now.strftime("%Y-%m-%dT%H:%M:%S")
        self.woo.now += SECOND
        self.woo.change_order(int(order.ref), status="processing", date_paid_gmt=paid_at)

    def work(self, *, rounds: int = 1) -> int:
        """Let the loop do what is due, or would be later."""
        done = 0
        for _ in range(rounds):
            Offer.objects.filter(remote_next_at__isnull=False).update(remote_next_at=real_now())
            done += call_shops(record_told)
        return done


def connect(woo: BusyShop, shop: OurShop) -> World:
    """Connect the shop with its keys."""
    keys = json.dumps({"consumer_key": KEY, "consumer_secret": SECRET})
    source = make_source(shop, kind="woocommerce", base_url=woo.url, credentials=keys)
    return World(woo, shop, source)


def address(contact: Contact | None) -> dict[str, str]:
    """Return the billing data of the person of an order or a cart, who is known."""
    assert contact is not None
    return {"first_name": contact.name, "email": contact.email}


def ask_for(subject: Order | Cart, terms: Terms = TEN, **values: Any) -> Offer:
    """Let a step wish for an offer."""
    is_order = isinstance(subject, Order)
    wish = Wish(
        subject.shop_id,
        subject.contact_id or 0,
        terms,
        NOW + 2 * DAY,
        order_id=subject.pk if is_order else None,
        cart_id=None if is_order else subject.pk,
        budget=BUDGET,
        budget_key="k",
        enrolment_id=7,
        step_no=3,
    )
    (offer,) = grant_offers([replace(wish, **values)], now=NOW)
    return offer


def fresh(offer: Offer) -> Offer:
    offer.refresh_from_db()
    return offer


def cost(world: World) -> Decimal:
    return spent(world.shop, "k", "EUR", start=period_start(Period.EVER, world.shop, NOW))


def asked_about(kind: str) -> list[int | None]:
    return list(AttentionItem.objects.filter(kind=kind).values_list("subject_id", flat=True))


def place_with_code(world: World, offer: Offer, **values: Any) -> Order:
    """Place an order at the shop's checkout with the code of an offer."""
    row = world.theirs(world.order(**values))
    put_order(world.woo, row, {"coupon_lines": [{"code": shown(offer.code)}]})
    world.woo.now += timedelta(seconds=1)
    return world.learn(row["id"])
