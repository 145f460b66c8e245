"""What the rules say against a draft stands where it is published and at its step; what nobody may get is refused."""

from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.core.activity import SYSTEM
from recoup.customers.actions import Consent, record_consent
from recoup.messaging.models import Template, TemplateVersion
from recoup.messaging.rules.book import CELLS
from recoup.messaging.rules.changing import change_rule
from recoup.processes import lawful
from recoup.processes.drafts import create_process, draft_of, problems_of
from recoup.processes.models import Process
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.templates import ORDER_TEXT, PERSON_TEXT, make_template
from tests.web.world import World, client_of

SEND: dict[str, Any] = {"n1": {"t": "send", "template": "moved", "out": {"done": "n2"}}, "n2": {"t": "end"}}


@pytest.fixture
def owner(world: World) -> Client:
    return client_of(world.own.people[Role.OWNER])


@pytest.fixture
def drawn(world: World) -> Process:
    """Return a draft that writes to people, in a shop that has such a text."""
    with scopes_disabled():
        make_template(world.own.shop, key="moved", kind="customer")
        start = {
            "schema": 1,
            "name": "News",
            "entry": {"on": "manual", "first": "n1"},
            "goals": [],
            "nodes": SEND,
        }
        return create_process(world.own.shop, name="News", start=start, actor=SYSTEM, now=NOW)


def forbid(world: World, content: str) -> None:
    for cell in CELLS:
        if cell.content == content:
            change_rule(world.own.shop, cell, "forbidden", actor=SYSTEM, now=NOW)


def test_who_is_left_out_stands_at_the_step_and_where_one_publishes(
    owner: Client, world: World, drawn: Process
) -> None:
    with scopes_disabled():
        make_cart(world.own.shop, contact=make_contact(world.own.shop, country="PL"))
    page = owner.get(f"/s/own/processes/{drawn.pk}/publish/")
    step = owner.get(f"/s/own/processes/{drawn.pk}/edit/steps/n1/")

    (warning,) = page.context["warnings"]
    assert "Poland, Germany, Russia, United Kingdom" in warning
    assert "United States" not in warning
    assert "this is advertising and needs consent." in warning
    assert "would have been left out." in warning
    assert warning in page.content.decode()
    assert step.context["warnings"] == [warning]
    assert "purpose" not in step.context["form"].fields
    assert ("moved", "Moved") in step.context["form"].fields["template"].choices


def test_a_process_whose_message_nobody_may_get_is_refused_at_its_step(
    owner: Client, world: World, drawn: Process
) -> None:
    with scopes_disabled():
        forbid(world, "advertising")
        found = problems_of(drawn, draft_of(drawn).doc)
        lock = str(draft_of(drawn).lock)

    refused = owner.post(f"/s/own/processes/{drawn.pk}/publish/", {"lock": lock, "do": "publish"})

    assert [(one.path, one.code) for one in found] == [("nodes.n1.template", "text_forbidden")]
    assert refused.status_code == 422
    said = refused.content.decode()
    assert "Nobody may get the text “Moved”: the sending rules of this shop forbid “Advertising" in said


@pytest.mark.parametrize("is_forbidden", [True, False])
def test_publishing_a_text_that_a_running_process_sends_says_the_same(
    owner: Client, world: World, is_forbidden: bool
) -> None:
    with scopes_disabled():
        template = make_template(world.own.shop, key="moved", kind="customer")
        make_process(world.own.shop, entry={"on": "manual"}, goals=[], nodes=SEND, name="News of ours")
        body = {
            "subject": "News",
            "body": PERSON_TEXT,
            "preheader": "",
            "text": "",
        }
        Template.objects.filter(pk=template.pk).update(draft={"en": body, world.own.shop.locale: body})
        if is_forbidden:
            forbid(world, "advertising")

    answer = owner.post("/s/own/settings/texts/moved/en/publish/", {"lock": "0"}, follow=True)

    said = [str(one) for one in answer.context["messages"]]
    with scopes_disabled():
        number = TemplateVersion.objects.filter(template=template).count()
    if is_forbidden:
        assert number == 1
        assert any("in every country, and News of ours sends it" in one for one in said)
    else:
        assert number == 2
        assert any("needs consent" in one for one in said)


def test_publishing_names_the_rule_its_country_and_day_and_how_many_it_would_hold(
    owner: Client, world: World, drawn: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lawful, "ENOUGH", 2)
    with scopes_disabled():
        found = [make_contact(world.own.shop, country="PL") for _ in range(3)]
        for contact in found:
            make_cart(world.own.shop, contact=contact)
        lock = str(draft_of(drawn).lock)
    address = f"/s/own/processes/{drawn.pk}/publish/"

    refused = owner.post(address, {"lock": lock, "do": "publish"})
    with scopes_disabled():
        record_consent(found[0], [Consent("marketing", is_given=True, source="shop", at=NOW - DAY)], now=NOW)
    page = owner.get(address)
    published = owner.post(address, {"lock": lock, "do": "publish"})

    said = refused.content.decode()
    assert refused.status_code == 422
    assert "Nobody whom this process can meet may get the text “Moved”: in Poland “Advertising" in said
    assert "Art. 398" in said
    assert "in force since 10 November 2024" in said
    assert "Ask for consent where people buy" in said
    [line] = [one for one in page.context["held"] if "Poland" in one]
    assert "Poland: 2 of 3 people would be held back, because it needs a consent that is not there (" in line
    assert "in force since 10 November 2024" in line
    assert line.replace("'", "&#x27;") in page.content.decode()
    assert published.status_code == 303


def test_a_text_that_would_bar_a_running_process_is_not_published(
    owner: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lawful, "ENOUGH", 2)
    with scopes_disabled():
        shop = world.own.shop
        template = make_template(shop, key="due", kind="order")
        make_process(
            shop, entry={"on": "order.unpaid"}, goals=[{"on": "order.paid"}], name="Due of ours",
            nodes={"n1": {"t": "send", "template": "due", "out": {"done": "n2"}}, "n2": {"t": "end"}},
        )  # fmt: skip
        for _ in range(3):
            make_order(shop, contact=make_contact(shop, country="PL"))
        body = {"subject": "Now 10 % off", "body": ORDER_TEXT, "preheader": "", "text": ""}
        Template.objects.filter(pk=template.pk).update(draft={"en": body, shop.locale: body})

    answer = owner.post("/s/own/settings/texts/due/en/publish/", {"lock": "0"}, follow=True)

    [said] = [str(one) for one in answer.context["messages"]]
    assert said.startswith("Due of ours: Nobody whom this process can meet may get the text “Due”: in Poland")
    with scopes_disabled():
        assert TemplateVersion.objects.filter(template=template).count() == 1
