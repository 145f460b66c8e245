"""Random valid graphs in random worlds: nobody loops, nobody is stranded, nobody who paid is reminded."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from recoup.processes.engine.bucket import bucket
from recoup.processes.engine.codes import Code, State, is_final
from recoup.processes.engine.records import Facts
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.reading import read_document
from recoup.processes.graph.validation import find_problems
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind, Lane, News, Purchase, Reply, Visit
from recoup.segments.facts import ContactFacts
from tests.processes.worlds import (
    CONTACT,
    ORDER,
    PLACED,
    PROCESS,
    arrival,
    document,
    hours,
    order_facts,
    shop_with,
)
from tests.support.sizes import how_many

END_OF_TIME = PLACED + timedelta(days=3_000)
SPANS = st.sampled_from(["PT1H", "PT30M", "P1D", "PT48H", "P3D", "P1DT2H"])
ZONES = st.sampled_from(
    ["Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "nowhere"]
)


@st.composite
def documents(draw: st.DrawFn, *, with_offers: bool = True) -> ProcessDocument:
    """Draw a valid process: ways lead forward, except out of waits that bound their rounds."""
    size = draw(st.integers(2, 9))
    nodes: dict[str, Any] = {f"n{size}": {"t": "end"}}
    for number in range(1, size):
        forward = st.integers(number + 1, size).map("n{}".format)
        anywhere = st.integers(1, size).map("n{}".format)
        nodes[f"n{number}"] = draw(blocks(forward, anywhere, st.integers(1, size).map("n{}".format)))
    entry = {"on": "order.unpaid", "first": "n1", "anchor": draw(st.sampled_from(["entered", "placed_at"]))}
    goals = [{"on": "order.paid"}, {"on": "order.cancelled"}]
    if not with_offers:  # whether one is granted hangs on rows that only the database has
        for node in nodes.values():
            if node["t"] == "offer":
                node |= {"t": "until", "on": {"e": "order.paid"}, "within": node.pop("valid")}
                node["out"] = {"yes": node["out"]["granted"], "no": node["out"]["refused"]}
                del node["percent"]
    raw = read_document(document(reached(nodes), entry=entry, goals=goals))
    assume(not find_problems(raw))
    return raw


@st.composite
def documents_about_people(draw: st.DrawFn) -> ProcessDocument:
    """Draw a valid process about a person without an order."""
    size = draw(st.integers(2, 9))
    nodes: dict[str, Any] = {f"n{size}": {"t": "end"}}
    sender = draw(st.integers(1, size - 1))  # one sends for certain: what is asked about is there more often
    for number in range(1, size):
        forward = st.integers(number + 1, size).map("n{}".format)
        anywhere = st.integers(1, size).map("n{}".format)
        drawn = blocks(forward, anywhere, st.just(f"n{sender}"), has_order=False)
        nodes[f"n{number}"] = draw(sends(forward) if number == sender else drawn)
    entry: dict[str, Any] = {"on": draw(st.sampled_from(["manual", "tag.set"])), "first": "n1"}
    if entry["on"] == "tag.set":
        entry |= {"tags": ["vip"]}
    raw = read_document(document(reached(nodes), entry=entry, goals=[]))
    assume(any(node.t == "send" for node in raw.nodes.values()))
    assume(not find_problems(raw))
    return raw


WAITS: list[dict[str, Any]] = [
    {"for": "PT5H"},
    {"for": "P2D"},
    {"at": "02:30"},
    {"for": "P1D", "at": "10:00", "days": ["mon"]},
    {"date": "order.placed_at", "offset": "P9D"},
    {"date": "promise.until"},
]


def blocks(
    forward: Any, anywhere: Any, reference: Any, *, has_order: bool = True
) -> st.SearchStrategy[dict[str, Any]]:
    """Return blocks that are not the end; without an order, those alone that need none."""
    either = st.fixed_dictionaries({"yes": forward, "no": forward})
    paid = st.fixed_dictionaries({"f": st.just("order.is_paid"), "op": st.just("="), "v": st.booleans()})
    events = st.sampled_from(
        [*(["order.paid", "order.cancelled"] if has_order else []), "contact.ordered_again"]
    )
    visits = st.sampled_from(["message.opened", "message.clicked"])
    waits = st.tuples(st.sampled_from([one for one in WAITS if has_order or "date" not in one]), forward)
    of_orders = [
        st.fixed_dictionaries({"t": st.just("if"), "if": paid, "out": either}),
        block("offer", {"granted": forward, "refused": forward}, {"percent": st.just(5), "valid": SPANS}),
        block("order_status", {"next": forward}, {"to": st.just("not_confirmed")}),
    ]
    return st.one_of(
        waits.map(lambda drawn: {"t": "wait", **drawn[0], "out": {"next": drawn[1]}}),
        block("wait", {"next": anywhere, "over": forward}, {"for": SPANS, "max_rounds": st.integers(1, 3)}),
        block(
            "until",
            {"yes": forward, "no": forward},
            {"on": st.fixed_dictionaries({"e": events}), "within": SPANS, "earlier": st.booleans()},
        ),
        block(
            "until",
            {"yes": forward, "no": forward},
            {
                "on": st.fixed_dictionaries(
                    {
                        "e": st.just("product.bought"),
                        "products": st.sampled_from([["soap"], ["soap", "wax"]]),
                        "match": st.sampled_from(["any", "all"]),
                    }
                ),
                "within": SPANS,
                "earlier": st.booleans(),
            },
        ),
        block(
            "until",
            {"yes": forward, "no": forward, "unsent": forward},
            {"on": st.fixed_dictionaries({"e": visits, "ref": reference}), "within": SPANS},
        ),
        *(of_orders if has_order else []),
        st.fixed_dictionaries(
            {
                "t": st.just("split"),
                "arms": st.just([{"id": "a", "w": 2}, {"id": "b", "w": 1}]),
                "out": st.fixed_dictionaries({"a": forward, "b": forward}),
            }
        ),
        block("tag", {"next": forward}, {"add": st.just(["seen"]), "remove": st.just(["new"])}),
        block(
            "task",
            {"done": forward, "timeout": forward},
            {"title": st.just("Call {customer}"), "within": SPANS, "due": SPANS},
        ),
        block("task", {"done": forward}, {"title": st.just("Call {order}")}),
        block("webhook", {"ok": forward}, {"endpoint": st.just(1)}),
        block("webhook", {"ok": forward, "failed": forward}, {"endpoint": st.just(1), "within": SPANS}),
        block("enrol", {"next": forward}, {"process": st.just(PROCESS)}),
        sends(forward),
    )


def sends(forward: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return blocks that send."""
    fields = {
        "template": st.just("x"),
        "purpose": st.sampled_from(["reminder", "thanks"]),
        "not_after": SPANS,
    }
    return block("send", {"done": forward, "failed": forward}, fields)


def block(kind: str, ports: dict[str, Any], fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return blocks of one kind."""
    return st.fixed_dictionaries({"t": st.just(kind), "out": st.fixed_dictionaries(ports), **fields})


def reached(nodes: dict[str, Any]) -> dict[str, Any]:
    """Leave out the blocks to which nothing leads."""
    found, open_ends = {"n1"}, ["n1"]
    while open_ends:
        for target in nodes[open_ends.pop()].get("out", {}).values():
            if target not in found:
                found.add(target)
                open_ends.append(target)
    return {name: node for name, node in nodes.items() if name in found}


@st.composite
def worlds(draw: st.DrawFn) -> list[News]:
    """Draw what happens to three orders, among it that everything held is given back in the end."""
    news: list[News] = []
    for order in (1, 2, 3):
        entered = PLACED + hours(draw(st.integers(0, 60)))
        held_out = draw(st.sampled_from([0, 0, 9_999]))
        facts = order_facts(zone=draw(ZONES))
        news.append(arrival(entered, facts, subject_id=order, contact_id=order, holdout_bp=held_out))
        for _ in range(draw(st.integers(0, 6))):
            at = PLACED + timedelta(minutes=30 * draw(st.integers(0, 48 * 14)))
            news.append(draw(changes(order, at)))
        news.append(Change(PLACED + timedelta(days=40), ORDER, order, ChangeKind.RELEASED, PLACED))
    return news


@st.composite
def worlds_of_people(draw: st.DrawFn) -> list[News]:
    """Draw what three people do who were put in without an order."""
    news: list[News] = []
    for person in (1, 2, 3):
        entered = PLACED + hours(draw(st.integers(0, 60)))
        facts = Facts(contact=ContactFacts(draw(ZONES), "pl", "Europe/Warsaw"))
        held_out = draw(st.sampled_from([0, 0, 9_999]))
        who = {"subject_kind": CONTACT, "subject_id": person, "contact_id": person}
        news.append(arrival(entered, facts, holdout_bp=held_out, **who))
        for _ in range(draw(st.integers(0, 6))):
            at, node = PLACED + timedelta(minutes=30 * draw(st.integers(0, 48 * 14))), draw(st.integers(1, 9))
            happened: list[News] = [
                Purchase(at, person, ("soap",), at - hours(draw(st.integers(0, 3)))),
                Visit(at, CONTACT, person, f"n{node}", is_click=draw(st.booleans())),
                Reply(at, CONTACT, person, f"n{node}", Code.TASK_DONE),
            ]
            news.append(draw(st.sampled_from(happened)))
    return news


@st.composite
def changes(draw: st.DrawFn, order: int, at: datetime) -> News:
    """Draw one thing that happens to an order."""
    kinds = [
        ChangeKind.PAID,
        ChangeKind.CANCELLED,
        ChangeKind.SUPERSEDED,
        ChangeKind.PROMISED,
        ChangeKind.HELD,
    ]
    if draw(st.integers(0, 7)) == 0:
        return Purchase(
            at, order, draw(st.sampled_from([("soap",), ("wax",)])), at - hours(draw(st.integers(0, 3)))
        )
    if draw(st.integers(0, 5)) == 0:
        code = draw(st.sampled_from([Code.TASK_DONE, Code.TASK_DROPPED]))
        return Reply(at, ORDER, order, f"n{draw(st.integers(1, 9))}", code)
    kind = draw(st.sampled_from([*kinds, None, None]))
    if kind is None:
        return Visit(at, ORDER, order, f"n{draw(st.integers(1, 9))}", is_click=draw(st.booleans()))
    until = at + hours(draw(st.integers(-5, 100))) if kind is ChangeKind.PROMISED else None
    became_true_at = at - hours(draw(st.integers(0, 3)))
    return Change(at, ORDER, order, kind, became_true_at, until)


def fate(enrolment_id: int, step_no: int, now: datetime) -> Code:
    """Let messages end in every way, always the same."""
    ends = [Code.SENT] * 6 + [Code.SKIPPED_CONSENT, Code.FAILED_REFUSED, Code.UNCERTAIN]
    return ends[bucket(0, step_no, enrolment_id) % len(ends)]


def play(raw: ProcessDocument, news: list[News], **how: Any) -> MemoryStore:
    """Play a world to its end."""
    store = shop_with(compile_graph(raw, salt=9))
    lag = how.pop("lane_lag", 0)
    simulator = Simulator(store, news, lane=Lane(lag=timedelta(minutes=lag), fate=fate), **how)
    simulator.run(END_OF_TIME)
    assert simulator.errors == []
    return store


pytestmark = pytest.mark.faults
SLOW = settings(
    max_examples=how_many(30, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@SLOW
@given(documents(), worlds(), st.integers(0, 300), st.integers(0, 100))
def test_everybody_reaches_one_end_and_time_never_runs_back(
    raw: ProcessDocument, news: list[News], lag: int, lane_lag: int
) -> None:
    asleep = [(PLACED + hours(30), PLACED + hours(30 + lag))]

    store = play(raw, news, lag=lambda _: timedelta(minutes=lag), lane_lag=lane_lag, asleep=asleep)

    assert all(is_final(enrolment.state) for enrolment in store.enrolments.values())
    for number, enrolment in store.enrolments.items():
        steps = [step for owner, step in store.ledger if owner == number]
        assert enrolment.state in (State.COMPLETED, State.EXITED)
        assert [step.step_no for step in steps] == list(range(1, len(steps) + 1))
        assert [Code(step.outcome).is_exit for step in steps] == [False] * (len(steps) - 1) + [True]
        assert all(later.at >= earlier.at for earlier, later in pairwise(steps))
        assert steps[0].at >= enrolment.entered_at


@SLOW
@given(documents(), worlds(), st.integers(0, 300))
def test_nobody_is_reminded_after_the_payment_is_known(
    raw: ProcessDocument, news: list[News], lag: int
) -> None:
    store = play(raw, news, lag=lambda _: timedelta(minutes=lag), lane_lag=lag // 3)

    known = {
        change.subject_id: change.at
        for change in sorted((n for n in news if isinstance(n, Change)), key=lambda n: n.at, reverse=True)
        if change.kind is ChangeKind.PAID
    }
    late = [
        message
        for message in store.sent()
        if message.effect.purpose == "reminder"
        and message.sent_at is not None
        and message.sent_at >= known.get(store.enrolments[message.enrolment_id].subject_id, END_OF_TIME)
    ]
    assert late == []


@SLOW
@given(documents(), worlds(), st.data())
def test_decisions_do_not_depend_on_the_size_of_batches(
    raw: ProcessDocument, news: list[News], data: st.DataObject
) -> None:
    sizes = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    turn = iter(range(10**9))

    one_by_one = play(raw, news, batch=lambda: sizes[next(turn) % len(sizes)])

    assert one_by_one.journal() == play(raw, news).journal()


@SLOW
@given(documents(), worlds(), st.lists(st.integers(0, 24 * 60), max_size=8))
def test_wake_for_nothing_changes_no_decision(
    raw: ProcessDocument, news: list[News], noise: list[int]
) -> None:
    released = [
        Change(PLACED + timedelta(minutes=20 * at), ORDER, order, ChangeKind.CASE_CLOSED, PLACED)
        for at in noise
        for order in (1, 2, 3)
    ]
    quiet = play(raw, news)
    store = shop_with(compile_graph(raw, salt=9))
    store.wake = _wake_everybody(store)  # type: ignore[method-assign]
    Simulator(store, [*news, *released], lane=Lane(fate=fate)).run(END_OF_TIME)

    assert store.journal() == quiet.journal()


def _wake_everybody(store: MemoryStore) -> Any:
    def wake(wake_ups: Any, now: datetime) -> int:
        return sum(
            store._wake_one(enrolment._replace(wait_mask=-1), -1, now)
            for enrolment in list(store.enrolments.values())
            if not is_final(enrolment.state)
        )

    return wake
