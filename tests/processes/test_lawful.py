"""What may not be sent to anybody whom a process can meet is not published; who would be held back is said before."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.customers.actions import Consent, record_consent
from recoup.customers.models import Contact
from recoup.messaging.rules.book import Cell
from recoup.messaging.rules.changing import change_ground, change_rule
from recoup.processes import lawful
from recoup.processes.drafts import create_process, draft_of, problems_of, publish_draft
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.reading import read_document
from recoup.processes.lawful import ways_met
from recoup.processes.models import Process
from recoup.processes.publishing import preview_of_publish
from recoup.shops.models import Shop
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_cart
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.factories.templates import make_template

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(lawful, "ENOUGH", 2)
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    shop = make_shop(country="DE", locale="en")
    make_template(shop, key="left", kind="cart")
    return shop


def drawn(shop: Shop, **changes: Any) -> Process:
    """Return a draft that writes about a left cart."""
    start = {
        "schema": 1,
        "name": "Left",
        "entry": {"on": "cart.abandoned", "first": "n1", **changes.pop("entry", {})},
        "goals": [{"on": "cart.converted"}, {"on": "contact.ordered_again"}],
        "nodes": {
            "n1": {"t": "send", "template": "left", "out": {"done": "n2"}},
            "n2": {"t": "end"},
            **changes,
        },
    }
    process = create_process(shop, name="Left", start=start, actor=SYSTEM, now=NOW)
    assert problems_of(process, draft_of(process).doc) == []
    return process


def people(shop: Shop, *countries: str) -> list[Contact]:
    found = [make_contact(shop, country=country) for country in countries]
    for contact in found:
        make_cart(shop, contact=contact, last_activity_at=NOW - DAY)
    return found


def agrees(contact: Contact) -> None:
    record_consent(contact, [Consent("marketing", is_given=True, source="shop", at=NOW - DAY)], now=NOW)


def told(process: Process) -> list[tuple[str, str, int, int]]:
    """Return country, verdict, and how many of how many would be held back."""
    [way] = ways_met(process, read_document(draft_of(process).doc), now=NOW)
    return sorted((one.country, one.verdict, one.held, one.people) for one in way.met if one.people)


def refusals(process: Process) -> list[tuple[str, str]]:
    """Return what keeps a draft from being published, and see that publishing says the same."""
    state = draft_of(process)
    found = preview_of_publish(process, state.doc, now=NOW).problems
    if found:
        with pytest.raises(InvalidProcess) as refused:
            publish_draft(process, lock=state.lock, actor=SYSTEM, now=NOW)
        assert refused.value.problems == found
    return [(one.path, one.code) for one in found]


def test_what_needs_a_consent_that_nobody_ever_gave_is_not_published(shop: Shop) -> None:
    process = drawn(shop)
    first, *_ = people(shop, "DE", "DE", "PL")
    people(make_shop(), "US")

    assert refusals(process) == [("nodes.n1.template", "text_nobody_agreed")]
    [problem] = preview_of_publish(process, draft_of(process).doc, now=NOW).problems
    assert problem.values == {
        "template": "left", "content": "cart", "country": "DE", "rule": "DE.cart", "since": "2022-05-28", "people": "3",
    }  # fmt: skip

    agrees(first)

    assert told(process) == [("DE", "needs_consent", 1, 2), ("PL", "needs_consent", 1, 1)]
    assert refusals(process) == []
    assert publish_draft(process, lock=draft_of(process).lock, actor=SYSTEM, now=NOW).number == 1


def test_a_shop_that_begins_has_not_asked_anybody_yet(shop: Shop) -> None:
    process = drawn(shop)
    people(shop, "DE")

    assert refusals(process) == []


def test_what_a_rule_forbids_to_all_whom_it_can_meet_is_not_published(shop: Shop) -> None:
    process = drawn(shop)
    for relation in ("order", "customer", "neither"):
        change_rule(shop, Cell("DE", "cart", relation), "forbidden", actor=SYSTEM, now=NOW)

    assert refusals(process) == [("nodes.n1.template", "text_barred")]

    [american] = people(shop, "US")
    assert refusals(process) == []
    people(shop, "DE")
    assert told(process) == [("DE", "forbidden", 1, 1), ("US", "soft_opt_in", 0, 1)]

    Contact.objects.filter(pk=american.pk).update(erased_at=NOW)
    assert refusals(process) == [("nodes.n1.template", "text_barred")]


def test_a_customer_may_come_where_that_makes_a_difference(shop: Shop) -> None:
    process = drawn(shop)
    for relation in ("order", "neither"):
        change_rule(shop, Cell("DE", "cart", relation), "forbidden", actor=SYSTEM, now=NOW)
    people(shop, "DE", "DE")
    assert refusals(process) == [("nodes.n1.template", "text_barred")]

    change_ground(shop, is_told=True, actor=SYSTEM, now=NOW)

    assert refusals(process) == []


def test_a_rule_that_is_to_come_bars_nothing_yet(shop: Shop) -> None:
    process = drawn(shop)
    for relation in ("order", "customer", "neither"):
        cell = Cell("DE", "cart", relation)
        change_rule(shop, cell, "forbidden", actor=SYSTEM, now=NOW, holds_from=NOW + DAY)

    assert refusals(process) == []


def test_only_those_are_met_whom_the_questions_on_the_way_let_through(shop: Shop) -> None:
    make_template(shop, key="sms", kind="cart", channel="sms")
    asks = {"if": {"f": "contact.offers_by_email", "op": "=", "v": "given"}, "out": {"yes": "n3", "no": "n2"}}
    agreed, *_ = people(shop, "DE", "DE", "DE", "FR")
    agrees(agreed)
    gated = drawn(
        shop,
        entry={"if": {"not": {"f": "contact.country", "op": "=", "v": "FR"}}},
        n1={"t": "if", **asks},
        n3={"t": "send", "template": "left", "out": {"done": "n2"}},
    )

    assert told(gated) == [("DE", "needs_consent", 0, 1)]


def test_a_step_with_a_way_that_is_open_is_published(shop: Shop) -> None:
    make_template(shop, key="short", kind="cart", channel="sms")
    people(shop, "US", "US")
    Shop.objects.filter(pk=shop.pk).update(country="US")
    shop.refresh_from_db()
    two_ways = drawn(
        shop,
        n1={
            "t": "send", "channel": "sms", "template": "short", "otherwise": [{"channel": "email", "template": "left"}],
            "out": {"done": "n2"},
        },
    )  # fmt: skip

    [by_sms, by_mail] = ways_met(two_ways, read_document(draft_of(two_ways).doc), now=NOW)

    assert [(one.verdict, one.held, one.people) for one in by_sms.met] == [("needs_consent", 2, 2)]
    assert [(one.verdict, one.held, one.people) for one in by_mail.met] == [("soft_opt_in", 0, 2)]
    assert refusals(two_ways) == []
