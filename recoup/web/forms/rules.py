"""What is in force in one country for one kind of content."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from recoup.messaging.models import Message
from recoup.messaging.rules.book import Rule
from recoup.messaging.rules.kinds import Relation
from recoup.web.words.texts import VERDICTS


class RuleForm(forms.Form):
    """One choice for each relation, and why."""

    note = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=500,
        help_text=_("Kept with the change: the law, a decision, who advised you."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, rules: Mapping[str, Rule], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for relation, rule in rules.items():
            self.fields[relation] = forms.ChoiceField(
                label=Relation(relation).label,
                choices=[(value, VERDICTS[value]) for value in Message.MessageClass.values],
                initial=rule.verdict,
                help_text=format_lazy(_("Recoup’s own rule: {rule}"), rule=VERDICTS[rule.shipped]),
            )
        self.order_fields([*rules, "note"])
