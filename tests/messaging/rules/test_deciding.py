"""The class that a message is queued with: from its words, its reader, their country, and the rules of the shop."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.core.models import Activity
from recoup.messaging.actions import MessageOrder, queue_messages
from recoup.messaging.models import Message, SendingRule
from recoup.messaging.rules.book import Cell, book_of
from recoup.messaging.rules.changing import change_ground, change_rule
from recoup.messaging.rules.deciding import content_of, country_of_phone, offer_tokens
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.factories.templates import ORDER_TEXT, make_template

pytestmark = pytest.mark.django_db
OWNER = Actor("person", 4)
_steps = iter(range(1, 10**6))


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def queued(subject: Order | Cart, template: str = "reminder", **values: Any) -> tuple[str, str, str, str]:
    """Queue a message about something; return its class, content, relation and country."""
    about: dict[str, Any] = (
        {"order_id": subject.pk} if isinstance(subject, Order) else {"cart_id": subject.pk}
    )
    assert subject.contact_id is not None
    order = MessageOrder(
        shop_id=subject.shop_id,
        contact_id=subject.contact_id,
        template_key=template,
        locale="en",
        due_at=NOW,
        not_after=NOW + DAY,
        enrolment_id=next(_steps),
        step_no=1,
        **about,
        **values,
    )
    assert queue_messages([order], now=NOW) == 1
    message = Message.objects.latest("id")
    return message.message_class, message.content, message.relation, message.country


def in_country(shop: Shop, country: str, **values: Any) -> Cart:
    return make_cart(shop, contact=make_contact(shop, country=country), **values)


def bought(cart: Cart, **values: Any) -> None:
    """Let the person of a cart have bought something before."""
    values = {"payment_state": "paid", "paid_at": NOW - 9 * DAY, "placed_at": NOW - 10 * DAY, **values}
    make_order(cart.shop, contact=cart.contact, **values)


def test_an_order_reminder_is_about_the_contract_everywhere(shop: Shop) -> None:
    make_template(shop)
    for country in ("PL", "DE", "RU", "GB", "US", "FR", ""):
        order = make_order(shop, contact=make_contact(shop, country=country))
        assert queued(order) == ("contract", "contract", "order", country)


def test_a_cart_reminder_goes_by_country_relation_and_ground(shop: Shop) -> None:
    make_template(shop, kind="cart")
    cart = in_country(shop, "DE")
    assert queued(cart) == ("needs_consent", "cart", "neither", "DE")
    bought(cart)
    assert queued(cart) == ("needs_consent", "cart", "neither", "DE")  # nobody told them that they may refuse
    change_ground(shop, is_told=True, actor=OWNER, now=NOW)
    assert queued(cart) == ("soft_opt_in", "cart", "customer", "DE")
    assert queued(in_country(shop, "PL"))[0] == "needs_consent"
    assert queued(in_country(shop, "US"))[0] == "soft_opt_in"
    assert queued(in_country(shop, ""))[0] == "needs_consent"


@pytest.mark.parametrize(
    "values",
    [
        {"payment_state": "owed", "paid_at": None},
        {"total": 0},
        {"is_test": True},
        {"payment_state": "refunded"},
    ],
)
def test_what_is_no_purchase_makes_no_customer(shop: Shop, values: dict[str, Any]) -> None:
    make_template(shop, kind="cart")
    change_ground(shop, is_told=True, actor=OWNER, now=NOW)
    cart = in_country(shop, "DE")
    bought(cart, **values)

    assert queued(cart) == ("needs_consent", "cart", "neither", "DE")


def test_the_country_is_that_of_the_order_then_of_the_person_then_of_their_phone(shop: Shop) -> None:
    make_template(shop)
    german = make_contact(shop, country="DE", phone="+48601000001")
    polish_phone = make_contact(shop, country="", phone="+48601000002")

    assert queued(make_order(shop, contact=german, buyer={"country": "gb"}))[3] == "GB"
    assert queued(make_order(shop, contact=german))[3] == "DE"
    assert queued(make_order(shop, contact=polish_phone))[3] == "PL"
    assert queued(make_order(shop, contact=make_contact(shop)))[3] == ""


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("+48601000002", "PL"),
        ("+79161234567", "RU"),
        ("+77011234567", "KZ"),
        ("+12125550123", "US"),
        ("+80012345678", ""),  # a free call belongs to no country
        ("+87012345678", ""),
        ("x", ""),
        ("", ""),
    ],
)
def test_a_number_tells_its_country(phone: str, country: str) -> None:
    assert country_of_phone(phone) == country


@pytest.mark.parametrize(
    "words",
    ["Pay now, 10% off", "Rabat 10%", "Скидка 5 %", "10 % Rabatt", "Use code SPRING10", "{{ offer.code }}"],
)
def test_a_discount_makes_an_order_reminder_advertising(shop: Shop, words: str) -> None:
    make_template(shop, texts={"en": (words, ORDER_TEXT)})
    order = make_order(shop, contact=make_contact(shop, country="DE"))

    assert queued(order) == ("needs_consent", "advertising", "order", "DE")


@pytest.mark.parametrize(
    "words",
    [
        "{% assign o = offer %}{{ o.new_total }} until {{ o.expires_at }}",
        "{{ offer['code'] }}",
        "{%- assign code = offer['code'] -%}{{ code }}",
    ],
)
def test_an_offer_under_another_name_is_an_offer_in_a_version_and_in_a_draft(shop: Shop, words: str) -> None:
    make_template(shop, texts={"en": (words, ORDER_TEXT)})
    order = make_order(shop, contact=make_contact(shop, country="PL"))

    assert queued(order)[:2] == ("needs_consent", "advertising")
    assert content_of("order", {"en": {"subject": "Hello", "body": words}}) == "advertising"
    assert offer_tokens({"en": {"text": words}})


@pytest.mark.parametrize(
    "words", ['{{ customer.first_name | fallback: "our offer" }}', "What you were offered.code", "an offer"]
)
def test_the_word_offer_alone_is_none(words: str) -> None:
    assert offer_tokens({"en": {"body": words}}) == []


def test_advertising_about_an_unpaid_order_in_gb_needs_that_people_were_told(shop: Shop) -> None:
    make_template(shop, texts={"en": ("Pay now, 10% off", ORDER_TEXT)})
    order = make_order(shop, contact=make_contact(shop, country="GB"))

    untold = queued(order)[0]
    change_ground(shop, is_told=True, actor=OWNER, now=NOW)

    assert (untold, queued(order)[0]) == ("needs_consent", "soft_opt_in")


def test_what_is_said_long_after_the_payment_is_advertising(shop: Shop) -> None:
    make_template(shop)
    person = make_contact(shop, country="PL")
    values: dict[str, Any] = {"contact": person, "payment_state": "paid", "placed_at": NOW - 60 * DAY}

    fresh = make_order(shop, paid_at=NOW - 30 * DAY, **values)
    old = make_order(shop, paid_at=NOW - 30 * DAY - timedelta(seconds=1), **values)

    assert queued(fresh, purpose="thanks") == ("contract", "contract", "order", "PL")
    assert queued(old, purpose="thanks") == ("needs_consent", "advertising", "neither", "PL")


def test_a_change_keeps_the_old_rule_and_reclassifies_what_waits(shop: Shop) -> None:
    make_template(shop, kind="cart")
    german, polish, sent = (in_country(shop, country) for country in ("DE", "PL", "DE"))
    for cart in (german, polish, sent):
        queued(cart)
    Message.objects.filter(cart=sent).update(state="sent")
    cell = Cell("DE", "cart", "neither")

    change = change_rule(shop, cell, "forbidden", note=" Our lawyer says so. ", actor=OWNER, now=NOW)

    assert change is not None
    assert (change.was, change.verdict, change.note, change.changed_by, change.changed_at) == (
        "needs_consent",
        "forbidden",
        "Our lawyer says so.",
        4,
        NOW,
    )
    classes = Message.objects.order_by("id").values_list("message_class", flat=True)
    assert list(classes) == ["forbidden", "needs_consent", "needs_consent"]
    assert book_of(shop.pk, now=NOW + 2 * DAY).rule(*cell).is_own
    assert change_rule(shop, cell, "forbidden", actor=OWNER, now=NOW) is None
    assert change_rule(shop, cell, "needs_consent", actor=OWNER, now=NOW + DAY) is not None
    assert not book_of(shop.pk, now=NOW + 2 * DAY).rule(*cell).is_own
    assert list(SendingRule.objects.order_by("id").values_list("was", "verdict")) == [
        ("needs_consent", "forbidden"),
        ("forbidden", "needs_consent"),
    ]
    assert Activity.objects.filter(verb="messaging.rules.changed", shop_id=shop.pk).count() == 2


def test_of_two_who_change_a_rule_at_once_the_one_who_waited_changes_what_the_other_left(shop: Shop) -> None:
    make_template(shop, kind="cart")
    queued(in_country(shop, "DE"))
    cell, came = Cell("DE", "cart", "neither"), NOW - timedelta(milliseconds=500)
    change_rule(shop, cell, "forbidden", actor=OWNER, now=NOW)  # began to hold while the other waited

    assert change_rule(shop, cell, "soft_opt_in", actor=OWNER, now=came) is not None

    assert book_of(shop.pk, now=NOW).verdict(*cell) == "soft_opt_in"
    assert Message.objects.get().message_class == "soft_opt_in"
    change_ground(shop, is_told=True, actor=OWNER, now=NOW)
    change_ground(shop, is_told=False, actor=OWNER, now=came)
    assert not book_of(shop.pk, now=NOW).has_ground


def test_a_rule_is_in_force_since_a_day_of_the_shops_calendar() -> None:
    shop = make_shop(time_zone="Europe/Warsaw")
    cell, midnight = Cell("DE", "cart", "neither"), datetime(2026, 11, 30, 23, tzinfo=UTC)

    change_rule(shop, cell, "forbidden", actor=OWNER, now=NOW, holds_from=midnight)

    assert book_of(shop.pk, now=midnight).rule(*cell).since == date(2026, 12, 1)


def test_the_rule_for_all_others_leaves_named_countries_alone(shop: Shop) -> None:
    make_template(shop, kind="cart")
    for country in ("DE", "FR", ""):
        queued(in_country(shop, country))

    change_rule(shop, Cell("", "cart", "neither"), "soft_opt_in", actor=OWNER, now=NOW)

    classes = Message.objects.order_by("id").values_list("country", "message_class")
    assert list(classes) == [("DE", "needs_consent"), ("FR", "soft_opt_in"), ("", "soft_opt_in")]


def test_the_rules_of_one_shop_are_not_those_of_another(shop: Shop) -> None:
    other = make_shop()
    change_rule(shop, Cell("PL", "cart", "neither"), "soft_opt_in", actor=OWNER, now=NOW)
    make_template(other, kind="cart")

    assert queued(in_country(other, "PL"))[0] == "needs_consent"
