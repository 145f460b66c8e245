"""The form that asks on which past a process is tried."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.analytics.periods import Period, last_days, period_of_days
from recoup.processes.backtest.runs import LONGEST

OWN = "own"
DRAFT, VERSION = "draft", "version"


class BacktestForm(forms.Form):
    """What is tried, where there is a choice, and a period: the last days, or days of one's own."""

    what = forms.ChoiceField(label=_("What is tried"))
    period = forms.ChoiceField(
        label=_("Orders of"),
        choices=[
            ("7", _("the last 7 days")),
            ("30", _("the last 30 days")),
            ("90", _("the last 90 days")),
            (OWN, _("days of your own")),
        ],
        initial="30",
    )
    first = forms.DateField(
        label=_("First day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    last = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Both days are only read for days of your own."),
    )

    def __init__(
        self, *args: Any, now: datetime, zone: ZoneInfo, choices: Mapping[str, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._now, self._zone, self._choices = now, zone, choices
        what = self.fields["what"]
        assert isinstance(what, forms.ChoiceField)
        what.choices = list(choices.items())
        if len(choices) < 2:
            del self.fields["what"]

    def clean(self) -> dict[str, Any]:
        """Refuse days that say no period."""
        told = super().clean() or {}
        if told.get("period") != OWN or self.errors:
            return told
        first, last = told.get("first"), told.get("last")
        today = self._now.astimezone(self._zone).date()
        for name, value in (("first", first), ("last", last)):
            if value is None:
                self.add_error(name, _("Say which day."))
        if first is None or last is None:
            return told
        if first > today:
            self.add_error("first", _("This day has not come yet."))
        elif first > last:
            self.add_error("last", _("The last day lies before the first one."))
        elif last - first >= LONGEST - timedelta(days=1):
            self.add_error("first", _("At most a year can be tried at once."))
        return told

    def is_of_draft(self) -> bool:
        """Tell whether the draft is to be tried."""
        return str(self.cleaned_data.get("what") or next(iter(self._choices), VERSION)) == DRAFT

    def told(self) -> Period:
        """Return the period that was asked for."""
        if self.cleaned_data["period"] != OWN:
            return last_days(int(self.cleaned_data["period"]), now=self._now, zone=self._zone)
        first: date = self.cleaned_data["first"]
        return period_of_days(first, self.cleaned_data["last"], self._zone)
