"""What is refused at publishing, with its place and what was probably meant."""

import json
from typing import Any

import pytest

from recoup.processes.graph.editing import blank
from recoup.processes.graph.problems import TEXTS, InvalidProcess, Problem
from recoup.processes.graph.reading import MOST_CHARACTERS, read_json
from recoup.processes.graph.validation import load_process
from recoup.processes.shipped import READY, shipped_process
from tests.processes.worlds import SEND_TWICE, document

END = {"t": "end"}
WAIT = {"t": "wait", "for": "PT1H", "out": {"next": "n2"}}


def problems(raw: Any, templates: set[str] | None = None) -> list[tuple[str, str, str | None]]:
    """Return what is wrong: place, code, what was meant."""
    with pytest.raises(InvalidProcess) as refused:
        load_process(raw, templates)
    assert all(str(problem) for problem in refused.value.problems)
    return [(problem.path, problem.code, problem.meant) for problem in refused.value.problems]


def with_node(name: str, **changes: Any) -> dict[str, Any]:
    """Return the two reminders with one block changed; an empty change is left out."""
    nodes = {key: dict(node) for key, node in SEND_TWICE}
    nodes[name] |= changes
    return document({key: {k: v for k, v in node.items() if v is not None} for key, node in nodes.items()})


@pytest.mark.parametrize("key", READY)
def test_shipped_process_is_valid(key: str) -> None:
    shipped = shipped_process(key)

    assert load_process(shipped.as_json()) == shipped


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (with_node("n2", tempalte="x"), ("nodes.n2.tempalte", "unknown_field", "template")),
        (with_node("n1", fro="PT1H"), ("nodes.n1.fro", "unknown_field", "for")),
        (
            with_node("n2", out={"done": "n3", "faild": "n5"}),
            ("nodes.n2.out.faild", "unknown_field", "failed"),
        ),
        (with_node("n2", template=None), ("nodes.n2.template", "missing_field", None)),
        (with_node("n2", template="Hello World"), ("nodes.n2.template", "wrong_value", None)),
        (with_node("n2", channel="emial"), ("nodes.n2.channel", "not_one_of", "email")),
        (with_node("n2", t="sned"), ("nodes.n2.t", "unknown_kind", "send")),
        (with_node("n2", t=None), ("nodes.n2.t", "missing_field", None)),
        (with_node("n2", out={}), ("nodes.n2.out.done", "missing_field", None)),
        (with_node("n2", out=None), ("nodes.n2.out", "missing_field", None)),
        (with_node("n2", out={"done": "n33"}), ("nodes.n2.out.done", "unknown_target", "n3")),
        (with_node("n1", **{"for": "2 days"}), ("nodes.n1.for", "bad_span", None)),
        (with_node("n1", **{"for": "PT0S"}), ("nodes.n1.for", "bad_span", None)),
        (with_node("n1", **{"for": "-P1D"}), ("nodes.n1.for", "bad_span", None)),
        (with_node("n1", at="25:00"), ("nodes.n1.at", "bad_wall_time", None)),
        (with_node("n1", **{"for": None}), ("nodes.n1", "wait_without_end", None)),
        (with_node("n1", date="order.placed_at"), ("nodes.n1", "wait_date_with_span", None)),
        (with_node("n1", days=["mon"]), ("nodes.n1", "wait_days_without_time", None)),
        (with_node("n1", at="10:00", days=["monday"]), ("nodes.n1.days.0", "not_one_of", "mon")),
        (with_node("n1", max_rounds=3), ("nodes.n1", "wait_rounds_without_over", None)),
        (
            with_node("n1", **{"for": None, "date": "order.delivered"}),
            ("nodes.n1.date", "unknown_date", None),
        ),
        (document(dict(SEND_TWICE), golas=[]), ("golas", "unknown_field", "goals")),
        (document(dict(SEND_TWICE), name="  "), ("name", "wrong_value", None)),
        (document(dict(SEND_TWICE), schema=2), ("schema", "not_one_of", None)),
        (document(dict(SEND_TWICE), entry={"on": "order.unpaid"}), ("entry.first", "missing_field", None)),
        (
            document(dict(SEND_TWICE), entry={"on": "order.unpayed", "first": "n1"}),
            ("entry.on", "not_one_of", "order.unpaid"),
        ),
        (
            document(dict(SEND_TWICE), entry={"on": "order.unpaid", "first": "n1", "anchr": "placed_at"}),
            ("entry.anchr", "unknown_field", "anchor"),
        ),
        (
            document(
                dict(SEND_TWICE), entry={"on": "order.unpaid", "first": "n1", "anchor": "last_activity_at"}
            ),
            ("entry.anchor", "anchor_of_other_subject", None),
        ),
        (
            document(dict(SEND_TWICE), entry={"on": "order.unpaid", "first": "n1", "reentry": "again_after"}),
            ("entry", "again_after_without_span", None),
        ),
        (document({"n1": WAIT, "n2": END, "n9": END}), ("nodes.n9", "unreachable", None)),
        (document({}), ("nodes", "wrong_value", None)),
        (document({"N 1": END}), ("nodes.N 1", "wrong_value", None)),
        (document(dict(SEND_TWICE), goals=[]), ("goals", "reminder_without_payment_goal", None)),
        (
            document(dict(SEND_TWICE), goals=[{"on": "order.paid"}, {"on": "order.paid"}]),
            ("goals.1.on", "double_goal", None),
        ),
        (
            document(dict(SEND_TWICE), goals=[{"on": "order.paid"}, {"on": "cart.emptied"}]),
            ("goals.1.on", "event_of_other_subject", None),
        ),
    ],
)
def test_document_is_refused_with_its_place(raw: Any, found: tuple[str, str, str | None]) -> None:
    assert problems(raw) == [found]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"f": "order.totl", "op": ">", "v": 1}, ("nodes.n1.if", "unknown_fact", "order.total")),
        ({"f": "cart.total", "op": ">", "v": 1}, ("nodes.n1.if", "fact_of_other_subject", None)),
        ({"f": "order.total", "op": ">", "v": "much"}, ("nodes.n1.if", "condition_value", None)),
        ({"f": "order.total", "op": ">", "v": "NaN"}, ("nodes.n1.if", "condition_value", None)),
        ({"f": "order.total", "op": ">", "v": True}, ("nodes.n1.if", "condition_value", None)),
        ({"f": "order.total", "op": ">", "v": [1]}, ("nodes.n1.if", "condition_list", None)),
        ({"f": "order.total", "op": "in", "v": []}, ("nodes.n1.if", "condition_list", None)),
        ({"f": "order.total", "op": "is_set", "v": 1}, ("nodes.n1.if", "condition_value", None)),
        ({"f": "order.currency", "op": "<", "v": "PLN"}, ("nodes.n1.if", "condition_operator", None)),
        ({"f": "order.cause", "op": "=", "v": "sotf"}, ("nodes.n1.if", "condition_choice", "soft")),
        ({"f": "order.is_offline", "op": "=", "v": 1}, ("nodes.n1.if", "condition_value", None)),
        ({"f": "order.total", "op": "~", "v": 1}, ("nodes.n1.if.op", "not_one_of", None)),
        (
            {"f": "order.total", "operator": ">", "op": ">", "v": 1},
            ("nodes.n1.if.operator", "unknown_field", None),
        ),
        ({"all": []}, ("nodes.n1.if.all", "wrong_value", None)),
        ({"not": {"any": [{"f": "x.y", "op": "is_set"}]}}, ("nodes.n1.if", "unknown_fact", None)),
        (
            {"all": [{"f": "order.total", "op": ">", "v": 1}, {"f": "order.total", "op": ">", "w": 1}]},
            ("nodes.n1.if.all.1.w", "unknown_field", None),
        ),
    ],
)
def test_condition_is_refused_with_its_place(condition: Any, found: tuple[str, str, str | None]) -> None:
    nodes = {"n1": {"t": "if", "if": condition, "out": {"yes": "n2", "no": "n2"}}, "n2": END}

    assert found in problems(document(nodes))


def test_condition_at_the_door_is_refused_with_its_place() -> None:
    entry = {"on": "order.unpaid", "first": "n1", "if": {"f": "order.ammount_due", "op": ">", "v": 0}}

    assert problems(document({"n1": WAIT, "n2": END}, entry=entry)) == [
        ("entry.if", "unknown_fact", "order.amount_due")
    ]


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        (
            {
                "n1": {
                    "t": "if",
                    "if": {"f": "order.is_paid", "op": "=", "v": True},
                    "out": {"yes": "n1", "no": "n2"},
                },
                "n2": END,
            },
            ("nodes.n1", "loop_without_wait"),
        ),
        (
            {
                "n1": {"t": "wait", "for": "P1D", "out": {"next": "n2"}},
                "n2": {
                    "t": "if",
                    "if": {"f": "order.is_paid", "op": "=", "v": True},
                    "out": {"yes": "n3", "no": "n1"},
                },
                "n3": END,
            },
            ("nodes.n1", "loop_not_bounded"),
        ),
        (
            {
                "n1": {
                    "t": "until",
                    "on": {"e": "order.paid"},
                    "within": "P1D",
                    "out": {"yes": "n2", "no": "n1"},
                },
                "n2": END,
            },
            ("nodes.n1", "loop_not_bounded"),
        ),
    ],
)
def test_ring_without_end_is_refused(nodes: Any, found: tuple[str, str]) -> None:
    assert [(path, code) for path, code, _ in problems(document(nodes))] == [found]


ROUNDS = {"t": "wait", "for": "P1D", "max_rounds": 3}
IS_PAID = {"t": "if", "if": {"f": "order.is_paid", "op": "=", "v": True}}


@pytest.mark.parametrize("between", ["P1D", None])
def test_a_ring_through_the_way_after_the_last_round_is_refused(between: str | None) -> None:
    over = {"t": "wait", "for": between} if between else {"t": "tag", "add": ["vip"]}
    nodes: dict[str, Any] = {
        "n1": {**ROUNDS, "out": {"next": "n3", "over": "n2"}},
        "n2": {**over, "out": {"next": "n4"}},
        "n3": {**IS_PAID, "out": {"yes": "n5", "no": "n1"}},
        "n4": {"t": "send", "template": "x", "out": {"done": "n1"}},
        "n5": END,
    }

    assert [(path, code) for path, code, _ in problems(document(nodes))] == [
        ("nodes.n1", "loop_after_rounds")
    ]
    load_process(document({**nodes, "n4": {**nodes["n4"], "out": {"done": "n5"}}}))


def test_the_way_after_the_last_round_may_lead_into_another_round_that_is_limited() -> None:
    nodes: dict[str, Any] = {
        "n1": {**ROUNDS, "out": {"next": "n2", "over": "n3"}},
        "n2": {**IS_PAID, "out": {"yes": "n4", "no": "n1"}},
        "n3": {**ROUNDS, "out": {"next": "n1", "over": "n4"}},
        "n4": END,
    }

    load_process(document(nodes))


def test_a_process_without_a_step_is_refused_with_what_to_do() -> None:
    found = problems(blank("Mine"))

    assert found == [("nodes.n1", "does_nothing", None)]
    assert "at least one block" in TEXTS["does_nothing"]


def test_block_from_which_no_end_is_reached_is_refused() -> None:
    nodes = {
        "n1": {"t": "wait", "for": "P1D", "max_rounds": 2, "out": {"next": "n2", "over": "n2"}},
        "n2": {"t": "wait", "for": "P1D", "max_rounds": 2, "out": {"next": "n1", "over": "n1"}},
    }

    assert [(path, code) for path, code, _ in problems(document(nodes))] == [
        ("nodes.n1", "dead_end"),
        ("nodes.n2", "dead_end"),
        ("nodes.n1", "loop_after_rounds"),
    ]


def test_reminder_to_somebody_who_has_just_paid_is_refused() -> None:
    nodes = {
        "n1": {"t": "until", "on": {"e": "order.paid"}, "within": "P1D", "out": {"yes": "n2", "no": "n3"}},
        "n2": {"t": "send", "template": "oops", "out": {"done": "n3"}},
        "n3": END,
    }

    assert problems(document(nodes)) == [("nodes.n2", "reminder_after_payment", None)]


def test_question_about_a_message_needs_one_that_was_sent_before() -> None:
    def ask(ref: str | None, first: str = "n1") -> list[tuple[str, str, str | None]]:
        question = {"e": "message.opened"} | ({"ref": ref} if ref else {})
        nodes = {
            "n1": {"t": "until", "on": question, "within": "P1D", "out": {"yes": "n2", "no": "n2"}},
            "n2": {"t": "send", "template": "x", "out": {"done": "n3"}},
            "n3": END,
        }
        return problems(document(nodes))

    assert ask("n2") == [("nodes.n1.on.ref", "ref_comes_later", None)]
    assert ask("n3") == [("nodes.n1.on.ref", "ref_is_no_send", None)]
    assert ask(None) == [("nodes.n1.on", "event_and_ref", None)]


def test_text_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    assert problems(document(dict(SEND_TWICE)), {"frist", "second"}) == [
        ("nodes.n2.template", "unknown_template", "frist")
    ]


def test_status_is_changed_of_orders_alone_and_cancelling_has_its_reason() -> None:
    entry = {"on": "cart.abandoned", "first": "n1"}
    nodes = {"n1": {"t": "order_status", "to": "unpaid", "out": {"next": "n2"}}, "n2": END}
    cancel = {"n1": {"t": "order_status", "to": "cancelled", "out": {"next": "n2"}}, "n2": END}

    assert problems(document(nodes, entry=entry, goals=[])) == [("nodes.n1.t", "needs_order", None)]
    assert problems(document(cancel)) == [("nodes.n1", "cancel_without_reason", None)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not_json"),
        ("[]", "not_json"),
        ("[" * 100_000, "too_big"),
        ('"' + "x" * MOST_CHARACTERS + '"', "too_big"),
        (json.dumps(document({"n1": END}, layout={"n1": [1, 2, 3]})), "wrong_value"),
        (json.dumps(document({"n1": END}, layout={"n1": [float("nan"), 0]})), "bad_number"),
        (json.dumps(document({"n1": END}, layout={"n1": [0, 7]})).replace("7", "1e999"), "bad_number"),
        (json.dumps(document({"n1": END | {"label": "a\0"}})), "bad_letters"),
        (json.dumps(document({"n1": END}, name="\ud800")), "bad_letters"),
        (json.dumps(document({"n1": END, "n\0": END})), "bad_letters"),
        (json.dumps(document({"n1": END})).replace('"n1": {', '"n1": {"t": "wait"}, "n1": {'), "double_key"),
    ],
)
def test_hostile_file_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidProcess) as refused:
        load_process(read_json(text))

    assert code in {problem.code for problem in refused.value.problems}


def test_places_of_boxes_are_kept_as_numbers() -> None:
    layout = {"n1": [1.5, -2]}

    read = load_process(read_json(json.dumps(document({"n1": WAIT, "n2": END}, layout=layout))))

    assert read.as_json()["layout"] == layout
    with pytest.raises(InvalidProcess):
        load_process(document({"n1": END}, layout={"n1": [float("inf"), 0]}))


def test_condition_of_endless_depth_is_refused() -> None:
    condition: dict[str, Any] = {"f": "order.total", "op": ">", "v": 1}
    for _ in range(5_000):
        condition = {"not": condition}
    nodes = {"n1": {"t": "if", "if": condition, "out": {"yes": "n2", "no": "n2"}}, "n2": END}

    assert problems(document(nodes)) == [("", "too_big", None)]


def test_more_than_a_hundred_blocks_are_refused() -> None:
    nodes = {f"n{n}": {"t": "wait", "for": "PT1H", "out": {"next": f"n{n + 1}"}} for n in range(1, 101)}

    assert problems(document(nodes | {"n101": END})) == [("nodes", "wrong_value", None)]


def test_every_code_has_a_sentence_that_can_be_filled() -> None:
    problem = Problem("nodes.n3.out.done", "unknown_target", {"target": "n9"}, "n8")

    assert str(problem) == "nodes.n3.out.done: n9 does not exist. Did you mean n8?"
    assert (problem.node, problem.word) == ("n3", "process.problem.unknown_target")
    assert "unknown_target" in TEXTS
