"""Published versions, compiled once for each process of the system. A version never changes, so a graph is never stale."""

import json
import threading

from django.db import connection

from recoup.processes.engine.compiled import Graph
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.document import ProcessDocument

_graphs: dict[int, tuple[Graph, int]] = {}
_lock = threading.Lock()


def graph_of(version_id: int) -> Graph:
    """Return the compiled graph of a version.

    :raises LookupError: if there is no such version.
    """
    return _known(version_id)[0]


def message_source_of(version_id: int) -> int:
    """Return the source that messages of a version come from: it says whether its process may send."""
    return _known(version_id)[1]


def _known(version_id: int) -> tuple[Graph, int]:
    known = _graphs.get(version_id)
    if known is not None:
        return known
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.doc::text, v.node_map::text, p.salt, p.message_source_id FROM processes_processversion v"
            " JOIN processes_process p ON p.id = v.process_id WHERE v.id = %s",
            [version_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"no version {version_id}")
    graph = compile_graph(
        ProcessDocument.model_validate_json(row[0]), salt=row[2], node_map=_node_map(row[1])
    )
    with _lock:
        _graphs[version_id] = (graph, row[3])
    return graph, row[3]


def _node_map(text: str) -> dict[str, int]:
    return {name: int(number) for name, number in json.loads(text).items()}


def forget_graphs() -> None:
    """Forget everything compiled; for tests, whose databases begin again with the same ids."""
    with _lock:
        _graphs.clear()
