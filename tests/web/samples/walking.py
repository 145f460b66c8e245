"""A draft tried on one real customer."""

from typing import Any

from django import forms

from recoup.web import parts
from recoup.web.life_screens import WalkStop, WalkText
from tests.web.samples.ground import ago, base


class Walking(forms.Form):
    """As the real form, without its rules."""

    what = forms.ChoiceField(
        label="What if the person", choices=[("nothing", "does nothing"), ("pays", "pays or orders")]
    )
    hours = forms.IntegerField(label="Pays after", initial=5, required=False)


def walk(**given: str) -> dict[str, Any]:
    """Somebody who does nothing."""
    stops = [
        WalkStop(
            ago(days=-1),
            "2. First reminder",
            "“First reminder” is sent",
            "mail-check",
            "#",
            "E-mail: There is no address for this channel · SMS · About an order that was placed · 2 parts, PLN 0.20",
        ),
        WalkStop(ago(days=-3), "3. Opened within 2 days?", "No", "git-branch"),
        WalkStop(ago(days=-3), "4. Last reminder", "“Last reminder” is sent", "mail-check", "#"),
        WalkStop(ago(days=-3), "5. End", "Finished", "flag"),
    ]
    return base(
        "/s/lumen/processes/1/walk/",
        **given,
        crumb_links=[parts.Link("Processes", "/s/lumen/processes/"), parts.Link("Try on a customer", "")],
        query="",
        hits=[],
        who="1042 · Anna Kowalska",
        subject_id=1042,
        form=Walking(),
        has_entered=True,
        is_known=True,
        stops=stops,
        texts=[
            WalkText("First reminder", "#", "#", "anna@lumen.example"),
            WalkText("Unpaid order, second short reminder", "#", "#", "+48 601 234 567"),
            WalkText("Last reminder", "#", "#", "anna@lumen.example"),
        ],
        edit_url="/s/lumen/processes/1/edit/",
    )
