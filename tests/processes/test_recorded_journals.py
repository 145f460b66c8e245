"""Journals that older releases wrote: the same version and the same facts must still give the same lines (engine 11, 16.1).

A file holds a document as it was published and the ledger that it gave. Never change one; a new release adds a file, made by
`python -m tests.processes.test_recorded_journals`.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recoup.processes.engine.codes import Code
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.reading import read_document
from recoup.processes.shipped import shipped_process
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind, Lane, News, Visit
from tests.processes.test_random_worlds import fate
from tests.processes.worlds import ORDER, PLACED, arrival, hours, order_facts, paid, shop_with

FOLDER = Path(__file__).parent / "recorded"
PEOPLE = 12
FORMAT_ONE: dict[str, Any] = {
    "schema": 1,
    "name": "Everything",
    "entry": {"on": "order.unpaid", "first": "n1", "anchor": "placed_at"},
    "goals": [{"on": "order.paid"}, {"on": "order.cancelled"}],
    "nodes": {
        "n1": {"t": "wait", "for": "PT24H", "at": "10:00", "out": {"next": "n2"}},
        "n2": {"t": "if", "if": {"f": "order.total", "op": ">", "v": 50}, "out": {"yes": "n3", "no": "n9"}},
        "n3": {
            "t": "split", "arms": [{"id": "a", "w": 1}, {"id": "b", "w": 1}], "out": {"a": "n4", "b": "n5"},
        },
        "n4": {"t": "send", "template": "first", "out": {"done": "n6", "failed": "n9"}},
        "n5": {"t": "send", "template": "other", "out": {"done": "n6"}},
        "n6": {
            "t": "until", "on": {"e": "message.opened", "ref": "n4"}, "within": "P1D",
            "out": {"yes": "n8", "no": "n7", "unsent": "n7"},
        },
        "n7": {"t": "wait", "for": "PT5H", "max_rounds": 2, "out": {"next": "n6", "over": "n8"}},
        "n8": {"t": "send", "template": "last", "out": {"done": "n9"}},
        "n9": {"t": "end"},
    },
}  # fmt: skip


def world() -> list[News]:
    """Return what happens to twelve people: they pay, cancel, promise, are held, open, or do nothing."""
    news: list[News] = []
    for one in range(1, PEOPLE + 1):
        entered = PLACED + hours(one)
        facts = order_facts(total="40.00" if one == 5 else "120.00")
        held_out = 9_999 if one == 6 else 0
        news.append(arrival(entered, facts, subject_id=one, contact_id=one, holdout_bp=held_out))
    news += [
        paid(PLACED + hours(30), subject_id=2),
        Change(PLACED + hours(20), ORDER, 3, ChangeKind.CANCELLED, PLACED + hours(19)),
        Change(PLACED + hours(5), ORDER, 4, ChangeKind.PROMISED, PLACED + hours(5), PLACED + hours(60)),
        Change(PLACED + hours(6), ORDER, 7, ChangeKind.HELD, PLACED + hours(6)),
        Change(PLACED + hours(90), ORDER, 7, ChangeKind.RELEASED, PLACED + hours(90)),
        Visit(PLACED + hours(40), ORDER, 8, "n4"),
        Visit(PLACED + hours(41), ORDER, 9, "n4", is_click=True),
    ]
    return news


def play(document: dict[str, Any]) -> list[list[Any]]:
    """Return the ledger that a document gives in the recorded world."""
    store = shop_with(compile_graph(read_document(document), salt=9))
    simulator = Simulator(store, world(), lane=Lane(lag=timedelta(minutes=3), fate=fate))
    simulator.run(PLACED + timedelta(days=200))
    assert simulator.errors == []
    return [
        [line.subject_id, line.step_no, line.node_id, Code(line.outcome).name, line.at.isoformat()]
        for line in store.journal()
    ]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_an_old_version_still_decides_what_it_decided(path: Path) -> None:
    recorded = json.loads(path.read_text())

    assert play(recorded["document"]) == recorded["journal"]


def test_there_are_recorded_journals() -> None:
    assert len(list(FOLDER.glob("*.json"))) >= 2


def record(name: str, document: dict[str, Any]) -> None:
    """Write down what a document gives now."""
    lines = ",\n".join(json.dumps(line) for line in play(document))
    text = f'{{"document": {json.dumps(document)},\n"journal": [\n{lines}\n]}}\n'
    (FOLDER / f"{name}.json").write_text(text)


if __name__ == "__main__":
    record("format_1_everything", FORMAT_ONE)
    record("format_1_unpaid_order", shipped_process("unpaid_order").as_json())
