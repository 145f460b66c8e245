"""What people change before they publish it: one draft for a process, with steps that can be taken back (J1, J9)."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.messaging.models import MessageSource
from recoup.processes.actions import publish
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.graph.comparing import Changes, compare
from recoup.processes.graph.document import ProcessDocument, doc_hash
from recoup.processes.graph.editing import Raw, blank
from recoup.processes.graph.problems import InvalidProcess, Problem
from recoup.processes.graph.reading import read_document
from recoup.processes.graph.texts_used import keys_of_texts
from recoup.processes.graph.validation import TextOffer, find_problems, load_process
from recoup.processes.holdout import NEW_SHARE_BP
from recoup.processes.lawful import unlawful, ways_met
from recoup.processes.models import (
    DraftRevision,
    Process,
    ProcessDraft,
    ProcessVersion,
)
from recoup.processes.moving.moves import request_move
from recoup.processes.moving.plan import Plan
from recoup.processes.offering import offer_texts
from recoup.processes.segments_used import of_this_shop
from recoup.processes.surroundings import others_of
from recoup.processes.texts import text_offers
from recoup.shops.models import Shop

MOST_REVISIONS = 50
LONGEST_NAME = 120


class NameRefused(Exception):
    """A process needs a name of its own; `code` is `missing`, `too_long` or `taken`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Lock(NamedTuple):
    """The state that somebody looked at: a draft and its revision; without a draft, zero and the number of the version."""

    version: int = 0
    revision: int = 0  # of the draft; without one, the published version, zero if there is none

    def __str__(self) -> str:
        return f"{self.version}.{self.revision}"

    @classmethod
    def read(cls, text: str) -> "Lock":
        """Read what a page gave back; nonsense is a state that never was."""
        version, _, revision = text.partition(".")
        return (
            cls(int(version), int(revision))
            if text.isascii() and _are_numbers(version, revision)
            else cls(-1)
        )


NOTHING = Lock()  # neither a draft nor a version was there when somebody looked


def _are_numbers(*texts: str) -> bool:
    return all(text.isdecimal() and len(text) < 16 for text in texts)


@dataclass(frozen=True, slots=True)
class DraftState:
    """A draft as it is now; without one, the published version as what the first change would start from."""

    doc: Raw
    lock: Lock = NOTHING
    changed_at: datetime | None = None
    changed_by: int | None = None
    can_undo: bool = False
    can_redo: bool = False

    @property
    def is_stored(self) -> bool:
        """Tell whether somebody has changed something."""
        return self.lock.version != NOTHING.version


class DraftChanged(Exception):
    """Somebody else has changed the draft since it was looked at: what it was then, how it is now, what they did."""

    def __init__(self, now: DraftState, before: Raw) -> None:
        super().__init__(str(now.lock))
        self.now = now
        self.before = before
        self.changes: Changes = compare(before, now.doc)


class NothingToUndo(Exception):
    """There is no step to take back, or none to take again."""


def draft_of(process: Process) -> DraftState:
    """Return the draft of a process, or what the first change would start from."""
    draft = ProcessDraft.objects.filter(process=process).first()
    return _published(process) if draft is None else _state(draft)


def _published(process: Process) -> DraftState:
    version = process.current_version
    if version is None:
        return DraftState(blank(process.name))
    return DraftState(
        version.doc,
        Lock(NOTHING.version, version.number),
        changed_at=version.published_at,
        changed_by=version.published_by,
    )


def _state(draft: ProcessDraft) -> DraftState:
    current = draft.revision_id or 0
    ids = set(DraftRevision.objects.filter(draft=draft).values_list("id", flat=True))
    return DraftState(
        doc=draft.doc,
        lock=Lock(draft.lock_version, current),
        changed_at=draft.changed_at,
        changed_by=draft.changed_by,
        can_undo=any(one < current for one in ids),
        can_redo=any(one > current for one in ids),
    )


def has_changes(process: Process) -> bool:
    """Tell whether publishing the draft would make a version; notes alone do not."""
    state, current = draft_of(process), process.current_version
    if not state.is_stored or current is None:
        return state.is_stored
    return not _does_the_same(current, read_document(state.doc))


def _does_the_same(version: ProcessVersion, document: ProcessDocument) -> bool:
    """Tell whether a version does what a document does. Its stored fingerprint may be of an earlier Recoup."""
    return doc_hash(read_document(version.doc)) == doc_hash(document)


def used_ids(process: Process) -> set[str]:
    """Return every id that a block of this process has had in any version."""
    latest = ProcessVersion.objects.filter(process=process).order_by("-number").first()
    return set() if latest is None else set(latest.node_map)


def _known_to(
    process: Process,
) -> tuple[dict[str, TextOffer], dict[int, SubjectKind], Collection[str], set[int]]:
    """Return what a document may name: texts, other processes, texts that show an offer, other programs."""
    others, programs = others_of(process)
    return text_offers(process.shop), others, offer_texts(process.shop), programs


def problems_of(process: Process, doc: Raw) -> list[Problem]:
    """Return what keeps a draft from being published."""
    return find_problems(read_document(doc), *_known_to(process))


def create_process(
    shop: Shop, *, name: str, start: Raw | None = None, actor: Actor, now: datetime
) -> Process:
    """Create a process that is not published, from a document or from nothing (J1).

    :raises NameRefused: if the name is empty, too long or another process has it.
    :raises InvalidProcess: if the document does not fit the format.
    """
    name = _checked_name(shop, name)
    doc = of_this_shop(shop, read_document({**(start or blank(name)), "name": name}).as_json())
    try:
        with transaction.atomic():
            source = MessageSource.objects.create(shop=shop, name=name, state=MessageSource.State.STOPPED)
            process = Process.objects.create(
                shop=shop,
                name=name,
                salt=secrets.randbits(62),
                holdout_bp=NEW_SHARE_BP,
                message_source=source,
            )
            _store(ProcessDraft(shop=shop, process=process, lock_version=0), doc, actor, now)
            activity.record(
                "processes.process.created",
                shop_id=shop.pk,
                subject=("process", process.pk),
                at=now,
                actor=actor,
            )
    except IntegrityError as error:
        raise NameRefused("taken") from error
    return process


def _checked_name(shop: Shop, name: str, but: Process | None = None) -> str:
    name = " ".join(name.split())
    if not name:
        raise NameRefused("missing")
    if len(name) > LONGEST_NAME:
        raise NameRefused("too_long")
    others = Process.objects.filter(shop=shop, name__iexact=name)
    if (others.exclude(pk=but.pk) if but is not None else others).exists():
        raise NameRefused("taken")
    return name


def save_draft(process: Process, doc: Raw, *, lock: Lock, actor: Actor, now: datetime) -> DraftState:
    """Keep a changed document as the draft. Saving what is there already changes nothing.

    :raises DraftChanged: if somebody else has changed the draft since `lock` was given out.
    :raises InvalidProcess: if the document does not fit the format.
    :raises NameRefused: if it gives the process a name that it cannot have.
    """
    doc = read_document(doc).as_json()
    with transaction.atomic():
        process, draft = _locked(process, lock)
        if doc["name"] != process.name:
            _checked_name(process.shop, doc["name"], but=process)
        if draft is None:
            published = _published(process).doc
            if doc == published:
                return _published(process)
            draft = ProcessDraft(shop_id=process.shop_id, process=process, lock_version=0)
            _store(draft, published, actor, now)
        elif doc == draft.doc:
            return _state(draft)
        _store(draft, doc, actor, now)
    return _state(draft)


def _store(draft: ProcessDraft, doc: Raw, actor: Actor, now: datetime) -> None:
    """Make a document the newest state of a draft; what had been taken back cannot be taken again."""
    draft.doc, draft.changed_at, draft.changed_by = doc, now, actor.id
    draft.lock_version += 1
    draft.save()
    revisions = DraftRevision.objects.filter(draft=draft)
    revisions.filter(id__gt=draft.revision_id or 0).delete()
    draft.revision = DraftRevision.objects.create(
        shop_id=draft.shop_id, draft=draft, doc=doc, made_at=now, made_by=actor.id
    )
    draft.save(update_fields=["revision"])
    kept = list(revisions.order_by("-id").values_list("id", flat=True)[:MOST_REVISIONS])
    revisions.filter(id__lt=kept[-1]).delete()


def _locked(process: Process, lock: Lock) -> tuple[Process, ProcessDraft | None]:
    """Lock a process and its draft.

    :raises DraftChanged: if the draft is not the one that was looked at.
    """
    rows = Process.objects.select_for_update(no_key=True, of=("self",))
    process = rows.select_related("current_version", "shop").get(pk=process.pk)
    draft = ProcessDraft.objects.filter(process=process).first()
    state = _published(process) if draft is None else _state(draft)
    if state.lock != lock:
        raise DraftChanged(state, document_seen(process, lock))
    return process, draft


def document_seen(process: Process, lock: Lock) -> Raw:
    """Return what somebody looked at; the published version if that state is not kept any more."""
    seen: ProcessVersion | DraftRevision | None
    if lock.version == NOTHING.version:
        seen = ProcessVersion.objects.filter(process=process, number=lock.revision).first()
    else:
        seen = DraftRevision.objects.filter(draft__process=process, pk=lock.revision).first()
    return seen.doc if seen is not None else _published(process).doc


def move_draft(process: Process, *, steps: int, lock: Lock, actor: Actor, now: datetime) -> DraftState:
    """Take the last change back (`steps` is -1), or take it again (1).

    :raises DraftChanged: if somebody else has changed the draft meanwhile.
    :raises NothingToUndo: if there is no such step.
    """
    with transaction.atomic():
        process, draft = _locked(process, lock)
        rows = (
            DraftRevision.objects.filter(draft=draft) if draft is not None else DraftRevision.objects.none()
        )
        found = (
            rows.filter(id__lt=lock.revision).order_by("-id").first()
            if steps < 0
            else rows.filter(id__gt=lock.revision).order_by("id").first()
        )
        if draft is None or found is None:
            raise NothingToUndo
        draft.doc, draft.revision = found.doc, found
        draft.changed_at, draft.changed_by = now, actor.id
        draft.lock_version += 1
        draft.save()
    return _state(draft)


def discard_draft(process: Process, *, lock: Lock, actor: Actor, now: datetime) -> bool:
    """Throw the draft away, and with it a process that never was more than this; tell whether the process is left.

    :raises DraftChanged: if somebody else has changed the draft meanwhile.
    """
    with transaction.atomic():
        process, draft = _locked(process, lock)
        activity.record(
            "processes.draft.discarded",
            shop_id=process.shop_id,
            subject=("process", process.pk),
            at=now,
            actor=actor,
        )
        if process.current_version is not None:
            if draft is not None:
                draft.delete()
            return True
        source_id = process.message_source_id
        process.delete()
        MessageSource.objects.filter(pk=source_id).delete()
    return False


def publish_draft(
    process: Process, *, lock: Lock, actor: Actor, now: datetime, plan: Plan | None = None
) -> ProcessVersion:
    """Publish the draft as the next version; a draft that changes nothing makes none (R20).

    Who is inside stays on their version, unless a plan moves them: then the worker does, from now on.

    :raises DraftChanged: if it is not the draft that was looked at.
    :raises InvalidProcess: with every problem, if it may not be published.
    :raises NameRefused: if another process has taken its name.
    :raises PlanRefused: if the plan cannot be carried out.
    """
    with transaction.atomic():
        process, draft = _locked(process, lock)
        doc = draft.doc if draft is not None else _published(process).doc
        document = load_process(doc, *_known_to(process))
        current = process.current_version
        if current is None or not _does_the_same(current, document):
            if problems := unlawful(process, ways_met(process, document, now=now)):
                raise InvalidProcess(problems)
            name = _checked_name(process.shop, document.name, but=process)
            if name != process.name:
                _rename(process, name)
            current = publish(process, document, actor=actor, now=now)
        if plan is not None:
            request_move(process, plan, actor=actor, now=now)
        if draft is not None and draft.doc == current.doc:
            draft.delete()  # else notes or examples alone have changed: they make no version and stay in the draft
    return current


def _rename(process: Process, name: str) -> None:
    try:
        with transaction.atomic():
            Process.objects.filter(pk=process.pk).update(name=name)
    except IntegrityError as error:
        raise NameRefused("taken") from error
    MessageSource.objects.filter(pk=process.message_source_id).update(name=name)


def missing_texts(doc: dict[str, Any], known: Collection[str]) -> list[str]:
    """Return the texts that a document sends and the shop does not have."""
    wanted = {key for node in doc["nodes"].values() if node["t"] == "send" for key in keys_of_texts(node)}
    return sorted(wanted - set(known))
