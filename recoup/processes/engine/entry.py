"""Who may enter a process, and how an enrolment begins.

Uniqueness is decided by unique indexes over these keys, never by reading first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from recoup.processes.engine.bucket import is_held_out, is_held_out_of_shop
from recoup.processes.engine.codes import Flag, Priority, State
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.records import Enrolment, Facts
from recoup.segments.order_fields import CAUSES

CHAIN, CAUSE = "chain", "cause"  # among the variables of an enrolment
# Processes that put people into each other stop here, whatever their rules of re-entry are.
LONGEST_CHAIN = 10


def chain_of(enrolment: Enrolment) -> int:
    """Return how many processes one after another have led to an enrolment."""
    return (enrolment.variables or {}).get(CHAIN, 0)


def with_cause(facts: Facts, variables: Mapping[str, int] | None) -> Facts:
    """Return the facts with the cause by which somebody entered, where no recovery case tells one."""
    number = variables.get(CAUSE) if variables else None
    if number is None or facts.order is None or facts.order.cause:
        return facts
    return facts._replace(order=facts.order._replace(cause=CAUSES[number]))


class Reentry(StrEnum):
    """When somebody who has been in a process may enter it again."""

    ONCE_PER_CONTACT = "once_per_contact"
    PER_SUBJECT = "per_subject"  # once for each order or cart
    ONE_AT_A_TIME = "one_at_a_time"  # every event, but only one enrolment of a person at once
    EVERY_EVENT = "every_event"
    AGAIN_AFTER = "again_after"  # a span after the last one has ended


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody at the door of a process. `event_id` names the news that brought them there."""

    shop_id: int
    process_id: int
    version_id: int
    contact_id: int
    subject_kind: int
    subject_id: int
    event_id: int
    entered_at: datetime  # logical: when the case opened
    case_id: int | None = None
    last_ended_at: datetime | None = None  # of this person in this process; read for `again_after` alone
    is_test: bool = False
    cause: str = ""  # of the failed payment that brought them, one of `CAUSES`
    chain: int = 0  # how many processes one after another have handed this on; see `LONGEST_CHAIN`
    # What was drawn for this person before, under the present share; kept when two contacts became one.
    drawn: bool | None = None
    drawn_in_shop: bool | None = None


class EntryKeys(NamedTuple):
    """Signed 64-bit keys of the unique indexes; active and group key are emptied when the enrolment ends."""

    entry_key: int
    active_key: int
    group_key: int | None


def key_of(*parts: object) -> int:
    """Hash parts to a signed 64-bit number that is the same on every machine."""
    digest = blake2b(repr(parts).encode(), digest_size=8, person=b"recoup-entry").digest()
    return int.from_bytes(digest, "big", signed=True)


def group_key_of(group: str, contact_id: int, *, is_test: bool = False) -> int:
    """Return the key of a person in an exclusive group. What is only tried out takes nobody's place among what is live."""
    return key_of("group in test mode" if is_test else "group", group, contact_id)


def entry_keys(
    candidate: Candidate, reentry: Reentry, *, again_after: timedelta | None = None, group: str | None = None
) -> EntryKeys | None:
    """Return the keys under which somebody enters, or nothing if it is too soon after the last time."""
    contact = ("contact", candidate.contact_id)
    subject = ("subject", candidate.subject_kind, candidate.subject_id)
    event = ("event", candidate.event_id)
    group_key = (
        None if group is None else group_key_of(group, candidate.contact_id, is_test=candidate.is_test)
    )
    match reentry:
        case Reentry.ONCE_PER_CONTACT:
            return EntryKeys(key_of(*contact), key_of(*contact), group_key)
        case Reentry.PER_SUBJECT:
            return EntryKeys(key_of(*subject), key_of(*subject), group_key)
        case Reentry.ONE_AT_A_TIME:
            return EntryKeys(key_of(*event), key_of(*contact), group_key)
        case Reentry.EVERY_EVENT:
            return EntryKeys(key_of(*event), key_of(*event), group_key)
        case Reentry.AGAIN_AFTER:
            last = candidate.last_ended_at
            if last is not None and again_after is not None and candidate.entered_at < last + again_after:
                return None
            turn = FIRST_TURN if last is None else last.isoformat()
            return EntryKeys(key_of(*contact, turn), key_of(*contact), group_key)


FIRST_TURN = "first"  # of somebody who has never left a process that lets people in again after a time


def keys_of_person(contact_id: int, groups: Sequence[str]) -> dict[str, list[int]]:
    """Return every key that names a person and nothing else, by its column; those of two people stand in the same order."""
    contact = key_of("contact", contact_id)
    return {
        "entry_key": [contact, key_of("contact", contact_id, FIRST_TURN)],
        "active_key": [contact],
        "group_key": [
            group_key_of(group, contact_id, is_test=is_test) for group in groups for is_test in (False, True)
        ],
    }


def begin(
    graph: Graph,
    candidate: Candidate,
    *,
    holdout_bp: int,
    shop_holdout_bp: int = 0,
    priority: int = Priority.TIMER,
) -> Enrolment:
    """Return the enrolment with which somebody starts, ready to be picked; the store gives it its id.

    Who is held out of the whole shop is held out of each of its processes and counts in no comparison of a single one
    (docs/decisions/0004). Test mode draws nobody.
    """
    flags = 0
    if graph.is_anchored:
        flags |= Flag.ANCHORED
    if candidate.is_test:
        flags |= Flag.TEST
    elif _is_drawn_in_shop(candidate, shop_holdout_bp):
        flags |= Flag.HOLDOUT | Flag.SHOP_HOLDOUT
    elif _is_drawn(graph, candidate, holdout_bp):
        flags |= Flag.HOLDOUT
    return Enrolment(
        id=0,
        shop_id=candidate.shop_id,
        process_id=candidate.process_id,
        version_id=candidate.version_id,
        contact_id=candidate.contact_id,
        case_id=candidate.case_id,
        subject_kind=candidate.subject_kind,
        subject_id=candidate.subject_id,
        state=State.READY.value,
        node=graph.first,
        step_no=0,
        entered_at=candidate.entered_at,
        node_at=candidate.entered_at,
        anchor_shift=None,
        due_at=None,
        run_at=candidate.entered_at,
        wait_mask=graph.masks[graph.first],
        prio=int(priority),
        last_message_step=None,
        attempt=0,
        flags=int(flags),
        variables=_variables(candidate),
    )


def _variables(candidate: Candidate) -> dict[str, int] | None:
    found = {CHAIN: candidate.chain} if candidate.chain else {}
    if candidate.cause in CAUSES:
        found[CAUSE] = CAUSES.index(candidate.cause)
    return found or None


def _is_drawn(graph: Graph, candidate: Candidate, share_bp: int) -> bool:
    if candidate.drawn is not None:
        return candidate.drawn
    return is_held_out(graph.salt, candidate.contact_id, share_bp)


def _is_drawn_in_shop(candidate: Candidate, share_bp: int) -> bool:
    if candidate.drawn_in_shop is not None:
        return candidate.drawn_in_shop
    return is_held_out_of_shop(candidate.shop_id, candidate.contact_id, share_bp)
