"""Segments, and many who are put into a process."""

from types import SimpleNamespace
from typing import Any

from recoup.web import parts
from tests.web.samples.ground import NOW, PEOPLE, ago, base, pln

CRUMBS = [parts.Link("Customers", "/s/lumen/customers/"), parts.Link("Segments", "/s/lumen/segments/")]
ADD = [parts.Link("Processes", "/s/lumen/processes/"), parts.Link("Move to a process", "")]
SUM = "Sum of the order is at least 400"
WORDS = (
    "Number of paid orders of the customer in the last 90 days is at least 2 and (Language of the customer is de or"
    " not: Tags of the customer has any of vip, wholesale)"
)


def _rows(*, is_about_people: bool) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            title=name if is_about_people else f"#10{number}42",
            url="/s/lumen/customers/1/",
            who=email if is_about_people else name,
            at=ago(days=number),
            total=None if is_about_people else pln("129.90"),
        )
        for number, (name, email, _phone) in enumerate(PEOPLE, 1)
    ]


def segments(**given: str) -> dict[str, Any]:
    """Some segments, one of them long."""
    names = [
        ("Loyal customers", "Customers", WORDS),
        ("Large and unpaid for more than a week", "Orders", SUM),
    ]
    counts = [("1,204", ago(minutes=7)), ("", None)]
    rows = [
        SimpleNamespace(
            name=name, url="/s/lumen/segments/1/", about=about, words=words, count=count, counted_at=at
        )
        for (name, about, words), (count, at) in zip(names, counts, strict=True)
    ]
    kinds = [
        parts.Link(f"Of {one}", "/s/lumen/segments/new/", icon="filter")
        for one in ("customers", "orders", "carts")
    ]
    return base("/s/lumen/segments/", **given, crumb_links=CRUMBS[:1], rows=rows, kinds=kinds)


def segment(**given: str) -> dict[str, Any]:
    """One of customers that a process names."""
    return base(
        "/s/lumen/segments/1/",
        **given,
        crumb_links=[*CRUMBS, parts.Link("Loyal customers", "")],
        segment=SimpleNamespace(name="Loyal customers"),
        words=WORDS,
        rows=_rows(is_about_people=True),
        pager=parts.Pager("8 customers", "", ""),
        is_about_people=True,
        list_url="/s/lumen/customers/?seg=1",
        edit_url="/s/lumen/segments/1/edit/",
        add_url="/s/lumen/processes/add/?seg=1",
        delete_url="/s/lumen/segments/1/delete/",
        uses=[parts.Link("Win back: 3. Check a condition", "/s/lumen/processes/1/edit/")],
    )


def segment_refused(**given: str) -> dict[str, Any]:
    """One of orders that was to be deleted."""
    context = segment(**given)
    return {**context, "is_refused": True, "is_about_people": False, "rows": _rows(is_about_people=False)}


def process_add(**given: str) -> dict[str, Any]:
    """Before many are put in."""
    return base(
        "/s/lumen/processes/add/",
        **given,
        crumb_links=ADD,
        name="Loyal customers",
        whole=1204,
        processes=[(1, "Win back", True), (2, "Unpaid order", False)],
        paces=[(0, "All at once", True), (60, "60 an hour", False)],
        form_url="/s/lumen/processes/add/?seg=1",
        looked=SimpleNamespace(added=1100, looked_at=2000),
        is_part=True,
        reasons=[
            ("No address for the channels of this process", 4),
            ("Not let in: had been in it before", 100),
        ],
    )


def process_adding(**given: str) -> dict[str, Any]:
    """While many are put in."""
    return base(
        "/s/lumen/processes/adding/1/",
        **given,
        crumb_links=ADD,
        run=SimpleNamespace(state="running", done=600, trouble="", started_at=NOW),
        is_open=True,
        is_halted=False,
        look_every=15,
        until="60 an hour: the last comes in tomorrow 10:00, sooner if some are skipped.",
        progress="600 of 1204 looked at, 540 in",
        whole=1204,
        reasons=[("No address for the channels of this process", 4)],
        rows=[(row, "No address for the channels of this process") for row in _rows(is_about_people=False)],
        change_url="/s/lumen/processes/adding/1/change/",
        back_url="/s/lumen/processes/1/",
    )
