"""Contexts as the views give them, with believable values: for the tests of templates and for the gallery."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from recoup.core.money import Money
from recoup.web import parts
from recoup.web.picture import Branch, Node
from recoup.web.shell import DemoClock, Person, Shell, ShopChoice, nav_items

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
LANGUAGES = [("en", "English"), ("pl", "Polski"), ("ru", "Русский"), ("de", "Deutsch")]


def ago(**span: float) -> datetime:
    """Return an instant before now."""
    return NOW - timedelta(**span)


def url_of(key: str) -> str:
    """Return the address of a place of the sample shop."""
    return f"/lumen/{key}/"


def shell(
    path: str = "/lumen/home/", *, theme: str = "system", language: str = "en", demo: bool = True
) -> Shell:
    """Return the shell of the sample shop's owner."""
    return Shell(
        nav=nav_items(url_of=url_of, path=path, counts={"orders": "128", "recovery": "34"}),
        shops=[
            ShopChoice("Lumen Candles", "/lumen/home/", is_current=True),
            ShopChoice("Kurs Fotografii", "/kurs/home/"),
        ],
        person=Person("Anna Kowalska", "anna@lumen.example", "Owner", language, theme),
        search_url="/lumen/search/",
        preferences_url="/preferences/",
        sign_out_url="/accounts/logout/",
        account_url="/accounts/2fa/",
        new_shop_url="/new/",
        languages=LANGUAGES,
        demo=DemoClock(NOW, "/demo/advance/", "/demo/mailbox/") if demo else None,
    )


def pln(amount: str) -> Money:
    """Return a sum in Polish money."""
    return Money(Decimal(amount), "PLN")


def tiles() -> list[parts.Tile]:
    """Return the eight numbers of Home."""
    week = "than last week"
    return [
        parts.Tile(
            "Recovered",
            "zł48,210",
            "/lumen/recovery/?outcome=recovered",
            "+12.4%",
            week,
            "up",
            "recovered",
            [3, 5, 4, 8, 7, 9, 12],
            is_hero=True,
        ),
        parts.Tile(
            "Waiting to be paid",
            "zł31,940",
            "/lumen/recovery/",
            "+3.1%",
            week,
            "up",
            "neutral",
            [5, 6, 5, 7, 7, 6, 8],
        ),
        parts.Tile(
            "Recovery rate",
            "20.97%",
            "/lumen/recovery/report/",
            "+1.2 pts",
            week,
            "up",
            "recovered",
            [18, 19, 18.5, 20, 20, 20.4, 20.97],
        ),
        parts.Tile(
            "Open cases",
            "34",
            "/lumen/recovery/",
            "−6",
            week,
            "down",
            "recovered",
            [48, 46, 47, 41, 40, 38, 34],
        ),
        parts.Tile(
            "New orders",
            "212",
            "/lumen/orders/",
            "+8.0%",
            week,
            "up",
            "recovered",
            [20, 28, 25, 31, 36, 30, 42],
        ),
        parts.Tile(
            "Unpaid orders",
            "57",
            "/lumen/orders/?v=unpaid",
            "−4.9%",
            week,
            "down",
            "recovered",
            [9, 8, 8, 7, 9, 7, 6],
        ),
        parts.Tile(
            "Reminders sent",
            "139",
            "/lumen/messages/",
            "+22",
            week,
            "up",
            "neutral",
            [12, 14, 20, 18, 22, 25, 28],
        ),
        parts.Tile(
            "Failed messages",
            "3",
            "/lumen/messages/?v=failed",
            "+2",
            week,
            "up",
            "failed",
            [0, 0, 1, 0, 0, 1, 2],
        ),
    ]


def week_chart() -> parts.Chart:
    """Return recovered money by week."""
    values = [8400, 9120, 0, 11950, 10480, 13900, 12210, 15400, 14120, 17980, 16400, 19840]
    labels = [
        "7 Sep",
        "14 Sep",
        "21 Sep",
        "28 Sep",
        "5 Oct",
        "12 Oct",
        "19 Oct",
        "26 Oct",
        "2 Nov",
        "9 Nov",
        "16 Nov",
        "23 Nov",
    ]
    return parts.Chart(
        title="Recovered by week",
        labels=labels,
        titles=[f"Week of {label}" for label in labels],
        series=[parts.ChartSeries("Recovered", values, [f"zł{value:,.2f}" for value in values])],
        summary="Recovered money grew from zł8,400 to zł19,840 in twelve weeks; none in that of 21 Sep.",
        period_label="Week",
        currency="PLN",
        urls=[f"/lumen/recovery/?week={index}" for index in range(12)],
    )


def attention() -> list[parts.Attention]:
    """Return three things that wait for a person."""
    return [
        parts.Attention(
            "Two reminders may or may not have arrived",
            "/lumen/messages/?v=uncertain",
            "mail-question-mark",
            "due",
            "The mail server broke off after it had taken them",
            ago(minutes=42),
            "Decide",
        ),
        parts.Attention(
            "One report of WooCommerce could not be read",
            "/lumen/settings/intake/",
            "triangle-alert",
            "failed",
            "Kept whole; nothing is lost",
            ago(hours=3),
            "Look",
        ),
        parts.Attention(
            "Order 10482 was paid with 10.00 PLN less",
            "/lumen/orders/10482/",
            "banknote",
            "due",
            "1,289.00 of 1,299.00",
            ago(days=1),
            "Open order",
        ),
    ]


def filters() -> parts.Filters:
    """Return the filters of the order list."""
    return parts.Filters(
        views=[
            parts.Link("Current", "?v=current", True, "128"),
            parts.Link("Unpaid", "?v=unpaid", count="57"),
            parts.Link("In work", "?v=in_work", count="9"),
            parts.Link("All", "?v=all"),
        ],
        menus=[
            parts.FilterMenu(
                "Payment",
                [parts.Link("Card", "?m=card"), parts.Link("Bank transfer", "?m=transfer", True)],
                "Bank transfer",
                "?",
            ),
            parts.FilterMenu("Placed", [parts.Link("Today", "?d=1"), parts.Link("Last 7 days", "?d=7")]),
        ],
        clear_url="?",
    )


def timeline() -> parts.Timeline:
    """Return the timeline of an order."""
    return parts.Timeline(
        events=[
            parts.Event(
                ago(minutes=12),
                "Paid 1,299.00 PLN by card",
                "circle-check",
                "payment",
                "recovered",
                "Recovered: 3 h 10 min after the second reminder, which gets the credit.",
                "Demo bank",
            ),
            parts.Event(
                ago(hours=3),
                "Opened the pay page",
                "mouse-pointer-click",
                "message",
                body="From the second reminder, on a phone",
            ),
            parts.Event(
                ago(hours=3, minutes=22),
                "Second reminder sent",
                "mail",
                "message",
                body="“Your candles are still reserved”",
                actor="Unpaid order, step 4",
                url="/lumen/messages/881/",
                link_label="Read the mail",
            ),
            parts.Event(
                ago(days=2),
                "Reminder not sent at 03:00, moved to 09:00",
                "clock",
                "decision",
                "due",
                "Quiet hours: 21:00–08:00.",
            ),
            parts.Event(
                ago(days=2, hours=8),
                "Card declined: not enough money",
                "circle-alert",
                "payment",
                "failed",
                "Attempt 2, 1,299.00 PLN",
                "Demo bank",
            ),
            parts.Event(
                ago(days=3),
                "Marked as unpaid",
                "clock",
                "status",
                "due",
                "Not paid 24 hours after it was placed; the source was asked once more.",
                "Recoup",
            ),
            parts.Event(
                ago(days=4), "Order placed", "shopping-bag", "status", body="3 items, from WooCommerce"
            ),
        ],
        kinds=[
            ("payment", "Payments"),
            ("message", "Messages"),
            ("status", "Status"),
            ("decision", "Decisions"),
        ],
    )


def cancel_dialog() -> parts.Confirm:
    """Return the dialog that cancels an order."""
    return parts.Confirm(
        id="cancel-order",
        title="Cancel order 10482?",
        url="/lumen/orders/10482/cancel/",
        button="Cancel order and stop 2 messages",
        effects=[
            "Two planned reminders are stopped.",
            "The pay link in earlier mails stops working.",
            "The order stays in the list, with the reason.",
        ],
        fields=[
            parts.Choice(
                "reason",
                "Reason",
                [("price", "Too expensive"), ("mind", "Changed their mind")],
                is_required=True,
            ),
            parts.Choice("note", "Note", kind="textarea", help="Seen by your colleagues only."),
        ],
        tone="error",
    )


def base(path: str, **more: Any) -> dict[str, Any]:
    """Return the context of every page."""
    theme, language = more.pop("theme", "system"), more.pop("language", "en")
    return {"shell": shell(path, theme=theme, language=language), "now": NOW, "messages": [], **more}


def process_nodes() -> list[Node]:
    """Return the shipped process of an unpaid order."""
    yes, no = "YES", "NO"
    return [
        Node("start", "start", "Order is unpaid", "24 hours after it was placed", [Branch("q1")], "57"),
        Node(
            "q1",
            "if",
            "Can we write to them?",
            "an address, nothing stopped",
            [Branch("m1", yes), Branch("end", no)],
        ),
        Node("m1", "send", "First reminder", "mail “Your order is waiting”", [Branch("u1")]),
        Node(
            "u1",
            "until",
            "Wait until paid",
            "48 hours at most",
            [Branch("goal", yes), Branch("m2", no)],
            "21",
        ),
        Node("m2", "send", "Second reminder", "mail “Still reserved for you”", [Branch("u2")]),
        Node(
            "u2",
            "until",
            "Wait until paid",
            "96 hours at most",
            [Branch("goal", yes), Branch("m3", no)],
            "13",
        ),
        Node("m3", "send", "Last reminder", "mail “Shall we keep it?”", [Branch("u3")]),
        Node(
            "u3", "until", "Wait until paid", "3 days at most", [Branch("goal", yes), Branch("s1", no)], "0"
        ),
        Node("s1", "order_status", "Set to Cancelled", "reason: no answer", [Branch("end")]),
        Node("goal", "goal", "Paid", "recovered", [], "1,204"),
        Node("end", "end", "End", "", [], "3,811"),
    ]
