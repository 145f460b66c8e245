"""The page of an order and what is done there, through its door."""

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django_scopes import scope, scopes_disabled

from recoup.core import outbox
from recoup.core.activity import SYSTEM
from recoup.core.models import Link
from recoup.messaging.actions import announce_settled
from recoup.messaging.models import Message, Template
from recoup.messaging.templates import install_shipped as install_texts
from recoup.messaging.tracking import note_visits
from recoup.orders.models import CancelReason, Cart, Order, StatusChange
from recoup.orders.status import reopen_priced
from recoup.processes.actions import go_live, install_shipped
from recoup.processes.loop import Engine
from recoup.recovery.detection import open_due_cases
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_attempt, make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source
from tests.factories.templates import make_template
from tests.web.staff import sign_in

BROWSER = {"User-Agent": "Mozilla/5.0", "Accept-Language": "en"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    """Let a test look into every shop."""
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    """Return a shop in Warsaw on a Monday noon."""
    set_clock(NOW)
    return make_shop(slug="lumen", time_zone="Europe/Warsaw")


def page_of(client: Client, order: Order) -> str:
    """Return the words of an order's page."""
    response = client.get(f"/s/lumen/orders/{order.pk}/")
    assert response.status_code == 200
    return words(response.content.decode())


def words(html: str) -> str:
    """Return what a page says, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def post(client: Client, order: Order, act: str, **values: str) -> int:
    """Do something to an order; return the status of the answer."""
    return client.post(f"/s/lumen/orders/{order.pk}/{act}/", values).status_code


def test_the_page_says_what_was_ordered_what_failed_and_who_it_is(shop: Shop) -> None:
    order = make_order(shop, number="10482", total="149.00", products=("cream",))
    make_attempt(order, state="failed", failure_class="soft", failure_code="insufficient_funds")
    make_order(shop, contact=order.contact, number="10455", paid_at=NOW - 20 * DAY, placed_at=NOW - 20 * DAY)

    page = page_of(sign_in(shop), order)

    for said in (
        "Order 10482",
        "Cream",
        "€149.00",
        "Not enough money",
        "Anna Nowak",
        "10455",
        "1 order, €149.00",
    ):
        assert said in page


def test_the_next_step_is_said_with_its_time(shop: Shop) -> None:
    install_shipped(shop, now=NOW - DAY, holdout_bp=0)
    go_live(shop, actor=SYSTEM, now=NOW - DAY)
    order = make_order(shop, placed_at=NOW - 24 * HOUR)
    open_due_cases(now=NOW)
    while outbox.dispatch() or Engine().run_once():
        pass
    message = Message.objects.get(order=order)
    Message.objects.update(state="sent", handed_at=NOW, settled_at=NOW)
    message.refresh_from_db()
    announce_settled([message], at=NOW)
    while outbox.dispatch() or Engine().run_once():
        pass

    page = page_of(sign_in(shop), order)

    assert "Second reminder Wed 4 Nov, 13:00, unless paid." in page


def test_a_status_is_moved_and_stands_in_the_history(shop: Shop) -> None:
    order = make_order(shop)
    client = sign_in(shop)

    assert post(client, order, "status", status="not_confirmed") == 303

    order.refresh_from_db()
    assert order.status == "not_confirmed"
    page = page_of(client, order)
    assert "New → Not confirmed" in page
    assert "Anna Kowalska" in page


def test_the_second_of_two_managers_sees_what_the_first_did(shop: Shop) -> None:
    order = make_order(shop)
    first, second = sign_in(shop, name="Piotr Nowak"), sign_in(shop, name="Ewa Lis")
    first.post(f"/s/lumen/orders/{order.pk}/status/?version=0", {"status": "not_confirmed"})

    response = second.post(f"/s/lumen/orders/{order.pk}/status/?version=0", {"status": "awaiting_payment"})

    order.refresh_from_db()
    assert (response.status_code, order.status) == (409, "not_confirmed")
    assert "Piotr Nowak: New → Not confirmed." in words(response.content.decode())


def test_cancelling_needs_a_reason(shop: Shop) -> None:
    order, client = make_order(shop), sign_in(shop)
    reason = CancelReason(shop=shop, label="Too expensive")
    reason.save(force_insert=True)

    assert post(client, order, "cancel", reason="other", note=" ") == 409
    order.refresh_from_db()
    assert order.status == "new"

    assert post(client, order, "cancel", reason=str(reason.pk), note="found it cheaper") == 303
    order.refresh_from_db()
    assert (order.status, order.cancel_reason) == ("cancelled", "Too expensive: found it cheaper")


def test_a_reason_of_another_shop_is_no_reason(shop: Shop) -> None:
    foreign = CancelReason(shop=make_shop(), label="Theirs")
    foreign.save(force_insert=True)
    order = make_order(shop)

    assert post(sign_in(shop), order, "cancel", reason=str(foreign.pk)) == 409

    order.refresh_from_db()
    assert order.status == "new"


def test_an_order_that_a_colleague_took_is_refused_with_the_name(shop: Shop) -> None:
    order = make_order(shop)
    piotr, ewa = sign_in(shop, "clerk", name="Piotr Nowak"), sign_in(shop, "clerk", name="Ewa Lis")
    assert post(piotr, order, "take") == 303

    response = ewa.post(f"/s/lumen/orders/{order.pk}/take/")

    assert response.status_code == 409
    assert "Piotr Nowak has taken this order." in words(response.content.decode())
    assert "Release from Piotr Nowak" in page_of(ewa, order)
    assert post(ewa, order, "release") == 303
    order.refresh_from_db()
    assert order.claimed_by is None


def test_a_promise_rests_the_reminders_until_the_morning_after(shop: Shop) -> None:
    order, client = make_order(shop), sign_in(shop)

    assert post(client, order, "promise", day="2026-11-05") == 303

    order.refresh_from_db()
    assert order.status == "awaiting_payment"
    assert order.promised_at == datetime(2026, 11, 6, 9, 0, tzinfo=ZoneInfo("Europe/Warsaw"))
    assert post(client, order, "resume") == 303
    order.refresh_from_db()
    assert order.promised_at is None


@pytest.mark.parametrize("day", ["2026-10-30", "2027-06-01", "soon", "0000-00-00", "9999-12-31"])
def test_a_day_that_cannot_be_promised_changes_nothing(shop: Shop, day: str) -> None:
    order = make_order(shop)

    assert post(sign_in(shop), order, "promise", day=day) == 409

    order.refresh_from_db()
    assert (order.status, order.promised_at) == ("new", None)


def test_reminders_are_paused_and_go_on(shop: Shop) -> None:
    order, client = make_order(shop), sign_in(shop)

    assert post(client, order, "pause") == 303
    assert "Reminders rest until somebody lets them go on." in page_of(client, order)
    assert post(client, order, "resume") == 303

    order.refresh_from_db()
    assert order.paused_at is None


def test_the_pay_link_is_sent_once_for_a_dialog(shop: Shop) -> None:
    make_template(shop, key="order_reminder_1")
    order, client = make_order(shop), sign_in(shop)

    assert [post(client, order, "send-link", key="one-click") for _ in range(2)] == [303, 303]

    message = Message.objects.get(order=order)
    assert (message.manual_key, message.state, message.due_at) == ("one-click", "due", message.queued_at)


def test_no_pay_link_goes_out_for_a_paid_order(shop: Shop) -> None:
    make_template(shop, key="order_reminder_1")
    order = make_order(shop, paid_at=NOW - HOUR)

    assert post(sign_in(shop), order, "send-link", key="late") == 409

    assert not Message.objects.exists()


def test_a_duplicate_becomes_false(shop: Shop) -> None:
    contact = make_contact(shop)
    kept, dropped = make_order(shop, contact=contact), make_order(shop, contact=contact)

    assert post(sign_in(shop), dropped, "duplicate", kept=str(kept.pk)) == 303

    dropped.refresh_from_db()
    assert (dropped.status, dropped.duplicate_of_id) == ("false", kept.pk)


def test_a_note_shows_in_the_timeline_escaped(shop: Shop) -> None:
    order, client = make_order(shop), sign_in(shop)

    assert post(client, order, "note", note="<script>alert(1)</script>") == 303

    page = client.get(f"/s/lumen/orders/{order.pk}/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_the_timeline_says_why_a_message_did_not_go_out(shop: Shop) -> None:
    order = make_order(shop)
    make_message(order, state="cancelled", reason="promised", settled_at=NOW)

    assert "The person promised to pay later" in page_of(sign_in(shop), order)


def test_a_recovered_order_says_which_reminder_brought_the_money(shop: Shop) -> None:
    order = make_order(shop, payment_state="paid", status="completed", paid_at=NOW)
    install_texts(shop, now=NOW)
    reminder = Template.objects.get(key="order_reminder_2")
    message = make_message(order, state="sent", handed_at=NOW, template=reminder)
    ended = {"outcome": "recovered", "closed_at": NOW, "recovered_at": NOW, "recovered_amount": 149}
    make_case(order, credited_message=message, **ended)

    page = page_of(sign_in(shop), order)

    assert "€149.00 came back after “Unpaid order, second reminder”." in page.replace("\xa0", " ")


def test_a_clerk_may_take_an_order(shop: Shop) -> None:
    assert "Take this order" in page_of(sign_in(shop, "clerk"), make_order(shop))


def test_a_viewer_sees_an_order_and_changes_nothing(shop: Shop) -> None:
    order = make_order(shop)
    viewer = sign_in(shop, "viewer")

    assert "Take this order" not in page_of(viewer, order)
    assert post(viewer, order, "take") == 403
    assert not StatusChange.objects.filter(order=order).exists()


def test_an_order_of_another_shop_is_not_there(shop: Shop) -> None:
    other = make_shop()
    with scope(shop=other):
        foreign = make_order(other)
    client = sign_in(shop)

    assert client.get(f"/s/lumen/orders/{foreign.pk}/").status_code == 404
    assert post(client, foreign, "take") == 404
    with scope(shop=other):
        assert Order.objects.get(pk=foreign.pk).claimed_by is None


@pytest.mark.parametrize(
    ("asked_at", "says"),
    [
        (None, "It was not paid in time"),
        (NOW - HOUR, "It was not paid in time; the shop was asked once more"),
    ],
)
def test_the_history_says_that_the_shop_was_asked_only_where_it_was(
    shop: Shop, asked_at: datetime | None, says: str
) -> None:
    order = make_order(shop, asked_at=asked_at)
    open_due_cases(now=NOW)

    events = sign_in(shop).get(f"/s/lumen/orders/{order.pk}/").context["order"].timeline.events

    assert [event.body for event in events if "Unpaid" in str(event.title)] == [says]


@pytest.mark.parametrize(
    ("kind", "says"), [("generic", ""), ("woocommerce", "The shop is asked once more before.")]
)
def test_only_a_shop_that_can_be_asked_is_promised_to_be(shop: Shop, kind: str, says: str) -> None:
    order = make_order(shop, source=make_source(shop, kind=kind), placed_at=NOW - HOUR)

    page = sign_in(shop).get(f"/s/lumen/orders/{order.pk}/").context["order"]

    assert page.next_step.detail == says


def test_an_order_that_costs_something_again_says_so(shop: Shop) -> None:
    order = make_order(shop, status="completed", payment_state="nothing_due", total="0.00")
    reopen_priced(order, now=NOW)

    assert "There is something to pay now" in page_of(sign_in(shop), order)


def test_it_shows_delivery_and_invoice_apart(shop: Shop) -> None:
    order = make_order(
        shop,
        buyer={"name": "Anna Kowalska", "address": {"street": "Lipowa 1", "city": "Kraków"}},
        delivery={
            "title": "InPost",
            "point": {"ref": "KRA01M", "name": "by the grocery"},
            "name": "Jan Wilk",
            "address": {"street": "Boczna 9", "city": "Jasło"},
        },
        invoice={"is_wanted": True, "company": "Lipa", "tax_id": "5252248481"},
        coupons=[{"code": "LATO10", "discount": "5"}],
    )

    page = page_of(sign_in(shop), order)

    assert (
        "Delivery and invoice Delivery InPost Pick-up point KRA01M, by the grocery Delivered to Jan Wilk, Boczna 9, Jasło"
        " Billing address Lipowa 1, Kraków Invoice wanted Invoice for Lipa Tax number 5252248481 Coupon LATO10"
        in page
    )


def test_an_order_from_before_shows_what_it_has(shop: Shop) -> None:
    client = sign_in(shop)
    same = {"street": "Lipowa 1", "city": "Kraków"}

    assert "Delivery and invoice" not in page_of(client, make_order(shop))
    assert "Billing and delivery address Lipowa 1, Kraków" in page_of(
        client, make_order(shop, buyer={"address": same}, delivery={"title": "Courier", "address": same})
    )


def test_a_pay_link_is_made_by_a_press_and_told_again_to_whoever_may_work_on_the_order(shop: Shop) -> None:
    order = make_order(shop)
    clerk = sign_in(shop, "clerk")
    url = f"/s/lumen/orders/{order.pk}/"
    assert "/pay/" not in clerk.get(url).content.decode()

    assert post(clerk, order, "pay-link") == 303
    assert post(clerk, order, "pay-link") == 303
    page = clerk.get(url).content.decode()

    (shown,) = set(re.findall(r"http[^<\s]+/pay/[\w-]{22}", page))
    assert clerk.get(shown[shown.index("/pay/") :], headers=BROWSER).status_code == 200
    note_visits(now=NOW + HOUR)
    assert words(clerk.get(url).content.decode()).count("Opened the pay page") == 1
    assert f'<code id="handed-link">{shown}</code>' in page
    assert 'data-copy="#handed-link"' in page
    assert f'action="{url}pay-link/"' not in page
    said = words(page)
    assert "Opens the payment of this order, now €149.00, until" in said
    assert said.count("Pay link made to be handed to the customer") == 1
    assert "Anna Kowalska" in said.partition("Pay link made to be handed")[2]
    assert "/pay/" not in sign_in(shop, "viewer", name="Vera").get(url).content.decode()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"status": "cancelled"}, "The order is cancelled"),
        ({"status": "false"}, "The order is False"),
        ({"shop_state": "unknown"}, "may be paid already"),
        ({"status": "completed", "payment_state": "paid"}, "Nothing is to be paid"),
        ({"payment_state": "authorized"}, "on its way"),
    ],
)
def test_a_pay_link_is_refused_with_the_reason_and_the_one_made_before_is_told_no_more(
    shop: Shop, values: dict[str, str], why: str
) -> None:
    order = make_order(shop)
    client = sign_in(shop)
    post(client, order, "pay-link")
    Order.objects.filter(pk=order.pk).update(**values)

    answer = client.post(f"/s/lumen/orders/{order.pk}/pay-link/")

    assert (answer.status_code, why in words(answer.content.decode())) == (409, True)
    assert "/pay/" not in answer.content.decode()
    assert Link.objects.count() == 1


def test_a_link_to_the_cart_that_was_left_last_is_made_on_the_page_of_its_customer(shop: Shop) -> None:
    anna = make_contact(shop)
    older, left = (
        make_cart(shop, contact=anna, state="abandoned", last_activity_at=NOW - hours * HOUR)
        for hours in (9, 3)
    )
    make_cart(shop, contact=anna, lines=[], last_activity_at=NOW - HOUR)
    client = sign_in(shop, "clerk")
    url = f"/s/lumen/customers/{anna.pk}/"
    assert f"/s/lumen/carts/{left.pk}/link/" in client.get(url).content.decode()

    assert client.post(f"/s/lumen/carts/{left.pk}/link/").status_code == 303
    page = client.get(url).content.decode()

    (shown,) = set(re.findall(r"http[^<\s]+/cart/[\w-]{22}", page))
    assert client.get(shown[shown.index("/cart/") :]).status_code == 200
    assert "Opens the cart of €99.00 as it was left, until" in words(page)
    assert "Link to the left cart made to be handed to the customer" in words(page)
    Cart.objects.filter(pk=left.pk).update(state="converted")
    refused = client.post(f"/s/lumen/carts/{left.pk}/link/")
    assert (refused.status_code, "has become an order" in words(refused.content.decode())) == (409, True)
    assert f"/s/lumen/carts/{older.pk}/link/" in client.get(url).content.decode()
