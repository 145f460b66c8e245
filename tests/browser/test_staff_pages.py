"""Every staff page in a real Chromium: it fits, is accessible, and neither the console nor the policy complains."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from recoup.accounts.roles import Role
from recoup.orders.models import Order
from tests.browser.conftest import sign_in
from tests.support.chromium import InBrowser, open_page
from tests.web.world import PASSWORD, Place, Route, make_place, routes
from tools.gallery import axe
from tools.gallery.render import width_left_over

Scheme = Literal["light", "dark"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
# A page is looked at in each width and in both schemes, and by axe once: every other page on a phone by night. The browser
# turns from the last look to the first of the next page, so that it draws anew as seldom as may be.
DESK, TABLET, PHONE = (1440, 900), (768, 1024), (360, 740)
LOOKS: tuple[tuple[tuple[int, int], Scheme], ...] = ((DESK, "light"), (TABLET, "dark"), (PHONE, "dark"))
CUT_MENUS = """async () => {
    const cut = [];
    for (const menu of document.querySelectorAll(".chips details.menu")) {
        menu.open = true;
        await new Promise(done => menu.addEventListener("toggle", done, { once: true }));
        const { left, right } = menu.querySelector(".menu-sheet").getBoundingClientRect();
        if (left < 0 || right > document.documentElement.clientWidth) cut.push(menu.innerText.split("\\n")[0]);
        menu.open = false;
    }
    return cut;
}"""
FRAMES = {"web:message_frame", "web:text_preview", "web:demo_mail_frame"}  # mails: shown within pages
ENTRANCES = ("/accounts/login/", "/accounts/password/reset/")
PERSONAL = ("/accounts/2fa/", "/accounts/password/change/", "/start/shop/", "/accounts/logout/")


@pytest.fixture
def place(transactional_db: None, settings: Any) -> Place:
    """Return a shop with one of everything, in the demo, so that its mailbox opens too."""
    settings.IS_DEMO = True
    return make_place("own")


def pages_of(place: Place) -> list[str]:
    """Return every page that answers an owner's GET with a page."""
    client = Client()
    client.force_login(place.people[Role.OWNER])
    return [path for path in (_path(route, place) for route in _staff_routes()) if _is_page(client, path)]


def _staff_routes() -> list[Route]:
    return [route for route in routes() if route.is_staff and route.name not in FRAMES]


def _path(route: Route, place: Place) -> str:
    return reverse(route.name, kwargs=place.arguments(route))


def _is_page(client: Client, path: str) -> bool:
    answer = client.get(path)
    assert answer.status_code in {200, 302, 303, 405}, path
    return answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")


class Walk:
    """Goes from page to page with one browser page, and collects what is wrong."""

    def __init__(self, browser: Browser) -> None:
        (width, height), scheme = LOOKS[0]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        axe.prepare(context)
        self.page, self.complaints = open_page(context)
        self.looks, self.scheme = list(LOOKS), scheme
        self.known: dict[tuple[int, int], set[str]] = {}
        self.found: dict[str, list[str]] = {}

    def look_at(self, address: str) -> None:
        """Open a page and look at it in every width and in both schemes; let axe look first."""
        answer = self.page.goto(address)
        found = [] if answer is not None and answer.ok else ["does not open"]
        for place, (size, scheme) in enumerate(self.looks):
            if place:
                self.turn(size, scheme)
            found += [f"{size[0]} {scheme}: {words}" for words in troubles(self.page, is_phone=size == PHONE)]
            if not place:
                known = self.known.setdefault(size, set())
                found += [f"{size[0]} {scheme}: {words}" for words in axe.violations(self.page, known=known)]
        self.looks.reverse()
        self.found[address] = found + self.complaints
        self.complaints.clear()

    def turn(self, size: tuple[int, int], scheme: Scheme) -> None:
        """Change the window and the colours."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        if scheme != self.scheme:
            self.page.emulate_media(color_scheme=scheme)
            self.scheme = scheme


def troubles(page: Page, *, is_phone: bool) -> Iterator[str]:
    """Find what does not fit the window."""
    wide = width_left_over(page)
    if wide > 0:
        yield f"{wide} px too wide"
    if is_phone:
        yield from (f"the menu {name} leaves the window" for name in page.evaluate(CUT_MENUS))


def test_every_page_fits_is_accessible_and_keeps_the_policy(
    live_server: LiveServer, place: Place, in_browser: InBrowser
) -> None:
    paths = pages_of(place)
    assert len(paths) > 25

    def steps(browser: Browser) -> dict[str, list[str]]:
        walk = Walk(browser)
        for path in ENTRANCES:
            walk.look_at(live_server.url + path)
        sign_in(walk.page, live_server.url, place.people[Role.OWNER].email)
        for path in (*paths, *PERSONAL):
            walk.look_at(live_server.url + path)
        return walk.found

    found = in_browser(steps)
    assert len(found) == len(ENTRANCES) + len(paths) + len(PERSONAL)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_an_order_is_found_opened_and_changed_by_the_keyboard_alone(
    live_server: LiveServer, place: Place, in_browser: InBrowser
) -> None:
    with scopes_disabled():
        order = Order.objects.get()

    def walk(browser: Browser) -> str:
        page, complaints = open_page(browser.new_context(viewport={"width": 1440, "height": 900}))
        page.goto(f"{live_server.url}/accounts/login/")
        tab_to(page, "input[name=login]")
        page.keyboard.type(place.people[Role.OWNER].email)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/s/own/")
        page.keyboard.press("/")
        page.keyboard.type(order.number)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search/**")
        tab_to(page, f"main a[href*='/orders/{order.pk}/']")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/orders/{order.pk}/")
        tab_to(page, "h1 ~ details summary, .page-head details summary")
        page.keyboard.press("Enter")
        tab_to(page, "button[name=status][value=in_work]")
        with (
            page.expect_navigation()
        ):  # the form posts and the page comes anew: to be loaded is what it was already
            page.keyboard.press("Enter")
        assert complaints == []
        return page.locator("main").inner_text()

    assert "In work" in in_browser(walk)
    with scopes_disabled():
        order.refresh_from_db()
    assert order.status == "in_work"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what is looked for has the focus, and see that the focus is visible."""
    wanted = page.locator(selector).first
    wanted.wait_for(state="visible")
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            shown = wanted.evaluate(
                "one => getComputedStyle(one).outlineStyle + getComputedStyle(one).boxShadow"
            )
            assert shown != "nonenone", f"{selector}: the focus is not visible"
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")
