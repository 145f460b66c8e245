"""Entry: who comes into which process, decided by unique indexes and never by reading first (engine 8 T0, 10.5)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection

from recoup.customers.queries import who_stands_for
from recoup.processes import turned_away
from recoup.processes.at_doors import known_at_doors
from recoup.processes.drawing import Drawn, first_draws, shop_shares
from recoup.processes.engine.codes import Priority, Refusal, SubjectKind
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import LONGEST_CHAIN, Candidate, EntryKeys, Reentry, begin
from recoup.processes.engine.records import Enrolment, Facts, Swap
from recoup.processes.engine.swapping import lets_in
from recoup.processes.graph.compiling import keys_for
from recoup.processes.preempting import preempt
from recoup.processes.turned_away import Refused
from recoup.processes.versions import graph_of
from recoup.recovery.events import RecoveryCaseOpened
from recoup.segments.facts import Need

# What opens a door: the entry event of a process's document.
ORDER_PLACED, ORDER_UNPAID, CART_LEFT = "order.placed", "order.unpaid", "cart.abandoned"
# The order process takes over from the cart process: one person is asked about one thing (B12).
_DOOR = {"order": ORDER_UNPAID, "cart": CART_LEFT}
_KIND = {"order": SubjectKind.ORDER, "cart": SubjectKind.CART, "contact": SubjectKind.CONTACT}
KINDS = {kind: word for word, kind in _KIND.items()}


@dataclass(frozen=True, slots=True)
class Door:
    """A process that lets people in now."""

    process_id: int
    version_id: int
    shop_id: int
    holdout_bp: int
    shop_holdout_bp: int
    is_test: bool
    graph: Graph
    group: str = ""  # set by the shop; else the document's own


def open_doors(shop_ids: Sequence[int]) -> list[Door]:
    """Return the processes of these shops that run, or run in test mode.

    Held until the transaction ends: who stops a process waits for those that are just coming in, and ends them too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.id, p.current_version_id, p.shop_id, p.holdout_bp, p.status = 'test' OR s.live_since IS NULL,"
            " p.exclusive_group, p.status = 'paused'"
            " FROM processes_process p JOIN shops_shop s ON s.id = p.shop_id"
            " WHERE p.shop_id = ANY(%s) AND p.status IN ('live', 'test', 'paused') AND p.current_version_id IS NOT NULL"
            " ORDER BY p.shop_id, p.priority DESC, p.id FOR SHARE OF p",
            [sorted(set(shop_ids))],
        )
        rows = cursor.fetchall()
    # A paused process takes of its group whom none that runs wants: nobody would be reminded meanwhile.
    rows.sort(key=lambda row: row[6])
    shares = shop_shares({row[2] for row in rows})  # read while the doors are locked, so not an older one
    return [
        Door(
            process_id,
            version_id,
            shop_id,
            share,
            shares.get(shop_id, 0),
            is_test,
            graph_of(version_id),
            group,
        )
        for process_id, version_id, shop_id, share, is_test, group, _is_paused in rows
    ]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who comes to the doors of one event, with the order or cart that brings them.

    With `process_id` they are put into that one process, past what it begins with and whom it asks for; its rules of
    re-entry and its exclusive group decide all the same.
    """

    door: str
    shop_id: int
    contact_id: int
    kind: str
    subject_id: int
    at: datetime
    case_id: int | None = None
    event_id: int = 0  # of what brought them; by default the case, or the order, cart or person itself
    marks: frozenset[str] = frozenset()  # what the entry may have chosen from: the tag, the cause
    process_id: int | None = None
    cause: str = ""  # of the failed payment
    chain: int = 0
    is_test: bool = False
    priority: Priority = Priority.TIMER
    # The goods of the order were exchanged for these: only doors that ask for what it had not before.
    swap: Swap | None = None
    products: tuple[str, ...] = ()
    is_paid: bool = False  # it was paid, or nothing was due, when it first came

    @property
    def subject(self) -> tuple[int, int]:
        """Return kind and id of what they come with."""
        return int(_KIND[self.kind]), self.subject_id


def enrol_cases(cases: Sequence[RecoveryCaseOpened]) -> int:
    """Let the people of new cases into the processes that wait for them; return how many came in.

    Cases without a known person have nobody to write to.
    """
    return enrol(
        [
            Arrival(
                door=_DOOR[case.kind],
                shop_id=case.shop_id,
                contact_id=case.contact_id,
                kind=case.kind,
                subject_id=case.subject_id,
                at=case.at,
                case_id=case.case_id,
            )
            for case in cases
            if case.contact_id is not None
        ]
    )


def enrol_placed(order_ids: Sequence[int]) -> int:
    """Let the buyers of new orders into the processes that begin with the placing; return how many came in.

    Test orders and those from before their shop was connected or went live stay out (B6), and those that came paid (J3).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.shop_id, o.contact_id, o.id, o.placed_at,"
            " coalesce(o.payment_state = 'nothing_due' OR o.paid_learnt_at <= o.learnt_at, false) FROM orders_order o"
            " JOIN shops_source source ON source.id = o.source_id JOIN shops_shop shop ON shop.id = o.shop_id"
            " WHERE o.id = ANY(%s) AND o.contact_id IS NOT NULL AND NOT o.is_test AND NOT o.is_backfill"
            " AND o.placed_at >= greatest(source.live_since, shop.live_since) ORDER BY o.id",
            [sorted(set(order_ids))],
        )
        rows = cursor.fetchall()
    return enrol(
        [
            Arrival(ORDER_PLACED, shop, contact, "order", order, at, is_paid=is_paid)
            for shop, contact, order, at, is_paid in rows
        ]
    )


def enrol(arrivals: Sequence[Arrival]) -> int:
    """Let people in and return how many came in. Whoever is in already, or comes too soon, the unique indexes turn away."""
    return len(let_in(arrivals))


def let_in(arrivals: Sequence[Arrival]) -> list[int]:
    """Let people in; return the place in the sequence of each who came in, once for each door."""
    if not arrivals:
        return []
    arrivals = _as_they_are(arrivals)
    doors = open_doors([arrival.shop_id for arrival in arrivals])
    met = [(n, door) for n, arrival in enumerate(arrivals) for door in doors if _is_met(arrival, door)]
    turned_away.record(
        [
            _refused(one, door, Refusal.CAUSE)
            for one in arrivals
            if one.cause
            for door in doors
            if _is_of_other_cause(one, door)
        ]
    )
    if not met:
        return []
    doors, people = [door for _, door in met], [arrivals[number].contact_id for number, _ in met]
    needs = Need(reduce(or_, (door.graph.needs for door in doors)))
    facts = known_at_doors(
        [(one.kind, one.subject_id, one.shop_id, one.contact_id) for one in (arrivals[n] for n, _ in met)],
        needs,
    )
    ends, drawn = _last_ends(doors, people), first_draws(doors, people)
    been = _been_in([(door, arrivals[n]) for n, door in met if arrivals[n].swap is not None])
    beginnings: list[tuple[Enrolment, EntryKeys]] = []
    whose: dict[tuple[int, int, int, int], int] = {}
    refused: list[Refused] = []
    for number, door in met:
        arrival = arrivals[number]
        if (door.process_id, arrival.subject_id) in been:
            continue
        found = _beginning(
            arrival,
            door,
            facts.get((arrival.kind, arrival.subject_id)),
            last_ended_at=ends.get((door.process_id, arrival.contact_id)),
            drawn=drawn,
        )
        if isinstance(found, Refusal):
            refused.append(_refused(arrival, door, found))
        else:
            beginnings.append(found)
            whose.setdefault(place_of(*found), number)
    came_in = [whose[place] for place in insert(beginnings)]
    turned_away.record(refused)
    return came_in


def _as_they_are(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Let whoever was merged into somebody else since the news come as the one who stays: a person enters once (T42)."""
    stands = who_stands_for(one.contact_id for one in arrivals)
    found = []
    for one in arrivals:
        person = stands.get(one.contact_id, one.contact_id)
        if person != one.contact_id:
            subject = person if one.kind == "contact" else one.subject_id
            found.append(replace(one, contact_id=person, subject_id=subject))
        else:
            found.append(one)
    return found


def _is_met(arrival: Arrival, door: Door) -> bool:
    """Tell whether somebody has come to this door. A process about people takes whoever is put into it with an order."""
    entry = door.graph.document.entry
    if door.shop_id != arrival.shop_id or entry.subject not in (_KIND[arrival.kind], SubjectKind.CONTACT):
        return False
    if arrival.swap is not None and not lets_in(door.graph, arrival.swap, arrival.products):
        return False
    if arrival.process_id is None:
        return bool(entry.on == arrival.door and entry.takes(arrival.marks))
    return door.process_id == arrival.process_id


def _is_of_other_cause(arrival: Arrival, door: Door) -> bool:
    """Tell whether somebody whose payment failed came to a door that asks for another cause: then a line says so."""
    entry = door.graph.document.entry
    is_theirs = door.shop_id == arrival.shop_id and entry.on == arrival.door and arrival.process_id is None
    return bool(is_theirs and not entry.takes(arrival.marks))


def _refused(arrival: Arrival, door: Door, why: Refusal) -> Refused:
    return Refused(
        door.shop_id,
        door.process_id,
        door.version_id,
        arrival.contact_id,
        int(_KIND[arrival.kind]),
        arrival.subject_id,
        why,
        arrival.at,
    )


def _beginning(
    arrival: Arrival, door: Door, facts: Facts | None, *, last_ended_at: datetime | None, drawn: Drawn
) -> tuple[Enrolment, EntryKeys] | Refusal:
    """Return how somebody begins, or why they may not."""
    if facts is None:
        return Refusal.UNKNOWN
    if arrival.chain > LONGEST_CHAIN:
        return Refusal.CHAIN
    if arrival.is_paid:
        return Refusal.PAID
    if arrival.process_id is None and not door.graph.admits(facts, arrival.at):
        return Refusal.CONDITION
    is_about_person = door.graph.document.entry.subject is SubjectKind.CONTACT
    kind, subject_id = (int(SubjectKind.CONTACT), arrival.contact_id) if is_about_person else arrival.subject
    candidate = Candidate(
        shop_id=door.shop_id,
        process_id=door.process_id,
        version_id=door.version_id,
        contact_id=arrival.contact_id,
        subject_kind=kind,
        subject_id=subject_id,
        event_id=arrival.event_id or arrival.case_id or arrival.subject_id,
        entered_at=arrival.at,
        case_id=None if is_about_person else arrival.case_id,
        last_ended_at=last_ended_at,
        is_test=door.is_test or arrival.is_test,
        cause=arrival.cause,
        chain=arrival.chain,
        drawn=drawn.get((door.process_id, arrival.contact_id)),
        drawn_in_shop=drawn.get((None, arrival.contact_id)),
    )
    keys = keys_for(door.graph, candidate, group=door.group)
    if keys is None:
        return Refusal.TOO_SOON
    enrolment = begin(
        door.graph,
        candidate,
        holdout_bp=door.holdout_bp,
        shop_holdout_bp=door.shop_holdout_bp,
        priority=arrival.priority,
    )
    return enrolment, keys


def _last_ends(doors: Sequence[Door], contact_ids: Sequence[int]) -> dict[tuple[int, int | None], datetime]:
    """Return when people last left the processes that let them in again after a time."""
    asking = [door for door in doors if door.graph.document.entry.reentry is Reentry.AGAIN_AFTER]
    if not asking:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.process_id, e.contact_id, max(l.at) FROM processes_enrolment e"
            " JOIN processes_step_log l ON l.enrolment_id = e.id AND l.step_no = e.step_no"
            " WHERE e.shop_id = ANY(%s) AND e.contact_id = ANY(%s) AND e.process_id = ANY(%s) AND e.state >= 8"
            " GROUP BY e.process_id, e.contact_id",
            [
                sorted({door.shop_id for door in asking}),
                sorted(set(contact_ids)),
                [door.process_id for door in asking],
            ],
        )
        return {(process_id, contact_id): at for process_id, contact_id, at in cursor.fetchall()}


def _been_in(pairs: Sequence[tuple[Door, Arrival]]) -> set[tuple[int, int]]:
    """Return which orders have been in a process that lets people in again after a time: another product is no new order.

    Where each order enters once, the unique index says so; of two exchanges at once the key of the turn decides.
    """
    asking = [(door, one) for door, one in pairs if door.graph.document.entry.reentry is Reentry.AGAIN_AFTER]
    if not asking:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.process_id, e.subject_id FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " AS n (shop_id, process_id, contact_id, subject_id) JOIN processes_enrolment e ON e.shop_id = n.shop_id"
            " AND e.contact_id = n.contact_id AND e.process_id = n.process_id AND e.subject_id = n.subject_id",
            [
                [door.shop_id for door, _ in asking],
                [door.process_id for door, _ in asking],
                [one.contact_id for _, one in asking],
                [one.subject_id for _, one in asking],
            ],
        )
        return set(cursor.fetchall())


def insert(beginnings: Sequence[tuple[Enrolment, EntryKeys]]) -> set[tuple[int, int, int, int]]:
    """Put beginnings into the table and return the places of those that came in; the unique indexes turn the others away.

    Who comes into a stronger process of an exclusive group leaves the weaker one. Why others were turned away is written
    down. They go in as they come: by the priority of the processes.
    """
    if not beginnings:
        return set()
    preempt(beginnings)
    columns: list[list[Any]] = [
        [getattr(enrolment, name) for enrolment, _ in beginnings]
        for name in (
            "shop_id", "process_id", "version_id", "contact_id", "case_id", "subject_kind", "subject_id", "state",
            "node", "entered_at", "node_at", "run_at", "wait_mask", "prio", "flags",
        )
    ]  # fmt: skip
    columns += [
        [getattr(keys, name) for _, keys in beginnings] for name in ("entry_key", "active_key", "group_key")
    ]
    columns.append([json.dumps(one.variables) if one.variables else None for one, _ in beginnings])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO processes_enrolment (shop_id, process_id, version_id, contact_id, case_id, subject_kind,"
            " subject_id, state, node, entered_at, node_at, run_at, wait_mask, prio, flags, entry_key, active_key,"
            " group_key, variables, step_no, attempt)"
            " SELECT *, 0, 0 FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
            " %s::smallint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::timestamptz[], %s::timestamptz[],"
            " %s::timestamptz[], %s::bigint[], %s::smallint[], %s::smallint[], %s::bigint[], %s::bigint[],"
            " %s::bigint[], %s::jsonb[]) ON CONFLICT DO NOTHING"
            " RETURNING process_id, entry_key, subject_kind, subject_id",
            columns,
        )
        came_in = set(cursor.fetchall())
    turned_away.record_turned_away([one for one in beginnings if place_of(*one) not in came_in])
    return came_in


def place_of(enrolment: Enrolment, keys: EntryKeys) -> tuple[int, int, int, int]:
    """Return what names a beginning among those that `insert` has let in."""
    return enrolment.process_id, keys.entry_key, enrolment.subject_kind, enrolment.subject_id
