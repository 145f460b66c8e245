"""The block that makes an offer: asks, waits for the decision, goes on by one of two ways."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from recoup.processes.engine.codes import Code
from recoup.processes.engine.nodes.offer import LONGEST_ASKING, OfferEffect
from recoup.processes.engine.records import Enrolment
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.reading import read_document
from recoup.processes.graph.validation import TextOffer, find_problems, load_process
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from tests.processes.worlds import PLACED, VERSION, arrival, document, graph_of, hours, shop_with, told

OFFER: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT2H", "out": {"next": "n2"}},
    "n2": {"t": "offer", "percent": 5, "valid": "P2D", "out": {"granted": "n3", "refused": "n4"}},
    "n3": {"t": "end"},
    "n4": {"t": "end"},
}


class Refusing(MemoryStore):
    """A shop whose budget is spent."""

    def judge_offer(self, enrolment: Enrolment, effect: OfferEffect) -> Code:  # noqa: ARG002
        return Code.SKIPPED_BUDGET


class Silent(MemoryStore):
    """A shop that never answers."""

    def _decide(self, enrolment: Enrolment, effect: OfferEffect, now: Any) -> None:
        pass


def filled(store: MemoryStore) -> MemoryStore:
    """Put the process into a shop."""
    store.graphs[VERSION] = graph_of(OFFER)
    return store


def test_it_is_asked_for_at_its_instant_and_goes_on_when_granted() -> None:
    store = shop_with(graph_of(OFFER))

    Simulator(store, [arrival(PLACED)]).run(PLACED + hours(48))

    ((_, effect),) = store.done
    assert isinstance(effect, OfferEffect)
    assert (effect.step_no, effect.at, effect.terms) == (
        1,
        PLACED + hours(2),
        {"kind": "percent", "percent": "5"},
    )
    assert effect.valid_until == PLACED + hours(2) + timedelta(days=2)
    assert told(store) == [
        ("n2", Code.OFFER_GRANTED, PLACED + hours(2)),
        ("n3", Code.COMPLETED, PLACED + hours(2)),
    ]


def test_a_late_worker_does_not_shorten_it() -> None:
    store = shop_with(graph_of(OFFER))

    Simulator(store, [arrival(PLACED)], lag=lambda _: hours(5)).run(PLACED + hours(48))

    ((_, effect),) = store.done
    assert isinstance(effect, OfferEffect)
    assert effect.valid_until == PLACED + hours(5) + timedelta(days=2)
    assert told(store)[0] == ("n2", Code.OFFER_GRANTED, PLACED + hours(2))


def test_a_refusal_takes_the_other_way_with_its_reason() -> None:
    store = filled(Refusing(PLACED - hours(1)))

    Simulator(store, [arrival(PLACED)]).run(PLACED + hours(48))

    assert told(store) == [
        ("n2", Code.SKIPPED_BUDGET, PLACED + hours(2)),
        ("n4", Code.COMPLETED, PLACED + hours(2)),
    ]


def test_a_shop_that_never_answers_holds_nobody_for_ever() -> None:
    store = filled(Silent(PLACED - hours(1)))

    Simulator(store, [arrival(PLACED)]).run(PLACED + hours(48))

    assert told(store) == [
        ("n2", Code.FAILED_COUPON, PLACED + hours(2) + LONGEST_ASKING),
        ("n4", Code.COMPLETED, PLACED + hours(2) + LONGEST_ASKING),
    ]


def test_the_control_group_gets_none_and_walks_at_the_same_instants() -> None:
    store = shop_with(graph_of(OFFER))

    Simulator(store, [arrival(PLACED, holdout_bp=9_999)]).run(PLACED + hours(48))

    assert (store.done, len(store.suppressed)) == ([], 1)
    assert told(store) == [
        ("n2", Code.SUPPRESSED, PLACED + hours(2)),
        ("n3", Code.COMPLETED, PLACED + hours(2)),
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"percent": 0}, "offer_percent"),
        ({"percent": "100.5"}, "offer_percent"),
        ({"percent": -5}, "offer_percent"),
        ({"kind": "amount"}, "offer_amount"),
        ({"kind": "amount", "amount": -3, "currency": "PLN"}, "offer_amount"),
        ({"kind": "amount", "amount": 5}, "offer_currency"),
        ({"kind": "gift"}, "offer_gift"),
        ({"percent": 5, "gift": "bag"}, "offer_gift"),
        ({"percent": 5, "min_sum": 10}, "offer_currency"),
        ({"percent": 5, "min_sum": 0, "currency": "PLN"}, "offer_min_sum"),
        ({"percent": 5, "budget": {"amount": 0, "currency": "PLN"}}, "offer_budget"),
        (
            {"percent": 5, "currency": "EUR", "min_sum": 1, "budget": {"amount": 1, "currency": "PLN"}},
            "offer_currencies",
        ),
        ({"percent": 5, "valid": "P0D"}, "bad_span"),
    ],
)
def test_what_promises_nothing_or_too_much_is_refused(fields: dict[str, Any], code: str) -> None:
    nodes = {"n1": {"t": "offer", "valid": "P2D", "out": {"granted": "n2"}, **fields}, "n2": {"t": "end"}}

    with pytest.raises(InvalidProcess) as refused:
        load_process(document(nodes))

    assert [problem.code for problem in refused.value.problems] == [code]


def test_the_terms_are_kept_as_offers_read_them() -> None:
    nodes = {
        "n1": {
            "t": "offer",
            "kind": "gift",
            "gift": "bag",
            "percent": "7.5",
            "products": ["mug"],
            "valid": "PT48H",
            "description": " A bag ",
            "with_coupon": True,
            "out": {"granted": "n2"},
        },
        "n2": {"t": "end"},
    }
    node: Any = load_process(document(nodes)).nodes["n1"]

    assert node.terms() == {
        "kind": "gift",
        "percent": "7.5",
        "gift": "bag",
        "description": "A bag",
        "with_coupon": True,
        "products": ["mug"],
    }
    assert node.percent == Decimal("7.5")


def test_a_text_about_an_offer_needs_one_on_every_way_to_it() -> None:
    send = {"t": "send", "template": "with_offer", "out": {"done": "n4"}}
    good = {**OFFER, "n3": send}
    bad = {**OFFER, "n2": {**OFFER["n2"], "out": {"granted": "n3", "refused": "n3"}}, "n3": send}
    default = {**OFFER, "n2": {**OFFER["n2"], "out": {"granted": "n3"}}, "n3": send}

    found = [
        [
            problem.code
            for problem in find_problems(read_document(document(nodes)), None, None, {"with_offer"})
            if problem.code == "offer_text_without_offer"
        ]
        for nodes in (good, bad, default)
    ]

    assert found == [[], ["offer_text_without_offer"], ["offer_text_without_offer"]]


@pytest.mark.parametrize(
    ("entry", "first", "second", "found"),
    [
        ({}, {}, {}, []),
        ({}, {"next_order": True}, {}, []),  # the last one made is about the order
        ({}, {}, {"next_order": True}, ["n5"]),
        ({"on": "manual"}, {}, {}, ["n5"]),
    ],
)
def test_a_text_with_the_new_sum_needs_an_offer_about_something(
    entry: dict[str, Any], first: dict[str, Any], second: dict[str, Any], found: list[str]
) -> None:
    base = {"t": "offer", "percent": 5, "valid": "P2D"}
    nodes = {
        "n1": {**base, **first, "out": {"granted": "n2", "refused": "n2"}},
        "n2": {**base, **second, "out": {"granted": "n5", "refused": "n6"}},
        "n5": {"t": "send", "template": "sum", "out": {"done": "n6"}},
        "n6": {"t": "end"},
    }
    raw = document(nodes)
    raw["entry"] |= entry
    texts = {"sum": TextOffer("email", says_new_total=True)}

    problems = find_problems(read_document(raw), texts, None, {"sum"})

    assert [one.path.split(".")[1] for one in problems if one.code == "offer_text_of_next_order"] == found


def test_a_text_about_an_offer_is_found_behind_another_channel_too() -> None:
    other = [{"channel": "sms", "template": "with_offer"}]
    send = {"t": "send", "template": "plain", "otherwise": other, "out": {"done": "n2"}}
    raw = read_document(document({"n1": send, "n2": {"t": "end"}}))

    found = find_problems(raw, None, None, {"with_offer"})

    assert [(one.path, one.code) for one in found] == [
        ("nodes.n1.otherwise.0.template", "offer_text_without_offer")
    ]


SIZES: dict[str, Any] = {**OFFER, "n2": {**OFFER["n2"], "percent": 0, "sizes": ["0", "3", "5", "10"]}}


def test_chance_gives_each_person_one_of_the_sizes_and_the_same_one_every_time() -> None:
    def played(holdout_bp: int = 0) -> MemoryStore:
        store = shop_with(graph_of(SIZES))
        comers = [
            arrival(PLACED, subject_id=one, contact_id=one, holdout_bp=holdout_bp) for one in range(1, 401)
        ]
        Simulator(store, comers).run(PLACED + hours(48))
        return store

    store, again = played(), played()

    drawn: dict[int, list[int]] = {}
    graph = store.graphs[VERSION]
    for key, enrolment in store.enrolments.items():
        lines = [step for owner, step in store.ledger if owner == key and step.node == graph.node_map["n2"]]
        assert lines[0].outcome == Code.SPLIT
        assert len(lines) == (1 if lines[0].arm == 0 else 2)  # 0 offers nothing, and waits for nobody
        drawn.setdefault(lines[0].arm or 0, []).append(enrolment.contact_id)
    made = {
        store.enrolments[key].contact_id: effect.terms["percent"]
        for key, effect in store.done
        if isinstance(effect, OfferEffect)
    }
    ends = {one.contact_id: graph.node_id(one.node) for one in store.enrolments.values()}
    assert {arm: len(people) for arm, people in drawn.items() if not 70 < len(people) < 130} == {}
    for arm, size in enumerate(("0", "3", "5", "10")):
        assert {made.get(person, "0") for person in drawn[arm]} == {size}
        assert {ends[person] for person in drawn[arm]} == {"n3" if arm else "n4"}
    assert [effect for _, effect in again.done] == [effect for _, effect in store.done]
    alone = played(holdout_bp=10_000)
    assert (alone.done, len(alone.suppressed)) == ([], len(made))


@pytest.mark.parametrize(
    "fields",
    [
        {"sizes": ["5"]},  # one is no trial
        {"sizes": ["5", "3"]},
        {"sizes": ["-1", "3"]},
        {"sizes": ["5", "101"]},
        {"sizes": ["0", "3"], "percent": 5},
        {"sizes": ["0", "3"], "kind": "delivery"},
        {"sizes": [str(one) for one in range(7)]},
    ],
)
def test_sizes_that_are_no_ladder_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidProcess):
        load_process(document({**OFFER, "n2": {**OFFER["n2"], "percent": 0, **fields}}))
