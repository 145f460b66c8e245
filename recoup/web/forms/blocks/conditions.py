"""The builder of conditions: a row for each question, and groups of rows within groups, all without a script.

A row or a group is named by its place: `fact0`, `op0_2`, `match1`. What is typed says which of them there are.
"""

from collections.abc import Iterator, MutableMapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.graph.editing import Raw
from recoup.processes.segments_used import fitting_segments
from recoup.segments.field import zone_named
from recoup.segments.fields import FIELDS
from recoup.segments.models import Segment
from recoup.web.forms.blocks.base import GrowingForm, Line, Part
from recoup.web.forms.blocks.condition_groups import (
    DEEPEST,
    MOST_PARTS,
    MOST_ROWS,
    Group,
    Row,
    can_be_shown,
    grouped,
    parts_of,
    place_in,
    same,
)
from recoup.web.forms.blocks.condition_rows import (
    MATCHES,
    OFFERED,
    comparison_of,
    initial_of,
    row_fields,
)
from recoup.web.words import nodes

_ADDED = [
    ("all", gettext_lazy("a group: all of these")),
    ("any", gettext_lazy("a group: any of these")),
    ("not_any", gettext_lazy("a group: none of these")),
    ("not_all", gettext_lazy("a group: not all of these")),
]


class ConditionForm(GrowingForm):
    """A form with a condition in it. One that is nested deeper than it can show is kept as it is."""

    needs_condition = True
    takes_segments = True

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
        self._offer_segments()
        is_readable = can_be_shown(condition) or bool(self.taken or self.typed.get("taken"))
        self.kept = None if is_readable else condition
        self.root = Group("")
        if not is_readable:
            return
        if self.taken is not None:
            self.root = self._opened(self.taken.condition, self.fresh)
            self.fresh |= {f"match{group.path}": group.match for group in self.root.groups()}
            self.fresh |= {"segment": "", "taken": str(self.taken.pk)}
        else:
            self.root = self._typed("") if self.is_bound else self._opened(condition, self.initial)
        for group in self.root.groups():
            self._add_group(group)
        for row in self.root.rows():
            label = nodes.fact(row.fact)
            self.fields |= row_fields(row.path, row.fact, label, self.around.shop)

    def _offer_segments(self) -> None:
        """Offer the saved segments that fit; `taken` is one whose content takes the place of what is there."""
        self.segments: dict[str, Segment] = {}
        self.taken: Segment | None = None
        if not self.takes_segments:
            return
        fitting = fitting_segments(self.around.shop, SubjectKind(self.condition_subject()))
        self.segments = {str(one.pk): one for one in fitting if can_be_shown(one.condition)}
        if self.segments:
            names = [(key, one.name) for key, one in self.segments.items()]
            self.fields["segment"] = forms.ChoiceField(
                label=_("Take the conditions of a saved segment"),
                choices=[("", _("Choose…")), *names],
                required=False,
                help_text=_("They take the place of what is asked here, as they are now."),
            )
            self.fields["segment"].takes = True  # type: ignore[attr-defined]  # a button beside it
        named = self.raw_before.get("segment")
        self.fields["taken"] = forms.CharField(widget=forms.HiddenInput, required=False)
        self.initial["taken"] = str(named["id"]) if named else ""
        if self.is_again:
            self.taken = self.segments.get(self.typed.get("segment", ""))

    def _segment_line(self) -> list[Line]:
        names = [name for name in ("segment", "taken") if name in self.fields]
        return [self.line(*names, css="condition-more depth-0")] if names else []

    def _segment_notes(self) -> list[str]:
        """Say from which segment the condition is, and whether that has another one now."""
        if self.taken is not None:
            return [nodes.as_segment(named_segment(self.taken))]
        named, condition = self.raw_before.get("segment"), self.condition_before()
        if not named or not self.takes_segments:
            return []
        now = self.segments.get(str(named["id"]))
        is_old = now is not None and condition is not None and not same(now.condition, condition)
        changed = [_("It has been changed since. Take it again to have it as it is now.")] if is_old else []
        return [nodes.as_segment(named), *changed]

    def segment_to_raw(self, condition: Raw | None) -> Raw:
        """Return from which segment the condition is, as long as it says the same as that."""
        named, before = self.raw_before.get("segment"), self.condition_before()
        key = self.typed.get("taken", str(named["id"]) if named else "")
        if condition is None:
            return {}
        if named and key == str(named["id"]) and before is not None and same(before, condition):
            return {"segment": named}
        one = self.segments.get(key)
        if one is None or not same(one.condition, condition):
            return {}
        return {"segment": named_segment(one)}

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

    def _opened(self, condition: Raw | None, filled: MutableMapping[str, Any]) -> Group:
        """Return the rows of a condition and fill them in."""
        root = grouped(condition, "") if condition is not None else Group("")

        def fill(group: Group, raws: list[Raw]) -> None:
            for part, raw in zip(group.parts, raws, strict=True):
                if isinstance(part, Row):
                    filled.update(initial_of(part.path, raw))
                else:
                    fill(part, parts_of(raw)[1])

        if condition is not None:
            fill(root, parts_of(condition)[1])
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
            place = place_in(path, number)
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
            place = place_in(path, taken)
            group.parts.append(Row(place, fact))
            self.fresh |= {
                f"fact{place}": fact,
                f"op{place}": OFFERED[FIELDS[fact].type][0],
                _new(path): "",
            }
        if kind in dict(MATCHES) and group.depth < DEEPEST and len(group.parts) < MOST_PARTS:
            place = place_in(path, taken + 1)
            group.parts.append(Group(place, kind))
            self.fresh |= {f"match{place}": kind, _new_group(path): ""}
        return group

    def _is_asked(self, fact: str) -> bool:
        return fact in FIELDS and self.condition_subject() in FIELDS[fact].subjects

    def is_needed(self, name: str) -> bool:
        """Let values stand without a word about being optional."""
        own = ("match", "new", "group", "op", "fact", "cur", "v", "d", "n")
        return (
            name in {"segment", "match", "new_fact", "new_group"}
            or super().is_needed(name)
            or (name not in self.base_fields and any(_is_place(name.removeprefix(one)) for one in own))
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
            kept = _("This condition has parts within parts and is kept as it is.")
            return Part(title, self._segment_line(), kept, notes=self._segment_notes())
        lines = [*self._segment_line(), *self.condition_lines()]
        return Part(title, lines, help_text, css="condition", notes=self._segment_notes())

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
        return before if before is not None and same(before, found) else found

    def _raw_of(self, group: Group) -> Raw:
        parts = [
            self._raw_of(part) if isinstance(part, Group) else self.comparisons[part.path]
            for part in group.parts
        ]
        match = self.cleaned_data.get(f"match{group.path}") or "all"
        inner = parts[0] if len(parts) == 1 else {match.removeprefix("not_"): parts}
        return {"not": inner} if match.startswith("not_") else inner


def named_segment(segment: Segment) -> Raw:
    """Return how a document names a segment: its content is that of the day on which it was last changed."""
    day = segment.changed_at.astimezone(zone_named(segment.shop.time_zone)).date()
    return {"id": segment.pk, "name": segment.name, "of": day.isoformat()}


def _new(path: str) -> str:
    return f"new{path}" if path else "new_fact"


def _new_group(path: str) -> str:
    return f"group{path}" if path else "new_group"


def _is_place(text: str) -> bool:
    return bool(text) and all(part.isdecimal() for part in text.split("_"))
