"""Task: something for somebody of the staff to do."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.accounts.roles import Role
from recoup.desk.models import Task
from recoup.desk.titles import WORDS, unknown_words
from recoup.processes.engine.nodes.task import PRIORITIES, ROLES
from recoup.processes.graph.replacing import NOT_CHOSEN
from recoup.shops.models import Membership
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.fields import SpanField
from recoup.web.parts import Words

_EVERYBODY = "everybody"


class TaskForm(BlockForm):
    """A task."""

    kind = "task"
    needed = ("within",)
    help = gettext_lazy(
        "The task stands under Tasks, on the order and on the customer. "
        "A payment calls off what was to be done about the order."
    )

    title = forms.CharField(
        label=gettext_lazy("What is to be done"),
        max_length=120,
        error_messages={"required": gettext_lazy("Say what is to be done.")},
    )
    note = forms.CharField(
        label=gettext_lazy("Note for whoever does it"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    who = forms.ChoiceField(label=gettext_lazy("Who does it"))
    priority = forms.ChoiceField(
        label=gettext_lazy("How urgent it is"),
        choices=[(name, Task.Priority(number).label) for name, number in PRIORITIES.items()],
    )
    due = SpanField(label=gettext_lazy("To be done within"))
    waits = forms.BooleanField(
        label=gettext_lazy("Wait until it is done"),
        required=False,
        help_text=gettext_lazy("Else the process goes on at once."),
    )
    within = SpanField(label=gettext_lazy("But not longer than"), required=False)

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        person, role = raw.get("person"), raw.get("role")
        return {
            "title": raw.get("title", ""),
            "note": raw.get("note", ""),
            "who": f"person:{person}" if person is not None else f"role:{role}" if role else _EVERYBODY,
            "priority": raw.get("priority", "normal"),
            "due": raw.get("due", "P1D"),
            "waits": raw.get("within") is not None,
            "within": raw.get("within", ""),
        }

    def build(self) -> None:
        """Offer the colleagues and the roles, and say what the title may name."""
        super().build()
        words = ", ".join(f"{{{word}}}" for word in WORDS)
        self.fields["title"].help_text = _("These are filled in: %(words)s.") % {"words": words}
        people = (
            Membership.objects.filter(shop=self.around.shop).select_related("user").order_by("user__name")
        )
        choices: list[tuple[str, Words]] = [(_EVERYBODY, _("whoever has time"))]
        choices += [(f"role:{role}", Role(role).label) for role in ROLES]
        choices += [(f"person:{one.user_id}", str(one.user)) for one in people]
        before = self.initial["who"]
        if before not in dict(choices):
            gone = _("somebody who does not work here any more")
            choices.append((before, _("Choose…") if self.raw_before.get("person") == NOT_CHOSEN else gone))
        field = self.fields["who"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def words_without(self) -> str:
        """Return what happens without a way for what is not done in time."""
        return _("the process does not wait")

    def offers_more(self) -> bool:
        """Leave the way of what is not done in time to the tick."""
        return self.raw_before.get("within") is not None

    def clean(self) -> dict[str, Any]:
        """Ask for the time of waiting, and refuse words that mean nothing."""
        cleaned = super().clean() or {}
        if cleaned.get("waits") and not cleaned.get("within"):
            self.add_error("within", _("Say how long it is waited for."))
        unknown = unknown_words(cleaned.get("title") or "")
        if unknown:
            self.add_error("title", _("{%(word)s} means nothing here.") % {"word": unknown[0]})
        return cleaned

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the task."""
        typed, before = self.cleaned_data, self.raw_before
        raw: dict[str, Any] = {"title": typed["title"].strip(), "priority": typed["priority"]}
        if typed["note"].strip():
            raw["note"] = typed["note"].strip()
        kind, _colon, value = typed["who"].partition(":")
        if kind != _EVERYBODY:
            raw[kind] = int(value) if kind == "person" else value
        for name in ("due", "within"):
            kept = before.get(name)
            span = kept if kept and name not in self.changed_data else typed[name]
            if span and (name == "due" or typed["waits"]):
                raw[name] = span
        return raw

    def ways(self) -> dict[str, str | None]:
        """Let the way of what is not done in time come and go with the tick."""
        found = super().ways()
        if not self.cleaned_data["waits"]:
            return {**found, "timeout": None}
        return {"timeout": "", **{port: target for port, target in found.items() if target is not None}}

    def own_parts(self) -> list[Part]:
        """Return what, who, when, and whether it is waited for."""
        return [
            Part("", [self.line("title"), self.line("note"), self.line("who"), self.line("priority", "due")]),
            Part(_("And then"), [self.line("waits"), self.line("within", css="when-waits")]),
        ]
