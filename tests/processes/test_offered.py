"""Offers of processes on a real database: granted in the step, written into the mail, refused with their reason."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import SYSTEM
from recoup.customers.models import Contact
from recoup.offers.ending import withdraw
from recoup.offers.events import OfferDecided
from recoup.offers.models import Budget, Offer
from recoup.offers.redeeming import confirm_paid, find_applied, redeem
from recoup.orders.models import Order
from recoup.processes import actions
from recoup.processes.backtest.offers import PastOffers
from recoup.processes.backtest.purse import OfferPurse
from recoup.processes.backtest.telling import Told
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.records import Facts
from recoup.processes.entering import Arrival, enrol, enrol_cases
from recoup.processes.graph.reading import read_document
from recoup.processes.handlers import wake_offered
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, Process, StepLog
from recoup.processes.moving.moves import request_move, run_waiting
from recoup.processes.moving.plan import Plan
from recoup.processes.why.reading import answers_about
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.offers import make_offer, make_settings
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop, make_source

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


def test_whoever_is_moved_while_it_is_decided_gets_what_was_granted(shop: Shop) -> None:
    process = make_process(shop, nodes=nodes(), goals=[])
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", total="100.00")))])
    Engine().run_once()
    assert Offer.objects.get().state == "granted"
    entry = {"on": "order.unpaid", "first": "n1"}
    for days in (3, 4):
        changed = {"schema": 1, "name": "G", "entry": entry, "goals": [], "nodes": nodes(valid=f"P{days}D")}
        actions.publish(process, read_document(changed), actor=SYSTEM, now=NOW)
        request_move(process, Plan({"n1": "same"}), actor=SYSTEM, now=NOW)
        while run_waiting():
            pass

    work()

    ledger = StepLog.objects.order_by("step_no").values_list("outcome", flat=True)
    assert list(ledger)[2:] == [Code.OFFER_GRANTED, Code.TAGGED, Code.COMPLETED]
    assert Enrolment.objects.get().variables is None


def test_the_size_that_chance_gives_stands_in_the_ledger_and_is_what_is_granted(shop: Shop) -> None:
    process = make_process(shop, nodes=nodes(percent=0, sizes=["0", "7", "9"]), goals=[])

    found: list[tuple[Offer | None, list[int]]] = []
    arms: dict[int, int | None] = {}
    while (
        set(arms.values()) != {0, 1, 2} and len(found) < 90
    ):  # of three sizes one stays away from twelve people at times
        found.append(run(shop, process))
        arms = dict(StepLog.objects.filter(outcome=Code.SPLIT).values_list("enrolment_id", "arm"))

    granted = [offer for offer, _ in found if offer is not None]
    assert set(arms.values()) == {0, 1, 2}
    assert {(arms[offer.enrolment_id or 0], offer.terms["percent"]) for offer in granted} == {
        (1, "7"),
        (2, "9"),
    }
    assert all(ledger[:2] == [Code.SPLIT, Code.OFFER_GRANTED] for offer, ledger in found if offer is not None)
    assert len(granted) == len(found) - list(arms.values()).count(0)


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


def put_in(process: Process, *people: Contact) -> list[tuple[str, str, Decimal]]:
    """Put people into a process about people; return state, reason and cost of what they got, in their order."""
    for person in people:
        arrival = Arrival(
            "manual", process.shop_id, person.pk, "contact", person.pk, NOW, process_id=process.pk
        )
        enrol([arrival])
        work()
    found = {one.contact_id: one for one in Offer.objects.filter(process_id=process.pk)}
    assert len(found) == Offer.objects.filter(process_id=process.pk).count()
    offers = [found[person.pk] for person in people if person.pk in found]
    return [(one.state, one.reason, one.expected) for one in offers]


def about_people(shop: Shop, **offer: Any) -> Process:
    make_source(shop)  # whose orders are paid at our page
    return make_process(shop, entry={"on": "manual"}, nodes=nodes(**offer), goals=[])


def test_loyal_people_get_one_for_their_next_order_until_the_budget_is_spent(shop: Shop) -> None:
    people = [make_contact(shop) for _ in range(3)]
    make_order(shop, contact=people[1], total="300.00", payment_state="paid", paid_at=NOW, status="completed")
    make_order(shop, total="100.00", payment_state="paid", paid_at=NOW, status="completed")
    process = about_people(shop, budget={"amount": "60", "currency": "EUR", "period": "ever"})

    found = put_in(process, *people)

    # 10 % of the mean of the shop, or of one's own where that is more; then 10.00 are left
    assert found == [
        ("granted", "", Decimal("20.00")),
        ("granted", "", Decimal("30.00")),
        ("refused", "budget", Decimal("20.00")),
    ]
    assert Budget.objects.get().spent == Decimal("50.00")
    order = make_order(shop, contact=people[1], total="100.00")
    used = find_applied(order, now=NOW)
    assert used is not None
    assert (used.offers[0].contact_id, used.offers[0].is_for_person, used.discount) == (
        people[1].pk,
        True,
        Decimal("10.00"),
    )
    assert find_applied(make_order(shop, contact=people[2], total="100.00"), now=NOW) is None

    redeem(order, used, now=NOW)
    Order.objects.filter(pk=order.pk).update(
        payment_state="paid", paid_at=NOW, captured=90, discount_given=Decimal(10)
    )
    order.refresh_from_db()
    confirm_paid(order, now=NOW)
    assert Budget.objects.get().spent == Decimal("30.00")  # as it really came to


def test_each_refusal_of_one_for_a_next_order_has_its_reason(shop: Shop) -> None:
    gamer, holder, anna = make_contact(shop), make_contact(shop), make_contact(shop)
    make_offer(make_order(shop, contact=holder))
    make_offer(make_order(shop, contact=gamer), state="redeemed", ended_at=NOW)

    assert [one[:2] for one in put_in(about_people(shop), gamer, holder, anna, anna)] == [
        ("refused", "abandoner"),
        ("refused", "has_offer"),
        ("granted", ""),
        ("granted", ""),
    ]
    assert put_in(about_people(shop, percent=90), make_contact(shop))[0][1] == "floor"
    foreign = {"budget": {"amount": 50, "currency": "PLN"}}
    assert put_in(about_people(shop, **foreign), make_contact(shop))[0][1] == "currency"


def test_who_has_just_paid_is_thanked_with_one_for_their_next_order(shop: Shop) -> None:
    make_source(shop)
    process = make_process(shop, nodes=nodes(next_order=True), entry={"on": "order.paid"}, goals=[])
    order = make_order(
        shop,
        total="100.00",
        payment_state="paid",
        status="paid",
        captured=100,
        paid_at=NOW,
        paid_learnt_at=NOW,
    )
    assert order.contact_id is not None
    enrol([Arrival("order.paid", shop.pk, order.contact_id, "order", order.pk, NOW, process_id=process.pk)])
    work()

    offer = Offer.objects.get()
    assert (offer.state, offer.order_id, offer.is_for_person, offer.terms["currency"]) == (
        "granted",
        None,
        True,
        "EUR",
    )


def test_on_the_past_one_for_a_next_order_costs_its_share_of_the_mean(shop: Shop) -> None:
    make_source(shop)
    order = make_order(shop, total="100.00", payment_state="paid", paid_at=NOW)
    make_order(shop, total="300.00")
    kind, contact_id = int(SubjectKind.ORDER), order.contact_id or 0
    enrolment = SimpleNamespace(subject_kind=kind, subject_id=order.pk, contact_id=contact_id)
    until = NOW + timedelta(days=2)
    told = [Told(contact_id, order.pk, paid_at=NOW)]
    past = PastOffers(shop.pk, 0, told, kind, OfferPurse(NOW))

    codes = [
        past.judge(
            enrolment,  # type: ignore[arg-type]
            OfferEffect(
                1,
                node,
                "n1",
                NOW,
                {"kind": "percent", "percent": percent},
                until,
                None,
                False,
                is_for_person=True,
            ),
            Facts(),
            NOW,
        )
        for node, percent in enumerate(["90", "10", "10"])
    ]

    assert codes == [Code.SKIPPED_FLOOR, Code.OFFER_GRANTED, Code.OFFER_ANOTHER]
    assert past.costs == {"EUR": Decimal("20.00")}


@pytest.mark.parametrize(("values", "offers"), [({"holdout_bp": 9_999}, []), ({"status": "test"}, [True])])
def test_a_trial_and_the_control_group_take_nothing_from_the_budget(
    shop: Shop, values: dict[str, Any], offers: list[bool]
) -> None:
    process = make_process(
        shop,
        entry={"on": "manual"},
        goals=[],
        nodes=nodes(
            kind="amount", percent=0, amount=5, currency="EUR", budget={"amount": 50, "currency": "EUR"}
        ),
        **values,
    )
    make_source(shop)

    put_in(process, make_contact(shop))

    assert list(Offer.objects.values_list("is_test", flat=True)) == offers
    assert not Budget.objects.exists()


@pytest.mark.parametrize("is_used", [False, True])
def test_who_waits_for_the_end_of_an_offer_goes_on_when_it_ends_before_its_time(
    shop: Shop, *, is_used: bool
) -> None:
    waits = {
        "n1": {"t": "offer", "percent": 10, "valid": "P9D", "out": {"granted": "n2"}},
        "n2": {"t": "wait", "date": "offer.ends_at", "ref": "n1", "out": {"next": "n3"}},
        "n3": {"t": "end"},
    }
    offer, _ = run(shop, make_process(shop, nodes=waits, goals=[]))
    assert offer is not None
    ended_at = NOW + timedelta(days=2)
    set_clock(ended_at)
    outbox.set_routes({OfferDecided: (wake_offered,)})

    if is_used:
        order = Order.objects.get()
        applied = find_applied(order, now=NOW)
        assert applied is not None
        redeem(order, applied, now=NOW)
        Order.objects.update(paid_at=ended_at, discount_given=applied.discount)
        confirm_paid(Order.objects.get(pk=order.pk), now=ended_at)
    else:
        withdraw(offer, note="", actor=SYSTEM, now=ended_at)
    work()
    outbox.set_routes({})

    assert abs(StepLog.objects.get(outcome=Code.COMPLETED).at - ended_at) < timedelta(minutes=1)


@pytest.mark.parametrize(("offset", "is_sent"), [("-P1D", False), ("P0D", True)])
def test_who_was_to_be_told_before_an_offer_ends_is_not_once_it_has_ended(
    shop: Shop, offset: str, *, is_sent: bool
) -> None:
    waits = {
        "n1": {"t": "offer", "percent": 10, "valid": "P9D", "out": {"granted": "n2"}},
        "n2": {"t": "wait", "date": "offer.ends_at", "ref": "n1", "offset": offset, "out": {"next": "n3"}},
        "n3": {"t": "send", "template": "ends.tomorrow", "out": {"done": "n4"}},
        "n4": {"t": "end"},
    }
    offer, _ = run(shop, make_process(shop, nodes=waits, goals=[]))
    assert offer is not None
    ended_at = NOW + timedelta(days=2)
    set_clock(ended_at)
    outbox.set_routes({OfferDecided: (wake_offered,)})

    withdraw(offer, note="", actor=SYSTEM, now=ended_at)
    work()
    outbox.set_routes({})

    outcomes = set(StepLog.objects.values_list("outcome", flat=True))
    assert (Code.SKIPPED_EXPIRED in outcomes, Code.QUEUED in outcomes) == (not is_sent, is_sent)
    [why] = answers_about(shop, kind=SubjectKind.ORDER, subject_id=offer.order_id or 0, now=ended_at)
    reasons = {answer.reason.message_reason for answer in why.answers}
    assert ("offer_over" in reasons) == (not is_sent)
