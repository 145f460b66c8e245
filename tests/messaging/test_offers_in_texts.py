"""Texts that speak of an offer: advertising, filled from the offer, sent only while it is in force."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django_scopes import scopes_disabled

from recoup.messaging.actions import MessageOrder, queue_messages
from recoup.messaging.context import Subject, build_contexts
from recoup.messaging.context_rows import read_orders
from recoup.messaging.models import Message, Template, TemplateVersion
from recoup.messaging.rendering.pool import Rendered, RenderItem, shared_pool
from recoup.messaging.sender import look
from recoup.messaging.sender.claim import claim
from recoup.messaging.sender.judge import judge
from recoup.messaging.sender.prepare import Draft
from recoup.messaging.sender.timing import Timing
from recoup.messaging.shipped import LOCALES
from recoup.messaging.templates import install_shipped
from recoup.messaging.texts import current_texts
from recoup.offers.models import Offer
from recoup.orders.models import Order
from tests.factories.moments import DAY, NOW
from tests.factories.offers import make_offer
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.templates import make_template
from tests.messaging.sender.roads import Road, make_road

pytestmark = pytest.mark.django_db
TEXT = """<mjml><mj-body><mj-section><mj-column>
<mj-text>{{ offer.discount }} until {{ offer.expires_at | date: "datetime" }}:
{{ offer.new_total }}, {{ offer.code }}</mj-text>
<mj-text>{{ offer.description | fallback: "Only for you" }}</mj-text>
<mj-button href="{{ links.pay }}">Pay</mj-button>
<mj-text><a href="{{ links.unsubscribe }}">No more</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def road() -> Road:
    return make_road(2525)


@pytest.fixture
def template(road: Road) -> Template:
    template = make_template(
        road.shop, key="with_offer", texts={"en": ("An offer", TEXT), "pl": ("Oferta", TEXT)}
    )
    TemplateVersion.objects.filter(template=template).update(has_offer=True)
    return template


def queue(road: Road, order: Order, **values: object) -> Message:
    """Queue a mail of a process about an order."""
    wish = MessageOrder(
        shop_id=order.shop_id,
        contact_id=order.contact_id or 0,
        template_key="with_offer",
        locale="",
        due_at=NOW,
        not_after=NOW + DAY,
        source_id=road.source.pk,
        enrolment_id=77,
        step_no=5,
        order_id=order.pk,
    )
    queue_messages([replace(wish, **values)], now=NOW)  # type: ignore[arg-type]
    return Message.objects.get(order=order)


def test_a_mail_with_an_offer_is_advertising_and_knows_which_offer(road: Road, template: Template) -> None:
    order = make_order(road.shop)
    make_offer(order, enrolment_id=77, step_no=2, state="void")
    offer = make_offer(order, enrolment_id=77, step_no=3)
    make_offer(order, enrolment_id=78, step_no=4)

    message = queue(road, order)

    assert (message.message_class, message.offer_id) == ("needs_consent", offer.pk)


def test_a_mail_without_an_offer_token_stays_what_it_was(road: Road) -> None:
    make_template(road.shop, key="with_offer")
    order = make_order(road.shop)
    make_offer(order, enrolment_id=77, step_no=3)

    message = queue(road, order)

    assert (message.message_class, message.offer_id) == ("contract", None)


def test_it_says_discount_sum_code_and_exact_end_on_the_persons_clock(road: Road, template: Template) -> None:
    order = make_order(road.shop, contact=make_contact(road.shop, time_zone="Europe/Lisbon"))
    offer = make_offer(
        order,
        new_total=Decimal("134.10"),
        valid_until=NOW.replace(month=7, day=1, hour=18, minute=30),
    )
    compiled = current_texts([template.pk])[template.pk].by_locale["en"]
    subject = Subject(1, order.contact_id or 0, order.pk, None, "en", compiled, offer.pk)

    built = build_contexts(road.shop.pk, [subject])[1]
    (mail,) = shared_pool().render([RenderItem(compiled, built.values, "en", built.zone)])

    assert isinstance(mail, Rendered)
    text = mail.text.decode()
    assert [part in text for part in ("10%", "€134.10", "CDFG-HJKM-NP33", "7:30", "Only for you")] == [
        True
    ] * 5


@pytest.mark.parametrize("locale", LOCALES)
def test_the_shipped_text_about_a_next_order_needs_no_new_sum(road: Road, locale: str) -> None:
    (template,) = install_shipped(road.shop, now=NOW, keys=["win_back_offer"])
    order = make_order(road.shop)
    offer = make_offer(order, order=None, new_total=None, is_for_person=True)
    compiled = current_texts([template.pk])[template.pk].by_locale[locale]
    about_order = Subject(1, offer.contact_id, order.pk, None, locale, compiled, offer.pk)
    about_person = about_order._replace(key=2, order_id=None)

    built = build_contexts(road.shop.pk, [about_order, about_person])
    mails = shared_pool().render(
        [RenderItem(compiled, one.values, locale, one.zone) for one in built.values()]
    )

    for mail in mails:
        assert isinstance(mail, Rendered)
        assert "CDFG-HJKM-NP33" in mail.text.decode()


def decide(road: Road, now: timedelta = timedelta(0)) -> str:
    """Let the sender look once; return its reason, or "send"."""
    messages = claim(road.lane.pk, owner=1, now=NOW, timing=Timing())[1]
    sights, shop = look.look(messages, owner=1, now=NOW + now)
    (message,) = messages
    decision = judge(
        message,
        sights[message.id],
        replace(shop, wanting_offers={message.contact_id}),
        stamp=None,
        now=NOW + now,
    )
    return decision.reason or decision.what


def test_the_last_look_stops_a_mail_whose_offer_is_over(road: Road, template: Template) -> None:
    order = make_order(road.shop)
    offer = make_offer(order, enrolment_id=77, step_no=3, valid_until=NOW + timedelta(hours=1))
    message = queue(road, order)

    in_force = decide(road)
    Message.objects.filter(pk=message.pk).update(state="due")
    expired = decide(road, timedelta(hours=1))
    Message.objects.filter(pk=message.pk).update(state="due")
    Offer.objects.filter(pk=offer.pk).update(state="void")
    withdrawn = decide(road)

    assert (in_force, expired, withdrawn) == ("send", "offer_over", "offer_over")


def test_a_mail_about_an_offer_that_nobody_made_is_not_written(road: Road, template: Template) -> None:
    queue(road, make_order(road.shop))
    messages = claim(road.lane.pk, owner=1, now=NOW, timing=Timing())[1]

    batch = Draft(messages, None, shop_locale="en", now=NOW).finish()

    assert [(end.state, end.reason) for end in batch.ends] == [("cancelled", "offer_over")]


def test_a_text_names_the_way_of_delivery_with_its_point_and_no_address(road: Road) -> None:
    delivery = {
        "title": "InPost",
        "point": {"ref": "KRA01M", "address": "ul. Pawia 5"},
        "address": {"street": "Cicha 7"},
    }
    with_it, without = make_order(road.shop, delivery=delivery), make_order(road.shop)

    rows = read_orders(road.shop.pk, [with_it.pk, without.pk], with_items=False, with_delivery=True)
    unread = read_orders(road.shop.pk, [with_it.pk], with_items=False)

    assert rows[with_it.pk].values["delivery"] == "InPost: KRA01M, ul. Pawia 5"
    assert rows[without.pk].values["delivery"] == ""
    assert unread[with_it.pk].values["delivery"] == ""


def test_a_text_about_an_order_that_was_paid_with_an_offer_says_that_nothing_is_due(road: Road) -> None:
    order = make_order(
        road.shop, total="100.00", captured=Decimal(90), discount_given=Decimal(10), payment_state="paid"
    )

    row = read_orders(road.shop.pk, [order.pk], with_items=True)[order.pk]

    assert Decimal(row.values["due"][0]) == 0
    taken_off = [(extra.kind, extra.amount) for extra in row.extras if extra.amount < 0]
    assert taken_off == [("discount", Decimal(-10)), ("paid", Decimal(-90))]
