"""The filled cart: goods as they are today, a masked person, terms ticked anew (C3-C7, C11; T56, T57)."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recoup.catalog.models import Product
from recoup.core import links
from recoup.core.clock import trade_now
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop, Source
from tests.factories.messages import make_message
from tests.factories.moments import NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source
from tests.storefront.conftest import MakeLink
from tests.support.bank import TestBank


@pytest.fixture
def source(shop: Shop) -> Source:
    """Return a connected shop at candles.example."""
    return make_source(shop, base_url="https://candles.example")


def line(ref: str, *, price: str = "20.00", quantity: Any = "1", **values: Any) -> dict[str, Any]:
    """Return a line as intake keeps it."""
    total = Decimal(price) * Decimal(str(quantity)) if str(quantity).replace(".", "").isdigit() else price
    return {
        "product_ref": ref,
        "name": ref.capitalize(),
        "quantity": quantity,
        "unit_price": price,
        "total": str(total),
        **values,
    }


def make_product(source: Source, ref: str, **values: Any) -> Product:
    """Make a product of 20.00 that there is plenty of."""
    product = Product(
        **{
            "shop_id": source.shop_id,
            "source": source,
            "ref": ref,
            "name": ref.capitalize(),
            "price": Decimal("20.00"),
            "currency": "EUR",
            "version_at": NOW,
            **values,
        }
    )
    product.save(force_insert=True)
    return product


def sum_of(body: str) -> str:
    """Return the sum at the head of a page."""
    _, _, rest = body.partition('class="sum-value">')
    return re.sub("<[^>]*>", "", rest.partition("</p>")[0])


def anna(shop: Shop) -> Any:
    """Return a buyer with everything that must not be seen."""
    return make_contact(
        shop, name="Anna Kowalska", email="anna@mail.pl", phone="+48600100200", company="Anna s.c."
    )


SECRETS = ("Anna", "Kowalska", "anna@mail.pl", "600100200", "Anna s.c.")


# What has changed


def test_each_line_says_what_has_changed(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    make_product(source, "same")
    make_product(source, "dearer", price=Decimal("25.00"))
    make_product(source, "cheaper", price=Decimal("15.00"))
    make_product(source, "gone", is_available=False)
    make_product(source, "deleted", is_deleted=True)
    make_product(source, "fewer", stock=Decimal(2))
    wanted = ["same", "dearer", "cheaper", "gone", "deleted", "unheard"]
    cart = make_cart(
        shop,
        source=source,
        lines=[*[line(ref) for ref in wanted], line("fewer", quantity="5")],
        total=Decimal(220),
    )

    body = buyer.get(link("cart", cart)).content.decode()

    assert "€120.00" in body  # 20 + 25 + 15 + 20 + 2 x 20
    assert "When you left it, it came to €220.00." in body
    assert body.count("Sold out; not in the sum") == 2
    assert body.count('class="is-gone"') == 2
    assert "Dearer: €25.00 a piece, it was €20.00" in body
    assert "Cheaper: €15.00 a piece, it was €20.00" in body
    assert "Only 2 left of the 5 you wanted" in body


def test_a_cart_with_nothing_left_says_so(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    make_product(source, "gone", stock=Decimal(0))
    path = link("cart", make_cart(shop, source=source, lines=[line("gone")]))

    body = buyer.get(path).content.decode()

    assert "Nothing of it is left" in body
    assert "Gone" in body
    assert "<form" not in body
    assert buyer.post(path, {"terms": "1", "total": "0"}).status_code == 409


@pytest.mark.parametrize("quantity", ["-1", "0", "1000000000", "", "many", None, "NaN", "Infinity"])
def test_a_line_that_nobody_can_buy_is_dropped_and_said(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client, quantity: Any
) -> None:
    bank.account(shop)
    bad = {**line("bad"), "quantity": quantity}
    cart = make_cart(shop, source=source, lines=[line("good"), bad, "no line", {"name": ""}])

    body = buyer.get(link("cart", cart)).content.decode()

    assert "Good" in body
    assert "Bad" not in body
    assert "Some lines could not be read and were left out." in body
    assert "Order and pay €20.00" in body


def test_a_cart_shows_two_hundred_lines_at_most(
    shop: Shop, source: Source, link: MakeLink, buyer: Client
) -> None:
    cart = make_cart(shop, source=source, lines=[line(f"p{number}") for number in range(10_000)])

    body = buyer.get(link("cart", cart)).content.decode()

    assert body.count('class="name"') == 200
    assert "Some lines could not be read and were left out." in body


@pytest.mark.parametrize("quantity", ["-1", "0", "1000000000", "1.5"])
def test_nothing_in_the_address_or_the_form_changes_the_goods_or_prices(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client, quantity: str
) -> None:
    bank.account(shop)
    path = link("cart", make_cart(shop, source=source, lines=[line("cream")]))
    odd = {
        "qty": quantity,
        "quantity": quantity,
        "price": "1",
        "unit_price": "1",
        "product": "other",
        "lines": "[]",
    }

    assert buyer.get(path, odd).content == buyer.get(path).content
    form = {"terms": "1", "total": "20.00", "terms_version": "1"}
    assert buyer.post(path, {**odd, **form}).status_code == 422
    assert not Order.objects.filter(origin="recovery").exists()
    buyer.post(path, form)

    placed = Order.objects.get(origin="recovery")
    assert (placed.total, [(o.name, o.quantity) for o in placed.lines.all()]) == (
        Decimal("20.00"),
        [("Cream", Decimal(1))],
    )


def test_a_variant_that_is_gone_is_not_sold_as_another(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    make_product(source, "shirt", variant_ref="blue")
    cart = make_cart(
        shop, source=source, lines=[line("shirt", variant_ref="red"), line("shirt", variant_ref="blue")]
    )

    body = buyer.get(link("cart", cart)).content.decode()

    assert body.count("Sold out; not in the sum") == 1
    assert "Order and pay €20.00" in body


def test_size_and_colour_are_shown_and_stay_with_the_goods(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    image = "https://candles.example/shirt.png"
    options = {"Size": "M", "Colour": "<b>red"}
    odd = line("mug", options=["no", "mapping"])
    cart = make_cart(shop, source=source, lines=[line("shirt", options=options, image_url=image), odd])
    path = link("cart", cart)

    assert "M, &lt;b&gt;red" in buyer.get(path).content.decode()
    buyer.post(path, {"terms": "1", "total": "40.00", "terms_version": "1"})

    order = Order.objects.get()
    assert [(o.options, o.image_url) for o in order.lines.order_by("position")] == [
        (options, image),
        ({}, ""),
    ]
    assert "M, &lt;b&gt;red" in buyer.get(link("pay", order)).content.decode()


def test_goods_and_prices_of_another_shop_or_source_are_none_of_these(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    make_product(make_source(shop), "cream", price=Decimal("1.00"))
    make_product(make_source(make_shop()), "cream", price=Decimal("2.00"))

    body = buyer.get(link("cart", make_cart(shop, source=source, lines=[line("cream")]))).content.decode()

    assert "Order and pay €20.00" in body


# Going on


def test_a_cart_of_a_shop_that_opens_it_again_goes_on_there(
    shop: Shop, source: Source, link: MakeLink, buyer: Client
) -> None:
    cart = make_cart(shop, source=source, lines=[line("cream")], url="https://candles.example/cart?c=77")
    path = link("cart", cart)

    shown, pressed = buyer.get(path), buyer.post(path)

    assert cart.url not in shown.content.decode()
    assert 'name="terms"' not in shown.content.decode()
    assert (pressed.status_code, pressed.headers["Location"]) == (303, cart.url)
    cart.refresh_from_db()
    assert cart.state == "open"


@pytest.mark.parametrize(
    "url", ["https://evil.example/cart", "javascript:alert(1)", "http://candles.example/", "//x"]
)
def test_a_cart_never_goes_on_at_a_foreign_host(
    shop: Shop, source: Source, link: MakeLink, buyer: Client, url: str
) -> None:
    path = link("cart", make_cart(shop, source=source, lines=[line("cream", url=url)], url=url))

    shown, pressed = buyer.get(path), buyer.post(path)

    assert url not in shown.content.decode()
    assert (pressed.status_code, "Location" in pressed.headers) == (409, False)


def test_a_press_places_one_order_of_ours_and_leads_to_its_payment(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    contact = anna(shop)
    make_product(source, "cream", price=Decimal("25.00"))
    cart = make_cart(
        shop, source=source, contact=contact, lines=[line("cream", quantity="2"), line("soap")], locale="pl"
    )
    message = make_message(cart, state="sent")
    path = link("cart", cart, message=message)
    form = {"terms": "1", "total": "70.00", "terms_version": "1"}

    first, second = buyer.post(path, form), buyer.post(path, form)

    order = Order.objects.get()
    assert (order.source.kind, order.origin, order.locale, order.terms_version) == (
        "own",
        "recovery",
        "pl",
        "1",
    )
    assert (order.total, order.currency, order.contact_id, order.status) == (
        Decimal("70.00"),
        "EUR",
        contact.pk,
        "new",
    )
    assert order.buyer["email"] == "anna@mail.pl"
    assert [(o.name, o.quantity, o.unit_price) for o in order.lines.order_by("position")] == [
        ("Cream", Decimal(2), Decimal(25)),
        ("Soap", Decimal(1), Decimal(20)),
    ]
    cart.refresh_from_db()
    assert (cart.state, cart.order_ref) == ("converted", order.ref)
    assert [answer.status_code for answer in (first, second)] == [303, 303]
    token = first.headers["Location"].removeprefix("/pay/")
    found = links.resolve("pay", token, now=trade_now())
    assert (found.subject_id, found.contact_id, found.message_id) == (order.pk, None, message.pk)
    assert "70,00" in buyer.get(first.headers["Location"]).content.decode()


def test_the_terms_are_ticked_anew_and_in_their_present_version(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    shop.terms_url, shop.terms_version = "https://candles.example/terms", "2026-11"
    shop.save()
    path = link("cart", make_cart(shop, source=source, lines=[line("cream")]))

    body = buyer.get(path).content.decode()
    unticked = buyer.post(path, {"total": "20.00", "terms_version": "2026-11"})
    older = buyer.post(path, {"terms": "1", "total": "20.00", "terms_version": "2026-10"})

    assert '<input type="checkbox" name="terms" value="1" required>' in body
    assert "https://candles.example/terms" in body
    assert (unticked.status_code, older.status_code) == (422, 409)
    assert not Order.objects.exists()


@pytest.mark.parametrize("seen", ["20.00", "0", "", "NaN", "sNaN", "1e3", "25.000001"])
def test_a_price_that_moved_is_shown_again_before_anything_is_ordered(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client, seen: str
) -> None:
    bank.account(shop)
    make_product(source, "cream", price=Decimal("25.00"))
    path = link("cart", make_cart(shop, source=source, lines=[line("cream")]))

    answer = buyer.post(path, {"terms": "1", "total": seen, "terms_version": "1"})

    assert answer.status_code == 409
    assert "Please look again" in answer.content.decode()
    assert "Order and pay €25.00" in answer.content.decode()
    assert not Order.objects.exists()


def test_a_cart_that_became_an_order_leads_to_its_payment_or_says_it_is_bought(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    owed, bought = make_order(shop, source=source), make_order(shop, source=source, paid_at=NOW)
    carts = [
        make_cart(shop, source=source, lines=[line("cream")], state=Cart.State.CONVERTED, order_ref=order.ref)
        for order in (owed, bought)
    ]
    to_pay, done = (link("cart", cart) for cart in carts)

    assert buyer.post(to_pay).headers["Location"].startswith("/pay/")
    assert "You have bought this already" in buyer.get(done).content.decode()
    assert buyer.post(done).status_code == 409


@pytest.mark.parametrize("is_linked_by_cart", [True, False])
def test_what_is_an_order_already_shows_its_own_goods_and_sum(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client, is_linked_by_cart: bool
) -> None:
    bank.account(shop)
    make_product(source, "cream", price=Decimal("160.00"))
    make_product(source, "soap", is_available=False)
    values: dict[str, Any] = {"source": source, "products": ["cream", "soap"], "shipping_total": Decimal(9)}
    owed = make_order(shop, **values, captured=Decimal("49.00"), payment_state="partly_paid")
    owed.lines.update(unit_price=Decimal(70), total=Decimal(70))
    bought = make_order(shop, **values, paid_at=NOW)
    paths = [
        link("cart", make_cart(shop, source=source, lines=[line("cream")], order_ref=order.ref))
        if is_linked_by_cart
        else link("cart", order)
        for order in (owed, bought)
    ]

    to_pay, done = (buyer.get(path).content.decode() for path in paths)

    assert sum_of(to_pay) == "€100.00"  # what the pay page asks for
    assert (to_pay.count("€70.00"), "€9.00" in to_pay, "€49.00" in to_pay) == (2, True, True)
    assert sum_of(done) == "€149.00"
    for body in (to_pay, done):
        assert not [word for word in ("160.00", "Dearer", "Sold out", "When you left it") if word in body]
    assert sum_of(buyer.get(buyer.post(paths[0]).headers["Location"]).content.decode()) == "€100.00"


def test_an_order_that_was_cancelled_can_be_placed_again_at_todays_prices(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    make_product(source, "cream", price=Decimal("160.00"))
    order = make_order(shop, source=source, status="cancelled")
    path = link("cart", order)

    body = buyer.get(path).content.decode()
    answer = buyer.post(path, {"terms": "1", "total": "160.00", "terms_version": "1"})

    assert "Dearer: €160.00 a piece, it was €149.00" in body
    assert answer.status_code == 303
    again = Order.objects.get(origin="recovery")
    assert (again.total, again.contact_id, again.number) == (
        Decimal("160.00"),
        order.contact_id,
        f"{order.number}-R",
    )


def test_an_order_placed_again_is_delivered_as_before_and_brings_no_discount(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    order = make_order(
        shop,
        source=source,
        status="cancelled",
        total="148.99",
        products=["cream", "soap"],
        shipping_total=Decimal("9.99"),
        discount_total=Decimal("10.00"),
    )
    order.lines.update(unit_price=Decimal("74.50"), total=Decimal("74.50"))
    path = link("cart", order)

    body = buyer.get(path).content.decode()
    buyer.post(path, {"terms": "1", "total": "158.99", "terms_version": "1"})

    assert "Order and pay €158.99" in body
    assert "Delivery" in body
    again = Order.objects.get(origin="recovery")
    assert (again.total, again.shipping_total, again.discount_total) == (
        Decimal("158.99"),
        Decimal("9.99"),
        None,
    )


def test_an_order_that_only_has_to_be_paid_leads_to_its_payment(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    order = make_order(shop)
    path = link("cart", order)

    assert "It only has to be paid." in buyer.get(path).content.decode()
    token = buyer.post(path).headers["Location"].removeprefix("/pay/")
    assert links.resolve("pay", token, now=trade_now()).subject_id == order.pk
    assert Order.objects.count() == 1


def test_a_foreign_shop_that_pays_itself_gets_no_order_of_ours(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    woo = make_source(shop, kind="woocommerce", base_url="https://candles.example")
    cart = make_cart(shop, source=woo, lines=[line("cream", url="https://candles.example/cream")])
    path = link("cart", cart)

    body = buyer.get(path).content.decode()

    assert shop.phone in body
    assert 'href="https://candles.example/cream"' in body
    assert buyer.post(path, {"terms": "1", "total": "20.00", "terms_version": "1"}).status_code == 409
    assert not Order.objects.exists()


def test_the_page_costs_the_same_with_one_line_and_with_thirty(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    counts = []
    for lines in (1, 30):
        path = link("cart", make_cart(shop, source=source, lines=[line(f"p{n}") for n in range(lines)]))
        with CaptureQueriesContext(connection) as queries:
            buyer.get(path)
        counts.append(len(queries))

    assert counts[0] == counts[1]
