"""Examples that a process carries: played through by the engine, told where they do not hold."""

import json
from datetime import timedelta
from typing import Any

import pytest

from recoup.processes.examples import Decision, Ran, as_it_is, run_examples
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.shipped import READY, shipped_process
from recoup.web.words.examples import notes
from tests.processes.worlds import SEND_TWICE, document

HOURS_24 = {"after": "PT24H", "block": {"t": "send", "template": "first"}}
HOURS_72 = {"after": "PT72H", "block": {"t": "send", "template": "second"}}


def loaded(*examples: dict[str, Any], **changes: Any) -> ProcessDocument:
    return load_process(
        document(dict(SEND_TWICE), examples=[{"name": "One", **one} for one in examples], **changes)
    )


def only(document: ProcessDocument) -> Ran:
    (ran,) = run_examples(document)
    return ran


@pytest.mark.parametrize("key", READY)
def test_a_shipped_process_does_what_its_examples_say(key: str) -> None:
    ran = run_examples(shipped_process(key))

    assert len(ran) >= 2
    assert [(one.example.name_in("en"), one.differences, one.ended) for one in ran if not one.holds] == []


def test_an_example_that_says_all_of_it_holds() -> None:
    ran = only(loaded({"expect": [HOURS_24, HOURS_72], "ends": "completed"}))

    assert (ran.holds, ran.ended, ran.differences) == (True, "completed", ())


def test_a_mail_at_another_time_is_a_difference_with_both_sides() -> None:
    early = {**HOURS_24, "after": "PT20H"}

    ran = only(loaded({"expect": [early, HOURS_72]}))

    start = ran.example.start
    assert not ran.holds
    (difference,) = ran.differences
    assert difference.expected == Decision(start + timedelta(hours=20), {"t": "send", "template": "first"})
    assert difference.happened is not None
    assert (difference.happened.at - start, difference.happened.block["template"]) == (
        timedelta(hours=24),
        "first",
    )


def test_a_mail_too_many_and_a_mail_too_few_are_differences() -> None:
    too_many = only(loaded({"expect": [HOURS_24]}))
    too_few = only(loaded({"happens": [{"after": "PT30H", "what": "paid"}], "expect": [HOURS_24, HOURS_72]}))

    assert [one.expected for one in too_many.differences] == [None]
    assert [one.happened for one in too_few.differences] == [None]


def test_an_end_that_was_not_meant_does_not_hold() -> None:
    ran = only(loaded({"happens": [{"after": "PT1H", "what": "paid"}], "ends": "completed"}))

    assert (ran.holds, ran.ended, ran.has_other_end) == (False, "goal_paid", True)


def test_who_should_not_enter_and_does_is_told() -> None:
    ran = only(loaded({"enters": False}))

    assert (ran.has_entered, ran.holds) == (True, False)


def test_what_happens_in_an_example_reaches_the_process() -> None:
    doc = load_process(
        document(
            {
                "n1": {"t": "send", "template": "first", "out": {"done": "n2"}},
                "n2": {
                    "t": "until",
                    "on": {"e": "message.opened", "ref": "n1"},
                    "within": "P1D",
                    "out": {"yes": "n4", "no": "n3"},
                },
                "n3": {"t": "send", "template": "second", "out": {"done": "n4"}},
                "n4": {"t": "end"},
            },
            examples=[
                {
                    "name": "Opened",
                    "happens": [{"after": "PT2H", "what": "opened", "block": "n1"}],
                    "expect": [{"after": "PT0S", "block": {"t": "send", "template": "first"}}],
                    "ends": "completed",
                },
                {
                    "name": "Not opened",
                    "expect": [
                        {"after": "PT0S", "block": {"t": "send", "template": "first"}},
                        {"after": "P1D", "block": {"t": "send", "template": "second"}},
                    ],
                },
            ],
        )
    )

    assert [one.holds for one in run_examples(doc)] == [True, True]


def test_an_example_that_takes_too_many_steps_is_left_and_says_so() -> None:
    nodes: dict[str, Any] = {
        f"n{n}": {"t": "wait", "for": "PT1S", "out": {"next": f"n{n + 1}"}} for n in range(1, 60)
    }
    rounds = {"t": "wait", "for": "PT1S", "max_rounds": 20}
    nodes |= {f"n{n}": {**rounds, "out": {"next": "n1", "over": f"n{n + 1}"}} for n in range(60, 64)}
    doc = load_process(document({**nodes, "n64": {"t": "end"}}, examples=[{"name": "One"}]))

    ran = only(doc)

    assert (ran.holds, ran.is_too_long, ran.ended) == (False, True, "")
    assert notes(ran, {}) == ["It is not followed to its end: after 2,000 steps it still goes on."]


def test_what_happens_now_becomes_what_is_expected() -> None:
    doc = loaded({"happens": [{"after": "PT30H", "what": "paid"}], "expect": [HOURS_72], "ends": "completed"})
    mended = {**doc.as_json(), "examples": [as_it_is(only(doc))]}

    ran = only(load_process(mended))

    assert ran.holds
    assert mended["examples"][0]["expect"] == [HOURS_24]
    assert mended["examples"][0]["ends"] == "goal_paid"


def test_an_example_of_somebody_who_does_not_enter_can_be_taken_as_right() -> None:
    condition = {"f": "order.total", "op": ">", "v": 500}
    doc = loaded({"expect": [HOURS_24]}, entry={"on": "order.unpaid", "if": condition, "first": "n1"})

    mended = {**doc.as_json(), "examples": [as_it_is(only(doc))]}

    assert only(load_process(mended)).holds


@pytest.mark.parametrize(
    ("example", "code"),
    [
        ({"expect": [{"after": "-PT1H", "block": {"t": "send"}}]}, "bad_span"),
        ({"expect": [{"after": "PT1H", "block": {"template": "first"}}]}, "example_expected"),
        ({"person": {"zone": "Mars/Olympus"}}, "example_zone"),
        ({"order": {"cause": "bad mood"}}, "example_choice"),
        ({"happens": [{"after": "PT1H", "what": "opened"}]}, "example_block"),
        ({"happens": [{"after": "PT1H", "what": "bought"}]}, "example_products"),
        ({"enters": False, "ends": "completed"}, "example_nobody_entered"),
        ({"happens": [{"after": "PT1H", "what": "exploded"}]}, "not_one_of"),
        ({"start": "2026-03-02T10:00:00"}, "wrong_value"),
    ],
)
def test_an_example_that_cannot_be_is_refused_at_its_place(example: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidProcess) as refused:
        loaded(example)

    assert [problem.code for problem in refused.value.problems] == [code]
    assert refused.value.problems[0].path.startswith("examples.0")


def test_examples_survive_being_written_and_read() -> None:
    doc = shipped_process("unpaid_order")

    assert load_process(json.loads(json.dumps(doc.as_json()))) == doc
