"""Drafts, publishing, shipped texts, previews and test sends."""

import email
import email.policy
from typing import Any

import pytest
from django_scopes import scopes_disabled
from pytest_django import Settings

from recoup.core.activity import Actor
from recoup.core.installation import silence_installation
from recoup.messaging import shipped
from recoup.messaging.models import Message, Template, TemplateVersion
from recoup.messaging.previews import PreviewFailed, SendingNotSetUp, SendingSilenced, preview, send_test
from recoup.messaging.sms.drafts import bill_of, problems_of
from recoup.messaging.templates import (
    DraftText,
    TemplateChangedMeanwhile,
    TemplateNotPublishable,
    add_template,
    check_draft,
    draft_texts,
    install_shipped,
    publish,
    save_draft,
)
from recoup.shops.models import Shop
from tests.factories.messages import make_mail_account
from tests.factories.moments import NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.support.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("channel_table")]

BODY = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ customer.first_name }}, order {{ order.number }}.</mj-text>
<mj-button href="{{ links.pay }}">Pay</mj-button></mj-column></mj-section></mj-body></mjml>"""


@pytest.fixture(autouse=True)
def _scopes() -> Any:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop(name="Pottery", locale="pl", colour="#ffe08a", address="Rynek 1")


@pytest.fixture
def template(shop: Shop) -> Template:
    return add_template(shop, key="own", name="Own", kind="order")


def text(body: str, **values: str) -> DraftText:
    return DraftText(**{"subject": "Order {{ order.number }}", "body": body, **values})


GOOD = text(BODY.replace("{{ customer.first_name }}", "there"), preheader="Still {{ order.due }} to pay")


def test_save_draft_refuses_to_overwrite_what_somebody_else_saved(template: Template) -> None:
    save_draft(template, {"pl": GOOD}, expected_lock=0, now=NOW)

    with pytest.raises(TemplateChangedMeanwhile) as refused:
        save_draft(template, {"pl": text("mine")}, expected_lock=0, now=NOW)

    assert draft_texts(refused.value.template) == {"pl": GOOD}
    assert (refused.value.template.draft_lock, draft_texts(template)) == (1, {"pl": GOOD})


def test_publish_compiles_every_language_and_names_those_without_text(template: Template) -> None:
    save_draft(template, {"pl": GOOD, "de": GOOD}, expected_lock=0, now=NOW)

    published = publish(template, expected_lock=1, now=NOW, actor=Actor("person", 7))

    version = TemplateVersion.objects.get()
    assert published.version == version == template.current_version
    assert published.missing_locales == ("en", "ru")
    assert (version.number, version.published_by, sorted(version.texts)) == (1, 7, ["de", "pl"])
    assert version.texts["pl"]["compiled"]["tokens"] == ["links.pay", "order.due", "order.number"]
    assert "Still {{ order.due }} to pay" in version.texts["pl"]["compiled"]["html"]


def test_publish_refuses_a_language_with_a_problem_and_publishes_none(template: Template) -> None:
    save_draft(template, {"pl": GOOD, "de": text(BODY)}, expected_lock=0, now=NOW)

    with pytest.raises(TemplateNotPublishable) as refused:
        publish(template, expected_lock=1, now=NOW)

    found = [
        (locale, p.code, p.line, p.place) for locale, some in refused.value.problems.items() for p in some
    ]
    assert found == [("de", "fallback_missing", 2, "html")]
    assert check_draft(template).keys() == {"de"}
    assert (TemplateVersion.objects.count(), template.current_version) == (0, None)


def test_publish_needs_the_language_of_the_shop(template: Template) -> None:
    save_draft(template, {"en": GOOD}, expected_lock=0, now=NOW)

    with pytest.raises(TemplateNotPublishable) as refused:
        publish(template, expected_lock=1, now=NOW)

    assert (refused.value.missing, TemplateVersion.objects.count()) == ("pl", 0)


def test_publish_refuses_a_draft_that_was_saved_since(template: Template) -> None:
    save_draft(template, {"pl": GOOD}, expected_lock=0, now=NOW)
    save_draft(template, {"pl": GOOD}, expected_lock=1, now=NOW)

    with pytest.raises(TemplateChangedMeanwhile):
        publish(template, expected_lock=1, now=NOW)

    assert TemplateVersion.objects.count() == 0


def test_a_cart_text_without_a_way_out_is_not_published(shop: Shop) -> None:
    cart = add_template(shop, key="cart", name="Cart", kind="cart")
    body = BODY.replace("{{ customer.first_name }}, order {{ order.number }}", "there").replace(
        "links.pay", "links.cart"
    )
    save_draft(cart, {"pl": DraftText("Cart", body)}, expected_lock=0, now=NOW)

    with pytest.raises(TemplateNotPublishable) as refused:
        publish(cart, expected_lock=1, now=NOW)

    assert [p.code for p in refused.value.problems["pl"]] == ["unsubscribe_missing"]


def test_install_shipped_publishes_all_texts_in_four_languages_once(shop: Shop) -> None:
    made = install_shipped(shop, now=NOW)

    assert [template.key for template in made] == list(shipped.KEYS)
    assert all(t.is_shipped and t.current_version is not None for t in made)
    assert {tuple(sorted(v.texts)) for v in TemplateVersion.objects.all()} == {("de", "en", "pl", "ru")}
    assert [check_draft(template) for template in made] == [{}] * 8
    assert made[0].name == "Nieopłacone zamówienie, pierwsze przypomnienie"
    assert 'color="#1d2622" font-size="17px"' in made[0].draft["pl"]["body"]  # dark words on a light button
    assert install_shipped(shop, now=NOW) == []


@pytest.mark.parametrize("locale", shipped.LOCALES)
def test_shipped_order_text_says_who_writes_how_to_pay_and_how_to_stop(shop: Shop, locale: str) -> None:
    shop.locale = locale
    shop.save()
    first = install_shipped(shop, now=NOW)[0]
    order = make_order(shop, number="A-17", total="149.00", contact=make_contact(shop, name=""))

    seen = preview(first, locale, subject=order)

    for words in ("A-17", "149", "Pottery", "Rynek 1", "Cream"):
        assert words in seen.text
    for purpose in ("pay", "paid", "later", "stop", "why", "out"):
        assert (
            seen.text.count(f"/{purpose}/preview") == 1
        )  # the address under the button stands in HTML alone
    assert seen.html.count("/pay/preview") == 3
    assert "{{" not in seen.html + seen.text + seen.subject
    assert " ," not in seen.text


@pytest.mark.parametrize("locale", shipped.LOCALES)
def test_shipped_short_texts_name_the_shop_lead_on_and_take_few_parts(
    shop: Shop, settings: Settings, locale: str
) -> None:
    settings.PUBLIC_URL = "https://recoup.example.com"
    shop.locale, shop.name = locale, "Pottery"
    shop.save()
    made = install_shipped(shop, now=NOW, keys=shipped.SMS_KEYS)

    seen = {one.key: bill_of(one, preview(one, locale).text) for one in made}

    parts = {key: bill.measure.parts for key, bill in seen.items()}
    of_one_link, of_two_links = (2, 3) if locale == "ru" else (1, 2)
    assert {one.channel for one in made if one.current_version is not None} == {"sms"}
    assert parts.pop("sms_thanks") == 1
    for key in ("sms_cart_reminder", "sms_order_offer"):  # they need a way to refuse, as advertising does
        assert seen[key].text.count("https://recoup.example.com/out/") == 1
        assert parts.pop(key) <= of_two_links
    assert set(parts.values()) == {of_one_link}
    assert all(bill.text.startswith("Pottery: ") and "{{" not in bill.text for bill in seen.values())
    problems = [
        problem for one in made for problem in problems_of(one, one.draft[locale]["body"], seen[one.key])
    ]
    assert [problem.code for problem in problems if problem.blocking] == []
    foreign = {bill.measure.foreign != "" for key, bill in seen.items() if key != "sms_thanks"}
    assert foreign == {
        locale == "ru"
    }  # one letter of another alphabet makes every part less than half as long


def test_preview_shows_a_made_up_person_in_the_name_of_the_shop(template: Template) -> None:
    save_draft(template, {"pl": text(BODY.replace("first_name", "email"))}, expected_lock=0, now=NOW)

    seen = preview(template, "pl")

    assert (seen.subject, "anna@example.com" in seen.text) == ("Order 1042", True)


def test_preview_of_a_cart_shows_its_lines(shop: Shop) -> None:
    install_shipped(shop, now=NOW)
    cart = make_cart(shop, products=("mug", "apron"))

    seen = preview(Template.objects.get(key="cart_reminder_1"), "en", subject=cart)

    assert "Mug" in seen.text
    assert "Apron" in seen.text
    assert "99.00" in seen.text


def test_preview_says_why_a_mail_cannot_be_written(template: Template) -> None:
    save_draft(
        template, {"pl": text(BODY.replace("customer.first_name", "order.number"))}, expected_lock=0, now=NOW
    )
    order = make_order(template.shop, number=" ")

    with pytest.raises(PreviewFailed) as failed:
        preview(template, "pl", subject=order)

    assert failed.value.failure.code == "field_empty"


def test_test_send_really_leaves_and_is_no_message(template: Template, sink: SmtpSink) -> None:
    make_mail_account(template.shop, port=sink.port)
    save_draft(template, {"pl": GOOD}, expected_lock=0, now=NOW)

    said = send_test(template, "pl", "owner@shop.example", now=NOW)

    (mail,) = sink.mails()
    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert (said.is_accepted, mail.recipients, parsed["Subject"]) == (
        True,
        ["owner@shop.example"],
        "Order 1042",
    )
    assert parsed["List-Unsubscribe"] is None
    assert Message.objects.count() == 0


def test_test_send_tells_what_the_server_said(template: Template, sink: SmtpSink) -> None:
    make_mail_account(template.shop, port=sink.port)
    save_draft(template, {"pl": GOOD}, expected_lock=0, now=NOW)

    said = send_test(template, "pl", "owner+550@shop.example", now=NOW)

    assert (said.is_accepted, said.answer[:3], sink.mails()) == (False, "550", [])


def test_test_send_leaves_no_copy_that_nobody_has_confirmed(template: Template, sink: SmtpSink) -> None:
    make_mail_account(template.shop, port=sink.port)
    save_draft(template, {"pl": GOOD}, expected_lock=0, now=NOW)
    silence_installation(reason="restored", now=NOW)

    with pytest.raises(SendingSilenced):
        send_test(template, "pl", "owner@shop.example", now=NOW)

    assert sink.mails() == []


def test_test_send_needs_a_mail_server(template: Template) -> None:
    save_draft(template, {"pl": GOOD}, expected_lock=0, now=NOW)

    with pytest.raises(SendingNotSetUp):
        send_test(template, "pl", "owner@shop.example", now=NOW)
