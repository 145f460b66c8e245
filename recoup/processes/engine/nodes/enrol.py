"""Enrol: put the same order, cart or person into another process, and go on without waiting for it."""

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from recoup.processes.engine.codes import Code, Flag, SubjectKind
from recoup.processes.engine.compiled import CompiledNode, Move
from recoup.processes.engine.entry import Candidate, chain_of, key_of
from recoup.processes.engine.nodes.base import Kind, NextPort, NodeDocument, Summary, Workshop, no_trouble
from recoup.processes.engine.records import Enrolment, Facts
from recoup.processes.engine.wording import gettext_noop

ProcessId = Annotated[int, Field(ge=0, le=2**63 - 1)]  # 0: none was chosen yet, see `graph.replacing`


class EnrolEffect(NamedTuple):
    """Somebody to be put into another process; its rules may turn them away, and then the line says so."""

    step_no: int
    node: int
    at: datetime
    process: int
    is_suppressed: bool


def candidate_for(
    enrolment: Enrolment, effect: EnrolEffect, *, version_id: int, subject: SubjectKind
) -> Candidate | None:
    """Return somebody as they come to the other process, or nothing if that is about something else.

    A process about people takes whoever is put into it as themselves.
    """
    is_about_person = subject is SubjectKind.CONTACT
    if not is_about_person and subject != enrolment.subject_kind:
        return None
    return Candidate(
        shop_id=enrolment.shop_id,
        process_id=effect.process,
        version_id=version_id,
        contact_id=enrolment.contact_id,
        subject_kind=int(subject),
        subject_id=enrolment.contact_id if is_about_person else enrolment.subject_id,
        event_id=key_of("enrol", enrolment.id, effect.step_no),
        entered_at=effect.at,
        case_id=None if is_about_person else enrolment.case_id,
        is_test=bool(enrolment.flags & Flag.TEST),
        chain=chain_of(enrolment) + 1,
    )


class EnrolDocument(NodeDocument):
    """Another process, past what it begins with. How often it lets somebody in, and its exclusive group, decide there."""

    t: Literal["enrol"]
    process: ProcessId
    out: NextPort


def _build(document: EnrolDocument, shop: Workshop) -> CompiledNode:
    following, process = shop.node_map[document.out.next], document.process

    def run(move: Move, facts: Facts, now: datetime) -> int:
        is_holdout = move.is_holdout
        step_no = move.log(Code.SUPPRESSED if is_holdout else Code.ENROLLED)
        move.effects.append(EnrolEffect(step_no, shop.number, move.at, process, is_holdout))
        return following

    return CompiledNode(run)


def _summarise(document: EnrolDocument) -> Summary:
    return Summary("process.node.enrol", {"process": document.process})


KIND = Kind(
    EnrolDocument,
    _build,
    no_trouble,
    _summarise,
    soon=gettext_noop("Goes on in another process as well"),
    words={"enrol": gettext_noop("Put into another process")},
)
