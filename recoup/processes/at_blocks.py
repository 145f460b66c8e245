"""Who stands at a block now, and who went through it lately: the numbers on the canvas, and the rows behind them (rule 10).

What went through is read from the decision ledger. A wait leaves no line there, so it has no such number. The ledger is the
largest table and holds all shops, so its lines are added up by day in the background (`fold_passages`): a look at the canvas
reads these sums and the last minutes of the ledger. Everybody counts once, on the day of the first line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db import connection, transaction

from recoup.core.paging import MOST_COUNTED, Count, Keyset, Page, count_rows, page_keys
from recoup.processes.engine.codes import Code
from recoup.processes.models import Enrolment, Process, ProcessVersion
from recoup.processes.passage_models import WentThrough, WentThroughMark
from recoup.processes.queries import standing_at

Number = Literal["here", "passed"]
LATELY = timedelta(days=30)
EVERYWHERE = ""  # in place of a block: all who are inside, with whatever they came
# Lines that say that somebody is still at a block, or left the process there: they did not go through it.
_STAYED = sorted(
    code.value
    for code in Code
    if code.name.startswith(("DEFERRED_", "GOAL_", "STOPPED_"))
    or code in (Code.FAILED_LOOP, Code.FAILED_ERROR, Code.MIGRATED, Code.LEFT_PRODUCT)
)
# A goal's own line says that it was met there.
_IS_PASSAGE = """({line}.outcome <> ALL(%(stayed)s) OR EXISTS (
        SELECT FROM processes_processversion v, jsonb_each(v.doc -> 'nodes') n
        WHERE v.id = {line}.version_id AND n.value ->> 't' = 'goal' AND (v.node_map ->> n.key)::int = {line}.node))"""
_FIRST = f"""{_IS_PASSAGE.format(line="l")} AND NOT EXISTS (
        SELECT FROM processes_step_log b WHERE b.enrolment_id = l.enrolment_id AND b.step_no < l.step_no
            AND b.node = l.node AND {_IS_PASSAGE.format(line="b")})"""
# Crosses shops on purpose: the worker adds up for all of them.
_FOLD = f"""
    INSERT INTO processes_went_through (shop_id, process_id, node, day, number)
    SELECT e.shop_id, e.process_id, l.node, (l.done_at AT TIME ZONE 'UTC')::date, count(*)
    FROM processes_step_log l JOIN processes_enrolment e ON e.id = l.enrolment_id
    WHERE l.done_at > %(after)s AND l.done_at <= %(upto)s AND {_FIRST}
    GROUP BY 1, 2, 3, 4 ORDER BY 2, 4, 3
    ON CONFLICT (process_id, day, node) DO UPDATE SET number = processes_went_through.number + excluded.number
"""  # noqa: S608 - conditions of this file
_SUMS = f"""
    SELECT node, sum(number) FROM (
        SELECT w.node, w.number FROM processes_went_through w
        WHERE w.process_id = %(process)s AND w.day >= (%(since)s AT TIME ZONE 'UTC')::date
        UNION ALL
        SELECT l.node, 1 FROM processes_step_log l
        WHERE l.version_id = ANY(%(versions)s) AND l.done_at > %(mark)s AND l.done_at >= %(since)s AND {_FIRST}
    ) both_parts GROUP BY node
"""  # noqa: S608 - conditions of this file
_WENT = f"""r.id IN (
    SELECT l.enrolment_id FROM processes_step_log l
    WHERE l.version_id = ANY(%s) AND l.done_at >= %s AND l.node = %s AND {_FIRST})"""  # noqa: S608 - of this file
# Whoever writes lines has committed them by then: a batch is done in moments, and an idle one is ended after seconds.
SETTLED_AFTER = timedelta(minutes=2)
_CHUNK = timedelta(hours=1)
_KEPT = timedelta(days=40)
_FOLDING = 7_306_214  # of the advisory lock: one worker adds up at a time


def _since(now: datetime) -> datetime:
    """Return from when on passages count: the last thirty days and what has passed of this one."""
    return (now.astimezone(UTC) - LATELY).replace(hour=0, minute=0, second=0, microsecond=0)


def fold_passages(*, now: datetime) -> int:
    """Add up an hour of the ledger's lines, or what has come since; return how many sums changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_FOLDING])
        if not cursor.fetchone()[0]:
            return 0
        mark = WentThroughMark.objects.first() or WentThroughMark(pk=1, upto=_since(now) - _CHUNK)
        after = max(mark.upto, _since(now) - _CHUNK)  # nobody asks for what is older
        upto = min(after + _CHUNK, now - SETTLED_AFTER)
        if upto <= after:
            return 0
        cursor.execute(_FOLD, {"after": after, "upto": upto, "stayed": _STAYED})
        done = int(cursor.rowcount)
        WentThrough.objects.filter(day__lt=(now - _KEPT).date()).delete()
        mark.upto = upto
        mark.save()
        is_behind = upto < now - SETTLED_AFTER
        return max(done, 1) if is_behind else 0


@dataclass(frozen=True, slots=True)
class AtBlock:
    """How many stand at a block now, and how many went through it lately; nothing where that is not written down."""

    here: int = 0
    passed: int = 0


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The versions of a process and the numbers that its blocks have in all of them."""

    versions: Sequence[int]
    nodes: dict[str, int]


def _numbers(process: Process) -> _Numbers:
    rows = ProcessVersion.objects.filter(shop_id=process.shop_id, process=process).order_by("number")
    nodes: dict[str, int] = {}
    versions = []
    for key, node_map in rows.values_list("pk", "node_map"):
        versions.append(key)
        nodes |= node_map
    return _Numbers(versions, nodes)


def counts_at_blocks(process: Process, *, now: datetime) -> dict[str, AtBlock]:
    """Return the numbers of every block that anybody stands at or went through."""
    numbers = _numbers(process)
    if not numbers.versions:
        return {}
    mark = WentThroughMark.objects.first()
    since = _since(now)
    values: dict[str, Any] = {
        "process": process.pk,
        "versions": list(numbers.versions),
        "since": since,
        "mark": mark.upto if mark is not None else since - _CHUNK,
        "stayed": _STAYED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, values)
        passed = {node: int(count) for node, count in cursor.fetchall()}
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
    went = _WENT.replace("%(stayed)s", "%s")
    return Keyset(
        "processes_enrolment",
        process.shop_id,
        conditions=[*conditions, went],
        params=[*params, list(numbers.versions), _since(now), node, _STAYED, _STAYED],
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
