"""The format: its fingerprint, its numbers, its schema."""

import json
from typing import Any

import pytest

from recoup.processes.engine.codes import Wake
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.graph.compiling import compile_graph, number_nodes
from recoup.processes.graph.document import ProcessDocument, doc_hash, json_schema
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.shipped import READY, shipped_process
from tests.processes.worlds import SEND_TWICE, document


def load(**changes: Any) -> ProcessDocument:
    """Return the document of two reminders."""
    return load_process(document(dict(SEND_TWICE), **changes))


def test_moving_boxes_does_not_change_the_fingerprint_and_anything_else_does() -> None:
    plain = doc_hash(load())
    nodes = dict(SEND_TWICE) | {"n1": {"t": "wait", "for": "PT25H", "out": {"next": "n2"}}}

    assert doc_hash(load(layout={"n1": [10, 20]})) == plain
    assert doc_hash(load_process(document(nodes))) != plain
    assert doc_hash(load(name="Other")) != plain


def test_notes_examples_and_the_tour_do_not_change_the_fingerprint() -> None:
    nodes = {name: {**node, "note": "Ask Ewa first."} for name, node in SEND_TWICE}
    tour = [{"at": "n1", "title": {"en": "A pause"}, "text": {"en": "Some people pay late."}}]
    document_with_remarks = load_process(document(nodes, tour=tour, examples=[{"name": "Pays at once"}]))

    assert doc_hash(document_with_remarks) == doc_hash(load())
    assert load_process(document_with_remarks.as_json()) == document_with_remarks


@pytest.mark.parametrize(
    "words",
    [
        {"title": {}, "text": {}},
        {"title": {"en": "A pause"}, "text": {"pl": "Przerwa"}},
        {"title": {"en": ""}, "text": {"en": "x"}},
    ],
)
def test_a_step_of_the_tour_needs_its_words(words: dict[str, Any]) -> None:
    with pytest.raises(InvalidProcess):
        load(tour=[{"at": "n1", **words}])


def test_default_that_is_written_out_does_not_change_the_fingerprint() -> None:
    nodes = dict(SEND_TWICE)
    nodes["n2"] = nodes["n2"] | {"channel": "email", "not_after": "PT24H", "purpose": "reminder"}

    assert doc_hash(load_process(document(nodes))) == doc_hash(load())


@pytest.mark.parametrize("key", READY)
def test_document_survives_a_round_trip_through_json_in_any_order(key: str) -> None:
    shipped = shipped_process(key)
    text = json.dumps(shipped.as_json(), sort_keys=True)

    again = load_process(json.loads(text))

    assert again == shipped
    assert doc_hash(again) == doc_hash(shipped)


def test_blocks_keep_their_numbers_over_versions_and_deleted_ones_are_never_used_again() -> None:
    first = number_nodes(load())
    nodes = {
        "n1": {"t": "wait", "for": "PT24H", "out": {"next": "n10"}},
        "n10": {"t": "send", "template": "first", "out": {"done": "n5"}},
        "n5": {"t": "end"},
    }
    second = number_nodes(load_process(document(nodes)), first)

    assert first == {"n1": 1, "n2": 2, "n3": 3, "n4": 4, "n5": 5}
    assert second == first | {"n10": 6}


def test_compiled_graph_knows_every_event_that_may_move_somebody() -> None:
    graph = compile_graph(load())

    assert graph.event_mask == Wake.PAID | Wake.MESSAGE_SETTLED | Wake.HOLD_CHANGED
    assert graph.masks[graph.node_map["n1"]] == Wake.PAID
    assert graph.masks[graph.node_map["n2"]] == graph.event_mask


def test_schema_names_every_kind_of_block_and_refuses_unknown_fields() -> None:
    schema = json_schema()
    (nodes,) = schema["properties"]["nodes"]["patternProperties"].values()
    mapping = nodes["discriminator"]["mapping"]

    assert sorted(mapping) == sorted(KINDS)
    assert all(
        part["additionalProperties"] is False for part in schema["$defs"].values() if "properties" in part
    )
    assert schema["required"] == ["schema", "name", "entry", "nodes"]
