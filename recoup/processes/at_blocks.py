"""Who stands at a block now, and who went through it lately: the numbers on the canvas, and the rows behind them (rule 10).

What went through is read from the decision ledger. A wait leaves no line there, so it has no such number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import connection

from recoup.core.paging import MOST_COUNTED, Count, Keyset, Page, count_rows, page_keys
from recoup.processes.engine.codes import Code
from recoup.processes.models import Enrolment, Process, ProcessVersion
from recoup.processes.queries import standing_at

Number = Literal["here", "passed"]
LATELY = timedelta(days=30)
EVERYWHERE = ""  # in place of a block: all who are inside, with whatever they came
# Lines that say that somebody is still at a block, or left the process there: they did not go through it.
_STAYED = sorted(
    code.value
    for code in Code
    if code.name.startswith(("DEFERRED_", "GOAL_", "STOPPED_"))
    or code in (Code.FAILED_LOOP, Code.FAILED_ERROR, Code.MIGRATED)
)
_THROUGH = "l.version_id = ANY(%s) AND l.done_at >= %s AND (l.outcome <> ALL(%s) OR l.node = ANY(%s))"


@dataclass(frozen=True, slots=True)
class AtBlock:
    """How many stand at a block now, and how many went through it lately; nothing where that is not written down."""

    here: int = 0
    passed: int = 0


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The versions of a process, the numbers that its blocks have in all of them, and which of them are goals."""

    versions: Sequence[int]
    nodes: dict[str, int]
    goals: Sequence[int]


def _numbers(process: Process) -> _Numbers:
    rows = ProcessVersion.objects.filter(shop_id=process.shop_id, process=process).order_by("number")
    nodes: dict[str, int] = {}
    goals: set[int] = set()
    versions = []
    for key, node_map, doc in rows.values_list("pk", "node_map", "doc"):
        versions.append(key)
        nodes |= node_map
        goals |= {node_map[name] for name, node in doc["nodes"].items() if node["t"] == "goal"}
    return _Numbers(versions, nodes, sorted(goals))


def _through(numbers: _Numbers, now: datetime) -> list[Any]:
    return [list(numbers.versions), now - LATELY, _STAYED, list(numbers.goals)]


def counts_at_blocks(process: Process, *, now: datetime) -> dict[str, AtBlock]:
    """Return the numbers of every block that anybody stands at or went through."""
    numbers = _numbers(process)
    if not numbers.versions:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l.node, count(DISTINCT l.enrolment_id) FROM processes_step_log l WHERE {_THROUGH} GROUP BY l.node",  # noqa: S608
            _through(numbers, now),
        )
        passed = dict(cursor.fetchall())
    here = standing_at(process)
    found = {
        name: AtBlock(here.get(name, 0), passed.get(number, 0)) for name, number in numbers.nodes.items()
    }
    return {name: one for name, one in found.items() if one.here or one.passed}


def _keyset(process: Process, block: str, number: Number, now: datetime) -> Keyset:
    conditions, params = ["r.process_id = %s"], [process.pk]
    if number == "here" and block == EVERYWHERE:
        conditions.append("r.active_key IS NOT NULL")
        return Keyset("processes_enrolment", process.shop_id, conditions=conditions, params=params)
    numbers = _numbers(process)
    node = numbers.nodes.get(block, -1)
    if number == "here":
        conditions += ["r.active_key IS NOT NULL", "r.node = %s"]
        params.append(node)
        return Keyset("processes_enrolment", process.shop_id, conditions=conditions, params=params)
    conditions.append(
        f"r.id IN (SELECT l.enrolment_id FROM processes_step_log l WHERE {_THROUGH} AND l.node = %s)"  # noqa: S608 - ours
    )
    return Keyset(
        "processes_enrolment",
        process.shop_id,
        conditions=conditions,
        params=[*params, *_through(numbers, now), node],
    )


def list_at_block(
    process: Process, block: str, number: Number, *, cursor: str = "", now: datetime
) -> Page[Enrolment]:
    """Return a page of those whom a number of a block counts, the newest first."""
    page = page_keys(_keyset(process, block, number, now), cursor=cursor)
    found = Enrolment.objects.filter(shop_id=process.shop_id).in_bulk(list(page.rows))
    return Page([found[key] for key in page.rows if key in found], older=page.older, newer=page.newer)


def count_at_block(
    process: Process, block: str, number: Number, *, most: int | None = MOST_COUNTED, now: datetime
) -> Count:
    """Count them."""
    return count_rows(_keyset(process, block, number, now), most=most)
