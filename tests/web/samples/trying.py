"""A process that is tried on past orders."""

from datetime import date, timedelta
from typing import Any

from django import forms

from recoup.web import parts
from recoup.web.backtest_screens import (
    BlockRow,
    ChannelRow,
    LeftOutLine,
    LeftOutLink,
    ResultPage,
    RunRow,
    SampleRow,
    UnknownRow,
)
from tests.web.samples.ground import ago, base

CRUMBS = [parts.Link("Processes", "/s/lumen/processes/"), parts.Link("Tried on past orders", "")]


class Period(forms.Form):
    """As the real form, without its rules."""

    what = forms.ChoiceField(
        label="What is tried", choices=[("version", "Version 3"), ("draft", "Your draft")]
    )
    period = forms.ChoiceField(
        label="Orders of", choices=[("30", "the last 30 days"), ("own", "days of your own")]
    )
    first = forms.DateField(label="First day", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Both days are only read for days of your own.",
    )


def backtest_start(**given: str) -> dict[str, Any]:
    """Before a process is tried."""
    runs = [
        RunRow(
            "1 Nov 2026 – 30 Nov 2026",
            "Draft",
            "/s/lumen/processes/1/try/2/",
            "Done",
            ago(hours=3),
            "Anna Kowalska",
        ),
        RunRow(
            "1 Oct 2026 – 31 Oct 2026",
            "Version 3",
            "/s/lumen/processes/1/try/1/",
            "Failed",
            ago(days=4),
            "Anna Kowalska",
        ),
    ]
    return base("/s/lumen/processes/1/try/", **given, crumb_links=CRUMBS, form=Period(), runs=runs)


def backtest_running(**given: str) -> dict[str, Any]:
    """While it is tried."""
    return base(
        "/s/lumen/processes/1/try/2/",
        **given,
        crumb_links=CRUMBS,
        state="running",
        period="1 Nov 2026 – 30 Nov 2026",
        version=3,
        again_url="/s/lumen/processes/1/try/",
        trouble="",
        progress_value=21400,
        progress_whole=50000,
        progress_done="21400 of 50000",
        result=None,
    )


def backtest(**given: str) -> dict[str, Any]:
    """What came of it."""
    return {**backtest_running(**given), "state": "done", "result": _result()}


def backtest_left_out(**given: str) -> dict[str, Any]:
    """Messages that were left out for one reason."""
    rows = [
        LeftOutLine("1042", "/s/lumen/orders/1/", "Anna Kowalska", "Second reminder", ago(days=9)),
        LeftOutLine("1043", "/s/lumen/orders/2/", "Jan Nowak-Wiśniewski", "Last reminder", ago(days=8)),
        LeftOutLine("Cart", "", "", "First reminder", ago(days=7)),
    ]
    return base(
        "/s/lumen/processes/1/try/2/left-out/?why=no_consent",
        **given,
        crumb_links=[*CRUMBS[:-1], parts.Link("Left out", "")],
        title="The person has not agreed to such messages",
        period="1 Nov 2026 – 30 Nov 2026",
        rows=rows,
        pager=parts.Pager("3 messages"),
    )


def _result() -> ResultPage:
    counts = [3, 5, 2, 0, 7, 9, 4, 6, 3, 1, 8, 12, 4, 5, 6, 2, 3, 9, 7, 1]
    days = [date(2026, 11, 3) + timedelta(days=number) for number in range(len(counts))]
    chart = parts.Chart(
        title="Messages per day",
        labels=[f"{day.day} Nov" for day in days],
        series=[
            parts.ChartSeries("Messages", [float(n) for n in counts], [str(n) for n in counts], "neutral")
        ],
        summary="12 messages on the busiest day, 14 November 2026.",
        period_label="Day",
    )
    return ResultPage(
        sentence="Of 214 orders, 61 people would have got 97 messages;"
        " 38 had paid by themselves before the first one.",
        tiles=[
            parts.Tile(
                "People written to", "61", "#per-block", change_words="7 in the control group get none"
            ),
            parts.Tile("Messages", "97", "#per-channel", change_words="they would have cost €3.10"),
            parts.Tile("Paid by themselves first", "38", "#details", change_words="before any message"),
            parts.Tile(
                "Paid after a message", "23", "#unknown", change_words="whether because of it, nobody knows"
            ),
        ],
        chart=chart,
        blocks=[
            BlockRow("Paid by bank transfer?", "", [("No", "92"), ("Yes", "14")]),
            BlockRow("Wait 24 hours", "", [("Paid", "38")]),
            BlockRow("First reminder", "61", [("Left out: control group", "7")]),
            BlockRow("Second reminder", "25", [("Not sent: paid", "2")]),
            BlockRow("Last reminder", "11", []),
        ],
        facts=[("Came in", "106"), ("People", "99"), ("Not over yet today", "12"), ("Not sent: paid", "2")],
        turned_away=[("Paid before the waiting time was over", "101"), ("Cancelled", "7")],
        unknown=[
            UnknownRow(
                "Whether anybody would have paid because of it",
                "Only running it with a control group can tell.",
            ),
            UnknownRow(
                "Opens, clicks and replies",
                "Nobody can open a message that was never sent. Everybody is taken as not having reacted.",
            ),
            UnknownRow(
                "When imported orders would have been heard of",
                "They are taken as told at once, also their payments.",
                "180",
            ),
        ],
        samples=[
            SampleRow("1042", "/s/lumen/orders/1/", "2", ago(days=9), "Paid", ago(days=6)),
            SampleRow("1043", "/s/lumen/orders/2/", "0", None, "Paid", ago(days=8)),
            SampleRow("1044", "/s/lumen/orders/3/", "3", ago(days=7), "Finished", None),
        ],
        is_about_carts=False,
        channels=[
            ChannelRow("E-mail", "66", "58", "", "", [("There is no address for this channel", "12")]),
            ChannelRow("SMS", "31", "29", "44", "€3.10"),
        ],
        classes=[("about the contract", "90"), ("needs consent", "7")],
        left_out=[
            LeftOutLink(
                "The person has not agreed to such messages",
                "14",
                "/s/lumen/processes/1/try/2/left-out/?why=no_consent",
            ),
            LeftOutLink(
                "Enough reminders to this person for now", "3", "/s/lumen/processes/1/try/2/left-out/"
            ),
        ],
        languages=[("“First reminder” is missing in German; it would have gone in English", "5")],
    )
