"""A process as picture and outline, and the words on it."""

import pytest

from recoup.processes.engine.codes import Code
from recoup.processes.engine.happenings import EVENTS
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.graph.entries import ENTRIES
from recoup.processes.graph.picture import draw
from recoup.processes.graph.problems import TEXTS
from recoup.processes.graph.validation import load_process
from recoup.processes.graph.wording import WORDS
from recoup.processes.shipped import READY, shipped_process
from recoup.segments.fields import FIELDS
from tests.processes.worlds import document

ENGINE_WORDS = ("enrol", "node", "lease", "ledger", "payload", "subject", "engine")


def test_picture_of_the_unpaid_order_reads_from_top_to_bottom() -> None:
    picture = draw(shipped_process("unpaid_order"))

    assert [(node.id, node.row, node.column) for node in picture.nodes] == [
        ("n1", 0, 0), ("n2", 1, 0), ("n3", 1, 1), ("n4", 2, 0), ("n5", 3, 0),
        ("n6", 4, 0), ("n7", 5, 0), ("n8", 6, 0), ("n9", 7, 0),
    ]  # fmt: skip
    assert [(edge.source, edge.port, edge.target) for edge in picture.edges[:2]] == [
        ("n1", "yes", "n2"),
        ("n1", "no", "n3"),
    ]
    assert picture.entry_word == "process.entry.order.unpaid"
    assert picture.goal_words[0] == "process.unless.order.paid"
    assert picture.nodes[2].values == {"span": "PT24H"}


def test_way_back_is_marked_and_does_not_pull_blocks_up() -> None:
    nodes = {
        "n1": {"t": "wait", "for": "P1D", "max_rounds": 3, "out": {"next": "n2", "over": "n3"}},
        "n2": {"t": "send", "template": "again", "label": "Once more", "out": {"done": "n1"}},
        "n3": {"t": "end"},
    }

    picture = draw(load_process(document(nodes)))

    assert {node.id: (node.row, node.column) for node in picture.nodes} == {
        "n1": (0, 0),
        "n2": (1, 0),
        "n3": (1, 1),
    }
    assert [(edge.source, edge.target) for edge in picture.edges if edge.is_back] == [("n2", "n1")]
    assert [node.label for node in picture.nodes] == [None, "Once more", None]


@pytest.mark.parametrize("key", READY)
def test_every_word_of_a_shipped_picture_exists(key: str) -> None:
    picture = draw(shipped_process(key))
    words = {picture.entry_word, *picture.goal_words}
    words |= {node.word for node in picture.nodes} | {edge.word for edge in picture.edges}

    assert words <= set(WORDS)


def test_words_of_every_kind_of_block_are_filled_by_its_values() -> None:
    nodes = {
        "n1": {"t": "wait", "for": "PT5H", "at": "10:00", "out": {"next": "n2"}},
        "n2": {"t": "wait", "at": "10:00", "days": ["mon"], "out": {"next": "n3"}},
        "n3": {"t": "wait", "date": "order.placed_at", "out": {"next": "n4"}},
        "n4": {"t": "until", "on": {"e": "order.paid"}, "within": "P1D", "out": {"yes": "n7", "no": "n5"}},
        "n5": {"t": "order_status", "to": "unpaid", "out": {"next": "n6"}},
        "n6": {"t": "send", "template": "again", "out": {"done": "n8"}},
        "n7": {"t": "goal", "on": "order.paid"},
        "n8": {
            "t": "if",
            "if": {"f": "order.cause", "op": "=", "v": "soft"},
            "out": {"yes": "n9", "no": "n9"},
        },
        "n9": {
            "t": "split",
            "arms": [{"id": "a", "w": 3, "name": "Short"}, {"id": "b", "w": 1}],
            "out": {"a": "n14", "b": "n11"},
        },
        "n11": {"t": "tag", "add": ["vip"], "out": {"next": "n12"}},
        "n12": {"t": "enrol", "process": 3, "out": {"next": "n13"}},
        "n13": {"t": "task", "title": "Call", "out": {"done": "n15"}},
        "n15": {"t": "webhook", "endpoint": 1, "out": {"ok": "n10"}},
        "n14": {"t": "offer", "percent": 5, "valid": "P2D", "out": {"granted": "n11"}},
        "n10": {"t": "end"},
    }

    picture = draw(load_process(document(nodes)))

    assert {node.kind for node in picture.nodes} == set(KINDS)
    assert [WORDS[node.word].format_map(node.values) for node in picture.nodes] == [
        "Wait PT5H, then until 10:00",
        "Wait until 10:00",
        "Wait for a date",
        "Paid within P1D?",
        "Goal reached",
        "Change the order's status",
        "Send a reminder",
        "Does this apply?",
        "Try ways against each other",
        "Offer 5% for P2D",
        "Tag the person",
        "Put into another process",
        "Give a task to somebody",
        "Tell another program",
        "End",
    ]
    assert [edge.name for edge in picture.edges if edge.source == "n9"] == ["Short", "B"]


def test_every_code_event_port_and_problem_has_its_words() -> None:
    ports = {
        port
        for kind in KINDS.values()
        if "out" in kind.document.model_fields
        for port in getattr(kind.document.model_fields["out"].annotation, "model_fields", ())
    }
    keys = {code.word for code in Code}
    keys |= {f"process.unless.{name}" for name in EVENTS} | {f"process.node.until.{name}" for name in EVENTS}
    keys |= {f"process.port.{port}" for port in ports} | {f"process.problem.{code}" for code in TEXTS}
    keys |= {f"process.entry.{name}" for name in ENTRIES}

    assert keys <= set(WORDS)
    assert FIELDS


def test_no_word_is_one_of_the_engine() -> None:
    texts = [text for text in WORDS.values() if any(word in text.lower() for word in ENGINE_WORDS)]

    assert texts == []
