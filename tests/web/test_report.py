"""The recovery report as a person reads it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django_scopes import scopes_disabled

from recoup.analytics.periods import Period
from recoup.analytics.queries import money_series
from recoup.orders.models import Order
from recoup.recovery.actions import settle_paid_cases
from recoup.shops.models import Membership, Shop
from tests.analytics.a_year import load_unpaid_orders
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    """Let a test look into every shop."""
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    """Return a shop on a Monday noon."""
    set_clock(NOW)
    return make_shop(slug="lumen", name="Lumen Candles")


def text(html: str) -> str:
    """Return what a page says."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def report(client: Client, query: str = "") -> str:
    """Return the page of the report."""
    response = client.get(f"/s/lumen/recovery/report/?{query}")
    assert response.status_code == 200
    return response.content.decode()


def line(page: str) -> list[str]:
    """Return the cells of the first line by shop and currency."""
    table = page[page.index('id="by-shop"') :]
    row = re.search(r"<tbody><tr>(.*?)</tr>", table, re.DOTALL)
    assert row is not None
    return [text(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row[1], re.DOTALL)]


@pytest.mark.slow
def test_36942_unpaid_orders_of_which_7747_are_paid_after_a_message_read_2097_percent(shop: Shop) -> None:
    load_unpaid_orders(shop, orders=36_942, paid=7_747)
    settle_paid_cases(list(Order.objects.filter(payment_state="paid").values_list("pk", flat=True)), now=NOW)
    client = sign_in(shop)

    page = report(client, "p=year")

    assert line(page) == [
        "Lumen Candles",
        "36,942",
        "36,942",
        "36,942",
        "7,747",
        "20.97%",
        "PLN 774,700.00",
        "29,195",
    ]
    assert page.count("20.97%") == 2
    won = re.search(r'<a class="prose-link" href="([^"]+figure=recovered[^"]+)">7,747</a>', page)
    assert won is not None
    assert "7,747 cases" in client.get(won[1].replace("&amp;", "&")).content.decode()
    [series] = money_series(shop, Period(NOW - 365 * DAY, NOW + DAY), "week")
    assert sum(part.money.amount for part in series.slices) == 774_700
    # Spares a look at the foreign keys of every row, which takes longer than the test.
    transaction.set_rollback(True)


def test_nothing_of_nothing_has_no_rate(shop: Shop) -> None:
    make_case(make_order(shop), opened_at=NOW - DAY)

    assert line(report(sign_in(shop))) == ["Lumen Candles", "1", "0", "0", "0", "–", "€0.00", "1"]


def test_every_number_opens_as_many_rows(shop: Shop) -> None:
    for number in range(3):
        is_paid = number == 0
        paid: dict[str, Any] = {"paid_at": NOW - HOUR} if is_paid else {}
        order = make_order(shop, **paid)
        ended = {
            "outcome": "recovered",
            "closed_at": NOW,
            "recovered_at": NOW - HOUR,
            "recovered_amount": 149,
        }
        case = make_case(order, opened_at=NOW - DAY, messages_sent=1, **(ended if is_paid else {}))
        make_message(order, state="sent", case_id=case.pk, handed_at=NOW - 20 * HOUR)
    client = sign_in(shop)
    page = report(client)
    table = page[page.index('id="by-shop"') :]
    links = re.findall(r'<td class="sum"><a class="prose-link" href="([^"]+)">([\d,]+)</a>', table)

    opened = [client.get(url.replace("&amp;", "&")).content.decode() for url, _ in links]

    rows = [re.search(r"<tbody>(.*?)</tbody>", one, re.DOTALL) for one in opened]
    assert [found[1].count("<tr>") if found else 0 for found in rows] == [int(number) for _, number in links]
    assert len(links) == 5


def test_messages_after_payment_are_counted_and_open(shop: Shop) -> None:
    order = make_order(
        shop, paid_at=NOW - 10 * HOUR, paid_learnt_at=NOW - 2 * HOUR, payment_state="paid", status="completed"
    )
    make_case(
        order,
        opened_at=NOW - DAY,
        closed_at=NOW,
        outcome="recovered",
        recovered_at=NOW - 10 * HOUR,
        recovered_amount=149,
    )
    make_message(order, state="sent", handed_at=NOW - 5 * HOUR)
    client = sign_in(shop)

    page = report(client)

    proof = text(page[page.index('id="proof"') : page.index('id="how"')])
    assert "No reminder left after the payment was known here. 0" in proof
    assert "Own checkout told of 1 payment 8 hours after it" in proof
    assert re.search(r"at the longest\. 1 ", proof)
    late = re.findall(r'promise-value"><a href="([^"]+)">1</a>', page)
    rows = client.get(late[0].replace("&amp;", "&")).content.decode()
    assert order.number in rows


def test_a_broken_promise_is_not_hidden(shop: Shop) -> None:
    order = make_order(shop, paid_at=NOW - 10 * HOUR)
    make_message(order, state="sent", handed_at=NOW - 10 * HOUR + MINUTE)

    assert "This must never happen." in report(sign_in(shop))


def test_money_of_two_currencies_is_never_added(shop: Shop) -> None:
    for currency in ("EUR", "PLN"):
        order = make_order(shop, currency=currency, paid_at=NOW - HOUR)
        make_case(
            order,
            opened_at=NOW - DAY,
            closed_at=NOW,
            outcome="recovered",
            recovered_at=NOW - HOUR,
            recovered_amount=149,
            messages_sent=1,
        )

    page = text(report(sign_in(shop)))

    assert "€149 · PLN 149" in page
    assert "298" not in page


def test_other_shops_are_there_for_who_works_in_them_alone(shop: Shop) -> None:
    second, foreign = make_shop(name="Kurs Fotografii"), make_shop(name="Strangers")
    for one in (shop, second, foreign):
        make_case(make_order(one), opened_at=NOW - DAY)
    client = sign_in(shop)
    Membership(shop=second, user_id=int(client.session["_auth_user_id"]), role="viewer").save(
        force_insert=True
    )

    everything = report(client, "shop=all")

    assert "Kurs Fotografii" in everything
    assert "Strangers" not in everything
    assert "Kurs Fotografii" not in line(report(client, f"shop={foreign.slug}"))
    assert line(report(client, f"shop={foreign.slug}"))[0] == "Lumen Candles"


def test_an_own_period_is_read_in_the_days_of_the_shop(shop: Shop) -> None:
    make_case(make_order(shop), opened_at=NOW - 40 * DAY)
    client = sign_in(shop)

    assert "No unpaid orders in this period." in report(client)
    day = (NOW - 40 * DAY).date().isoformat()
    assert line(report(client, f"from={day}&to={day}"))[1] == "1"
    assert "No unpaid orders in this period." in report(client, "from=2026-13-99&to=x")
