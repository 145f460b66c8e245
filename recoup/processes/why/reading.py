"""Reads all that was written down about one order, cart or person, for every process that could have been about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from recoup.processes.engine.batch import Due
from recoup.processes.engine.codes import Code, Refusal, SubjectKind
from recoup.processes.engine.nodes.offer import OfferDocument
from recoup.processes.facts import enrolment_of, facts_of, message_outcome, message_wait
from recoup.processes.known import with_known
from recoup.processes.models import Process, TurnedAway
from recoup.processes.offering import with_offers
from recoup.processes.purchases import with_purchases
from recoup.processes.store_sql import facts_sql
from recoup.processes.versions import graph_of
from recoup.processes.visiting import with_visits
from recoup.processes.why.explaining import Reason, Story, Told, explain, refusal_key
from recoup.processes.why.unseen import Unseen
from recoup.shops.models import Shop


@dataclass(frozen=True, slots=True)
class Answer:
    """Why the message of a block (its id and its text) did or did not come; without a block, why nothing did."""

    reason: Reason
    node: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one process did about the order, cart or person: a reason for each message, and the lines behind them."""

    process: Process
    answers: Sequence[Answer]
    entered_at: datetime | None = None
    doc: dict[str, Any] | None = None  # of the version that it is told by
    lines: Sequence[Told] = field(default=())


def answers_about(shop: Shop, *, kind: int, subject_id: int, now: datetime) -> list[Answers]:
    """Return what each process did about an order (kind 1), a cart (2) or a person (3), those that did something first."""
    processes = {
        one.pk: one
        for one in Process.objects.filter(shop=shop)
        .select_related("current_version")
        .order_by("-priority", "name", "id")
    }
    found = [
        _of_enrolment(processes[one.enrolment.process_id], one, now)
        for one in _stories(shop, kind, subject_id)
    ]
    seen = {one.process.pk for one in found}
    refused = _refused(shop, kind, subject_id)
    unseen = Unseen(shop, kind, subject_id)
    for process in processes.values():
        if process.pk in seen:
            continue
        reason = _reason(process, refused.get(process.pk), unseen)
        if reason is not None:
            found.append(Answers(process, [Answer(reason)]))
    return found


def _reason(process: Process, told: Reason | None, unseen: Unseen) -> Reason | None:
    """Return what was written down at the door, or else what is known; after another cause the right one may have come."""
    if told is not None and told.key != refusal_key(Refusal.CAUSE):
        return told
    found = unseen.reason(process)
    return told if found is None or (told is not None and found.key in ("no_record", "not_yet")) else found


def _stories(shop: Shop, kind: int, subject_id: int) -> list[Story]:
    condition = "e.shop_id = %s AND e.subject_kind = %s AND e.subject_id = %s ORDER BY e.id DESC LIMIT 50"
    with connection.cursor() as cursor:
        cursor.execute(facts_sql(condition), [shop.pk, kind, subject_id])
        rows = cursor.fetchall()
    lines = _lines([row[0] for row in rows])
    rows = sorted(rows, key=lambda row: -row[0])
    graphs = {row[3]: graph_of(row[3]) for row in rows}
    people = [Due(graphs[row[3]], enrolment_of(row), facts_of(row, graphs[row[3]])) for row in rows]
    statuses = {row[0]: row[22] for row in rows}
    return [
        Story(enrolment, graph, facts, lines.get(enrolment.id, []), statuses[enrolment.id])
        for graph, enrolment, facts in with_visits(with_offers(with_known(with_purchases(people))))
    ]


def _lines(enrolment_ids: Sequence[int]) -> dict[int, list[Told]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.enrolment_id, l.step_no, l.version_id, v.number, l.node, l.outcome, l.arm, l.at, l.done_at, m.id,"
            " m.state, m.reason, coalesce(m.handed_at, m.settled_at), m.due_at,"
            " m.passed_over IS NOT NULL, coalesce(t.key, '') FROM processes_step_log l"
            " JOIN processes_processversion v ON v.id = l.version_id"
            " LEFT JOIN messaging_message m ON m.enrolment_id = l.enrolment_id AND m.step_no = l.step_no"
            " LEFT JOIN messaging_template t ON t.id = m.template_id"
            " WHERE l.enrolment_id = ANY(%s) ORDER BY l.enrolment_id, l.step_no",
            [list(enrolment_ids)],
        )
        rows = cursor.fetchall()
    found: dict[int, list[Told]] = {}
    for enrolment_id, step_no, version_id, number, node, outcome, arm, at, done_at, *message in rows:
        message_id, state, reason, ended_at, due_at, is_passed_on, template = message
        found.setdefault(enrolment_id, []).append(
            Told(
                step_no,
                graph_of(version_id).node_id(node),
                Code(outcome),
                at,
                done_at,
                number,
                arm,
                message_outcome(state, reason) if state else 0,
                ended_at,
                due_at,
                reason or "",
                message_id,
                message_wait(state, reason, is_passed_on=is_passed_on) if state else 0,
                template,
                _drawn(version_id, node, arm) if outcome == Code.SPLIT else None,
            )
        )
    return found


def _drawn(version_id: int, node: int, arm: int | None) -> dict[str, Any] | None:
    """Return the terms of the size that chance gave, if a line is of an offer that tries several."""
    graph = graph_of(version_id)
    block = graph.document.nodes.get(graph.node_id(node))
    if not isinstance(block, OfferDocument) or arm is None or arm >= len(block.sizes):
        return None
    return block.terms(block.sizes[arm])


def _of_enrolment(process: Process, story: Story, now: datetime) -> Answers:
    document = story.graph.document
    sends = [(name, node) for name, node in document.nodes.items() if node.t == "send"]
    taken = {
        line.node: line.template for line in story.lines if line.template
    }  # of the channel that was taken
    gone = [line for line in story.lines if line.code is Code.QUEUED and line.node not in document.nodes]
    answers = [
        Answer(_counted(story, explain(story, name, now)), name, taken.get(name, node.template))
        for name, node in sends
    ]
    answers += [Answer(explain(story, line.node, now), line.node, line.template) for line in gone]
    return Answers(process, answers, story.enrolment.entered_at, document.as_json(), story.lines)


def _counted(story: Story, reason: Reason) -> Reason:
    """Add how many messages somebody had in the day before a limit kept one back."""
    if reason.key not in ("skipped_cap", "deferred_cap") or reason.at is None:
        return reason
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM messaging_message WHERE shop_id = %s AND contact_id = %s AND state = 'sent'"
            " AND purpose = 'reminder' AND NOT is_test AND handed_at > %s AND handed_at <= %s",
            [story.enrolment.shop_id, story.enrolment.contact_id, reason.at - timedelta(hours=24), reason.at],
        )
        [(count,)] = cursor.fetchall()
    return reason._replace(recent=count)


def _refused(shop: Shop, kind: int, subject_id: int) -> dict[int, Reason]:
    """Return who was not let in, by process; of a person also those who came with an order to a process about people."""
    is_it = Q(subject_kind=kind, subject_id=subject_id)
    if kind == SubjectKind.CONTACT:
        is_it |= Q(contact_id=subject_id)
    found = {}
    for line in TurnedAway.objects.filter(is_it, shop=shop).order_by("at", "id"):
        if line.subject_kind != kind and not _was_about_person(line):
            continue
        other = None
        if line.other_id is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT process_id FROM processes_enrolment WHERE id = %s", [line.other_id])
                other = (cursor.fetchone() or [None])[0]
        found[line.process_id] = Reason(refusal_key(line.code), line.at, process_id=other)
    return found


def _was_about_person(line: TurnedAway) -> bool:
    if line.version_id is None:
        return False
    return bool(graph_of(line.version_id).document.entry.subject is SubjectKind.CONTACT)
