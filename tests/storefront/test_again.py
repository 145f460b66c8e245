"""An order that no link can pay: the same goods ordered again, at the shop or here, and the phone last (C2, C3)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from structlog.testing import capture_logs

from recoup.core import links
from recoup.core.clock import trade_now
from recoup.core.models import Activity
from recoup.integrations.demobank.adapter import DemoBank
from recoup.integrations.woocommerce.adapter import WooCommerce
from recoup.orders.events import OrderPlaced
from recoup.orders.models import Order, OrderLine
from recoup.payments.events import PaymentReceived
from recoup.payments.ports import OperatorUnavailable
from recoup.recovery import handlers
from recoup.recovery.detection import Counts, open_due_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop, Source
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import HOUR, NOW
from tests.factories.operators import make_operator_account
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.factories.shops import make_source
from tests.integrations.woocommerce.shop import KEY, SECRET, serving
from tests.integrations.woocommerce.shop import Shop as WooShop
from tests.storefront.conftest import MakeLink

BUTTON = "Order the same again at the shop"
AGAIN = {"again": "1"}
VERB = "storefront.order.led_to_buy_again"


@pytest.fixture
def woo(settings: Settings) -> Iterator[WooShop]:
    """Return a WooCommerce shop in miniature, answering on this machine."""
    settings.IS_TEST = True
    with serving(WooShop(now=NOW)) as running_shop:
        yield running_shop


@pytest.fixture
def source(shop: Shop, woo: WooShop) -> Source:
    """Return it as a source, which takes its payments itself."""
    keys = json.dumps({"consumer_key": KEY, "consumer_secret": SECRET})
    return make_source(shop, kind="woocommerce", base_url=woo.url, credentials=keys)


@pytest.fixture
def order(shop: Shop, source: Source) -> Order:
    """Return an order of two goods that came without a pay link."""
    contact = make_contact(shop, name="Anna Nowak", email="anna@mail.pl", phone="+48600100200")
    return make_order(shop, source=source, contact=contact, products=["5", "6"], total="100.00")


def history(order: Order) -> list[str]:
    """Return where the order's history says that its buyer was led."""
    found = Activity.objects.filter(subject_kind="order", subject_id=order.pk, verb=VERB)
    return [line.details["where"] for line in found]


@pytest.mark.parametrize("pay_url", ["", "https://evil.example/pay"])
def test_the_shop_fills_its_checkout_with_the_same_goods(
    order: Order, woo: WooShop, link: MakeLink, buyer: Client, pay_url: str
) -> None:
    Order.objects.filter(pk=order.pk).update(pay_url=pay_url)
    OrderLine.objects.filter(order=order, product_ref="6").update(variant_ref="61", quantity=Decimal(3))
    path = link("pay", order)

    shown = buyer.get(path)
    before = history(order)
    pressed = buyer.post(path, AGAIN)

    body = shown.content.decode()
    assert (BUTTON in body, "checkout-link" in body, "evil" in body, "<script" in body) == (
        True,
        False,
        False,
        False,
    )
    assert f"form-action 'self' {woo.url}" in shown.headers["Content-Security-Policy"]
    assert (pressed.status_code, pressed.headers["Location"]) == (
        303,
        f"{woo.url}/checkout-link/?products=5:1,61:3",
    )
    assert (before, history(order)) == ([], ["shop"])


def test_whoever_has_the_link_learns_nothing_of_the_buyer_and_the_log_neither(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    with capture_logs() as logs:
        told = buyer.get(path).content.decode() + buyer.post(path, AGAIN).headers["Location"] + str(logs)

    assert [secret for secret in ("Anna", "Nowak", "anna@", "600100200") if secret in told] == []
    assert [line["event"] for line in logs if line["event"].startswith("storefront.pay.")] == [
        "storefront.pay.no_way",
        "storefront.pay.ordered_again",
    ]


def test_the_history_says_it_once_a_day_however_often_one_goes(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    for path in (link("pay", order), link("pay", order)):
        buyer.get(path)
        assert [buyer.post(path, AGAIN).status_code for _ in range(2)] == [303, 303]

    assert history(order) == ["shop"]


def test_what_is_sold_out_is_shown_and_left_out_of_the_link(
    order: Order, source: Source, woo: WooShop, link: MakeLink, buyer: Client
) -> None:
    make_product(source, ref="5", price=Decimal("55.00"))
    make_product(source, ref="6", is_available=False)
    path = link("pay", order)
    body = buyer.get(path).content.decode()

    wanted = ("Something has changed since you ordered", "Sold out; not in the sum", "Dearer: €55.00", BUTTON)
    assert [part for part in wanted if part not in body] == []
    assert buyer.post(path, AGAIN).headers["Location"] == f"{woo.url}/checkout-link/?products=5:1"


def test_wishes_that_no_link_can_say_are_named(order: Order, link: MakeLink, buyer: Client) -> None:
    wish = "has to be told there again"
    before = buyer.get(link("pay", order)).content.decode()
    OrderLine.objects.filter(order=order, product_ref="5").update(options={"Engraving": "For Jan"})
    after = buyer.get(link("pay", order)).content.decode()

    assert (wish in before, wish in after, BUTTON in after) == (False, True, True)


def nothing_left(order: Order, woo: WooShop) -> None:
    """Let everything be sold out."""
    for ref in ("5", "6"):
        make_product(order.source, ref=ref, stock=Decimal(0))


def older(order: Order, woo: WooShop) -> None:
    """Let the shop know no such link."""
    woo.version = "9.4.1"


def down(order: Order, woo: WooShop) -> None:
    """Let the shop not answer."""
    woo.fault = "down"


def unknown_goods(order: Order, woo: WooShop) -> None:
    """Let a line have no id."""
    OrderLine.objects.filter(order=order, product_ref="6").update(product_ref="")


def part_paid(order: Order, woo: WooShop) -> None:
    """Let a part be paid."""
    Order.objects.filter(pk=order.pk).update(payment_state="partly_paid", captured=Decimal(40))


def other_shop(order: Order, woo: WooShop) -> None:
    """Let the source be one whose carts no link fills."""
    Source.objects.filter(pk=order.source_id).update(kind="generic")


def awaited(order: Order, woo: WooShop) -> None:
    """Let the shop await a transfer: ordering again would be ordering twice."""
    Order.objects.filter(pk=order.pk).update(payment_state="on_hold", method_title="Transfer")


NOWHERE: list[Any] = [awaited, nothing_left, older, down, unknown_goods, part_paid, other_shop]


@pytest.mark.parametrize("case", NOWHERE)
def test_where_neither_works_the_phone_is_left(
    order: Order, woo: WooShop, link: MakeLink, buyer: Client, case: Any
) -> None:
    case(order, woo)
    path = link("pay", order)
    body, pressed = buyer.get(path).content.decode(), buyer.post(path, AGAIN)

    assert ("Please call +48 22 100 20 30" in body, "Order the same again" in body) == (True, False)
    assert ("Nothing of it is left" in body) == (case is nothing_left)
    assert ("awaits your payment in the way that you chose: Transfer." in body) == (case is awaited)
    assert (pressed.status_code, "Location" in pressed.headers, history(order)) == (409, False, [])


@pytest.mark.parametrize(
    "address", ["https://evil.example/checkout-link/?products=5:1", "javascript:alert(1)"]
)
def test_a_link_to_another_address_than_the_shops_own_leads_nowhere(
    order: Order, link: MakeLink, buyer: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(WooCommerce, "cart_link", lambda *_asked: address)
    path = link("pay", order)
    shown, pressed = buyer.get(path), buyer.post(path, AGAIN)

    assert (BUTTON in shown.content.decode(), pressed.status_code, "Location" in pressed.headers) == (
        False,
        409,
        False,
    )
    assert "evil" not in shown.headers["Content-Security-Policy"]


def test_an_order_that_can_be_placed_here_leads_to_its_filled_cart(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    make_operator_account(shop)
    order = make_order(shop, contact=make_contact(shop), pay_url="https://elsewhere.example/pay")
    path = link("pay", order)
    body, pressed = buyer.get(path).content.decode(), buyer.post(path, AGAIN)
    address = pressed.headers["Location"]
    minted = links.resolve("cart", address.removeprefix("/cart/"), now=trade_now())

    assert ("Order the same again<" in body, BUTTON in body) == (True, False)
    assert (pressed.status_code, minted.subject_kind, minted.subject_id) == (303, "order", order.pk)
    assert "Order and pay €149.00" in buyer.get(address).content.decode()
    assert (history(order), Order.objects.count()) == (["here"], 1)


@pytest.mark.parametrize(
    "values", [{"payment_state": "on_hold"}, {"payment_state": "partly_paid", "captured": Decimal(40)}]
)
def test_no_cart_orders_twice_what_is_awaited_or_paid_in_part(
    shop: Shop, link: MakeLink, buyer: Client, values: dict[str, Any]
) -> None:
    make_operator_account(shop)
    anna, source = make_contact(shop), make_source(shop)
    order = make_order(
        shop, source=source, contact=anna, pay_url="https://elsewhere.example/pay", cart_ref="k1", **values
    )
    cart = make_cart(shop, source=source, contact=anna, ref="k1", state="converted", order_ref=order.ref)
    form = {"terms": "1", "total": "99.00", "terms_version": shop.terms_version}
    for path in (link("cart", order), link("cart", cart)):
        body = buyer.get(path).content.decode()
        assert ("Please call" in body, "awaits your payment" in body) == (True, "captured" not in values)
        assert buyer.post(path, form | {"total": str(order.total)}).status_code == 409
        assert buyer.post(path, form).status_code == 409

    assert Order.objects.count() == 1


@pytest.mark.parametrize("is_same_person", [True, False])
def test_an_order_of_which_a_part_came_is_not_dropped_for_what_was_placed_instead(
    reminded: Order, is_same_person: bool
) -> None:
    Order.objects.filter(pk=reminded.pk).update(payment_state="partly_paid", captured=Decimal(40))
    placed = make_order(
        reminded.shop,
        source=make_source(reminded.shop, kind="own"),
        contact=reminded.contact if is_same_person else make_contact(reminded.shop),
        replaces=reminded,
        total="158.99",
        placed_at=NOW,
    )

    handlers.make_way_for_orders([OrderPlaced(reminded.shop_id, placed.pk, NOW)])

    reminded.refresh_from_db()
    assert reminded.status == "unpaid"


def test_a_page_that_can_be_paid_orders_nothing_again(shop: Shop, link: MakeLink, buyer: Client) -> None:
    make_operator_account(shop)
    order = make_order(shop)

    assert buyer.post(link("pay", order), AGAIN).status_code == 409
    assert history(order) == []


def test_while_no_operator_answers_the_page_says_to_try_again_soon(
    shop: Shop, link: MakeLink, buyer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_operator_account(shop)
    path = link("pay", make_order(shop))
    told = DemoBank.abilities

    def fail(self: DemoBank, asked: Any) -> Any:
        if asked.pk == account.pk:
            raise OperatorUnavailable
        return replace(told(self, asked), methods=("card",))

    monkeypatch.setattr(DemoBank, "abilities", fail)
    silent, pressed = buyer.get(path).content.decode(), buyer.post(path, {"way": f"{account.pk}-card"})
    make_operator_account(shop, options={"most": {"EUR": "100.00"}})
    still = buyer.get(path).content.decode()
    make_operator_account(shop)
    other = buyer.get(path).content.decode()

    assert [text in silent for text in ("cannot be paid at the moment", "by a link", f'href="{path}"')] == [
        True,
        False,
        True,
    ]
    assert pressed.status_code == 409
    assert ("cannot be paid at the moment" in still, "Pay €149.00" in other) == (True, True)


def test_nothing_is_placed_anew_while_no_operator_answers(
    shop: Shop, link: MakeLink, buyer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_asked: Any) -> Any:
        raise OperatorUnavailable

    make_operator_account(shop)
    source = make_source(shop)
    order = make_order(
        shop, source=source, contact=make_contact(shop), pay_url="https://elsewhere.example/pay"
    )
    cart = make_cart(shop, source=source, contact=make_contact(shop))
    monkeypatch.setattr(DemoBank, "abilities", fail)
    paths = [link("pay", order), link("cart", order), link("cart", cart)]
    bodies = [buyer.get(path).content.decode() for path in paths]
    form = {"terms": "1", "total": str(cart.total), "terms_version": shop.terms_version}
    pressed = [buyer.post(paths[0], AGAIN), *(buyer.post(path, form) for path in paths[1:])]

    assert ["at the moment" in body and "Please call" not in body for body in bodies] == [True] * 3
    assert [answer.status_code for answer in pressed] == [409] * 3
    assert (history(order), Order.objects.count()) == ([], 1)


@pytest.fixture
def reminded(shop: Shop) -> Order:
    """Return an order that no link can pay, whose goods have become dearer, and of which its buyer was reminded."""
    source = make_source(shop)
    make_operator_account(shop)
    make_product(source, ref="cream", price=Decimal("158.99"))
    order = make_order(
        shop,
        source=source,
        total="148.99",
        pay_url="https://elsewhere.example/pay",
        status="unpaid",
        unpaid_at=NOW - 3 * HOUR,
        check_at=None,
    )
    case = make_case(order, opened_at=NOW - 3 * HOUR)
    make_message(order, case_id=case.pk, state="sent", handed_at=NOW - 2 * HOUR)
    return order


def order_again(order: Order, link: MakeLink, buyer: Client) -> Order:
    """Order the same by the link of an order, and let everybody hear of it."""
    set_clock(NOW)
    agreed = {"terms": "1", "total": "158.99", "terms_version": "1"}
    assert buyer.post(link("cart", order), agreed).status_code == 303
    placed = Order.objects.get(origin="recovery", replaces=order)
    handlers.make_way_for_orders([OrderPlaced(order.shop_id, placed.pk, NOW)])
    order.refresh_from_db()
    return placed


def pay_all(order: Order) -> None:
    """Pay an order, and let everybody hear of it."""
    Order.objects.filter(pk=order.pk).update(
        payment_state="paid", status="completed", paid_at=NOW + HOUR, captured=order.total, check_at=None
    )
    handlers.close_paid([PaymentReceived(order.shop_id, order.pk, NOW + HOUR, NOW + HOUR)])


def test_what_is_ordered_again_takes_the_place_of_the_order_and_its_payment_is_credited_to_the_reminder(
    reminded: Order, link: MakeLink, buyer: Client
) -> None:
    placed = order_again(reminded, link, buyer)
    assert (reminded.status, reminded.duplicate_of_id) == ("false", placed.pk)

    pay_all(placed)
    pay_all(placed)

    case = RecoveryCase.objects.get()
    assert (case.order_id, case.paid_order_id, case.outcome) == (reminded.pk, placed.pk, "recovered")
    assert case.recovered_amount == Decimal("158.99")
    assert case.credited_message_id is not None
    assert "You have bought this already" in buyer.get(link("cart", reminded)).content.decode()


def test_the_link_of_an_order_that_was_ordered_again_leads_to_the_payment_of_the_newer_one(
    reminded: Order, link: MakeLink, buyer: Client
) -> None:
    placed = order_again(reminded, link, buyer)

    shown, pressed = buyer.get(link("pay", reminded)), buyer.post(link("pay", reminded), AGAIN)

    assert "Pay the newer order" in shown.content.decode()
    token = pressed.headers["Location"].removeprefix("/pay/")
    assert links.resolve("pay", token, now=trade_now()).subject_id == placed.pk
    pay_all(placed)
    assert "<button" not in buyer.get(link("pay", reminded)).content.decode()


def test_an_order_that_somebody_holds_is_closed_once_what_was_ordered_again_is_paid(
    reminded: Order, link: MakeLink, buyer: Client
) -> None:
    Order.objects.filter(pk=reminded.pk).update(paused_at=NOW)
    placed = order_again(reminded, link, buyer)
    assert reminded.status == "unpaid"
    # As one that is made out to another address: somebody else to us.
    Order.objects.filter(pk=placed.pk).update(contact=make_contact(reminded.shop))

    pay_all(placed)

    reminded.refresh_from_db()
    assert (reminded.status, reminded.superseded_by_id) == ("cancelled", placed.pk)
    assert RecoveryCase.objects.get().outcome == "recovered"


def test_reminders_of_the_newer_order_take_the_credit_only_if_there_were_any(
    reminded: Order, link: MakeLink, buyer: Client
) -> None:
    placed = order_again(reminded, link, buyer)
    own = make_case(placed)

    pay_all(placed)
    assert list(RecoveryCase.objects.order_by("id").values_list("outcome", flat=True)) == [
        "recovered",
        "paid_unaided",
    ]

    RecoveryCase.objects.filter(order=reminded).update(outcome="duplicate", recovered_amount=None)
    make_message(placed, case_id=own.pk, state="sent", handed_at=NOW)
    pay_all(placed)
    assert list(RecoveryCase.objects.order_by("id").values_list("outcome", flat=True)) == [
        "duplicate",
        "recovered",
    ]


def test_the_sweep_and_the_last_look_know_what_was_placed_instead(shop: Shop) -> None:
    anna = make_contact(shop)
    first, second = (make_order(shop, contact=anna, products=(ref,)) for ref in ("5", "6"))
    own = make_source(shop, kind="own")
    again = {"contact": anna, "source": own, "total": "158.99", "placed_at": NOW - HOUR}
    make_order(shop, replaces=first, products=("5",), **again)
    make_order(shop, replaces=second, products=("6",), paid_at=NOW, **again)

    assert open_due_cases(now=NOW) == Counts(looked=2, duplicates=1, superseded=1)
