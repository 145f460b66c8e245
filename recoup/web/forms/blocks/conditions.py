"""The builder of conditions: a row for each question, and groups of rows within groups, all without a script.

A row or a group is named by its place: `fact0`, `op0_2`, `match1`. What is typed says which of them there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.graph.editing import Raw
from recoup.segments.field import FieldType
from recoup.segments.fields import FIELDS
from recoup.web.forms.blocks.base import GrowingForm, Line, Part
from recoup.web.forms.blocks.condition_rows import (
    MATCHES,
    OFFERED,
    comparison_of,
    initial_of,
    is_shown,
    row_fields,
)
from recoup.web.words import nodes

MOST_ROWS = 60
MOST_PARTS = 20  # of one group
DEEPEST = 4  # groups within the first one
_ADDED = [
    ("all", gettext_lazy("a group: all of these")),
    ("any", gettext_lazy("a group: any of these")),
    ("not_any", gettext_lazy("a group: none of these")),
    ("not_all", gettext_lazy("a group: not all of these")),
]


@dataclass(slots=True)
class Row:
    """One question."""

    path: str
    fact: str


@dataclass(slots=True)
class Group:
    """Questions and groups that belong together. The first one has an empty path."""

    path: str
    match: str = "all"
    parts: list["Group | Row"] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """Yield every row, also those of groups within."""
        for part in self.parts:
            if isinstance(part, Row):
                yield part
            else:
                yield from part.rows()

    def groups(self) -> Iterator["Group"]:
        """Yield this group and those within."""
        yield self
        for part in self.parts:
            if isinstance(part, Group):
                yield from part.groups()

    @property
    def depth(self) -> int:
        """Return how many groups it lies in."""
        return len(self.path.split("_")) if self.path else 0


class ConditionForm(GrowingForm):
    """A form with a condition in it. One that is nested deeper than it can show is kept as it is."""

    needs_condition = True

    def condition_before(self) -> Raw | None:
        """Return the condition that the rows are about."""
        raise NotImplementedError

    def condition_subject(self) -> int:
        """Return what the condition is about."""
        return int(self.around.subject)

    def build(self) -> None:
        """Add what there is for each row and group, and for what was just asked for."""
        super().build()
        condition = self.condition_before()
        self.fresh: dict[str, Any] = {}
        self.comparisons: dict[str, Raw] = {}
        is_readable = _can_be_shown(condition)
        self.kept = None if is_readable else condition
        self.root = Group("")
        if not is_readable:
            return
        self.root = self._typed("") if self.is_bound else self._opened(condition)
        for group in self.root.groups():
            self._add_group(group)
        for row in self.root.rows():
            label = nodes.fact(row.fact)
            self.fields |= row_fields(row.path, row.fact, label, self.around.shop)

    def _add_group(self, group: Group) -> None:
        path = group.path
        label = _("When does it apply?")
        if path:
            number = ".".join(str(int(part) + 1) for part in path.split("_"))
            label = _("Group %(number)s applies") % {"number": number}
            self.fields[f"gone{path}"] = forms.BooleanField(
                label=_("Leave this group out, with all in it"), required=False
            )
        self.fields[f"match{path}"] = forms.ChoiceField(label=label, choices=MATCHES, required=False)
        if not self.is_bound:
            self.initial[f"match{path}"] = group.match
        facts = [
            (name, nodes.fact(name))
            for name, one in FIELDS.items()
            if self.condition_subject() in one.subjects
        ]
        self.fields[_new(path)] = forms.ChoiceField(
            label=_("Ask about something more") if group.parts else _("Ask about"),
            choices=[("", _("Choose…")), *facts],
            required=False,
        )
        if group.depth < DEEPEST:
            self.fields[_new_group(path)] = forms.ChoiceField(
                label=_("or add"), choices=[("", _("no group")), *_ADDED], required=False
            )

    def _opened(self, condition: Raw | None) -> Group:
        """Return the rows of a condition and fill them in."""
        root = _grouped(condition, "") if condition is not None else Group("")

        def fill(group: Group, raws: list[Raw]) -> None:
            for part, raw in zip(group.parts, raws, strict=True):
                if isinstance(part, Row):
                    self.initial.update(initial_of(part.path, raw))
                else:
                    fill(part, _parts(raw)[1])

        if condition is not None:
            fill(root, _parts(condition)[1])
        return root

    def _typed(self, path: str) -> Group:
        """Return what was typed of a group, with what was just asked for."""
        typed = self.typed
        group = Group(path, typed.get(f"match{path}", "") or "all")
        if group.match not in dict(MATCHES):
            group.match = "all"
        numbers = range(2 * MOST_PARTS)
        taken = -1
        for number in numbers:
            place = _place(path, number)
            if f"fact{place}" not in typed and f"match{place}" not in typed:
                continue
            taken = number
            if f"gone{place}" in typed or len(group.parts) >= MOST_PARTS:
                continue
            if f"match{place}" in typed:
                if place.count("_") < DEEPEST:
                    group.parts.append(self._typed(place))
            elif self._is_asked(typed.get(f"fact{place}", "")):
                group.parts.append(Row(place, typed.get(f"fact{place}", "")))
        fact, kind = typed.get(_new(path), ""), typed.get(_new_group(path), "")
        if self._is_asked(fact) and len(group.parts) < MOST_PARTS:
            taken += 1
            place = _place(path, taken)
            group.parts.append(Row(place, fact))
            self.fresh |= {
                f"fact{place}": fact,
                f"op{place}": OFFERED[FIELDS[fact].type][0],
                _new(path): "",
            }
        if kind in dict(MATCHES) and group.depth < DEEPEST and len(group.parts) < MOST_PARTS:
            place = _place(path, taken + 1)
            group.parts.append(Group(place, kind))
            self.fresh |= {f"match{place}": kind, _new_group(path): ""}
        return group

    def _is_asked(self, fact: str) -> bool:
        return fact in FIELDS and self.condition_subject() in FIELDS[fact].subjects

    def is_needed(self, name: str) -> bool:
        """Let values stand without a word about being optional."""
        own = ("match", "new", "group", "op", "fact", "cur", "v", "d", "n")
        return super().is_needed(name) or (
            name not in self.base_fields and any(_is_place(name.removeprefix(one)) for one in own)
        )

    def grown(self) -> dict[str, Any]:
        """Return what the rows that were just asked for begin with."""
        return self.fresh

    def condition_lines(self) -> list[Line]:
        """Return rows and groups as they are shown, each as deep as it lies."""
        return list(self._lines(self.root, len(list(self.root.rows()))))

    def _lines(self, group: Group, rows: int) -> Iterator[Line]:
        path, depth = group.path, f"depth-{group.depth}"
        if path:
            yield self.line(f"match{path}", f"gone{path}", css=f"condition-group {depth}")
        elif group.parts:
            yield self.line("match")
        for part in group.parts:
            if isinstance(part, Row):
                shown = [f"{key}{part.path}" for key in ("fact", "op", "v", "d", "n", "w", "cur", "gone")]
                yield self.line(
                    *(one for one in shown if one in self.fields), css=f"condition-row depth-{group.depth}"
                )
            else:
                yield from self._lines(part, rows)
        if rows < MOST_ROWS and len(group.parts) < MOST_PARTS:
            more = [one for one in (_new(path), _new_group(path)) if one in self.fields]
            yield self.line(*more, css=f"condition-more {depth}")

    def condition_part(self, title: str, help_text: str = "") -> Part:
        """Return the builder."""
        if self.kept is not None:
            return Part(title, [], _("This condition has parts within parts and is kept as it is."))
        return Part(title, self.condition_lines(), help_text, css="condition")

    def clean(self) -> dict[str, Any]:
        """Ask for the value of every row, and let no group stand empty."""
        cleaned = super().clean() or {}
        for row in self.root.rows():
            if not any(f"{key}{row.path}" in self.errors for key in ("op", "v", "d", "n", "w", "cur")):
                found = comparison_of(row.path, FIELDS[row.fact], cleaned)
                if isinstance(found, tuple):
                    self.add_error(*found)
                else:
                    self.comparisons[row.path] = found
        for group in self.root.groups():
            if not group.parts and (group.path or (self.needs_condition and self.kept is None)):
                self.add_error(_new(group.path), _("Choose what to ask about."))
        return cleaned

    def condition_to_raw(self) -> Raw | None:
        """Return the condition; nothing where there is none. One that says the same stays as it was written."""
        if self.kept is not None:
            return self.kept
        if not self.root.parts:
            return None
        found = self._raw_of(self.root)
        before = self.condition_before()
        return before if before is not None and _same(before, found) else found

    def _raw_of(self, group: Group) -> Raw:
        parts = [
            self._raw_of(part) if isinstance(part, Group) else self.comparisons[part.path]
            for part in group.parts
        ]
        match = self.cleaned_data.get(f"match{group.path}") or "all"
        inner = parts[0] if len(parts) == 1 else {match.removeprefix("not_"): parts}
        return {"not": inner} if match.startswith("not_") else inner


def _new(path: str) -> str:
    return f"new{path}" if path else "new_fact"


def _new_group(path: str) -> str:
    return f"group{path}" if path else "new_group"


def _place(path: str, number: int) -> str:
    return f"{path}_{number}" if path else str(number)


def _is_place(text: str) -> bool:
    return bool(text) and all(part.isdecimal() for part in text.split("_"))


def _parts(raw: Raw) -> tuple[str, list[Raw]]:
    """Return how the parts of a condition belong together, and the parts; a comparison is a group of one."""
    for key in ("all", "any"):
        if key in raw:
            return key, raw[key]
    if "not" in raw:
        inner = raw["not"]
        if "all" in inner or "any" in inner:
            match, parts = _parts(inner)
            return f"not_{match}", parts
        return "not_any", [inner]
    return "all", [raw]


def _grouped(raw: Raw, path: str) -> Group:
    match, parts = _parts(raw)
    group = Group(path, match)
    for number, part in enumerate(parts):
        place = _place(path, number)
        group.parts.append(Row(place, part["f"]) if "f" in part else _grouped(part, place))
    return group


def _can_be_shown(raw: Raw | None) -> bool:
    if raw is None:
        return True
    root = _grouped(raw, "")
    rows = list(_comparisons(raw))
    return (
        all(is_shown(one) for one in rows)
        and len(rows) <= MOST_ROWS
        and all(len(group.parts) <= MOST_PARTS and group.depth <= DEEPEST for group in root.groups())
    )


def _comparisons(raw: Raw) -> Iterator[Raw]:
    if "f" in raw:
        yield raw
        return
    for part in _parts(raw)[1]:
        yield from _comparisons(part)


def _same(before: Raw, found: Raw) -> bool:
    """Tell whether two conditions are one, however their groups of one are written."""
    return bool(_plain(before) == _plain(found))


def _plain(raw: Raw) -> Any:
    if "f" in raw:
        known = FIELDS.get(raw["f"])
        value = raw.get("v")
        if known is not None and known.type is FieldType.NUMBER and value is not None:
            value = [str(one) for one in value] if isinstance(value, list) else str(value)
        return (raw["f"], raw["op"], value, raw.get("within"), raw.get("currency"))
    match, parts = _parts(raw)
    plain = [_plain(part) for part in parts]
    if len(plain) == 1:
        return ("not", plain[0]) if match.startswith("not_") else plain[0]
    return (match, plain)
