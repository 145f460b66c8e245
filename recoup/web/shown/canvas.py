"""The draft of a process as its canvas draws it: blocks and ways in words, with where each is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel

from recoup.core.clock import trade_now
from recoup.processes import drafts
from recoup.processes.drafts import DraftState
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.graph.editing import Way, ports_of
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.picture import ICONS
from recoup.web.shown.editor import Outline, Shape, Step, outline_of, place_of, shape_of, way_label
from recoup.web.shown.people import clerk_names
from recoup.web.words import blocks as block_words
from recoup.web.words import steps
from recoup.web.words.canvas import family_words

Json = dict[str, Any]


def family_of(kind: str) -> str:
    """Return what a kind of block is like, for its colour and its place in the menu: it asks, waits, does or ends."""
    ports = KINDS[kind].document.model_fields.get("out")
    if ports is None:
        return "end"
    model = ports.annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return "end" if model is None else "ask"  # ways of the merchant's own, as a split has
    needed = sum(port.is_required() for port in model.model_fields.values())
    if not model.model_fields:
        return "end"
    return "ask" if needed > 1 else "wait" if KINDS[kind].waits else "do"


def kinds_of(seat: Seat, process: Process) -> list[Json]:
    """Return the menu: families in their order, each with its kinds."""
    groups: dict[str, list[Json]] = {family: [] for family in family_words()}
    for kind, (name, text) in block_words.KINDS.items():
        url = place(seat, "process_edit_new", process.pk, kind)
        shown = {"kind": kind, "name": str(name), "help": str(text), "icon": ICONS[kind], "url": url}
        groups[family_of(kind)].append(shown)
    return [
        {"family": family, "name": str(family_words()[family]), "kinds": kinds}
        for family, kinds in groups.items()
        if kinds
    ]


def urls_of(seat: Seat, process: Process) -> dict[str, str]:
    """Return where the canvas sends what was done."""
    return {
        name: place(seat, f"process_edit_{name}", process.pk)
        for name in ("remove", "copy", "move", "lead", "step")
    }


def canvas_of(seat: Seat, process: Process, state: DraftState) -> Json:
    """Return the draft: everything that an edit may change."""
    shape = shape_of(seat.shop, state.doc)
    problems = drafts.problems_of(process, state.doc)
    outline = outline_of(seat, process, shape, problems)
    places = [place_of(one) for one in problems]
    listed = [{"at": at, "text": str(one.label)} for at, one in zip(places, outline.summary, strict=True)]
    return {
        "lock": str(state.lock),
        "canUndo": state.can_undo,
        "canRedo": state.can_redo,
        "isStored": state.is_stored,
        "lead": _lead(state),
        "name": steps.process_name(process) if state.doc["name"] == process.name else state.doc["name"],
        "blocks": _Drawer(seat, process, shape, outline).blocks(),
        "problems": listed,
        "problemsTitle": ngettext(
            "One thing keeps it from being published",
            "%(n)s things keep it from being published",
            len(listed),
        )
        % {"n": len(listed)},
    }


def _lead(state: DraftState) -> str:
    if not state.is_stored:
        return _(
            "The published version. Your first change begins a draft; nothing of it happens before you publish it."
        )
    who = clerk_names([state.changed_by]).get(state.changed_by or 0, "") or (
        _("Somebody") if state.changed_by else _("Recoup")
    )
    saved = _("Draft, saved at every step. Nothing of it happens before you publish it.")
    changed = _("Last changed by %(who)s") % {"who": who}
    when = f" {steps.upcoming(state.changed_at, trade_now())}" if state.changed_at else ""
    return f"{saved} {changed}{when}."


@dataclass(slots=True)
class _Drawer:
    seat: Seat
    process: Process
    shape: Shape
    outline: Outline
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def blocks(self) -> list[Json]:
        doc, found = self.shape.doc, []
        way_in = self._way(Way(), "", doc["entry"]["first"])
        found.append(self._whole(self.outline.entry, "start", [way_in]))
        found.append(self._whole(self.outline.goals, "goals", []))
        problems = dict(_problems_in(self.outline.steps))
        found += [self._block(name, problems.get(name, [])) for name in self.shape.numbers]
        return found

    def _whole(self, step: Step, family: str, ways: list[Json]) -> Json:
        name = {"entry": _("Who enters"), "goals": _("What ends it")}[step.name]
        return {
            "id": step.name,
            "family": family,
            "icon": step.icon,
            "title": step.title,
            "detail": step.detail,
            "number": 0,
            "note": "",
            "problems": step.problems,
            "url": step.url,
            "ways": ways,
            "canRemove": False,
            "canCopy": False,
            "name": _joined(f"{name}: {step.title}", step.detail, "", step.problems),
        }

    def _block(self, name: str, problems: list[str]) -> Json:
        shape, node = self.shape, self.shape.doc["nodes"][name]
        title, ports = shape.titles[name], ports_of(node)
        note = str(node.get("note", ""))
        return {
            "id": name,
            "family": family_of(node["t"]),
            "icon": ICONS[node["t"]],
            "title": title,
            "detail": shape.details[name],
            "number": shape.numbers[name],
            "note": note,
            "problems": problems,
            "url": place(self.seat, "process_edit_block", self.process.pk, name),
            "ways": [self._way(Way(name, port), self._label(name, port), to) for port, to in ports.items()],
            "canRemove": node["t"] != "end",
            "canCopy": bool(ports),
            "name": _joined(f"{shape.numbers[name]}. {title}", shape.details[name], note, problems),
        }

    def _label(self, name: str, port: str) -> str:
        """Return the word on a way; the only way of a block needs none."""
        doc = self.shape.doc
        return way_label(doc, Way(name, port)) if len(ports_of(doc["nodes"][name])) > 1 else ""

    def _way(self, way: Way, label: str, to: str) -> Json:
        named = self.shape.named()
        source, target = named.get(way.block) or _("Who enters"), named[to]
        words = {"way": label, "source": source, "target": target}
        said = (
            _("Way “%(way)s” from %(source)s to %(target)s") % words
            if label
            else _("Way from %(source)s to %(target)s") % words
        )
        return {"at": f"{way.block}.{way.port}", "port": way.port, "label": label, "to": to, "name": said}


def _problems_in(found: Sequence[Step]) -> list[tuple[str, list[str]]]:
    pairs = []
    for step in found:
        pairs.append((step.name, step.problems))
        for branch in step.branches:
            pairs += _problems_in(branch.steps)
    return pairs


def _joined(title: str, detail: str, note: str, problems: Sequence[str]) -> str:
    """Return what a screen reader says about a block."""
    parts = [title, detail]
    if note:
        parts.append(_("Note: %(note)s") % {"note": note})
    parts += [_("To put right: %(problem)s") % {"problem": one} for one in problems]
    return ". ".join(part.rstrip(".") for part in parts if part)
