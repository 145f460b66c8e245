"""A process as an outline and a picture: blocks with their words, ways with their ports, places in rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.nodes.send import MESSAGE
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.ways import Ways


@dataclass(frozen=True, slots=True)
class PictureNode:
    """A block. `word` and `values` say what it does, `label` is the merchant's own name for it."""

    id: str
    kind: str
    label: str | None
    word: str
    values: Mapping[str, object]
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class PictureEdge:
    """A way from the port of one block to another block. A way back leads up, to a row that was passed."""

    source: str
    port: str
    target: str
    word: str
    is_back: bool
    name: str = ""  # the merchant's own, instead of the word


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that a page needs to show a process, from top to bottom."""

    entry_word: str
    first: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    goal_words: tuple[str, ...]


def draw(document: ProcessDocument) -> Picture:
    """Lay out a valid process: each block below those that lead to it, blocks of one row side by side."""
    ways = Ways({name: tuple(node.ports.values()) for name, node in document.nodes.items()})
    rows = ways.depths(document.entry.first)
    filled: dict[int, int] = {}
    nodes = []
    for name, row in rows.items():  # in the order of the ways, so that a yes stands before its no
        node = document.nodes[name]
        summary = KINDS[node.t].summarise(node)
        column = filled.get(row, 0)
        filled[row] = column + 1
        is_about_person = document.entry.subject is SubjectKind.CONTACT
        word = f"process.node.{MESSAGE}" if node.t == "send" and is_about_person else summary.word
        nodes.append(PictureNode(name, node.t, node.label, word, summary.values, row, column))
    edges = tuple(
        PictureEdge(
            name,
            port,
            target,
            f"process.port.{port}",
            rows[target] <= rows[name],
            document.nodes[name].port_name(port),
        )
        for name in rows
        for port, target in document.nodes[name].ports.items()
    )
    return Picture(
        entry_word=f"process.entry.{document.entry.on}",
        first=document.entry.first,
        nodes=tuple(sorted(nodes, key=lambda node: (node.row, node.column))),
        edges=edges,
        goal_words=tuple(f"process.unless.{goal.on}" for goal in document.goals),
    )
