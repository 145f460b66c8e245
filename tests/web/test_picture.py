"""Processes laid out."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.web.picture import NODE_HEIGHT, NODE_WIDTH, Branch, Node, clipped, picture_of
from tests.web.samples.pieces import process_nodes


def test_the_longest_way_goes_straight_down_and_each_step_stands_below_the_last() -> None:
    boxes = {box.node.key: box for box in picture_of(process_nodes()).boxes}
    straight = [boxes[key] for key in ("start", "q1", "m1", "u1", "m2", "u2", "m3", "u3", "s1", "end")]

    assert {box.x for box in straight} == {straight[0].x}
    assert all(upper.y + NODE_HEIGHT < lower.y for upper, lower in pairwise(straight))


def test_a_side_way_to_a_goal_stands_beside_the_straight_way() -> None:
    boxes = {box.node.key: box for box in picture_of(process_nodes()).boxes}

    assert boxes["goal"].x > boxes["u3"].x + NODE_WIDTH
    assert boxes["goal"].y > boxes["u3"].y


def test_a_side_way_to_an_end_is_a_word_and_needs_no_box() -> None:
    nodes = [
        Node("if", "if", "Paid?", branches=[Branch("stop", "YES"), Branch("mail", "NO")]),
        Node("mail", "send", "Reminder", branches=[Branch("wait")]),
        Node("wait", "wait", "24 hours"),
        Node("stop", "end", "End"),
    ]

    picture = picture_of(nodes)

    assert [box.node.key for box in picture.boxes] == ["if", "mail", "wait"]
    assert [(edge.label, edge.end_word) for edge in picture.edges] == [("YES", "End"), ("NO", ""), ("", "")]
    assert [step.ways for step in picture.outline] == [[("YES", 0), ("NO", 2)], [("", 3)], []]


def test_a_way_back_is_drawn_and_does_not_run_for_ever() -> None:
    nodes = [
        Node("mail", "send", "Reminder", branches=[Branch("wait")]),
        Node("wait", "until", "Until paid", branches=[Branch("paid", "YES"), Branch("mail", "NO")]),
        Node("paid", "goal", "Paid"),
    ]

    picture = picture_of(nodes)

    assert [box.node.key for box in picture.boxes] == ["mail", "wait", "paid"]
    assert [edge.label for edge in picture.edges] == ["", "YES", "NO"]


def test_a_branch_to_nowhere_is_refused() -> None:
    with pytest.raises(KeyError):
        picture_of([Node("mail", "send", "Reminder", branches=[Branch("gone")])])


def test_a_text_that_fits_is_left_alone_and_a_long_one_ends_in_dots() -> None:
    assert clipped("Wait 24 hours", size=14, room=200) == "Wait 24 hours"
    assert (
        clipped("Mail “Nieopłacone zamówienie, pierwsze”", size=12, room=208)
        == "Mail “Nieopłacone zamówienie…"
    )
    assert clipped("Anything", size=14, room=5) == "…"


@given(st.lists(st.lists(st.integers(0, 11), max_size=3, unique=True), min_size=1, max_size=12))
def test_no_two_boxes_of_any_process_lie_on_each_other(ways: list[list[int]]) -> None:
    nodes = [
        Node(
            str(index), "wait", f"Step {index}", branches=[Branch(str(to)) for to in to_all if to < len(ways)]
        )
        for index, to_all in enumerate(ways)
    ]

    places = [(box.x, box.y) for box in picture_of(nodes).boxes]

    assert len(places) == len(set(places))
