"""The form that says what somebody is taken to do while they are walked through a process."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.processes.walking import WhatIf


class WalkForm(forms.Form):
    """What if they pay, open, click, or do nothing."""

    what = forms.ChoiceField(
        label=_("What if the person"),
        choices=[
            ("nothing", _("does nothing")),
            ("pays", _("pays or orders")),
            ("opens", _("opens the first mail")),
            ("clicks", _("follows the link of the first mail")),
        ],
        initial="nothing",
    )
    hours = forms.IntegerField(label=_("Pays after"), min_value=0, max_value=9_999, initial=5, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        setattr(self.fields["hours"], "is_needed", True)  # noqa: B010 - an attribute that only screens know

    def told(self) -> WhatIf:
        """Return what was chosen; what cannot be read is nothing."""
        if not self.is_valid():
            return WhatIf()
        what = self.cleaned_data["what"]
        hours = self.cleaned_data.get("hours") or 0
        return WhatIf(
            pays_after=timedelta(hours=hours) if what == "pays" else None,
            opens=what in ("opens", "clicks"),
            clicks=what == "clicks",
        )
