"""What is in force in one country for one kind of content."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from recoup.messaging.models import Message
from recoup.messaging.rules.book import Rule
from recoup.messaging.rules.kinds import Relation
from recoup.web.words.texts import VERDICTS


class RuleForm(forms.Form):
    """One choice for each relation, and why."""

    begins = forms.DateField(
        label=_("In force from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: at once. A day to come: what is above holds until then."),
    )
    note = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=500,
        help_text=_("Kept with the change: the law, a decision, who advised you."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self, *args: Any, rules: Mapping[str, Rule], zone: ZoneInfo, today: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._zone, self._today, self._relations = zone, today, tuple(rules)
        for relation, rule in rules.items():
            self.fields[relation] = forms.ChoiceField(
                label=Relation(relation).label,
                choices=[
                    ("", format_lazy(_("No change (now: {rule})"), rule=VERDICTS[rule.verdict])),
                    *((value, VERDICTS[value]) for value in Message.MessageClass.values),
                ],
                required=False,
                help_text=format_lazy(_("Recoup’s own rule: {rule}"), rule=VERDICTS[rule.shipped]),
            )
        self.order_fields([*rules, "begins", "note"])

    def clean_begins(self) -> datetime | None:
        """Return when the changes begin to hold; nothing if at once."""
        day: date | None = self.cleaned_data["begins"]
        if day is None or day == self._today:
            return None
        if day < self._today:
            raise forms.ValidationError(
                _("A rule cannot begin in the past: what was sent then went by another one.")
            )
        return datetime.combine(day, time(), self._zone)

    def changed_rules(self) -> dict[str, str]:
        """Return what was chosen, by relation. Whether it differs from what will be in force then, the book knows.

        Nothing says "as it stood when the page was opened": a planned rule may have begun since, or is to be ended.
        """
        chosen = {relation: self.cleaned_data[relation] for relation in self._relations}
        return {relation: verdict for relation, verdict in chosen.items() if verdict}
