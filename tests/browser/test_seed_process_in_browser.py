"""The process of seed 002 from the drawing to the money: drawn, published, run on the demo's clock, paid (J2, K1-K3).

Web server, worker, demo bank and demo mailbox run as programs of their own; the shop speaks by its webhook, marketer and
buyers by a real Chromium. The drawing itself is done by mouse, and by the keyboard alone with the same outcome.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django_scopes import scopes_disabled
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from recoup.accounts.roles import Role
from recoup.catalog.actions import record_product
from recoup.core.activity import Actor
from recoup.core.clock import trade_now
from recoup.demo import neighbours, stage
from recoup.demo.models import CaughtMail
from recoup.demo.neighbours import Buyer, ForeignShop, order_json
from recoup.demo.people import Good
from recoup.demo.seed import LAWENDA
from recoup.integrations.smtp import own_mailbox
from recoup.offers.models import Offer, OfferSettings, Redemption
from recoup.orders.models import Order
from recoup.processes import drafts
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.holdout import set_share
from recoup.processes.models import Enrolment, Process, StepLog
from recoup.shops.models import Membership, Shop
from recoup.shops.snapshots import ProductSnapshot
from tests.browser.canvas import (
    ask_what_is_bought,
    begin_with_orders,
    box,
    choose_by_keys,
    insert_by_keys,
    press_until,
    publish_by_keys,
    put_in,
    save,
    save_by_enter,
    wait_for_focus,
)
from tests.browser.conftest import sign_in
from tests.support.chromium import InBrowser, open_page
from tests.web.world import make_person
from tools.gallery import axe

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
OWNER, MARKETER = "owner@lawenda.example", "marketer@lawenda.example"
COURSE = Good("p-1", "Course of pottery", Decimal("249.00"))
PRICE, SAVING = Decimal("236.55"), Decimal("12.45")
SAID_YES = "I agree to reminders and offers by e-mail."
# Ordered; bought within two days? Yes: thanks. No: 5 % for two days, and a mail with the link of the order.
EXPECTED: dict[str, Any] = {
    "entry": "order.placed",
    "until": {"t": "until", "on": {"e": "product.bought", "products": ["p-1"]}, "within": "P2D"},
    "yes": [{"t": "send", "template": "purchase_thanks", "purpose": "thanks"}, {"t": "end"}],
    "no": [
        {"t": "offer", "percent": "5", "valid": "P2D"},
        {"t": "send", "template": "order_offer"},
        {"t": "end"},
    ],
}


def told(doc: dict[str, Any]) -> dict[str, Any]:
    """Return what a document does, whatever its blocks are called."""
    nodes = doc["nodes"]

    def bare(name: str) -> dict[str, Any]:
        return {key: value for key, value in nodes[name].items() if key != "out"}

    def road(name: str) -> list[dict[str, Any]]:
        ways = list(nodes[name].get("out", {}).values())
        assert all(nodes[other]["t"] == "end" for other in ways[1:])
        return [bare(name), *(road(ways[0]) if ways else [])]

    first = doc["entry"]["first"]
    return {
        "entry": doc["entry"]["on"],
        "until": bare(first),
        **{port: road(nodes[first]["out"][port]) for port in ("yes", "no")},
    }


@dataclass
class Street:
    """A shop whose course is on sale, an empty process about it, and people around."""

    stage: stage.Stage
    url: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    cookies: list[Any] = field(default_factory=list)  # of the marketer, once signed in
    process_id: int = 0

    @property
    def shop(self) -> Shop:
        return self.stage.shop

    @property
    def process(self) -> Process:
        with scopes_disabled():
            return Process.objects.select_related("current_version", "shop").get(name="Course")

    def path(self, name: str, *arguments: Any) -> str:
        return self.url + reverse(f"web:{name}", args=[self.shop.slug, *arguments])


def make_street(**addresses: Any) -> Street:
    """Make the shop, with an owner and a marketer."""
    with scopes_disabled():
        owner, now = make_person(OWNER), trade_now()
        made = stage.make_shop(LAWENDA, owner=owner, now=now, **addresses)
        Shop.objects.filter(pk=made.shop.pk).update(live_since=now)
        Membership.objects.create(shop=made.shop, user=make_person(MARKETER), role=Role.MARKETER)
        OfferSettings.objects.create(shop=made.shop, default_cost=Decimal(45), floor=Decimal(20))
        record_product(
            made.source, ProductSnapshot(COURSE.ref, COURSE.name, COURSE.price, "PLN", now), now=now
        )
        process = drafts.create_process(made.shop, name="Course", actor=Actor("person", owner.pk), now=now)
        set_share(process, 0, actor=Actor("person", owner.pk), now=now)  # chance leaves neither buyer alone
    return Street(made, process_id=process.pk)


@pytest.fixture
def street(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Return a demo whose programs run beside the test, as `recoup demo` starts them."""
    ports = {name: stage.free_port() for name in ("web", "mailbox", "bank")}
    url = f"http://127.0.0.1:{ports['web']}"
    monkeypatch.setenv(own_mailbox.PORT_NAME, str(ports["mailbox"]))
    stage.mark_as_demo()
    made = make_street(mailbox_port=ports["mailbox"], bank_url=f"http://127.0.0.1:{ports['bank']}")
    made.url, made.ports = url, ports
    environment = {"DATABASE_URL": database_url, "RECOUP_DEMO": "1", "RECOUP_PUBLIC_URL": url}
    with stage.programs(stage.commands(ports, tmp_path), environment=environment):
        for name, port in ports.items():
            stage.wait_for_port(port, name=name)
        yield made


def desk(browser: Browser, street: Street) -> tuple[Page, list[str]]:
    """Let the marketer come to the desk: by the form the first time, then as somebody who is signed in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page, complaints = open_page(context)
    if street.cookies:
        context.add_cookies(street.cookies)
        page.goto(street.path("home"))
    else:
        sign_in(page, street.url, MARKETER)
        street.cookies = context.cookies()
    return page, complaints


def canvas(browser: Browser, street: Street) -> tuple[Page, list[str]]:
    """Let the marketer open the empty canvas."""
    page, complaints = desk(browser, street)
    page.goto(street.path("process_edit", street.process_id))
    page.locator("[data-item=entry]").wait_for()
    return page, complaints


def draw_by_mouse(page: Page) -> None:
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
    form.get_by_label("Text", exact=True).select_option("purchase_thanks")
    form.get_by_label("What it is").select_option("thanks")
    save(form, "Put in", page)
    form = put_in(page, "Way “no”", "Make a personal offer")
    form.get_by_label("Discount in per cent").fill("5")
    save(form, "Put in", page)
    form = put_in(page, "Way “offer made”", "Send a mail")
    form.get_by_label("Text", exact=True).select_option("order_offer")
    save(form, "Put in", page)
    page.get_by_role("link", name="Publish…").click()
    page.get_by_role("button", name="Publish version 1").click()
    page.get_by_text("Version 1 is published.").wait_for()


def draw_by_keys(page: Page) -> None:
    begin_with_orders(page)
    ask_what_is_bought(page)
    page.keyboard.press("ArrowDown")
    wait_for_focus(page, "Way “yes” from 1. ")
    send_by_keys(page, "Thanks after payment", what="thanks")
    wait_for_focus(page, "Send thanks")
    page.keyboard.press("ArrowUp")
    wait_for_focus(page, "Way “yes” from 1. ")
    page.keyboard.press("ArrowRight")
    wait_for_focus(page, "Way “no” from 1. ")
    insert_by_keys(page, "personal offer")
    press_until(page, "Tab", "Discount in per cent")
    page.keyboard.press("Control+a")
    page.keyboard.type("5")
    press_until(page, "Tab", "Put in")
    save_by_enter(page)
    wait_for_focus(page, "Offer 5%")
    page.keyboard.press("ArrowDown")
    wait_for_focus(page, "Way “offer made” from ")
    send_by_keys(page, "Unpaid order: a personal")
    wait_for_focus(page, "Send a reminder")
    publish_by_keys(page)


def send_by_keys(page: Page, text: str, *, what: str = "") -> None:
    insert_by_keys(page, "send a mail")
    choose_by_keys(page, "Text", text)
    if what:
        choose_by_keys(page, "What it is", what)
    press_until(page, "Tab", "Put in")
    save_by_enter(page)


def switch_on(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Switch on").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch on").click()
    page.get_by_role("button", name="Pause").wait_for()


def move_clock(page: Page, by: str) -> None:
    """Move the demo's clock by the menu at the top."""
    page.locator("summary.demo-clock").click()
    page.get_by_role("button", name=by).click()
    page.get_by_text("The clock was moved.").wait_for()


def where_it_is_noon(now: datetime) -> str:
    """Return a zone in which nobody is asleep now, so that quiet hours hold nothing back."""
    ahead = 12 - now.hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def buyer(first: str, now: datetime) -> Buyer:
    return Buyer(f"{first} Parker", f"{first.lower()}@mail.example", "en", "GB", where_it_is_noon(now))


def ordered(number: str, by: Buyer, now: datetime, **more: Any) -> dict[str, Any]:
    """Return an order of the course as the shop tells it; the buyer said yes to offers when ordering."""
    order = order_json(number, by, [COURSE], at=now, **more)
    order["customer"]["marketing"] = {"consent": True, "at": now.isoformat(), "text": SAID_YES}
    return order


def mails(of: Buyer) -> list[CaughtMail]:
    with scopes_disabled():
        return neighbours.mails_to(of.email)


def words_of(mail: CaughtMail) -> str:
    """Return the text part of a caught mail."""
    part = message_from_bytes(bytes(mail.content), policy=policy.default).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def by_marketer(street: Street, in_browser: InBrowser, do: Callable[[Page], Any]) -> Any:
    """Let the marketer do something in a browser that complains about nothing, and wait until all is done."""

    def steps(browser: Browser) -> Any:
        page, complaints = desk(browser, street)
        done = do(page)
        assert complaints == []
        return done

    done = in_browser(steps)
    stage.wait_until_quiet()
    return done


def text_of(page: Page) -> str:
    """Return what stands in the main part of a page, on one line."""
    return " ".join(page.locator("main").inner_text().split())


@dataclass(frozen=True)
class Paying:
    """What a buyer sees: the page of the link, the sum at the bank, the page afterwards; what is wrong with the first."""

    shown: str
    asked: str
    thanked: str
    wrong: list[str]
    complaints: list[str]


def pay_with_the_offer(link: str) -> Callable[[Browser], Paying]:
    """Return what the buyer does with the link of the mail, on a phone."""

    def steps(browser: Browser) -> Paying:
        context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
        axe.prepare(context)
        page, complaints = open_page(context)
        page.goto(link)
        shown, wrong = text_of(page), axe.violations(page)
        page.get_by_role("button", name="Pay PLN").click()
        page.wait_for_url("**/pay/db_*")
        asked = page.locator(".sum").inner_text()
        page.locator("button.main").click()
        page.get_by_text("Thank you, this order is paid").wait_for()
        return Paying(shown, asked, text_of(page), wrong, complaints)

    return steps


def pages_of_the_marketer(street: Street, process: Process) -> Callable[[Page], dict[str, str]]:
    """Return what reads the process, the offers and the report as the marketer sees them."""
    paths = {
        "process": street.path("process", process.pk),
        "offers": street.path("offers"),
        "report": street.path("report"),
    }

    def read(page: Page) -> dict[str, str]:
        found = {}
        for name, path in paths.items():
            page.goto(path)
            found[name] = text_of(page)
        return found

    return read


def draw_and_switch_on(street: Street, in_browser: InBrowser) -> Process:
    """Let the marketer draw the process by mouse, publish it and switch it on; return it."""
    own = street.path("process", street.process_id)

    def draw(browser: Browser) -> None:
        page, complaints = canvas(browser, street)
        draw_by_mouse(page)
        switch_on(page, own)
        assert complaints == []

    in_browser(draw)
    return street.process


def both_order_and_one_pays(street: Street, in_browser: InBrowser, anna: Buyer, ben: Buyer) -> None:
    """Let the shop tell of two orders, and a day later that the first is paid."""
    start = trade_now()
    with stage.client() as client:
        shop = ForeignShop(client, street.url, street.stage.source)
        for number, by in (("L-1", anna), ("L-2", ben)):
            shop.tell("order.created", ordered(number, by, start))
        stage.wait_until_quiet()
        by_marketer(street, in_browser, lambda page: move_clock(page, "One day forward"))
        assert (mails(anna), mails(ben)) == ([], [])

        paid_at = trade_now()
        payment = {"id": "pay-1", "status": "succeeded", "amount": "249.00", "at": paid_at.isoformat()}
        paid = ordered("L-1", anna, start, status="paid", payments=[payment])
        shop.tell("order.updated", {**paid, "updated_at": paid_at.isoformat()})
        stage.wait_until_quiet()


def test_the_process_of_the_seed_brings_the_money_with_its_offer(
    in_browser: InBrowser, street: Street
) -> None:
    process = draw_and_switch_on(street, in_browser)
    assert process.current_version is not None
    assert told(process.current_version.doc) == EXPECTED

    anna, ben = buyer("Anna", trade_now()), buyer("Ben", trade_now())
    both_order_and_one_pays(street, in_browser, anna, ben)
    assert [one.subject for one in mails(anna)] == ["Thank you: order L-1 is paid"]
    assert mails(ben) == []

    by_marketer(street, in_browser, lambda page: move_clock(page, "One day forward"))
    by_marketer(street, in_browser, lambda page: move_clock(page, "One hour forward"))
    (mail,) = mails(ben)
    with scopes_disabled():
        offer = Offer.objects.get()
    assert mail.subject == "5% off your order L-2, for you alone"
    assert (offer.state, offer.new_total, offer.expected_discount) == ("granted", PRICE, SAVING)
    assert offer.valid_until - offer.granted_at == timedelta(days=2)
    assert "it comes to PLN236.55" in words_of(mail)
    assert "To pay  PLN236.55" in words_of(mail)

    buys = in_browser(pay_with_the_offer(neighbours.link_for(mail, "pay")))
    ends = offer.valid_until.astimezone(ZoneInfo(ben.time_zone))
    assert "Old price: PLN 249.00 New price: PLN 236.55" in buys.shown
    assert f"until {ends:%-d %b %Y, %H:%M}" in buys.shown
    assert buys.asked.replace("\xa0", "") == "PLN236.55"
    assert "Your offer −PLN 12.45 Total PLN 236.55" in buys.thanked
    assert (buys.wrong, buys.complaints) == ([], [])
    stage.wait_until_quiet()
    assert_paid_with(offer)

    for _ in range(2):
        by_marketer(street, in_browser, lambda page: move_clock(page, "Three days forward"))
    assert (len(mails(anna)), len(mails(ben))) == (1, 1)
    assert decisions(process) == {
        "L-1": [Code.YES, Code.QUEUED, Code.COMPLETED],
        "L-2": [Code.NO, Code.OFFER_GRANTED, Code.QUEUED, Code.COMPLETED],
    }
    seen = by_marketer(street, in_browser, pages_of_the_marketer(street, process))
    assert "Got a personal offer" in seen["process"]
    assert "Ben Parker 5% Used" in seen["offers"]
    assert "Course 1 1 PLN 12.45 PLN 12.45 * PLN 236.55" in seen["offers"]
    assert "Lawenda 2 1 1 1 100.00% PLN 236.55 0" in seen["report"]


def assert_paid_with(offer: Offer) -> None:
    """See that the order is paid with the discount and the offer used up by it."""
    with scopes_disabled():
        order, used = Order.objects.get(ref="L-2"), Redemption.objects.get()
        offer.refresh_from_db()
        assert (order.payment_state, order.captured, order.discount_given) == ("paid", PRICE, SAVING)
        assert (offer.state, used.order_id, used.discount) == ("redeemed", order.pk, SAVING)
        assert (used.paid_at is not None, used.freed_at) == (True, None)


def decisions(process: Process) -> dict[str, list[Code]]:
    """Return what the ledger says about each order that went through the process."""
    with scopes_disabled():
        orders = dict(
            Enrolment.objects.filter(process=process, subject_kind=SubjectKind.ORDER).values_list(
                "pk", "subject_id"
            )
        )
        numbers = dict(Order.objects.values_list("pk", "number"))
        found: dict[str, list[Code]] = {}
        lines = StepLog.objects.filter(enrolment_id__in=orders).order_by("enrolment_id", "step_no")
        for enrolment_id, outcome in lines.values_list("enrolment_id", "outcome"):
            found.setdefault(numbers[orders[enrolment_id]], []).append(Code(outcome))
    return found


def test_the_keyboard_alone_draws_the_same(
    in_browser: InBrowser, live_server: LiveServer, transactional_db: None
) -> None:
    street = make_street(mailbox_port=1025, bank_url="http://127.0.0.1:9100")
    street.url = live_server.url

    def draw(browser: Browser) -> list[str]:
        page, complaints = canvas(browser, street)
        draw_by_keys(page)
        return complaints

    assert in_browser(draw) == []
    version = street.process.current_version
    assert version is not None
    assert told(version.doc) == EXPECTED
