"""Offers of processes on a real database: granted in the step, written into the mail, refused with their reason."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.offers.models import Budget, Offer
from recoup.processes.engine.codes import Code
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import Process, StepLog
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.offers import make_offer, make_settings
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db


def nodes(**offer: Any) -> dict[str, Any]:
    """Return a process that offers and says which way it went by a tag."""
    return {
        "n1": {
            "t": "offer",
            "percent": 10,
            "valid": "P2D",
            "out": {"granted": "n2", "refused": "n3"},
            **offer,
        },
        "n2": {"t": "tag", "add": ["offered"], "out": {"next": "n4"}},
        "n3": {"t": "tag", "add": ["not offered"], "out": {"next": "n4"}},
        "n4": {"t": "end"},
    }


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    shop = make_shop(time_zone="Europe/Warsaw")
    make_settings(shop)
    return shop


def work() -> None:
    for _ in range(100):
        if not outbox.dispatch() and not Engine().run_once():
            return
    raise AssertionError("it never ends")


def run(shop: Shop, process: Process, **order: Any) -> tuple[Offer | None, list[int]]:
    """Let one unpaid order of 100.00 go through; return its offer and its ledger."""
    case = make_case(make_order(shop, status="unpaid", total="100.00", **order))
    enrol_cases([opened(case)])
    work()
    assert case.order_id is not None
    offer = Offer.objects.filter(order_id=case.order_id, process_id=process.pk).first()
    enrolment = (offer.enrolment_id if offer is not None else 0) or StepLog.objects.latest(
        "done_at"
    ).enrolment_id
    ledger = StepLog.objects.filter(enrolment_id=enrolment).order_by("step_no")
    return offer, list(ledger.values_list("outcome", flat=True))


def test_a_step_grants_in_its_own_transaction_and_goes_on(shop: Shop) -> None:
    offer, ledger = run(shop, make_process(shop, nodes=nodes(), goals=[]))

    assert offer is not None
    assert (offer.state, offer.step_no, offer.expected_discount) == ("granted", 1, Decimal("10.00"))
    assert abs(offer.valid_until - NOW - timedelta(days=2)) < timedelta(minutes=1)
    assert ledger == [Code.OFFER_GRANTED, Code.TAGGED, Code.COMPLETED]


def test_each_refusal_stands_in_the_ledger_and_goes_the_other_way(shop: Shop) -> None:
    gamer, holder = make_contact(shop), make_contact(shop)
    make_offer(make_order(shop, contact=holder))
    make_offer(make_order(shop, contact=gamer), state="redeemed", ended_at=NOW)
    cases: dict[Code, tuple[dict[str, Any], dict[str, Any]]] = {
        Code.SKIPPED_FLOOR: ({"percent": 90}, {}),
        Code.SKIPPED_BUDGET: ({"budget": {"amount": 5, "currency": "EUR"}}, {}),
        Code.SKIPPED_ABANDONER: ({}, {"contact": gamer}),
        Code.OFFER_ANOTHER: ({}, {"contact": holder}),
        Code.OFFER_ORIGIN: ({}, {"pay_url": "https://shop.example/pay"}),
        Code.OFFER_UNFIT: ({"products": ["vase"]}, {}),
    }
    found = {}
    for number, (code, (block, order)) in enumerate(cases.items()):
        process = make_process(shop, nodes=nodes(**block), goals=[], name=f"P{number}")
        offer, ledger = run(shop, process, **order)
        Process.objects.filter(pk=process.pk).update(status="stopped")
        found[code] = (offer is not None and offer.state, ledger[0])

    assert found == {code: ("refused", code) for code in cases}


def test_the_control_group_gets_none_and_it_is_written(shop: Shop) -> None:
    offer, ledger = run(shop, make_process(shop, nodes=nodes(), goals=[], holdout_bp=9_999))

    assert offer is None
    assert ledger[0] == Code.SUPPRESSED


def test_a_budget_holds_over_all_people_of_a_process(shop: Shop) -> None:
    process = make_process(
        shop, nodes=nodes(budget={"amount": "25", "currency": "EUR", "period": "ever"}), goals=[]
    )

    states = [offer and offer.state for offer, _ in (run(shop, process) for _ in range(4))]

    assert states == ["granted", "granted", "refused", "refused"]
    assert Budget.objects.get().spent == Decimal("20.00")
