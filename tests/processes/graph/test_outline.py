"""The outline of a document: every block once, ways that meet go on below their fork."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recoup.processes.graph.editing import EditRefused, Way, blank, insert, ways_of
from recoup.processes.graph.outline import DEEPEST, Block, Branch, in_order, outline
from recoup.processes.graph.picture import draw
from recoup.processes.graph.reading import read_document
from recoup.processes.shipped import shipped_process
from tests.processes.graph.test_editing import EDITS, IF, PAID, SEND, STARTS, WAIT, edited, forked


def ways_shown(blocks: list[Block]) -> set[tuple[str, str]]:
    """Return every way that a reader can put a block on."""
    found = set()
    for block in blocks:
        if block.port:
            found.add((block.name, block.port))
        for branch in block.branches:
            found.add((block.name, branch.port))
            found |= ways_shown(branch.blocks)
    return found


def test_a_way_that_only_ends_stands_beside_the_long_one() -> None:
    assert outline(forked()) == [
        Block("n2", [Branch("yes", [Block("n1")])], port="no"),
        Block("n4", port="done"),
        Block("n3"),
    ]


def test_ways_that_meet_go_on_below_their_fork() -> None:
    shown = outline(shipped_process("unpaid_order").as_json())

    assert shown[0] == Block(
        "n1",
        [
            Branch("yes", [Block("n2", port="next", joins="n4")]),
            Branch("no", [Block("n3", port="next", joins="n4")]),
        ],
    )
    assert [block.name for block in shown[1:]] == ["n4", "n5", "n6", "n7", "n8", "n9"]


def test_two_long_ways_stand_under_their_fork() -> None:
    doc, fork = insert(blank("Mine"), Way(), PAID)
    doc, thanks = insert(doc, Way(fork, "yes"), {**SEND, "purpose": "thanks"})
    doc, wait = insert(doc, Way(fork, "no"), WAIT)

    assert outline(doc) == [
        Block(
            fork,
            [
                Branch("yes", [Block(thanks, port="done"), Block("n1")]),
                Branch("no", [Block(wait, port="next"), Block("n3")]),
            ],
        )
    ]


def test_a_way_that_leads_back_names_where() -> None:
    doc, wait = insert(blank("Mine"), Way(), WAIT)
    doc, fork = insert(doc, Way(wait, "next"), PAID)
    doc["nodes"][fork]["out"]["no"] = wait

    assert outline(doc) == [
        Block(wait, port="next"),
        Block(fork, [Branch("yes", [Block("n1")])], port="no", joins=wait),
    ]


def depth_of(blocks: list[Block]) -> int:
    """Return how many lists lie within each other."""
    return 1 + max((depth_of(way.blocks) for one in blocks for way in one.branches), default=0)


def test_forks_within_forks_do_not_go_deeper_than_a_page_can_show() -> None:
    doc, end = blank("Mine"), Way()
    for _ in range(30):
        doc, fork = insert(doc, end, IF)
        doc, _send = insert(doc, Way(fork, "yes"), SEND)
        end = Way(fork, "no")

    assert depth_of(outline(doc)) == DEEPEST + 2
    assert sorted(in_order(outline(doc))) == sorted(doc["nodes"])


@given(st.sampled_from(STARTS), EDITS)
@settings(max_examples=120, deadline=None)
def test_every_block_and_every_way_stands_in_the_outline_once(
    doc: dict[str, Any], edits: list[tuple[str, int, int]]
) -> None:
    for kind, one, two in edits:
        try:
            doc = edited(doc, kind, one, two, set(doc["nodes"]))
        except EditRefused:
            continue
    shown = outline(doc)

    assert sorted(in_order(shown)) == sorted(doc["nodes"])
    assert len(draw(read_document(doc)).nodes) == len(doc["nodes"])
    assert ways_shown(shown) == {(way.block, way.port) for way in ways_of(doc) if way.block}
