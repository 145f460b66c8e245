"""The sending rules, as plain values."""

from datetime import date
from typing import Any

from django import forms

from recoup.web import keeping_screens, parts
from tests.web.samples.ground import ago, base

LAW = (
    "Unfair Competition Act (UWG), § 7(2) no. 2 and § 7(3): express prior consent, except for own similar goods to those "
    "who bought, were told that they may refuse, and have not refused. An unpaid order is no sale."
)
WARNING = (
    "By mail, this goes out here without anybody's consent, until the person refuses: Reminder of a cart; Advertising: an "
    "offer, a discount, an invitation to buy. SMS need consent all the same."
)
VERDICTS = [
    ("soft", "Allowed until they refuse"),
    ("consent", "Only with consent"),
    ("no", "Not allowed at all"),
]


class Rule(forms.Form):
    """One rule."""

    order = forms.ChoiceField(
        label="People whose order it is about",
        choices=VERDICTS,
        help_text="Recoup’s own rule: Only with consent",
    )
    begins = forms.DateField(
        label="In force from",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: at once.",
    )
    note = forms.CharField(
        label="Why", required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept."
    )


def settings_rules(**given: str) -> dict[str, Any]:
    """The whole table."""
    cell = keeping_screens.RuleCell
    cells = [
        cell("Only with consent", planned=["From 1 January 2027: Not allowed at all"]),
        cell("Allowed until they refuse", "Only with consent", ago(days=9)),
        cell("–"),
    ]
    rows = [
        keeping_screens.RuleRow(content, cells, LAW, "/r/", date(2022, 5, 28))
        for content in ("About an order that was placed", "Reminder of a cart", "Advertising")
    ]
    names = ("Germany", "Poland", "All other countries, and where the country is not known")
    return base(
        "/s/lumen/settings/rules/",
        **given,
        crumb_links=[parts.Link("Settings", "/s/")],
        countries=[
            *(keeping_screens.RuleCountry(name, rows) for name in names),
            keeping_screens.RuleCountry("United States", rows, WARNING),
        ],
        relations=[
            "People whose order it is about",
            "Customers who bought before and may refuse",
            "Everybody else",
        ],
        checked=date(2026, 11, 28),
        has_ground=False,
        ground_url="/g/",
    )


def settings_rule(**given: str) -> dict[str, Any]:
    """One of them."""
    change = keeping_screens.RuleChange(
        ago(days=9),
        "Anna Nowak",
        "Everybody else",
        "Only with consent",
        "Not allowed at all",
        "Our lawyer, 3 May.",
    )
    planned = keeping_screens.RuleChange(
        ago(days=2),
        "Anna Nowak",
        "People whose order it is about",
        "Only with consent",
        "Recoup’s own rule",
        holds_from=ago(days=-40),
        withdraw_url="/w/",
    )
    return base(
        "/s/lumen/settings/rules/",
        **given,
        heading="Germany: Reminder of a cart",
        lead=LAW,
        crumb_links=[parts.Link("Settings", "/s/"), parts.Link("Sending rules", "/r/")],
        form=Rule(),
        units={},
        cancel_url="/r/",
        changes=[planned, change],
        since=date(2022, 5, 28),
        is_own=True,
        checked=date(2026, 11, 28),
    )
