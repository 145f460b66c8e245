"""Buyers' pages in a real Chromium: a phone without scripts pays at the bank; axe looks at every page."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from recoup.core.clock import trade_now
from recoup.integrations.demobank.server import running
from recoup.offers.codes import shown
from recoup.orders.models import Order
from recoup.shops.models import Shop
from recoup.storefront.purposes import LIVES
from tests.factories.offers import TEN, make_offer
from tests.factories.operators import make_operator_account
from tests.factories.orders import make_cart, make_order
from tests.factories.shops import make_source
from tests.storefront.conftest import MakeLink
from tests.support.chromium import PAGE_TIMEOUT, InBrowser, open_page
from tools.gallery import axe

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE: ViewportSize = {"width": 360, "height": 740}


def test_a_phone_without_scripts_pays_at_the_bank_and_comes_back(
    live_server: LiveServer, shop: Shop, link: MakeLink, in_browser: InBrowser, settings: Any, tmp_path: Path
) -> None:
    settings.PUBLIC_URL = live_server.url
    with running(ledger=str(tmp_path / "bank.sqlite")) as bank:
        make_operator_account(shop, base_url=bank.origin)
        order = make_order(shop, locale="pl")
        address = live_server.url + link("pay", order)

        def pay(browser: Browser) -> tuple[str, str]:
            page = browser.new_context(viewport=PHONE, java_script_enabled=False, locale="pl-PL").new_page()
            page.set_default_timeout(PAGE_TIMEOUT)
            page.goto(address)
            page.locator("label", has_text="BLIK").click()
            page.locator("form .button").first.click()
            page.wait_for_url(f"{bank.origin}/pay/*")
            at_bank = str(page.locator(".sum").text_content())
            page.locator("button.main").click()
            page.wait_for_url(f"{address}?back=1")
            return at_bank, str(page.locator(".outcome h1").text_content())

        at_bank, thanks = in_browser(pay)

    order.refresh_from_db()
    assert at_bank.replace("\xa0", " ") == "149,00 €"
    assert thanks
    assert (order.payment_state, order.captured) == ("paid", Decimal("149.00"))


def test_every_page_is_accessible_and_fits_a_phone(
    live_server: LiveServer, shop: Shop, link: MakeLink, in_browser: InBrowser, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    addresses = [live_server.url + path for path in every_page(shop, link)]
    with running() as bank:
        make_operator_account(shop, base_url=bank.origin)

        def look(browser: Browser) -> list[str]:
            context = browser.new_context(viewport=PHONE)
            axe.prepare(context)
            page, complaints = open_page(context)
            found = [wrong for address in addresses for wrong in look_at(page, address)]
            return found + [one for one in complaints if "404" not in one]  # the page of no link answers so

        assert in_browser(look) == []


def every_page(shop: Shop, link: MakeLink) -> list[str]:
    """Return the paths of pages in many states."""
    order = make_order(
        shop,
        products=["Soy candle with a very long name that does not fit into one line", "soap"],
        delivery={"title": "InPost Paczkomat", "point": {"ref": "KRA01M"}},
        invoice={"is_wanted": True, "company": "Lipa", "tax_id": "5252248481"},
    )
    states: list[dict[str, Any]] = [
        {"status": "cancelled"},
        {"payment_state": "authorized"},
        {"payment_state": "paid", "status": "completed", "captured": Decimal(149)},
        {"payment_state": "refunded", "status": "completed"},
        {"payment_state": "partly_paid", "captured": Decimal(100)},
        {"currency": "XAU"},
    ]
    paths = [link(purpose, order) for purpose in LIVES]
    paths += [link("pay", make_order(shop, **values)) for values in states]
    paths += [link("cart", make_cart(shop)), link("why", make_cart(shop)), "/pay/nothing"]
    assert Order.objects.count() == len(states) + 1
    return paths + offered_pages(shop, link)


def offered_pages(shop: Shop, link: MakeLink) -> list[str]:
    """Return the paths of pages about offers that the shop itself takes off, and of an order that no link can pay."""
    host = "https://candles.example"
    woo = make_source(shop, kind="woocommerce", base_url=host, credentials="{}")
    own = make_source(shop, base_url=host)
    order = make_order(shop, source=woo, total="134.10", pay_url=f"{host}/checkout/order-pay/1/")
    linked, typed = (make_cart(shop, source=own, url=f"{host}/cart") for _ in range(2))
    values: dict[str, Any] = {"maker": woo, "valid_until": trade_now() + timedelta(days=2)}
    offer = make_offer(order, TEN, **values)
    order.coupons = [{"code": shown(offer.code), "discount": "14.90"}]
    order.save()
    make_offer(linked, TEN, **values, remote_url=f"{host}/checkout-link/?products=5:1")
    make_offer(typed, TEN, **values)
    again = make_order(shop, source=own, pay_url="https://elsewhere.example/pay")
    return [link("pay", order), link("cart", linked), link("cart", typed), link("pay", again)]


def look_at(page: Page, address: str) -> list[str]:
    """Return what axe finds by day, what it finds of the colours by night, and whether the page is wider than the phone."""
    page.emulate_media(color_scheme="light")
    page.goto(address)
    found = axe.violations(page)
    if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
        found.append("wider than the phone")
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {words}" for words in axe.violations(page, axe.COLOURS)]
    return [f"{address}: {words}" for words in found]
