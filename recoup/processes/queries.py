"""Reads of processes: pictures, counts, what comes next, and why somebody did or did not get a message."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django_scopes import scopes_disabled

from recoup.processes.answers import with_rest
from recoup.processes.engine.batch import Due
from recoup.processes.engine.codes import Code
from recoup.processes.facts import enrolment_of, facts_of
from recoup.processes.graph.next_step import NextStep, describe_next
from recoup.processes.models import Enrolment, Process
from recoup.processes.store_sql import facts_sql
from recoup.processes.versions import graph_of
from recoup.shops.models import Shop

ACTIVE = (1, 2, 3)


def subjects_of(enrolment_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Return kind and id of what enrolments are about."""
    if not enrolment_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT subject_kind, subject_id FROM processes_enrolment WHERE id = ANY(%s)",
            [sorted(set(enrolment_ids))],
        )
        return [(kind, subject) for kind, subject in cursor.fetchall()]


def processes_of(shop: Shop) -> QuerySet[Process]:
    """Return the processes of a shop with how many people are inside and were, by name."""
    return (
        Process.objects.filter(shop=shop)
        .select_related("current_version", "message_source")
        .order_by("-priority", "name", "id")
    )


# What brings somebody to be reminded; at other doors products, tags and causes tell processes apart.
_REMINDING = frozenset({"order.unpaid", "cart.abandoned"})


def running_beside(process: Process, others: Iterable[Process]) -> list[Process]:
    """Return which of the others run and remind whomever this one reminds, in no exclusive group with it."""
    event, group = _door_of(process)
    if event not in _REMINDING:
        return []
    return [
        other
        for other in others
        if other.pk != process.pk
        and other.status == Process.Status.LIVE
        and _door_of(other)[0] == event
        and (not group or _door_of(other)[1] != group)
    ]


def _door_of(process: Process) -> tuple[str, str]:
    entry = process.current_version.doc["entry"] if process.current_version is not None else {}
    return entry.get("on", ""), process.exclusive_group or entry.get("group") or ""


def counts_of(process: Process) -> dict[str, int]:
    """Return how many enrolments of a process are active, done, ended by a goal, and failed."""
    counts = Enrolment.objects.filter(shop_id=process.shop_id, process=process).aggregate(
        active=Count("id", filter=Q(state__in=ACTIVE)),
        completed=Count("id", filter=Q(state=8)),
        goal=Count("id", filter=Q(state=9)),
        failed=Count("id", filter=Q(state=10)),
        stopped=Count("id", filter=Q(state=11)),
    )
    return {name: int(count) for name, count in counts.items()}


def standing_at(process: Process) -> dict[str, int]:
    """Return how many active enrolments stand at each block, by the block's id."""
    rows = (
        Enrolment.objects.filter(shop_id=process.shop_id, process=process, state__in=ACTIVE)
        .values_list("version_id", "node")
        .annotate(count=Count("id"))
    )
    found: dict[str, int] = {}
    for version_id, node, count in rows:
        name = graph_of(version_id).node_id(node)
        found[name] = found.get(name, 0) + count
    return found


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of the decision ledger, ready for words: `code.word` is the key of its text."""

    enrolment_id: int
    process_name: str
    step_no: int
    node_id: str
    code: Code
    at: datetime
    done_at: datetime
    message_id: int | None
    message_state: str
    message_reason: str


def ledger_of(*, shop_id: int, subject_kind: int, subject_id: int) -> list[LedgerLine]:
    """Return every decision about an order (kind 1) or a cart (kind 2), newest first: why did she get this?"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, p.name, l.step_no, l.version_id, l.node, l.outcome, l.at, l.done_at, m.id, m.state, m.reason"
            " FROM processes_enrolment e JOIN processes_process p ON p.id = e.process_id"
            " JOIN processes_step_log l ON l.enrolment_id = e.id"
            " LEFT JOIN messaging_message m ON m.enrolment_id = e.id AND m.step_no = l.step_no"
            " WHERE e.shop_id = %s AND e.subject_kind = %s AND e.subject_id = %s ORDER BY l.at DESC, l.step_no DESC",
            [shop_id, subject_kind, subject_id],
        )
        rows = cursor.fetchall()
    return [_ledger_line(row) for row in rows]


def next_steps(*, subject_kind: int, subject_id: int, now: datetime) -> list[tuple[str, NextStep]]:
    """Return what every active process will do next about an order or cart: its name and the step."""
    with connection.cursor() as cursor:
        cursor.execute(
            facts_sql("e.subject_kind = %s AND e.subject_id = %s AND e.state IN (1, 2, 3)"),
            [subject_kind, subject_id],
        )
        rows = cursor.fetchall()
    names = Process.objects.values_list("name", flat=True)
    return [
        (names.get(pk=one.enrolment.process_id), describe_next(one.graph, one.enrolment, one.facts, now))
        for one in _with_facts(rows)
    ]


def _with_facts(rows: Sequence[tuple[Any, ...]]) -> list[Due]:
    """Return the enrolments of rows of `facts_sql` with all that the engine would know of them."""
    graphs = {version_id: graph_of(version_id) for version_id in {row[3] for row in rows}}
    return with_rest([Due(graphs[row[3]], enrolment_of(row), facts_of(row, graphs[row[3]])) for row in rows])


def message_counts(process: Process) -> dict[str, int]:
    """Return how many messages of a process ended how."""
    with scopes_disabled(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM messaging_message WHERE shop_id = %s AND source_id = %s GROUP BY state",
            [process.shop_id, process.message_source_id],
        )
        return dict(cursor.fetchall())


def planned_steps(
    order_ids: Sequence[int], cart_ids: Sequence[int], *, now: datetime
) -> dict[tuple[int, int], NextStep]:
    """Return what comes next about orders and carts on which a process works, by kind and id: for the rows of a list."""
    if not order_ids and not cart_ids:
        return {}
    condition = (
        "(e.subject_kind = 1 AND e.subject_id = ANY(%s) OR e.subject_kind = 2 AND e.subject_id = ANY(%s))"
        " AND e.state IN (1, 2, 3)"
    )
    with connection.cursor() as cursor:
        cursor.execute(facts_sql(condition), [sorted(set(order_ids)), sorted(set(cart_ids))])
        rows = cursor.fetchall()
    found: dict[tuple[int, int], NextStep] = {}
    for graph, enrolment, facts in _with_facts(sorted(rows, key=lambda row: -int(row[0]))):
        subject = (int(enrolment.subject_kind), enrolment.subject_id)
        found[subject] = describe_next(graph, enrolment, facts, now)
    return found


def newest_decisions(process: Process, *, most: int = 15) -> list[LedgerLine]:
    """Return the last lines of the decision ledger about a process, newest first, with their messages' ends.

    Looked up among the enrolments that entered last: a line of an old one is no news.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, p.name, l.step_no, l.version_id, l.node, l.outcome, l.at, l.done_at, m.id, m.state, m.reason"
            " FROM (SELECT id, process_id FROM processes_enrolment WHERE shop_id = %s AND process_id = %s"
            "       ORDER BY id DESC LIMIT 200) e"
            " JOIN processes_process p ON p.id = e.process_id"
            " JOIN processes_step_log l ON l.enrolment_id = e.id"
            " LEFT JOIN messaging_message m ON m.enrolment_id = e.id AND m.step_no = l.step_no"
            " ORDER BY l.done_at DESC, l.step_no DESC LIMIT %s",
            [process.shop_id, process.pk, most],
        )
        rows = cursor.fetchall()
    return [_ledger_line(row) for row in rows]


def _ledger_line(row: Sequence[Any]) -> LedgerLine:
    return LedgerLine(
        enrolment_id=row[0],
        process_name=row[1],
        step_no=row[2],
        node_id=graph_of(row[3]).node_id(row[4]),
        code=Code(row[5]),
        at=row[6],
        done_at=row[7],
        message_id=row[8],
        message_state=row[9] or "",
        message_reason=row[10] or "",
    )
