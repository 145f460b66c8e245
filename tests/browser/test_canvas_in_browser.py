"""The process of seed 002 is drawn on the canvas in a real Chromium: by mouse, and by the keyboard alone (J2-J7)."""

import re
from typing import Any

import pytest
from django.urls import reverse
from django_scopes import scopes_disabled
from playwright.sync_api import Browser, Page, Route
from pytest_django.live_server_helper import LiveServer

from recoup.accounts.roles import Role
from recoup.core.activity import Actor
from recoup.processes import drafts
from recoup.processes.drafts import draft_of
from recoup.processes.models import Process
from recoup.shops.models import Source
from tests.browser.canvas import (
    SOME_PICTURES,
    ask_what_is_bought,
    at_rest,
    begin_with_orders,
    box,
    box_of,
    choose_by_keys,
    focused,
    insert_by_keys,
    press_until,
    publish,
    publish_by_keys,
    put_in,
    save,
    save_by_enter,
    wait_for_focus,
)
from tests.browser.conftest import session_of
from tests.factories.moments import NOW
from tests.factories.products import make_product
from tests.support.chromium import InBrowser, open_page
from tests.web.world import Place, make_place
from tools.gallery import axe

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
# Each width once, and the colours of both schemes: neither changes the other.
LOOKS = ((1440, "light"), (1024, "dark"), (768, "light"))
# Ordered; bought within two days? Yes: thanks. No: a mail with the link of the order.
DRAWN: dict[str, dict[str, Any]] = {
    "until": {"on": {"e": "product.bought", "products": ["p-1"]}, "within": "P2D"},
    "yes": {"t": "send", "template": "order_reminder_1", "purpose": "thanks"},
    "no": {"t": "send", "template": "order_reminder_2"},
}


@pytest.fixture
def place(transactional_db: None) -> Place:
    """Return a shop that sells a course, with an empty process about it."""
    place = make_place("own")
    with scopes_disabled():
        make_product(Source.objects.filter(shop=place.shop)[0], ref="p-1", name="Course of pottery")
        drafts.create_process(
            place.shop,
            name="Course",
            actor=Actor("person", place.people[Role.OWNER].pk),
            now=NOW,
        )
    return place


def the_process() -> Process:
    with scopes_disabled():
        return Process.objects.select_related("current_version", "shop").get(name="Course")


def path_of_the_editor() -> str:
    return reverse("web:process_edit", args=["own", the_process().pk])


def doc_of() -> dict[str, Any]:
    with scopes_disabled():
        found: dict[str, Any] = draft_of(the_process()).doc
    return found


def told(doc: dict[str, Any]) -> dict[str, Any]:
    """Return what a document does, whatever its blocks are called: the question, and what stands on its two ways."""
    nodes = doc["nodes"]

    def bare(name: str) -> dict[str, Any]:
        return {key: value for key, value in nodes[name].items() if key != "out"}

    question = nodes[doc["entry"]["first"]]
    ways = {port: bare(question["out"][port]) for port in ("yes", "no")}
    ends = [nodes[nodes[question["out"][port]]["out"]["done"]]["t"] for port in ("yes", "no")]
    return {"until": bare(doc["entry"]["first"]), **ways, "ends": ends, "count": len(nodes)}


EXPECTED = {
    "until": {"t": "until", **DRAWN["until"]},
    "yes": DRAWN["yes"],
    "no": DRAWN["no"],
    "ends": ["end", "end"],
    "count": 5,
}


def open_canvas(browser: Browser, address: str, session: Any) -> tuple[Page, list[str]]:
    """Open the canvas of the process as somebody who is signed in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.add_cookies([session])
    axe.prepare(context)
    page, complaints = open_page(context)
    page.goto(address)
    page.locator("[data-item=entry]").wait_for()
    return page, complaints


def test_the_process_of_the_seed_is_drawn_by_mouse(
    in_browser: InBrowser, live_server: LiveServer, place: Place
) -> None:
    address = live_server.url + path_of_the_editor()
    owner = session_of(place.people[Role.OWNER], live_server.url)

    def steps(browser: Browser) -> tuple[list[str], list[str]]:
        page, complaints = open_canvas(browser, address, owner)
        box(page, "Who enters").click()
        form = page.locator(".cv-panel")
        form.get_by_label("It begins when").select_option("order.placed")
        save(form, "Save", page)
        form = put_in(page, "Way from Who enters", "Wait for something to happen")
        form.get_by_label("What is waited for").select_option("product.bought")
        form.get_by_label("Search for a product by its name").fill("pottery")
        form.get_by_role("button", name="Search").click()
        form.get_by_label("Course of pottery").check()
        save(form, "Put in", page)
        form = put_in(page, "Way “yes”", "Send a mail")
        form.get_by_label("Text", exact=True).select_option("order_reminder_1")
        form.get_by_label("What it is").select_option("thanks")
        save(form, "Put in", page)
        form = put_in(page, "Way “no”", "Send a mail")
        form.get_by_label("Text", exact=True).select_option("order_reminder_2")
        save(form, "Put in", page)
        tools = page.get_by_role("group", name="Tools of the canvas")
        for name in ("Undo", "Redo"):
            tools.get_by_role("button", name=name, exact=True).click()
            page.get_by_role("status").get_by_text(
                "Taken back." if name == "Undo" else "Done again."
            ).wait_for()
        drag_to(page, "Way “yes”", box_of("4. Send"))
        box(page, "4. Send").wait_for(state="detached")
        tools.get_by_role("button", name="Undo", exact=True).click()
        box(page, "4. Send").wait_for()

        seen = looked_at(page)
        publish(page)
        return complaints, seen

    assert in_browser(steps) == ([], [])
    version = the_process().current_version
    assert version is not None
    assert told(version.doc) == EXPECTED
    assert version.doc["entry"]["on"] == "order.placed"


def drag_to(page: Page, way: str, target: str) -> None:
    """Take hold of the end of a way and let it go on another block."""
    at = page.locator(f'.cv-plus[aria-label*="{way}"]').first.get_attribute("data-item")
    end, to = at_rest(page, f'[data-id="{at}"] .react-flow__edgeupdater-target', target)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 3)
    page.mouse.down()
    page.mouse.move(to["x"] + to["width"] / 2, to["y"] - 20, steps=4)
    page.mouse.move(to["x"] + to["width"] / 2, to["y"] + 2, steps=2)
    page.mouse.up()


def looked_at(page: Page) -> list[str]:
    """Return what is wrong with the canvas in every width, by day and by night."""
    found = []
    box(page, "1. ").click()
    page.locator(".cv-panel form").first.wait_for()
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [f"{width} {scheme}: {one}" for one in axe.violations(page)]
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("Escape")
    page.locator(".cv-panel").wait_for(state="detached")
    return found


def send_on_both_ways(page: Page) -> None:
    page.keyboard.press("ArrowDown")
    wait_for_focus(page, "Way “yes” from 1. ")
    insert_by_keys(page, "send a mail")
    choose_by_keys(page, "Text", "Unpaid order, first")
    choose_by_keys(page, "What it is", "thanks")
    press_until(page, "Tab", "Put in")
    save_by_enter(page)
    wait_for_focus(page, "Send thanks")
    page.keyboard.press("ArrowUp")
    wait_for_focus(page, "Way “yes” from 1. ")
    page.keyboard.press("ArrowRight")
    wait_for_focus(page, "Way “no” from 1. ")
    insert_by_keys(page, "send a mail")
    choose_by_keys(page, "Text", "Unpaid order, second")
    press_until(page, "Tab", "Put in")
    save_by_enter(page)
    wait_for_focus(page, "Send a reminder")


def take_out_and_back(page: Page) -> None:
    page.keyboard.press("Delete")
    wait_for_focus(page, "End")
    for key, said in (
        ("Control+z", "Taken back."),
        ("Control+Shift+z", "Done again."),
        ("Control+z", "Taken back."),
    ):
        page.keyboard.press(key)
        page.get_by_role("status").get_by_text(said).wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys of the canvas").wait_for()
    page.keyboard.press("Escape")


def test_the_process_of_the_seed_is_drawn_by_the_keyboard_alone(
    in_browser: InBrowser, live_server: LiveServer, place: Place
) -> None:
    address = live_server.url + path_of_the_editor()
    owner = session_of(place.people[Role.OWNER], live_server.url)

    def steps(browser: Browser) -> list[str]:
        page, complaints = open_canvas(browser, address, owner)
        begin_with_orders(page)
        ask_what_is_bought(page)
        send_on_both_ways(page)
        take_out_and_back(page)
        publish_by_keys(page)
        return complaints

    assert in_browser(steps) == []
    version = the_process().current_version
    assert version is not None
    assert told(version.doc) == EXPECTED
    assert version.doc["entry"]["on"] == "order.placed"


def test_the_focus_goes_where_an_edit_sends_it_though_counts_come_in_meanwhile(
    in_browser: InBrowser, live_server: LiveServer, place: Place
) -> None:
    address = live_server.url + path_of_the_editor()
    owner = session_of(place.people[Role.OWNER], live_server.url)
    counts = re.compile(r"/counts/")

    def steps(browser: Browser) -> str:
        page, _ = open_canvas(browser, address, owner)
        form = put_in(page, "Way from Who enters", "Wait For some time")
        form.get_by_label("Wait for", exact=True).fill("3")
        with page.expect_response(counts):
            save(form, "Put in", page)
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route(counts, hold)
        page.route("**/remove/", hold)
        with page.expect_request(counts):
            form = put_in(page, "Way from Who enters", "Wait For some time")
            form.get_by_label("Wait for", exact=True).fill("5")
            save(form, "Put in", page)
        wait_for_focus(page, "1. Wait 5 hours")
        with page.expect_request("**/remove/"):
            page.keyboard.press("Delete")
        late, removal = held
        with page.expect_response(counts):
            late.continue_()
        page.evaluate(SOME_PICTURES)  # drawn again, with the counts
        with page.expect_response("**/remove/"):
            removal.continue_()
        box(page, "2. Wait 3 hours").wait_for(state="detached")
        page.evaluate(SOME_PICTURES)
        return focused(page)

    assert in_browser(steps).startswith("1. Wait 3 hours")


def test_two_people_draw_at_once_and_lose_nothing(
    in_browser: InBrowser, live_server: LiveServer, place: Place
) -> None:
    address = live_server.url + path_of_the_editor()
    owner, marketer = (
        session_of(place.people[role], live_server.url) for role in (Role.OWNER, Role.MARKETER)
    )

    def steps(browser: Browser) -> list[str]:
        page, complaints = open_canvas(browser, address, owner)
        other, _ = open_canvas(browser, address, marketer)
        form = put_in(page, "Way from Who enters", "Wait For some time")
        form.get_by_label("Wait for", exact=True).fill("5")
        others = put_in(other, "Way from Who enters", "Wait For some time")
        others.get_by_label("Wait for", exact=True).fill("3")
        save(others, "Put in", other)
        form.get_by_role("button", name="Put in").click()
        form.get_by_text("changed this draft while you were typing").wait_for()
        form.get_by_text("Put in: 1. Wait 3 hours").wait_for()
        box(page, "1. Wait 3 hours").wait_for()  # the canvas behind it is the newest already
        assert form.get_by_label("Wait for", exact=True).input_value() == "5"
        box(page, "2. End").click()  # another step: what was typed is asked about, not lost
        page.get_by_role("dialog").get_by_role("button", name="Save it").click()
        box(page, "1. Wait 5 hours").wait_for()

        box(other, "1. Wait 3 hours").hover()
        other.get_by_role("button", name="More about this step: Wait 3 hours").click()
        other.get_by_role("dialog").get_by_role("button", name="Take out").click()
        other.get_by_text("changed this draft after you had opened it").wait_for()
        other.get_by_text("Put in: 1. Wait 5 hours").wait_for()
        return [line for line in complaints if "409" not in line]

    assert in_browser(steps) == []
    assert [node["for"] for node in doc_of()["nodes"].values() if node["t"] == "wait"] == ["PT3H", "PT5H"]


def test_a_phone_gets_the_list_and_a_choice_is_remembered(
    in_browser: InBrowser, live_server: LiveServer, place: Place
) -> None:
    address = live_server.url + path_of_the_editor()
    owner = session_of(place.people[Role.OWNER], live_server.url)

    def steps(browser: Browser) -> list[bool]:
        context = browser.new_context(viewport={"width": 360, "height": 740}, reduced_motion="reduce")
        context.add_cookies([owner])
        page, complaints = open_page(context)
        page.goto(address)
        on_a_phone = page.locator(".flow").is_visible()
        page.set_viewport_size({"width": 1440, "height": 900})
        page.locator("[data-item=entry]").wait_for()
        page.get_by_role("link", name="List").click()
        page.locator(".flow").wait_for()
        page.goto(address)
        page.locator(".flow").wait_for()
        remembered = not page.locator("#canvas").is_visible()
        page.get_by_role("link", name="Canvas").click()
        page.locator("[data-item=entry]").wait_for()
        return [on_a_phone, remembered, not complaints]

    assert in_browser(steps) == [True, True, True]
