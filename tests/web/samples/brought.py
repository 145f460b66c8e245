"""What a process brought, and the people whom its numbers count."""

from typing import Any

from django import forms

from recoup.web import parts
from recoup.web.effect_screens import CountedRow, EffectPage, GroupRow, PersonRow, SplitPart
from recoup.web.screens import Action, CountLink
from tests.web.samples.ground import ago, base

CRUMBS = [
    parts.Link("Processes", "/s/lumen/processes/"),
    parts.Link("Unpaid order", "/s/lumen/processes/1/"),
    parts.Link("What it brought", ""),
]
PEOPLE = "/s/lumen/processes/1/result/people/"


class Share(forms.Form):
    """As the real form, without its rules."""

    share = forms.DecimalField(
        label="Left alone",
        min_value=0,
        max_value=50,
        help_text="Chance picks them, and they stay picked. They get nothing from this process.",
    )


def _chart() -> parts.Chart:
    days = [f"{number} Nov" for number in range(1, 21)]
    estimate = [
        4.1,
        7.2,
        6.8,
        5.1,
        5.6,
        6.4,
        6.9,
        6.2,
        5.8,
        6.1,
        6.3,
        5.9,
        6.0,
        6.2,
        6.1,
        6.0,
        5.9,
        6.1,
        6.0,
        6.0,
    ]
    width = [17 / (1 + number / 6) for number in range(20)]
    high = [round(value + wide, 1) for value, wide in zip(estimate, width, strict=True)]
    low = [round(value - wide, 1) for value, wide in zip(estimate, width, strict=True)]
    series = [
        ("At most", high, "neutral"),
        ("Best guess", estimate, "recovered"),
        ("At least", low, "neutral"),
    ]
    return parts.Chart(
        title="How many more of 100 paid",
        labels=days,
        titles=[f"{day} 2026" for day in days],
        series=[
            parts.ChartSeries(name, values, [str(value) for value in values], tone=tone, kind="line")
            for name, values, tone in series
        ],
        summary="Of 100 people it wrote to, 21 paid; of 100 left alone, 15. So it made 2.1 to 9.9 more of 100 pay.",
        period_label="Day",
    )


def _row(label: str, people: str, paid: str, rate: str, money: str, **more: Any) -> GroupRow:
    return GroupRow(label, CountLink(people, PEOPLE), CountLink(paid, PEOPLE), rate, [money], **more)


def _take(way: str, tone: str = "") -> Action:
    fields = [("block", "n1"), ("way", way)]
    return Action(
        "Draft with this way", "pencil", url="/s/lumen/processes/1/take-way/", is_post=True, tone=tone,
        fields=fields,
    )  # fmt: skip


def process_result(**given: str) -> dict[str, Any]:
    """A process with an answer, and two ways beside each other."""
    page = EffectPage(
        sentence=_chart().summary,
        tone="recovered",
        note="The range is right however often you look at it, in 95 of 100 cases. It gets narrower as more come in.",
        groups=[
            _row("It wrote to", "8,991", "1,888", "21", "PLN 31.40",
                 profit=["PLN 11.20"], profit_difference=["PLN 0.90 to PLN 5.10 more"]),
            _row("Left alone", "1,009", "151", "15", "PLN 22.10", profit=["PLN 8.10"]),
        ],
        counted=[
            CountedRow("Credited", CountLink("1,705", "/s/lumen/recovery/?won=1"), ["PLN 262,117.00"],
                       "Paid after a message of this process. Some of them would have paid anyway."),
            CountedRow("Brought", CountLink("189 to 890 more", "#groups"), ["PLN 12,400 to PLN 154,700 more"],
                       "Paid more than as many people who were left alone. This is what it is worth."),
        ],
        facts=[
            ("Came in less than 14 days ago", CountLink("412", PEOPLE)),
            ("Left alone, but a colleague wrote to them", CountLink("3", PEOPLE)),
        ],
        chart=_chart(),
        splits=[
            SplitPart(
                "Short or long subject",
                "Shorter brings more than A. You may take it for everybody.",
                "Since version 2. Everybody is judged 14 days after they came to it.",
                [
                    _row("A", "4,480", "900", "20", "PLN 29.90", difference="compared with this one", action=_take("a")),
                    _row("Shorter", "4,511", "988", "22", "PLN 32.90", difference="0.2 to 3.8 more of 100 than A",
                         detail="206 people not judged yet", action=_take("b", "primary")),
                ],
            ),
            SplitPart(
                "Sizes of the offer against each other",
                "5% brings as much profit as 10%: give 5%.",
                "Since version 2. Everybody is judged 14 days after they came to it.",
                [
                    _row("0%", "6,102", "1,098", "18", "PLN 27.10", difference="compared with this one",
                         profit=["PLN 9.80"], action=_take("0")),
                    _row("5%", "6,088", "1,340", "22", "PLN 30.90", difference="2.1 to 5.9 more of 100 than 0%",
                         profit=["PLN 11.20"], profit_difference=["PLN 0.31 to PLN 2.49 more"],
                         action=_take("5", "primary")),
                    _row("10%", "6,040", "1,363", "23", "PLN 29.80", difference="2.4 to 6.4 more of 100 than 0%",
                         profit=["PLN 10.10"], profit_difference=["PLN 0.80 fewer to PLN 1.40 more"], action=_take("10")),
                ],
                ["For 12 of 3,801 sales in PLN the share that you set stands in for what the goods cost."],
                is_of_sizes=True,
            ),
        ],
    )  # fmt: skip
    return base(
        "/s/lumen/processes/1/result/",
        **given,
        crumb_links=CRUMBS,
        name="Unpaid order",
        lead="People who came in until 14 Nov 2026, so that everybody had 14 days to pay.",
        effect=page,
        currencies=["PLN"],
        stretches=[
            parts.Link("10% since 3 Aug 2026", "/s/lumen/processes/1/result/?stretch=90", is_on=True),
            parts.Link("5% until 3 Aug 2026", "/s/lumen/processes/1/result/?stretch=0"),
        ],
        form=Share(initial={"share": 10}),
        form_url="/s/lumen/processes/1/left-alone/",
        share="10%",
    )


def process_result_unknown(**given: str) -> dict[str, Any]:
    """A process that leaves nobody alone."""
    page = EffectPage(
        sentence="Unknown: nobody is left alone, so nobody can tell who would have paid anyway.",
        tone="neutral",
        note="",
        groups=[
            _row("It wrote to", "840", "176", "21", "PLN 31.40"),
            GroupRow("Left alone", CountLink("0", PEOPLE), CountLink("0", PEOPLE), "–", ["–"]),
        ],
        counted=[
            CountedRow("Credited", CountLink("160", "/s/lumen/recovery/?won=1"), ["PLN 24,117.00"],
                       "Paid after a message of this process. Some of them would have paid anyway."),
            CountedRow("Brought", CountLink("unknown", "#groups"), ["unknown in PLN"], "Nobody is left alone."),
        ],
        facts=[],
        chart=None,
    )  # fmt: skip
    return {**process_result(**given), "effect": page, "stretches": [], "form": None}


def process_people(**given: str) -> dict[str, Any]:
    """The people of a number."""
    rows = [
        PersonRow("Anna Nowak", "/s/lumen/customers/1/", "Order 1042", "/s/lumen/orders/1/", ago(days=20), False,
                  ago(days=19)),
        PersonRow("Jan Kowalski", "/s/lumen/customers/2/", "Order 1041", "/s/lumen/orders/2/", ago(days=21), True, None),
    ]  # fmt: skip
    return base(
        PEOPLE,
        **given,
        crumb_links=[
            *CRUMBS[:2],
            parts.Link("What it brought", "/s/lumen/processes/1/result/"),
            parts.Link("People", ""),
        ],
        filters=parts.Filters([], [parts.FilterMenu("Shown", [], "Written to", "")]),
        rows=rows,
        pager=parts.Pager("2 people"),
    )


def left_alone(**given: str) -> dict[str, Any]:
    """The share of the whole shop."""
    return {
        **process_result(**given),
        "crumb_links": [parts.Link("Settings", "/s/lumen/settings/")],
        "has_result": True,
        "stretches": [],
    }
