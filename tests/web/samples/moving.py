"""Those inside a process while it gets a new version."""

from typing import Any

from django import forms

from recoup.web import parts
from recoup.web.life_screens import AheadPanel
from tests.web.samples.ground import base

CRUMBS = [parts.Link("Processes", "/s/lumen/processes/"), parts.Link("Move people", "")]
CHOICES = [("same", "to the same step"), ("stay", "stay on their version"), ("exit", "end here")]


class Moving(forms.Form):
    """As the real form, without its rules."""

    due = forms.ChoiceField(
        label="Waits that have begun",
        choices=[("keep", "end when they were going to end"), ("recompute", "are worked out again")],
        widget=forms.RadioSelect,
        initial="keep",
    )
    also_n9 = forms.BooleanField(
        label="also for those who passed: 2. SMS the day after",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "checkbox checkbox-sm"}),
    )
    at_n1 = forms.ChoiceField(
        label="1. Wait 24 hours", choices=CHOICES, widget=forms.Select(attrs={"class": "select"})
    )
    at_n2 = forms.ChoiceField(
        label="2. First reminder", choices=CHOICES, widget=forms.Select(attrs={"class": "select"})
    )


def move(**given: str) -> dict[str, Any]:
    """Before people are moved."""
    form = Moving()
    ahead = AheadPanel(
        "42 messages in the next hour",
        "120 messages in 24 hours",
        "If everybody stayed on their version: 30 in the next hour, 95 in 24 hours.",
        [("First reminder", "40", "110"), ("Last reminder", "2", "10")],
        ["311 people are moved.", "Nobody pays, opens or clicks in this look ahead, and nobody new enters."],
    )
    rows = [(form["at_n1"], "300 people, version 2, 3"), (form["at_n2"], "11 people, version 3")]
    return base(
        "/s/lumen/processes/1/move/",
        **given,
        crumb_links=CRUMBS,
        form=form,
        rows=rows,
        also=[
            (form["also_n9"], "11 people have passed its place: Anna Nowak, Ben Okafor, Chiara Conti, 8 more")
        ],
        people=311,
        is_movable=True,
        number=4,
        back_url="/s/lumen/processes/1/",
        refused="",
        ahead=ahead,
    )


def moving(**given: str) -> dict[str, Any]:
    """While people are moved."""
    return base(
        "/s/lumen/processes/1/moves/1/",
        **given,
        crumb_links=CRUMBS,
        state="running",
        number=4,
        words="120,000 people moved",
        progress_value=120000,
        progress_whole=250000,
        is_open=True,
        cancel_url="/s/lumen/processes/1/moves/1/cancel/",
        back_url="/s/lumen/processes/1/",
    )
