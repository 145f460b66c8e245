"""Every staff page in a real Chromium: it fits, is accessible, and neither the console nor the policy complains."""

from itertools import cycle
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from recoup.accounts.roles import Role
from recoup.orders.models import Order
from tests.browser.conftest import InBrowser, open_page, sign_in
from tests.web.world import PASSWORD, Place, Route, make_place, routes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SIZES = [(1440, 900), (768, 1024), (360, 740)]
SCHEMES = ("light", "dark")
# axe takes longer than all the rest: it looks at each page once, in turns; the gallery of samples lets it see all.
AXE = ((1440, "light"), (360, "dark"))
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


def look_at(page: Page, address: str, complaints: list[str], for_axe: tuple[int, str]) -> list[str]:
    """Open a page, look at it in every size and scheme, and let axe look at one of them; return what is wrong."""
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
    page.emulate_media(color_scheme="light")
    answer = page.goto(address)
    found = [] if answer is not None and answer.ok else ["does not open"]
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if wide > 0:
                found.append(f"{width} {scheme}: {wide} px too wide")
            if (width, scheme) == (360, "light"):
                found += [f"360: the menu {name} leaves the window" for name in page.evaluate(CUT_MENUS)]
            if (width, scheme) == for_axe:
                found += [f"{width} {scheme}: {one}" for one in violations(page)]
    found += complaints
    complaints.clear()
    return found


def violations(page: Page) -> list[str]:
    said = Axe().run(page)
    return [
        f"{one['id']}: {', '.join(str(node['target']) for node in one['nodes'][:3])} {one['nodes'][0]['failureSummary']}"
        for one in said.response["violations"]
    ]


def test_every_page_fits_is_accessible_and_keeps_the_policy(
    live_server: LiveServer, place: Place, in_browser: InBrowser
) -> None:
    paths = pages_of(place)
    assert len(paths) > 25

    def walk(browser: Browser) -> dict[str, list[str]]:
        page, complaints = open_page(browser.new_context(reduced_motion="reduce"))
        found = {}
        for path, for_axe in zip(ENTRANCES, cycle(AXE), strict=False):
            found[path] = look_at(page, live_server.url + path, complaints, for_axe)
        sign_in(page, live_server.url, place.people[Role.OWNER].email)
        for path, for_axe in zip((*paths, *PERSONAL), cycle(AXE), strict=False):
            found[path] = look_at(page, live_server.url + path, complaints, for_axe)
        return found

    assert {path: found for path, found in in_browser(walk).items() if found} == {}


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
        page.keyboard.press("Enter")
        page.wait_for_load_state()
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
