"""The explanation agrees with what happened, in every world; each outcome has its sentence."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.processes.engine.codes import Code, is_final
from recoup.processes.engine.records import Enrolment
from recoup.processes.graph.compiling import compile_graph, number_nodes
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.validation import load_process
from recoup.processes.memory import MemoryStore
from recoup.processes.moving.plan import Old, Plan, also_blocks, apply_rule, rules_of
from recoup.processes.simulator import Simulator
from recoup.processes.why.explaining import Reason, Story, Told, all_keys, explain
from recoup.processes.worlds import Lane, News
from recoup.web.words.why import SENTENCES, head, sentence
from tests.processes.drawn import documents, worlds
from tests.processes.test_random_worlds import SLOW, fate
from tests.processes.worlds import (
    PLACED,
    SEND_TWICE,
    VERSION,
    arrival,
    document,
    graph_of,
    hours,
    only,
    paid,
    shop_with,
)

GOT = (Code.SENT, Code.UNCERTAIN)


def story_of(store: MemoryStore, enrolment: Enrolment) -> Story:
    """Return what a simulated ledger holds about one enrolment, as the tables would give it."""
    graph = store.graphs[enrolment.version_id]
    lines = []
    for owner, step in store.ledger:
        if owner != enrolment.id:
            continue
        message = store.messages.get((owner, step.step_no))
        lines.append(
            Told(
                step.step_no,
                graph.node_id(step.node),
                Code(step.outcome),
                step.at,
                step.at,
                message_end=message.outcome if message else 0,
                message_at=(message.sent_at or message.settled_at) if message else None,
                message_due_at=message.effect.planned_at if message else None,
            )
        )
    return Story(enrolment, graph, store.facts_of(enrolment), lines)


def reasons(store: MemoryStore, now: datetime) -> dict[str, Reason]:
    """Return the reason for each message of the only enrolment."""
    story = story_of(store, only(store))
    nodes = story.graph.document.nodes
    return {name: explain(story, name, now) for name, node in nodes.items() if node.t == "send"}


def run(*news: News, until: datetime, holdout_bp: int = 0) -> dict[str, Reason]:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    come = arrival(PLACED, holdout_bp=holdout_bp)
    Simulator(store, [come, *news]).run(until)
    return reasons(store, until)


@pytest.mark.parametrize("key", all_keys())
def test_every_outcome_has_its_sentence(key: str) -> None:
    assert key in SENTENCES
    reason = Reason(key, PLACED, PLACED)
    assert sentence(reason).endswith(".")
    assert "%(" not in sentence(reason)
    assert "None" not in sentence(reason)
    assert head(reason, who="Anna", what="Second reminder").startswith("Anna ")


def test_no_sentence_is_about_nothing() -> None:
    assert set(SENTENCES) == set(all_keys())


def test_who_paid_is_told_when_and_before_what() -> None:
    told = run(paid(PLACED + hours(30)), until=PLACED + hours(100))

    assert told["n2"] == Reason("sent", PLACED + hours(24), PLACED + hours(24))
    assert told["n4"] == Reason("goal_paid", PLACED + hours(30), PLACED + hours(72))


def test_what_is_still_to_come_is_told_with_its_instant() -> None:
    told = run(until=PLACED + hours(10))

    assert told["n2"] == Reason("planned", PLACED + hours(24), PLACED + hours(24))
    assert told["n4"] == Reason("planned", PLACED + hours(72), PLACED + hours(72))


def test_who_is_left_alone_is_told_so_before_and_after() -> None:
    for until in (PLACED + hours(10), PLACED + hours(100)):
        assert {one.key for one in run(until=until, holdout_bp=9_999).values()} == {"held_out"}


def test_a_way_not_taken_names_the_step_that_led_elsewhere() -> None:
    nodes = {
        "n1": {"t": "until", "on": {"e": "order.paid"}, "within": "PT5H", "out": {"yes": "n2", "no": "n3"}},
        "n2": {"t": "send", "template": "thanks", "purpose": "thanks", "out": {"done": "n4"}},
        "n3": {"t": "send", "template": "first", "out": {"done": "n4"}},
        "n4": {"t": "end"},
    }
    store = shop_with(graph_of(nodes))
    Simulator(store, [arrival(PLACED)]).run(PLACED + hours(9))

    assert reasons(store, PLACED + hours(9)) == {
        "n2": Reason("other_way", PLACED + hours(5), block="n1"),
        "n3": Reason("sent", PLACED + hours(5), PLACED + hours(5)),
    }


def test_who_does_an_added_step_is_told_about_the_way_on_which_they_come_back() -> None:
    nodes = {
        "n1": {"t": "until", "on": {"e": "order.paid"}, "within": "PT5H", "out": {"yes": "n2", "no": "n3"}},
        "n2": {"t": "send", "template": "thanks", "purpose": "thanks", "out": {"done": "n4"}},
        "n3": {"t": "wait", "for": "P1D", "out": {"next": "n5"}},
        "n5": {"t": "send", "template": "first", "out": {"done": "n4"}},
        "n4": {"t": "end"},
    }
    task = {"t": "task", "title": "Call", "within": "PT2H", "out": {"done": "n7", "timeout": "n7"}}
    extra = {"t": "send", "template": "extra", "out": {"done": "n1"}}
    before, now = graph_of(dict(nodes)), PLACED + hours(9)
    entry = {"on": "order.unpaid", "first": "n6"}
    added = load_process(document(nodes | {"n6": task, "n7": extra}, entry=entry))
    after = compile_graph(added, node_map=number_nodes(added, before.node_map))
    store = shop_with(before)
    Simulator(store, [arrival(PLACED)]).run(now)
    store.graphs[VERSION + 1] = after
    plan = Plan({"n3": also_blocks(["n6", "n7"])})
    (rule,) = rules_of(plan, [Old(VERSION, 1, before)], after)
    store.save([apply_rule(only(store), rule, VERSION + 1, now)], now)

    assert reasons(store, now) == {
        "n2": Reason("other_way", PLACED + hours(5), block="n1"),
        "n5": Reason("planned", PLACED + hours(29), PLACED + hours(29)),
        "n7": Reason("planned", now + hours(2), now + hours(2)),
    }


@pytest.mark.faults
@SLOW
@given(documents(), worlds(), st.integers(0, 24 * 20))
def test_the_explanation_agrees_with_what_happened(
    raw: ProcessDocument, news: list[News], after: int
) -> None:
    """At any instant of any world: whoever got it is told so, and nobody else; a goal named was met; nothing contradicts."""
    now = PLACED + timedelta(hours=after)
    store = shop_with(compile_graph(raw, salt=9))
    Simulator(store, news, lane=Lane(fate=fate)).run(now)

    for enrolment in store.enrolments.values():
        story = story_of(store, enrolment)
        sends = [name for name, node in raw.nodes.items() if node.t == "send"]
        for name in sends:
            reason = explain(story, name, now)
            messages = [
                message
                for (owner, _), message in sorted(store.messages.items())
                if owner == enrolment.id and message.effect.node_id == name
            ]
            assert reason.key in SENTENCES
            assert reason.has_got_it == bool(messages and messages[-1].outcome in GOT)
            assert not (is_final(enrolment.state) and reason.is_open and not messages)
            if reason.key.startswith("goal_"):
                assert Code[reason.key.upper()] is story.lines[-1].code
                assert not messages
            if reason.key == "planned":
                assert not is_final(enrolment.state)
                assert reason.at is not None
                assert reason.at >= now
            if reason.key == "held_out":
                assert enrolment.flags & 1


@pytest.mark.faults
@SLOW
@given(documents(), worlds(), st.integers(0, 24 * 10))
def test_what_is_promised_comes_if_nothing_happens(
    raw: ProcessDocument, news: list[News], after: int
) -> None:
    now = PLACED + timedelta(hours=after)
    known = [one for one in news if one.at <= now]
    store = shop_with(compile_graph(raw, salt=9))
    simulator = Simulator(store, known)
    simulator.run(now)
    promised = {
        (enrolment.id, name): reason.due_at
        for enrolment in store.enrolments.values()
        for name, node in raw.nodes.items()
        if node.t == "send" and (reason := explain(story_of(store, enrolment), name, now)).key == "planned"
    }
    simulator.run(PLACED + timedelta(days=3_000))

    queued = {(owner, message.effect.node_id) for (owner, _), message in store.messages.items()}
    skipped = {
        (owner, store.graphs[store.enrolments[owner].version_id].node_id(step.node))
        for owner, step in store.ledger
        if Code(step.outcome).is_skip
    }
    assert set(promised) <= queued | skipped


def test_what_was_left_out_because_its_day_was_over_says_so() -> None:
    nodes = {
        "n1": {"t": "send", "template": "today", "same_day": True, "not_after": "P3D", "out": {"done": "n2"}},
        "n2": {"t": "send", "template": "soon", "not_after": "PT1H", "same_day": True, "out": {"done": "n3"}},
        "n3": {"t": "end"},
    }
    store = shop_with(graph_of(nodes))
    Simulator(store, [arrival(PLACED)]).run(PLACED)
    story = story_of(store, only(store))
    queued, ends = story.lines[0], PLACED + timedelta(days=1)
    ended = queued._replace(
        message_end=int(Code.SKIPPED_EXPIRED),
        message_at=ends,
        message_reason="day_over",
        message_due_at=PLACED,
    )
    skipped = Told(1, "n1", Code.SKIPPED_EXPIRED, PLACED, ends)
    too_late = Told(2, "n2", Code.SKIPPED_EXPIRED, PLACED, PLACED + hours(1))

    told = [explain(replace(story, lines=[line]), line.node, ends).key for line in (ended, skipped, too_late)]

    assert told == ["day_over", "day_over", "skipped_expired"]
