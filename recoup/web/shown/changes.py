"""What differs between two states of a process, or between what two people typed, in words."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext as _

from recoup.processes.graph.comparing import Changes
from recoup.web.forms.blocks.base import GrowingForm
from recoup.web.forms.blocks.fields import UNITS, SpanWidget
from recoup.web.forms.decimals import DecimalField
from recoup.web.shown.editor import Shape


def change_words(changes: Changes, before: Shape | None, after: Shape) -> list[str]:
    """Return a sentence for each thing that differs."""
    new, old = after.named(), before.named() if before is not None else {}
    added = sorted(_steps(changes.added, after), key=lambda name: after.numbers[name])
    lines = [_("Put in: %(step)s") % {"step": _full(new, after, name)} for name in added]
    if before is not None:
        lines += [
            _("Taken out: %(step)s") % {"step": _full(old, before, name)}
            for name in _steps(changes.removed, before)
        ]
        for name in changes.changed:
            steps = {"step": _full(new, after, name), "before": _text(before, name)}
            is_told = _text(before, name) != _text(after, name)
            lines.append(
                (_("Changed: %(step)s. Before: %(before)s") if is_told else _("Changed: %(step)s")) % steps
            )
    lines += [_("Leads elsewhere: %(step)s") % {"step": new[name]} for name in changes.rewired]
    lines += [_("Another note: %(step)s") % {"step": new[name]} for name in changes.noted]
    if changes.has_other_entry:
        lines.append(_("Who enters, or how often"))
    if changes.has_other_goals:
        lines.append(_("What ends it"))
    if changes.has_other_examples:
        lines.append(_("The examples"))
    if changes.has_other_name:
        lines.append(_("The name: %(name)s") % {"name": after.doc["name"]})
    return lines


def _text(shape: Shape, name: str) -> str:
    return _with_detail(shape.titles[name], shape, name)


def _full(named: dict[str, str], shape: Shape, name: str) -> str:
    return _with_detail(named[name], shape, name)


def _with_detail(title: str, shape: Shape, name: str) -> str:
    return f"{title} ({shape.details[name]})" if shape.details[name] else title


def _steps(names: Iterable[str], shape: Shape) -> list[str]:
    """Leave out the ends, which come and go with their ways."""
    return [name for name in names if shape.doc["nodes"][name]["t"] != "end"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which what is there now differs from what was typed."""

    label: str
    now: str
    typed: str


def differences(now: GrowingForm | None, typed: GrowingForm) -> list[Difference]:
    """Compare two forms field by field; without the first, tell what was typed."""
    found = []
    for name, one in typed.fields.items():
        if isinstance(one.widget, forms.HiddenInput) or name in {"match", "new_fact"}:
            continue
        theirs = _shown(now[name]) if now is not None and name in now.fields else ""
        yours = _shown(typed[name])
        if theirs != yours:
            found.append(Difference(str(one.label), theirs or "—", yours or "—"))
    return found


def _shown(bound: forms.BoundField) -> str:
    value, widget = bound.value(), bound.field.widget
    if isinstance(widget, SpanWidget):
        number, unit = value if isinstance(value, list) else widget.decompress(value)
        return f"{number} {dict(UNITS).get(unit, unit)}" if number else ""
    if isinstance(widget, forms.CheckboxInput):
        return _("yes") if value else _("no")
    if isinstance(bound.field, DecimalField):
        with suppress(forms.ValidationError):  # the same number is no difference, however it was typed
            value = bound.field.prepare_value(bound.field.to_python(value))
    choices = {str(key): str(label) for key, label in getattr(bound.field, "choices", [])}
    if value in (None, "") and isinstance(widget, forms.Select):
        return next(iter(choices.values()), "")  # what a browser chooses by itself
    values = value if isinstance(value, list | tuple) else [] if value in (None, "") else [value]
    return ", ".join(choices.get(str(one), str(one)) for one in values)
