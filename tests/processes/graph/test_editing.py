"""Edits of a draft: each does what it says, and no sequence of them breaks the document."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recoup.processes.graph.comparing import Changes, compare
from recoup.processes.graph.editing import (
    NEW_END,
    EditRefused,
    Way,
    blank,
    change,
    copy_branch,
    insert,
    move_branch,
    ports_of,
    remove,
    rename,
    rewire,
    set_entry,
    set_goals,
    ways_of,
)
from recoup.processes.graph.problems import TEXTS
from recoup.processes.graph.reading import read_document
from recoup.processes.graph.validation import find_problems, load_process
from recoup.processes.shipped import shipped_process

WAIT: dict[str, Any] = {"t": "wait", "for": "PT1H"}
SEND: dict[str, Any] = {"t": "send", "template": "order_reminder_1"}
PAID: dict[str, Any] = {"t": "until", "on": {"e": "order.paid"}, "within": "P2D"}
IF: dict[str, Any] = {"t": "if", "if": {"f": "order.is_offline", "op": "=", "v": True}}
SPLIT: dict[str, Any] = {"t": "split", "arms": [{"id": "a", "w": 1}, {"id": "b", "w": 1}]}
END: dict[str, Any] = {"t": "end"}
ROUNDS: dict[str, Any] = {"t": "wait", "for": "PT1H", "max_rounds": 3}


def forked() -> dict[str, Any]:
    """Paid within two days? Yes: the end. No: a reminder, then the end."""
    doc, question = insert(blank("Mine"), Way(), PAID)
    return insert(doc, Way(question, "no"), SEND)[0]


def test_a_block_goes_between_a_way_and_where_it_led() -> None:
    doc, first = insert(blank("Mine"), Way(), WAIT)
    doc, second = insert(doc, Way(), SEND)

    assert (first, second) == ("n2", "n3")
    assert ways_of(doc) == {Way(): "n3", Way("n3", "done"): "n2", Way("n2", "next"): "n1"}
    assert load_process(doc).name == "Mine"


def test_the_first_port_of_a_fork_leads_on_and_the_others_end() -> None:
    doc, fork = insert(blank("Mine"), Way(), PAID)

    assert ports_of(doc["nodes"][fork]) == {"yes": "n1", "no": "n3"}
    assert doc["nodes"]["n3"] == {"t": "end"}


def test_an_end_on_a_way_cuts_off_what_followed() -> None:
    doc, wait = insert(blank("Mine"), Way(), WAIT)
    doc, end = insert(doc, Way(wait, "next"), END)

    assert doc["nodes"] == {wait: {**WAIT, "out": {"next": end}}, end: {"t": "end"}}


def test_an_id_of_an_earlier_version_is_not_given_again() -> None:
    assert insert(blank("Mine"), Way(), WAIT, used={"n7", "odd", "n3"})[1] == "n8"


def test_what_led_to_a_removed_block_leads_to_its_first_port() -> None:
    doc = remove(forked(), "n2")

    assert doc["nodes"] == {"n1": {"t": "end"}}
    assert doc["entry"]["first"] == "n1"


def test_a_removed_goal_leaves_an_end() -> None:
    doc, wait = insert(blank("Mine"), Way(), WAIT)
    doc, goal = insert(doc, Way(wait, "next"), {"t": "goal", "on": "order.paid"})

    assert remove(doc, goal)["nodes"] == {wait: {**WAIT, "out": {"next": "n4"}}, "n4": {"t": "end"}}


@pytest.mark.parametrize(
    ("doc", "name", "code"),
    [(blank("Mine"), "n1", "last_block"), (forked(), "n1", "end_needed"), (forked(), "x", "no_such_block")],
)
def test_a_removal_that_leaves_no_process_is_refused(doc: dict[str, Any], name: str, code: str) -> None:
    with pytest.raises(EditRefused) as refused:
        remove(doc, name)

    assert refused.value.code == code


def test_a_change_keeps_the_ways_and_adds_those_that_are_new() -> None:
    doc, name = insert(blank("Mine"), Way(), SPLIT)
    third = {**SPLIT, "arms": [*SPLIT["arms"], {"id": "c", "w": 2}]}

    changed = change(doc, name, third, {"b": "n1"})

    assert ports_of(changed["nodes"][name]) == {"a": "n1", "b": "n1", "c": "n4"}
    assert set(changed["nodes"]) == {"n1", name, "n4"}  # the end of the second way went


def test_an_optional_way_comes_and_goes() -> None:
    doc, name = insert(blank("Mine"), Way(), SEND)
    wired = change(doc, name, SEND, {"failed": NEW_END})

    assert ports_of(wired["nodes"][name]) == {"done": "n1", "failed": "n3"}
    assert change(wired, name, SEND, {"failed": None}) == doc


def test_a_way_can_lead_back() -> None:
    doc, name = insert(blank("Mine"), Way(), WAIT)
    doc, send = insert(doc, Way(name, "next"), SEND)

    looped = rewire(doc, Way(send, "done"), name)

    assert [problem.code for problem in find_problems(read_document(looped))] == [
        "dead_end",
        "dead_end",
        "loop_not_bounded",
    ]


def test_a_branch_is_copied_with_what_it_asks_about() -> None:
    doc = forked()
    doc, asked = insert(
        doc,
        Way("n4", "done"),
        {"t": "until", "on": {"e": "message.opened", "ref": "n4"}, "within": "P1D"},
    )

    doc = copy_branch(doc, "n4", Way("n2", "yes"))

    copied = doc["nodes"]["n2"]["out"]["yes"]
    question = doc["nodes"][copied]["out"]["done"]
    assert (copied, question) == ("n7", "n9")
    assert doc["nodes"][question]["on"] == {"e": "message.opened", "ref": copied}
    assert doc["nodes"][asked]["on"]["ref"] == "n4"
    assert set(doc["nodes"][question]["out"].values()).isdisjoint(doc["nodes"][asked]["out"].values())


def test_a_copy_joins_where_its_branch_joined() -> None:
    doc, fork = insert(shipped_process("unpaid_order").as_json(), Way(), IF)
    doc = copy_branch(doc, "n1", Way(fork, "no"))

    copied = doc["nodes"][fork]["out"]["no"]
    assert copied != "n1"
    assert doc["nodes"][doc["nodes"][copied]["out"]["yes"]]["for"] == "PT120H"


def test_what_stood_on_a_way_goes_on_behind_a_copy_that_would_end() -> None:
    doc, wait = insert(forked(), Way(), WAIT)
    doc = copy_branch(doc, "n4", Way(wait, "next"))

    copied = doc["nodes"][wait]["out"]["next"]
    assert doc["nodes"][copied]["template"] == SEND["template"]
    assert doc["nodes"][copied]["out"] == {"done": "n2"}
    assert doc["nodes"]["n2"]["out"]["no"] == "n4"


def test_a_branch_that_is_moved_takes_along_what_only_it_leads_to() -> None:
    doc, wait = insert(forked(), Way("n4", "done"), WAIT)
    moved = move_branch(doc, "n4", Way())

    assert moved["entry"]["first"] == "n4"
    assert moved["nodes"]["n4"]["out"] == {"done": wait}
    assert moved["nodes"][wait]["out"] == {"next": "n2"}
    assert moved["nodes"][moved["nodes"]["n2"]["out"]["no"]] == END
    assert find_problems(read_document(moved)) == []


def test_a_branch_that_is_moved_leaves_its_way_to_where_it_joined() -> None:
    doc = move_branch(shipped_process("unpaid_order").as_json(), "n2", Way("n6", "done"))

    assert doc["nodes"]["n1"]["out"] == {"yes": "n4", "no": "n3"}
    assert doc["nodes"]["n6"]["out"] == {"done": "n2"}
    assert doc["nodes"]["n2"]["out"] == {"next": "n7"}


@pytest.mark.parametrize(
    ("start", "way", "code"),
    [
        ("n4", Way("n4", "done"), "into_itself"),
        ("n4", Way("n2", "no"), "stands_there"),
        ("n99", Way(), "no_such_block"),
        ("n4", Way("n99", "no"), "no_such_way"),
    ],
)
def test_a_branch_is_not_moved_into_itself_or_to_nowhere(start: str, way: Way, code: str) -> None:
    with pytest.raises(EditRefused, match=code):
        move_branch(forked(), start, way)


def test_a_note_is_told_apart_from_what_a_block_does() -> None:
    doc = forked()
    noted = change(doc, "n4", {**SEND, "note": "Ask Ewa before you change it."})

    assert compare(doc, noted) == Changes(noted=("n4",))


def test_the_edits_of_the_whole_leave_the_blocks_alone() -> None:
    doc = forked()
    edited = set_goals(set_entry(rename(doc, "Other"), {"on": "cart.abandoned"}), ["cart.converted"])

    assert edited["nodes"] == doc["nodes"]
    assert (edited["name"], edited["entry"]) == ("Other", {"on": "cart.abandoned", "first": "n2"})
    assert compare(doc, edited) == Changes(has_other_name=True, has_other_entry=True, has_other_goals=True)


def test_a_comparison_names_what_came_went_and_differs() -> None:
    doc = forked()
    after, wait = insert(doc, Way("n2", "yes"), WAIT)
    after = remove(change(after, "n2", {**PAID, "within": "P3D"}), "n4")

    assert compare(doc, after) == Changes(added=(wait,), removed=("n4",), changed=("n2",))
    assert not compare(doc, doc)


def test_a_process_takes_no_more_blocks_than_it_may_hold() -> None:
    doc = blank("Mine")
    for _ in range(99):
        doc, _name = insert(doc, Way(), WAIT)

    with pytest.raises(EditRefused) as refused:
        insert(doc, Way(), WAIT)

    assert refused.value.code == "too_many_blocks"


EDITS = st.lists(
    st.tuples(st.sampled_from("iiirrcwybm"), st.integers(0, 200), st.integers(0, 200)), max_size=12
)
BLOCKS = [WAIT, SEND, PAID, IF, SPLIT, END, ROUNDS, {"t": "goal", "on": "order.paid"}]
STARTS = [
    blank("Mine"),
    forked(),
    *(shipped_process(key).as_json() for key in ("unpaid_order", "abandoned_cart")),
]


def rounds_of(block: dict[str, Any]) -> dict[str, str | None]:
    """Return what the form of a wait gives together with its limit of rounds."""
    return {"over": NEW_END if "max_rounds" in block else None}


def edited(  # noqa: PLR0911 - one for each edit
    doc: dict[str, Any], kind: str, one: int, two: int, used: set[str]
) -> dict[str, Any]:
    """Do one edit, chosen by numbers."""
    ways, names = list(ways_of(doc)), sorted(doc["nodes"])
    way, name = ways[one % len(ways)], names[one % len(names)]
    match kind:
        case "i":
            block = BLOCKS[two % len(BLOCKS)]
            return insert(doc, way, block, rounds_of(block), used)[0]
        case "r":
            return remove(doc, name, used)
        case "c":
            block = BLOCKS[two % len(BLOCKS)]
            return change(doc, name, block, rounds_of(block), used)
        case "w":
            return rewire(doc, way, [*names, NEW_END][two % (len(names) + 1)], used)
        case "b":
            return copy_branch(doc, names[two % len(names)], way, used)
        case "m":
            return move_branch(doc, names[two % len(names)], way, used)
    return set_entry(doc, {"on": ["order.unpaid", "cart.abandoned"][two % 2]})


@given(st.sampled_from(STARTS), EDITS)
@settings(max_examples=150, deadline=None)
def test_no_sequence_of_edits_breaks_a_document(
    doc: dict[str, Any], edits: list[tuple[str, int, int]]
) -> None:
    used = set(doc["nodes"])
    for kind, one, two in edits:
        before = doc
        with suppress(EditRefused):
            doc = edited(doc, kind, one, two, used)
        assert used.isdisjoint(set(doc["nodes"]) - set(before["nodes"]))
        used |= set(doc["nodes"])
        codes = {problem.code for problem in find_problems(read_document(doc))}
        assert codes <= set(TEXTS)
        assert not codes & {"unreachable", "unknown_target", "arm_without_way", "way_without_arm"}
