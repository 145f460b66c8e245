"""The pay page: one order, one session, and an honest word on how it stands (C1, C2, C9, C10, A7; T50, T72-T75, T78)."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from django.test import Client

from recoup.core.activity import SYSTEM
from recoup.core.models import AttentionItem
from recoup.integrations.demobank import adapter
from recoup.integrations.demobank.bank import Fault
from recoup.orders.models import Order
from recoup.orders.status import change_status
from recoup.payments.models import Attempt, OperatorAccount
from recoup.payments.ways import ways_to_pay
from recoup.shops.models import Shop
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.storefront.conftest import MakeLink
from tests.support.bank import TestBank


@pytest.fixture
def order(shop: Shop, bank: TestBank) -> Order:
    """Return an unpaid order of a shop that takes card, BLIK and transfer."""
    bank.account(shop)
    return make_order(shop)


def way(order: Order, method: str = "card") -> dict[str, str]:
    """Return the form with a method chosen."""
    chosen = next(way for way in ways_to_pay(order, order.total).ways if way.method == method)
    return {"way": chosen.code}


def only_attempt(order: Order) -> Attempt:
    """Return the one attempt of an order."""
    return Attempt.objects.get(order=order)


def test_the_page_shows_the_sum_the_goods_and_every_way_to_pay(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    body = buyer.get(link("pay", order)).content.decode()

    assert body.count("€149.00") >= 2
    assert "Cream" in body
    assert order.number in body
    assert [body.index(name) > 0 for name in ("Card", "BLIK", "Bank transfer")] == [True] * 3
    assert 'href="tel:+48221002030"' in body
    assert body.count('type="radio"') == 3


@pytest.mark.parametrize(
    ("locale", "lang", "sum_"),
    [
        ("pl", "pl", "149,00\xa0€"),
        ("de-AT", "de", "149,00\xa0€"),
        ("ru_RU", "ru", "149,00\xa0€"),
        ("fr", "en", "€149.00"),
    ],
)
def test_the_page_speaks_the_language_frozen_on_the_order(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client, locale: str, lang: str, sum_: str
) -> None:
    bank.account(shop)
    body = buyer.get(link("pay", make_order(shop, locale=locale))).content.decode()

    assert f'<html lang="{lang}">' in body
    assert sum_ in body


def test_a_press_opens_one_session_and_leads_to_the_bank(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)

    answer = buyer.post(path, way(order))

    attempt = only_attempt(order)
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"{bank.server.origin}/pay/{attempt.ref}",
    )
    assert (attempt.amount, attempt.currency, attempt.method, attempt.is_open_session) == (
        Decimal("149.00"),
        "EUR",
        "card",
        True,
    )
    page = httpx.get(answer.headers["Location"], trust_env=False)
    assert page.status_code == 200
    assert "€149.00" in page.text


@pytest.mark.parametrize(
    "field", ["amount", "total", "price", "discount", "shipping", "currency", "order", "order_id", "quote_id"]
)
def test_a_field_that_the_page_never_sends_is_refused(
    order: Order, link: MakeLink, buyer: Client, field: str
) -> None:
    answer = buyer.post(link("pay", order), {**way(order), field: "1.00"})

    assert (answer.status_code, Attempt.objects.count()) == (422, 0)


def test_a_sum_that_is_not_the_one_shown_charges_nothing_and_shows_both(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    stale = buyer.post(path, {**way(order), "quote": "120.00 EUR"})
    hostile = [
        buyer.post(path, {**way(order), "quote": text}) for text in ("", "1", "NaN EUR", "1e999999 EUR")
    ]
    body = stale.content.decode()

    assert (stale.status_code, "€120.00" in body, "€149.00" in body) == (409, True, True)
    assert [answer.status_code for answer in hostile] == [409] * 4
    assert Attempt.objects.count() == 0
    assert buyer.post(path, {**way(order), "quote": "149.00 EUR"}).status_code == 303
    assert (only_attempt(order).amount, only_attempt(order).currency) == (Decimal("149.00"), "EUR")


@pytest.mark.parametrize("chosen", ["", "0-card", "card", "999999-card", "1-cash"])
def test_a_way_that_is_not_offered_opens_nothing(
    order: Order, link: MakeLink, buyer: Client, chosen: str
) -> None:
    answer = buyer.post(link("pay", order), {"way": chosen})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Attempt.objects.exists()


def test_a_second_press_tab_or_device_shows_the_session_that_is_open(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    first_link, second_link = link("pay", order), link("pay", order)

    places = [
        buyer.post(first_link, way(order)).headers["Location"],
        buyer.post(first_link, way(order)).headers["Location"],
        Client().post(second_link, way(order, "blik")).headers["Location"],
    ]

    assert len(set(places)) == 1
    assert only_attempt(order).method == "card"
    assert "You began to pay by" in buyer.get(second_link).content.decode()


def test_another_way_ends_the_open_session_first(order: Order, link: MakeLink, buyer: Client) -> None:
    path = link("pay", order)
    buyer.post(path, way(order))

    assert buyer.post(path, {"instead": "1"}).headers["Location"] == path
    buyer.post(path, way(order, "blik"))

    states = list(Attempt.objects.order_by("id").values_list("method", "state", "is_open_session"))
    assert states == [("card", "cancelled", False), ("blik", "pending", True)]


def test_another_way_after_the_first_was_paid_pays_nothing_more(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    buyer.post(path, way(order))
    bank.act(only_attempt(order), do="pay")

    answer = buyer.post(path, {"instead": "1"})

    assert answer.status_code == 409
    assert "this order is paid" in answer.content.decode()
    assert only_attempt(order).state == "succeeded"


def test_the_payment_makes_the_page_say_thanks(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    place = buyer.post(path, way(order)).headers["Location"]

    left = httpx.post(place, data={"do": "pay"}, trust_env=False)
    assert bank.deliver() == [200]

    assert left.headers["location"] == f"http://127.0.0.1:8000{path}?back=1"
    answer = buyer.get(f"{path}?back=1")
    assert (answer.status_code, "this order is paid" in answer.content.decode()) == (200, True)
    again = buyer.post(path, way_of_nothing())
    assert again.status_code == 409
    assert "<form" not in again.content.decode()


def way_of_nothing() -> dict[str, str]:
    """Return a form with a way that was offered before."""
    return {"way": "1-card"}


def test_a_return_address_typed_by_hand_pays_nothing(order: Order, link: MakeLink, buyer: Client) -> None:
    path = link("pay", order)

    before = buyer.get(f"{path}?status=success&paid=1&back=1").content.decode()
    buyer.post(path, way(order))
    after = buyer.get(f"{path}?status=success&paid=1&back=1")

    assert "We have no confirmation of a payment" in before
    assert "waiting for the bank" in after.content.decode()
    assert after.headers["Refresh"] == f"5; url={path}?back=2"
    assert "Refresh" not in buyer.get(f"{path}?back=7").headers
    order.refresh_from_db()
    assert order.payment_state == "owed"


def test_looking_again_asks_the_bank_that_forgot_to_tell(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    buyer.post(path, way(order))
    bank.act(only_attempt(order), do="pay_silently")
    assert bank.deliver() == []

    assert buyer.post(path, {"check": "1"}).headers["Location"] == f"{path}?back=1"

    order.refresh_from_db()
    assert (order.payment_state, order.captured) == ("paid", Decimal("149.00"))


WORDS = {
    "insufficient_funds": ("not enough money", True),
    "lost_card": ("another card or another way", False),
    "given_up": ("not finished", True),
    "authentication_failed": ("not confirmed with your bank", True),
    "bank_unreachable": ("technical fault", True),
    "suspected_fraud": ("choose another way, or ask your bank", False),
    "currency_not_supported": ("not possible this way", False),
    "do_not_honor": ("gave no reason", True),
}


@pytest.mark.parametrize(("reason", "words", "may_repeat"), [(r, *w) for r, w in WORDS.items()])
def test_a_failed_payment_is_explained_with_what_helps(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client, reason: str, words: str, may_repeat: bool
) -> None:
    path = link("pay", order)
    buyer.post(path, way(order))
    bank.act(only_attempt(order), do="decline", reason=reason)
    bank.deliver()

    body = buyer.get(f"{path}?back=1").content.decode()

    assert words in body
    assert "Nothing was taken." in body
    assert "fraud" not in body.lower()
    chosen = body[body.index("checked") :][:80]
    assert ("Card" in chosen) is may_repeat
    if not may_repeat:
        assert "try again" not in body.lower()


def test_a_bank_that_does_not_answer_charges_nothing_and_says_so(
    order: Order, shop: Shop, link: MakeLink, buyer: Client
) -> None:
    form = way(order)
    OperatorAccount.objects.update(base_url="http://127.0.0.1:9")

    answer = buyer.post(link("pay", order), form)

    assert answer.status_code == 503
    assert "Nothing was taken." in answer.content.decode()
    assert not Attempt.objects.filter(is_open_session=True).exists()


@pytest.mark.parametrize("fault", ["hang", "cut_after", "cut_before", "html", "error_in_200", "error_500"])
def test_an_unknown_outcome_is_shown_as_unknown_and_repeats_the_same_session(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(adapter, "TIME", httpx.Timeout(0.5, connect=0.3))
    bank.server.bank.faults.append(Fault("open", fault, seconds=2.0))
    path = link("pay", order)

    assert buyer.post(path, way(order)).headers["Location"] == f"{path}?back=1"
    shown = buyer.get(f"{path}?back=1")
    assert "We are checking" in shown.content.decode()
    assert 'name="way"' not in shown.content.decode()
    buyer.post(path, {"continue": "1"})

    assert only_attempt(order).redirect_url != ""
    assert bank.server.bank.ledger.count_payments() == 1


def test_a_payment_of_another_sum_is_checked_by_a_person_first(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    buyer.post(path, way(order))
    bank.act(only_attempt(order), do="pay_other_sum", amount=9999)
    bank.deliver()

    body = buyer.get(path).content.decode()

    assert "We are checking" in body
    assert buyer.post(path, way_of_nothing()).headers["Location"] == f"{path}?back=1"
    order.refresh_from_db()
    assert (order.payment_state, order.captured) == ("owed", Decimal(0))
    assert Attempt.objects.count() == 1


def test_a_payment_after_cancelling_is_kept_and_shown_to_a_person(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    buyer.post(path, way(order))
    change_status(order, "cancelled", actor=SYSTEM, now=NOW, reason="sold out")
    shown = buyer.get(path)
    assert "was cancelled" in shown.content.decode()

    bank.act(only_attempt(order), do="pay")
    bank.deliver()

    order.refresh_from_db()
    assert (order.status, order.payment_state) == ("cancelled", "paid")
    assert list(AttentionItem.objects.values_list("kind", flat=True)) == ["orders.paid_after_cancel"]


def test_a_link_is_good_for_sixty_days(order: Order, link: MakeLink, buyer: Client) -> None:
    assert buyer.get(link("pay", order, ago=timedelta(days=59))).status_code == 200
    assert buyer.get(link("pay", order, ago=timedelta(days=61))).status_code == 410
