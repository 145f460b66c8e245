"""Claims about orders that nobody watched when they were placed: who would have come in, and why others not."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.customers.actions import Consent, record_consent
from recoup.customers.models import MergeSuggestion
from recoup.offers.models import Offer
from recoup.orders.models import Order
from recoup.processes.backtest import result as results
from recoup.processes.backtest.result import Result
from recoup.processes.backtest.running import Plan, plan_of_draft, run_backtest
from recoup.processes.engine.codes import Code
from recoup.processes.graph.reading import read_document
from recoup.processes.models import Process
from recoup.processes.versions import graph_of
from recoup.shops.models import Shop
from tests.factories.messages import make_message, make_message_source
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.offers import make_offer, make_settings
from tests.factories.orders import make_attempt, make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.processes import WAIT_AND_SEND, make_process
from tests.factories.shops import make_shop, make_source, make_waiting_time
from tests.factories.templates import make_template

pytestmark = pytest.mark.django_db
PLACED = NOW - 20 * DAY


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    """Return a shop that waits a day and has just gone live."""
    shop = make_shop(live_since=NOW - HOUR)
    make_template(shop, key="first")
    return shop


def past(shop: Shop, **values: Any) -> Order:
    return make_order(shop, **{"placed_at": PLACED, "is_backfill": True, **values})


def tried(process: Process, **changes: Any) -> Result:
    version_id = process.current_version_id or 0
    plan = {
        "shop_id": process.shop_id, "process_id": process.pk, "version_id": version_id, "graph": graph_of(version_id),
        "holdout_bp": process.holdout_bp, "since": NOW - 30 * DAY, "until": NOW, "now": NOW,
    }  # fmt: skip
    return run_backtest(Plan(**{**plan, **changes}))


def test_waiting_time_of_the_method_decides_when_an_order_would_have_come_in(shop: Shop) -> None:
    make_waiting_time(shop, method="transfer", minutes=5 * 24 * 60)
    past(shop, method="transfer")

    result = tried(make_process(shop))

    # Five days of waiting, then a day in the process.
    assert result.by_day == {(PLACED + 6 * DAY).date().isoformat(): 1}


def test_each_order_that_stays_out_has_its_reason(shop: Shop) -> None:
    anna, bert, cilli = make_contact(shop), make_contact(shop), make_contact(shop)
    past(shop, paid_at=PLACED + HOUR)
    past(shop, is_test=True)
    past(shop, total="0.00")
    past(shop, placed_at=NOW - HOUR)
    past(shop, method="cod", is_offline_method=True)  # the courier takes the money
    past(shop, shop_state="unknown")  # a person is asked what it means
    past(shop, contact=anna)
    past(shop, contact=anna, placed_at=PLACED + HOUR, paid_at=PLACED + 2 * HOUR)
    past(shop, contact=bert)
    past(shop, contact=bert, placed_at=PLACED + HOUR)
    past(shop, contact=cilli, products=["other"])
    past(shop, contact=None)

    result = tried(make_process(shop, entry={"if": {"f": "order.products", "op": "has_any", "v": ["cream"]}}))

    assert result.turned_away == {
        "condition": 1, "duplicate": 1, "nothing_due": 1, "not_due": 3, "paid_before": 2, "superseded": 1, "test": 1,
    }  # fmt: skip
    assert (result.orders, result.entered) == (11, 1)
    assert results.Unknown(results.UNKNOWN_PEOPLE, 1) in result.unknown


@pytest.mark.parametrize(
    ("fact", "is_unknown"), [("contact.paid_count", True), ("contact.order_count", False)]
)
def test_what_was_given_back_since_is_marked_as_known_of_today_only(
    shop: Shop, fact: str, is_unknown: bool
) -> None:
    past(shop)

    result = tried(make_process(shop, entry={"if": {"f": fact, "op": ">=", "v": 0}}))

    assert result.entered == 1
    assert (results.Unknown(results.UNKNOWN_TODAY) in result.unknown) is is_unknown


def test_order_that_is_paid_by_another_one_meanwhile_gets_no_message(shop: Shop) -> None:
    anna = make_contact(shop)
    past(shop, contact=anna)
    past(shop, contact=anna, placed_at=PLACED + 30 * HOUR, paid_at=PLACED + 31 * HOUR)

    result = tried(make_process(shop, goals=[{"on": "order.paid"}, {"on": "contact.ordered_again"}]))

    assert (result.entered, result.messages) == (1, 0)
    assert result.blocks[0].outcomes == {int(Code.GOAL_SUPERSEDED): 1}


def test_quiet_hours_and_limits_of_the_shop_hold_back_messages(shop: Shop) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_quiethours (shop_id, channel, starts, ends, weekdays)"
            " VALUES (%s, 'email', '10:00', '20:00', '{}')",
            [shop.pk],
        )
    anna = make_contact(shop)
    for number in range(4):
        past(shop, contact=anna, products=[f"p{number}"])
    past(shop, contact=make_contact(shop, email=""))

    result = tried(make_process(shop))

    # Planned for noon, which is quiet; two a day, the others a day later or never.
    assert result.skipped == {int(Code.SKIPPED_CAP): 2, int(Code.SKIPPED_NO_ADDRESS): 1}
    assert result.by_day == {(PLACED + 2 * DAY).date().isoformat(): 2}


def test_consents_of_a_time_before_the_ledger_are_named_with_their_number_and_no_others(shop: Shop) -> None:
    make_template(shop, key="cart", kind="cart")
    early, late = make_contact(shop), make_contact(shop)
    nodes = {**WAIT_AND_SEND, "n2": {"t": "send", "template": "cart", "out": {"done": "n3"}}}
    for person, left_at in ((early, PLACED), (late, NOW - 5 * DAY)):
        make_cart(shop, contact=person, is_backfill=True, started_at=left_at, last_activity_at=left_at)
    Shop.objects.update(live_since=NOW - 10 * DAY)
    process = make_process(
        shop, nodes=nodes, entry={"on": "cart.abandoned"}, goals=[{"on": "cart.converted"}]
    )

    result = tried(process)
    word = Consent("cart_reminder", True, "file", PLACED)
    record_consent(early, [word], now=NOW)  # told later, with its instant: known after all
    agreed = tried(process)

    assert (result.left_out, result.messages) == ({"no_consent": 2}, 0)
    assert results.Unknown(results.UNKNOWN_LEDGER, 1) in result.unknown
    assert (agreed.left_out, agreed.messages) == ({"no_consent": 1}, 1)
    assert results.UNKNOWN_LEDGER not in {one.code for one in agreed.unknown}


def test_what_others_really_sent_counts_for_the_limits_and_what_the_process_itself_sent_does_not(
    shop: Shop,
) -> None:
    anna, bert = make_contact(shop), make_contact(shop)
    process = make_process(shop)
    for person, source in ((anna, make_message_source(shop)), (bert, process.message_source)):
        order = past(shop, contact=person)
        for number in range(3):
            at = PLACED + 2 * DAY - (number + 1) * HOUR
            make_message(order, source=source, state="sent", handed_at=at, queued_at=at, purpose="reminder")

    result = tried(process)

    assert (result.left_out, result.messages) == ({"order_cap": 1}, 1)
    assert [row.subject_id for row in result.rows["order_cap"]] == [Order.objects.get(contact=anna).pk]


def test_control_group_walks_along_and_gets_nothing(shop: Shop) -> None:
    for _ in range(30):
        past(shop)

    result = tried(make_process(shop, holdout_bp=5000))

    assert result.entered == 30
    assert 5 < result.control < 25
    assert result.messages == 30 - result.control
    assert result.blocks[1].outcomes[int(Code.SUPPRESSED)] == result.control


def test_draft_is_tried_like_a_version(shop: Shop) -> None:
    past(shop)
    process = make_process(shop)
    nodes = {**WAIT_AND_SEND, "n1": {"t": "wait", "for": "PT1H", "out": {"next": "n2"}}}
    draft = read_document(
        {"schema": 1, "name": "Draft", "entry": {"on": "order.unpaid", "first": "n1"},
         "goals": [{"on": "order.paid"}], "nodes": nodes}
    )  # fmt: skip

    result = run_backtest(
        plan_of_draft(
            draft, shop_id=shop.pk, process_id=process.pk, salt=process.salt, holdout_bp=0,
            since=NOW - 30 * DAY, until=NOW, now=NOW,
        )
    )  # fmt: skip

    assert result.by_day == {(PLACED + 25 * HOUR).date().isoformat(): 1}


def test_nothing_of_another_shop_is_read(shop: Shop) -> None:
    past(make_shop())

    assert tried(make_process(shop)).orders == 0


def test_pages_cut_nobody_in_two_and_change_no_number(shop: Shop) -> None:
    people = [make_contact(shop) for _ in range(7)]
    for number in range(20):
        past(shop, contact=people[number % 7], products=[f"p{number}"])
    process = make_process(shop)
    version_id = process.current_version_id or 0
    plan = Plan(
        shop.pk, process.pk, version_id, graph_of(version_id), 0, since=NOW - 30 * DAY, until=NOW, now=NOW
    )
    told: list[tuple[int, int]] = []

    by_two = run_backtest(plan, people=2, tell=lambda done, whole: told.append((done, whole)))

    assert by_two == run_backtest(plan, people=100)
    assert told == [(6, 20), (12, 20), (18, 20), (20, 20)]


def test_page_of_many_people_asks_as_often_as_one_of_few(shop: Shop) -> None:
    process = make_process(shop)
    tried(process)  # the version is compiled once
    asked = []
    for count in (1, 3):
        for _ in range(count):
            past(shop)
        with CaptureQueriesContext(connection) as queries:
            tried(process)
        asked.append(len(queries))

    assert asked[0] == asked[1]


def test_result_survives_being_kept() -> None:
    result = Result(
        orders=3,
        skipped={41: 2},
        blocks=(results.BlockNumbers("n1", {20: 1}, {11: 1}, {"2026-11-02": 1}),),
        samples=(results.Sample(1, 7, 2, NOW.isoformat(), 91, None),),
        unknown=(results.Unknown("effect"),),
    )

    kept = {**result.as_json(), "skipped": {"41": 2}}

    assert Result.from_json(kept) == result


def test_offers_are_held_against_the_floor_and_cost_at_most_what_all_of_them_would(shop: Shop) -> None:
    make_settings(shop, floor=Decimal(50))
    for total in ("100.00", "60.00"):
        past(shop, total=total)
    past(shop, pay_url="https://elsewhere.example/pay")
    nodes: dict[str, Any] = {
        "n1": {"t": "offer", "percent": 10, "valid": "P2D", "out": {"granted": "n2", "refused": "n3"}},
        "n2": {"t": "end"},
        "n3": {"t": "end"},
    }
    greedy = {**nodes, "n1": {**nodes["n1"], "percent": 40}}

    result = tried(make_process(shop, nodes=nodes))
    refused = tried(make_process(shop, nodes=greedy, name="Greedy"))

    assert (result.offers, result.offer_costs) == (2, {"EUR": "16.00"})
    assert results.Unknown(results.UNKNOWN_OFFER_USE, 2) in result.unknown
    assert result.blocks[0].outcomes == {Code.OFFER_GRANTED: 2, Code.OFFER_ORIGIN: 1}
    assert (refused.offers, refused.blocks[0].outcomes[Code.SKIPPED_FLOOR]) == (0, 2)
    assert not Offer.objects.exists()


OFFERED: dict[str, Any] = {
    "n1": {"t": "offer", "percent": 10, "valid": "P2D", "out": {"granted": "n2", "refused": "n3"}},
    "n2": {"t": "end"},
    "n3": {"t": "end"},
}


def test_order_of_which_a_part_was_paid_by_then_gets_no_offer(shop: Shop) -> None:
    make_settings(shop)
    early, late = (past(shop, total="100.00", captured=30) for _ in range(2))
    make_attempt(early, state="succeeded", amount="30.00", learnt_at=PLACED + HOUR)
    make_attempt(late, state="succeeded", amount="30.00", learnt_at=PLACED + 5 * DAY)

    result = tried(make_process(shop, nodes=OFFERED))

    assert result.blocks[0].outcomes == {Code.OFFER_UNFIT: 1, Code.OFFER_GRANTED: 1}


@pytest.mark.parametrize("page", [1, 100])
def test_person_with_two_spellings_of_their_address_gets_one(shop: Shop, page: int) -> None:
    make_settings(shop)
    anna, again, bert, other = (make_contact(shop, name=name) for name in ("Anna", "ANNA", "Bert", "Bert"))
    for first, second in ((anna, again), (bert, other)):
        MergeSuggestion(shop=shop, first=first, second=second, why="mail_alias", made_at=NOW).save()
    past(shop, contact=anna)
    past(shop, contact=again, placed_at=PLACED + DAY)
    past(shop, contact=bert)
    older = past(shop, contact=other, placed_at=NOW - 60 * DAY, is_backfill=True)  # not of the period
    make_offer(older, granted_at=PLACED, valid_until=PLACED + 9 * DAY)
    process = make_process(shop, nodes=OFFERED)
    version_id = process.current_version_id or 0

    result = run_backtest(
        Plan(shop.pk, process.pk, version_id, graph_of(version_id), 0, NOW - 30 * DAY, NOW, NOW), people=page
    )

    assert result.blocks[0].outcomes == {Code.OFFER_GRANTED: 1, Code.OFFER_ANOTHER: 2}


def test_person_without_an_address_gets_no_code_that_a_shop_would_bind_to_it(shop: Shop) -> None:
    make_settings(shop)
    woo = make_source(shop, kind="woocommerce", base_url="https://shop.example", credentials="{}")
    for email in ("anna@example.com", "", "bert@example.com"):
        past(shop, source=woo, contact=make_contact(shop, email=email, phone="" if email else "+48601000009"))
    nodes = {**OFFERED, "n1": {**OFFERED["n1"], "next_order": True}}

    result = tried(make_process(shop, nodes=nodes))

    assert result.blocks[0].outcomes == {Code.OFFER_GRANTED: 2, Code.OFFER_UNFIT: 1}


def test_budget_is_spent_by_all_people_together_and_bounds_the_cost(shop: Shop) -> None:
    make_settings(shop)
    for number in range(4):
        past(shop, total="100.00", placed_at=PLACED + number * HOUR)  # all in force at the same time
    past(shop, total="100.00", placed_at=PLACED + 5 * DAY)  # after what nobody used has been given back
    budget = {"amount": "25", "currency": "EUR"}
    process = make_process(shop, nodes={**OFFERED, "n1": {**OFFERED["n1"], "budget": budget}})
    version_id = process.current_version_id or 0

    result = run_backtest(
        Plan(shop.pk, process.pk, version_id, graph_of(version_id), 0, NOW - 30 * DAY, NOW, NOW), people=1
    )

    assert result.blocks[0].outcomes == {Code.OFFER_GRANTED: 3, Code.SKIPPED_BUDGET: 2}
    assert result.offer_costs == {"EUR": "25"}
    assert results.Unknown(results.UNKNOWN_BUDGET, 2) in result.unknown


def test_person_who_paid_with_an_offer_or_has_one_gets_no_second(shop: Shop) -> None:
    make_settings(shop)
    user, holder = make_contact(shop, email="user@example.com"), make_contact(shop, email="b@example.com")
    past(shop, contact=user, products=["a"], paid_at=PLACED + 30 * HOUR)
    past(shop, contact=user, products=["b"], placed_at=PLACED + 9 * DAY)
    past(shop, contact=holder, products=["a"])
    past(shop, contact=holder, products=["b"], placed_at=PLACED + DAY)
    past(shop, contact=holder, products=["c"], placed_at=PLACED + 9 * DAY)

    result = tried(make_process(shop, nodes=OFFERED))

    assert result.blocks[0].outcomes == {
        Code.OFFER_GRANTED: 3, Code.SKIPPED_ABANDONER: 1, Code.OFFER_ANOTHER: 1,
    }  # fmt: skip
