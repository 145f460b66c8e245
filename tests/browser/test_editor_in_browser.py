"""A process is drawn in a real Chromium: without a script, and by the keyboard alone (J2)."""

from typing import Any

import pytest
from django.urls import reverse
from django_scopes import scopes_disabled
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from recoup.processes.drafts import draft_of
from recoup.processes.models import Process
from recoup.shops.models import Source
from tests.browser.conftest import sign_in
from tests.factories.products import make_product
from tests.support.chromium import InBrowser, open_page
from tests.web.world import Place, make_place

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def place(transactional_db: None) -> Place:
    """Return a shop that sells a course."""
    place = make_place("own")
    with scopes_disabled():
        make_product(Source.objects.filter(shop=place.shop)[0], ref="p-1", name="Course of pottery")
    return place


def drawn(place: Place) -> list[dict[str, Any]]:
    """Return the blocks of the process that was drawn, without their ways."""
    with scopes_disabled():
        process = Process.objects.select_related("current_version").get(shop=place.shop, name="Course")
        nodes = draft_of(process).doc["nodes"].values()
    return sorted(
        ({key: value for key, value in node.items() if key != "out"} for node in nodes),
        key=lambda node: node["t"],
    )


BOUGHT = {"t": "until", "on": {"e": "product.bought", "products": ["p-1"]}, "within": "P2D"}
THANKS = {"t": "send", "template": "order_reminder_1", "purpose": "thanks"}


def test_a_process_is_drawn_without_a_script(
    in_browser: InBrowser, live_server: LiveServer, place: Place
) -> None:
    def steps(browser: Browser) -> list[str]:
        context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
        page, complaints = open_page(context)
        sign_in(page, live_server.url, "owner@own.example")
        page.goto(live_server.url + reverse("web:process_new", args=[place.shop.slug]))
        page.get_by_label("Empty").check()
        page.get_by_role("textbox", name="Name").fill("Course")
        page.get_by_role("button", name="Create the draft").click()
        page.get_by_role("link", name="Put a step at the beginning").click()
        page.get_by_role("link", name="Wait for something to happen").click()
        page.get_by_label("What is waited for").select_option("product.bought")
        page.get_by_label("Search for a product by its name").fill("pottery")
        page.get_by_role("button", name="Search").click()
        page.get_by_label("Course of pottery").check()
        page.get_by_role("button", name="Put in").click()
        page.get_by_role("link", name="Put a step on “yes” of 1. Bought within 2 days?").click()
        page.get_by_role("link", name="Send a mail").click()
        page.get_by_label("Text", exact=True).select_option("order_reminder_1")
        page.get_by_label("What it is").select_option("thanks")
        page.get_by_role("button", name="Put in").click()
        page.get_by_role("link", name="Publish…").click()
        page.get_by_role("button", name="Publish version 1").click()
        page.get_by_text("Version 1 is published.").wait_for()
        return complaints

    assert in_browser(steps) == []
    assert drawn(place) == [{"t": "end"}, {"t": "end"}, THANKS, BOUGHT]


def press_until(page: Page, key: str, name: str) -> None:
    """Press a key until what has the focus has this name, as somebody without a mouse does."""
    for _ in range(60):
        page.keyboard.press(key)
        found = page.evaluate(
            "(a => (a.getAttribute('aria-label') || a.labels?.[0]?.innerText || a.innerText || '').trim())"
            "(document.activeElement)"
        )
        if str(found).startswith(name):
            return
    raise AssertionError(f"{name} is not reached by {key}")


def test_a_process_is_drawn_by_the_keyboard_alone(
    in_browser: InBrowser, live_server: LiveServer, place: Place
) -> None:
    def steps(browser: Browser) -> list[str]:
        context = browser.new_context()
        context.add_cookies([{"name": "recoup_editor", "value": "outline", "url": live_server.url}])
        page, complaints = open_page(context)
        sign_in(page, live_server.url, "owner@own.example")
        page.goto(live_server.url + reverse("web:process_new", args=[place.shop.slug]))
        press_until(page, "Tab", "Unpaid order")
        press_until(page, "ArrowUp", "Empty")
        press_until(page, "Tab", "Name")
        page.keyboard.type("Course")
        page.keyboard.press("Enter")
        page.wait_for_url("**/edit/")
        press_until(page, "Tab", "Put a step at the beginning")
        page.keyboard.press("Enter")
        page.wait_for_url("**/insert/**")
        press_until(page, "Tab", "Wait\n")
        page.keyboard.press("Enter")
        page.wait_for_url("**/insert/wait/**")
        press_until(page, "Tab", "Wait for")
        page.keyboard.type("3")
        page.keyboard.press("Enter")
        page.wait_for_url("**/edit/#step-*")
        page.keyboard.press("Tab")
        press_until(page, "Tab", "Undo")
        page.keyboard.press("Enter")
        page.get_by_text("1. End", exact=True).wait_for()
        press_until(page, "Tab", "Redo")
        page.keyboard.press("Enter")
        page.get_by_text("1. Wait 3 hours").wait_for()
        return complaints

    assert in_browser(steps) == []
    assert drawn(place) == [{"t": "end"}, {"t": "wait", "for": "PT3H"}]
