"""What becomes of those inside a process: where they stand, what would go out, how far a move is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.messaging.models import Template
from recoup.processes.graph.compiling import number_nodes
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.picture import draw
from recoup.processes.models import LookAhead, Process, ProcessVersion, VersionMove
from recoup.processes.moving.ahead import Ahead
from recoup.processes.moving.moves import people_at_blocks, versions_left
from recoup.processes.moving.passed import Passed, added_blocks, who_passed
from recoup.processes.moving.plan import Old, default_choices
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.life_screens import AheadPanel, Behind
from recoup.web.parts import Words
from recoup.web.words import nodes as node_words
from recoup.web.words.texts import key_name


def titles_of(doc: Mapping[str, Any]) -> dict[str, str]:
    """Return what each block of a document does, from top to bottom."""
    picture = draw(ProcessDocument.model_validate(doc))
    ordinals = node_words.message_numbers(picture)
    total = max(ordinals.values(), default=0)
    return {node.id: node_words.title(node, ordinals.get(node.id, 0), total) for node in picture.nodes}


@dataclass(frozen=True, slots=True)
class Inside:
    """Who is inside on versions other than the one that would be current: at which blocks, and what may become of them.

    `blocks` are titles by id, `defaults` what is offered for every block of their versions. `passed` names for each block
    the added ones whose place those who stand there have passed, `who` for each added one how many, and the first by name.
    """

    counts: Mapping[str, Mapping[int, int]]
    blocks: Mapping[str, str]
    defaults: Mapping[str, str]
    is_movable: bool
    passed: Mapping[str, Sequence[str]]
    who: Mapping[str, Words]

    @property
    def people(self) -> int:
        """Return how many they are."""
        return sum(sum(one.values()) for one in self.counts.values())

    def words(self, block: str) -> Words:
        """Return how many stand at a block, on which versions."""
        numbers = self.counts.get(block, {})
        versions = ", ".join(str(number) for number in sorted(numbers))
        return ngettext(
            "%(count)s person, version %(versions)s",
            "%(count)s people, version %(versions)s",
            sum(numbers.values()),
        ) % {"count": humane.number(sum(numbers.values()), get_language() or "en"), "versions": versions}


def inside_of(process: Process, target_id: int | None, new: Mapping[str, Any]) -> Inside:
    """Return who is inside on other versions than the target, none being a draft; `new` is the target's document."""
    counts = people_at_blocks(process, target_id)
    olds = versions_left(process, target_id)
    docs = [
        one.doc
        for one in ProcessVersion.objects.filter(pk__in=[old.version_id for old in olds]).order_by("number")
    ]
    titles: dict[str, str] = {}
    for doc in docs:
        titles |= titles_of(doc)
    on = {doc["entry"]["on"] for doc in docs}
    subjects = {ProcessDocument.model_validate(doc).entry.subject for doc in docs}
    is_movable = not on or subjects == {ProcessDocument.model_validate(new).entry.subject}
    document = ProcessDocument.model_validate(new)
    passed, who = _passed(process, olds, document) if is_movable else ({}, {})
    return Inside(
        counts,
        {name: titles.get(name, name) for name in titles if name in counts},
        default_choices(docs, dict(new)),
        is_movable,
        passed,
        who,
    )


def _passed(
    process: Process, olds: Sequence[Old], new: ProcessDocument
) -> tuple[dict[str, list[str]], dict[str, Words]]:
    latest = ProcessVersion.objects.filter(process=process).order_by("-number").first()
    published = latest.node_map if latest is not None else {}
    numbers = number_nodes(new, published)
    passed: dict[str, list[str]] = {}
    who: dict[str, Words] = {}
    for name, places in sorted(added_blocks(olds, new).items(), key=lambda one: numbers[one[0]]):
        found = who_passed(process, places, published.get(name, -1))
        if not found.people:
            continue
        for block in places:
            passed.setdefault(block, []).append(name)
        who[name] = _who(found)
    return passed, who


def _who(found: Passed) -> Words:
    """Return who has passed an added step: how many, and the first of them by name."""
    rest = found.people - len(found.names)
    names = ", ".join(found.names)
    if rest > 0:
        more = ngettext("%(count)s more", "%(count)s more", rest)
        names = f"{names}, {_count(rest, more)}"
    whole = _count(
        found.people,
        ngettext(
            "%(count)s person has passed its place", "%(count)s people have passed its place", found.people
        ),
    )
    return f"{whole}: {names}"


def ahead_panel(process: Process, found: Ahead) -> AheadPanel:
    """Return what a look has found, in words."""
    language = get_language() or "en"
    names = {
        key: key_name(key, name)
        for key, name in Template.objects.filter(shop=process.shop).values_list("key", "name")
    }
    hour, day = sum(found.hour.values()), sum(found.day.values())
    is_changed = (hour, day) != (found.unmoved_hour, found.unmoved_day)
    unmoved = _("If everybody stayed on their version: %(hour)s in the next hour, %(day)s in 24 hours.") % {
        "hour": humane.number(found.unmoved_hour, language),
        "day": humane.number(found.unmoved_day, language),
    }
    return AheadPanel(
        hour=_count(
            hour, ngettext("%(count)s message in the next hour", "%(count)s messages in the next hour", hour)
        ),
        day=_count(day, ngettext("%(count)s message in 24 hours", "%(count)s messages in 24 hours", day)),
        unmoved=unmoved if is_changed else "",
        texts=[
            (names.get(key, key), humane.number(found.hour[key], language), humane.number(count, language))
            for key, count in Counter(found.day).most_common()
        ],
        notes=_notes(process, found),
    )


def _count(number: int, words: str) -> str:
    return words % {"count": humane.number(number, get_language() or "en")}


def _notes(process: Process, found: Ahead) -> list[Words]:
    notes: list[Words] = []
    if process.status == Process.Status.PAUSED:
        notes.append(_("The process is paused. This is what goes out once it goes on."))
    elif process.status in (Process.Status.DRAFT, Process.Status.STOPPED):
        notes.append(_("The process does not run. Nothing goes out before it is switched on."))
    if found.moved:
        notes.append(
            _count(
                found.moved,
                ngettext("%(count)s person is moved.", "%(count)s people are moved.", found.moved),
            )
        )
    if found.ended:
        words = ngettext("For %(count)s person it ends.", "For %(count)s people it ends.", found.ended)
        notes.append(_count(found.ended, words))
    if found.held_out:
        words = ngettext(
            "%(count)s message is not sent, to people left alone for comparison.",
            "%(count)s messages are not sent, to people left alone for comparison.",
            found.held_out,
        )
        notes.append(_count(found.held_out, words))
    if found.left_out:
        words = ngettext(
            "%(count)s message does not go out: no address, limits, quiet hours or paid.",
            "%(count)s messages do not go out: no address, limits, quiet hours or paid.",
            found.left_out,
        )
        notes.append(_count(found.left_out, words))
    notes.append(_("Nobody pays, opens or clicks in this look ahead, and nobody new enters."))
    return notes


def look_progress(look: LookAhead) -> Words:
    """Return how far a look is."""
    return _("%(done)s of %(whole)s") % {"done": look.done, "whole": look.whole}


def move_words(move: VersionMove) -> Words:
    """Return what a move has done so far or in all."""
    moved = _count(move.moved, ngettext("%(count)s person moved", "%(count)s people moved", move.moved))
    ended = (
        _count(move.ended, ngettext("ended for %(count)s", "ended for %(count)s", move.ended))
        if move.ended
        else ""
    )
    return ", ".join(part for part in (moved, ended) if part)


def behind_of(seat: Seat, process: Process) -> Behind | None:
    """Return that a move is under way, or that people are on older versions; nothing if neither is so."""
    move = VersionMove.objects.filter(process=process, state__in=["waiting", "running"]).first()
    if move is not None:
        url = place(seat, "process_moving", process.pk, move.pk)
        return Behind(_("People are being moved to the current version."), url, _("See how far it is"))
    counts = people_at_blocks(process, process.current_version_id)
    by_version: Counter[int] = Counter()
    for one in counts.values():
        by_version.update(one)
    people = sum(by_version.values())
    if not people:
        return None
    versions = ", ".join(str(number) for number in sorted(by_version))
    words = ngettext(
        "%(count)s person is still on an older version (%(versions)s).",
        "%(count)s people are still on older versions (%(versions)s).",
        people,
    ) % {"count": humane.number(people, get_language() or "en"), "versions": versions}
    return Behind(words, place(seat, "process_move", process.pk), _("Move them…"))
