"""Wait: for some time, until a time of day, or around a date."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.engine.fields import DATE_FIELDS, OFFER_ENDS
from recoup.processes.engine.times import WEEKDAYS, parse_span
from recoup.processes.graph.editing import NEW_END
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.fields import SpanField
from recoup.web.words import blocks as block_words

_DAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)


class WaitForm(BlockForm):
    """A pause."""

    kind = "wait"
    needed = ("span", "at", "date", "ref", "side", "offset")

    mode = forms.ChoiceField(
        label=gettext_lazy("How it waits"),
        choices=[
            ("for", gettext_lazy("for some time")),
            ("at", gettext_lazy("until a time of day")),
            ("date", gettext_lazy("around a date")),
        ],
    )
    span = SpanField(
        label=gettext_lazy("Wait for"),
        required=False,
        help_text=gettext_lazy(
            "48 hours are exactly that; 2 days end at the same time of day, also when the clocks change."
        ),
    )
    least = SpanField(
        label=gettext_lazy("But at least"),
        required=False,
        help_text=gettext_lazy("Leave it empty for the very next such time."),
    )
    at = forms.TimeField(
        label=gettext_lazy("Time of day"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("In the time zone of the customer."),
    )
    days = forms.MultipleChoiceField(
        label=gettext_lazy("Only on these days"),
        choices=list(zip(WEEKDAYS, _DAYS, strict=True)),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen is every day."),
    )
    date = forms.ChoiceField(
        label=gettext_lazy("Date"),
        required=False,
        help_text=gettext_lazy(
            "If there is no such date, or it is past, nobody waits here. If it moves, the wait follows."
        ),
    )
    ref = forms.ChoiceField(
        label=gettext_lazy("Which offer"),
        required=False,
        help_text=gettext_lazy("A step before this one that makes an offer."),
    )
    side = forms.ChoiceField(
        label=gettext_lazy("Before or after"),
        choices=[
            ("on", gettext_lazy("at that moment")),
            ("after", gettext_lazy("after it")),
            ("before", gettext_lazy("before it")),
        ],
        required=False,
    )
    offset = SpanField(label=gettext_lazy("How long before or after"), required=False)
    hour = forms.TimeField(
        label=gettext_lazy("At what time of that day"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy(
            "In the time zone of the customer. Leave it empty for the very time of the date; with a time, count whole days."
        ),
    )
    max_rounds = forms.IntegerField(
        label=gettext_lazy("Rounds at most"),
        min_value=1,
        max_value=20,
        required=False,
        help_text=gettext_lazy(
            "Only for a way that leads back to here: after so many rounds, people leave by a way of its own."
        ),
    )

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        mode = "date" if raw.get("date") else "at" if raw.get("at") else "for"
        at = raw.get("at", "10:00") if mode == "at" else "10:00"
        offset = str(raw.get("offset") or "")
        return {
            "mode": mode,
            "span": raw.get("for", "PT24H") if mode == "for" else "",
            "least": raw.get("for", "") if mode == "at" else "",
            "at": at,
            "days": raw.get("days", []),
            "date": raw.get("date", ""),
            "ref": raw.get("ref", ""),
            "hour": raw.get("at", "") if mode == "date" else "",
            "offset": offset.removeprefix("-"),
            "side": "on" if not offset else "before" if offset.startswith("-") else "after",
            "max_rounds": raw.get("max_rounds"),
        }

    def build(self) -> None:
        """Offer the dates that this process knows."""
        super().build()
        dates = [name for name, one in DATE_FIELDS.items() if self.around.subject in one.subjects]
        field = self.fields["date"]
        assert isinstance(field, forms.ChoiceField)
        nodes, before = self.around.doc["nodes"], self.raw_before.get("ref")
        offers = [(name, title) for name, title in self.around.titles.items() if nodes[name]["t"] == "offer"]
        if before and before not in dict(offers):
            offers.append((before, _("a step that is gone")))
        if not offers:
            dates.remove(OFFER_ENDS)
        field.choices = [(name, block_words.DATES[name]) for name in dates]
        field = self.fields["ref"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose…")), *offers]

    def offers_more(self) -> bool:
        """Offer the way after the last round only where rounds are limited."""
        return "max_rounds" in self.raw_before

    def words_without(self) -> str:
        """Return what stands for a way that is not there yet."""
        return _("an end of its own")

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen way of waiting needs."""
        cleaned = super().clean() or {}
        mode = cleaned.get("mode")
        if mode == "for" and not cleaned.get("span") and "span" not in self.errors:
            self.add_error("span", _("Say how long."))
        if mode == "at" and not cleaned.get("at") and "at" not in self.errors:
            self.add_error("at", _("Say until what time."))
        if mode == "date" and not cleaned.get("date") and "date" not in self.errors:
            self.add_error("date", _("Choose a date."))
        if (
            mode == "date"
            and cleaned.get("side") != "on"
            and not cleaned.get("offset")
            and "offset" not in self.errors
        ):
            self.add_error("offset", _("Say how long."))
        if mode == "date" and cleaned.get("date") == OFFER_ENDS and not cleaned.get("ref"):
            self.add_error("ref", _("Choose the offer."))
        is_to_hour = mode == "date" and cleaned.get("side") != "on" and cleaned.get("hour")
        if is_to_hour and cleaned.get("offset") and parse_span(cleaned["offset"]).exact:
            self.add_error("offset", _("With a time of day, count whole days before or after the date."))
        if mode == "date" and cleaned.get("max_rounds"):
            self.add_error(
                "max_rounds", _("A wait around a date cannot limit rounds: it may not wait at all.")
            )
        return cleaned

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the wait; a span that nobody changed stays as it was written."""
        typed, raw = self.cleaned_data, {}
        match typed["mode"]:
            case "for":
                raw["for"] = self._kept("span", "for")
            case "at":
                raw["at"] = typed["at"].strftime("%H:%M")
                raw |= {"for": self._kept("least", "for")} if typed["least"] else {}
                raw |= {"days": typed["days"]} if typed["days"] else {}
            case "date":
                raw["date"] = typed["date"]
                sign = "-" if typed["side"] == "before" else ""
                raw |= {"offset": sign + typed["offset"]} if typed["side"] != "on" else {}
                raw |= {"at": typed["hour"].strftime("%H:%M")} if typed["hour"] else {}
                raw |= {"ref": typed["ref"]} if typed["date"] == OFFER_ENDS else {}
        return raw | ({"max_rounds": typed["max_rounds"]} if typed["max_rounds"] else {})

    def _kept(self, name: str, key: str) -> str:
        before = self.raw_before.get(key)
        return str(before if before and name not in self.changed_data else self.cleaned_data[name])

    def ways(self) -> dict[str, str | None]:
        """Give the way after the last round to a wait that limits them, and to no other."""
        found = super().ways()
        is_limited = bool(self.cleaned_data["max_rounds"])
        found["over"] = (found.get("over") or NEW_END) if is_limited else None
        return found

    def own_parts(self) -> list[Part]:
        """Return the three ways to wait, of which the chosen one is shown."""
        lines = [
            self.line("mode"),
            self.line("span", css="when-for"),
            self.line("at", "least", css="when-at"),
            self.line("days", css="when-at"),
            self.line("date", css="when-date"),
            self.line("ref", css="when-date when-offer"),
            self.line("side", "offset", css="when-date"),
            self.line("hour", css="when-date"),
        ]
        has_rounds = "max_rounds" in self.raw_before or "max_rounds" in self.errors
        rounds = Part(_("Going round"), [self.line("max_rounds")], is_closed=not has_rounds)
        return [Part("", lines), rounds]
