"""Filled parts: tiles, a chart, filters, a timeline, a dialog, a process."""

from recoup.web import parts
from recoup.web.picture import Branch, Node
from tests.web.samples.ground import ago

WEEK = (
    (
        "Recovered",
        "zł48,210",
        "recovery/?outcome=recovered",
        "+12.4%",
        "up",
        "recovered",
        (3, 5, 4, 8, 7, 9, 12),
    ),
    ("Waiting to be paid", "zł31,940", "recovery/", "+3.1%", "up", "neutral", (5, 6, 5, 7, 7, 6, 8)),
    (
        "Recovery rate",
        "20.97%",
        "recovery/report/",
        "+1.2 pts",
        "up",
        "recovered",
        (18, 19, 18.5, 20, 20, 20.4, 21),
    ),
    ("Open cases", "34", "recovery/", "−6", "down", "recovered", (48, 46, 47, 41, 40, 38, 34)),
    ("New orders", "212", "orders/", "+8.0%", "up", "recovered", (20, 28, 25, 31, 36, 30, 42)),
    ("Unpaid orders", "57", "orders/?v=unpaid", "−4.9%", "down", "recovered", (9, 8, 8, 7, 9, 7, 6)),
    ("Reminders sent", "139", "messages/", "+22", "up", "neutral", (12, 14, 20, 18, 22, 25, 28)),
    ("Failed messages", "3", "messages/?v=failed", "+2", "up", "failed", (0, 0, 1, 0, 0, 1, 2)),
)


def tiles() -> list[parts.Tile]:
    """Return the eight numbers of Home."""
    return [
        parts.Tile(
            label=label,
            value=value,
            url=f"/s/lumen/{place}",
            change=change,
            change_words="than last week",
            direction=direction,
            tone=tone,
            series=series,
            is_hero=label == "Recovered",
        )
        for label, value, place, change, direction, tone, series in WEEK
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
        urls=[f"/s/lumen/recovery/?week={index}" for index in range(12)],
    )


def attention() -> list[parts.Attention]:
    """Return three things that wait for a person."""
    return [
        parts.Attention(
            "Two reminders may or may not have arrived",
            "/s/lumen/messages/?v=uncertain",
            "mail-question-mark",
            "due",
            "The mail server broke off after it had taken them",
            ago(minutes=42),
            "Decide",
            "/s/lumen/attention/1/settle/",
        ),
        parts.Attention(
            "One report of WooCommerce could not be read",
            "/s/lumen/settings/intake/",
            "triangle-alert",
            "failed",
            "Kept whole; nothing is lost",
            ago(hours=3),
            "Look",
        ),
        parts.Attention(
            "Order 10482 was paid with 10.00 PLN less",
            "/s/lumen/orders/10482/",
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


def late_events() -> list[parts.Event]:
    """Return how the money came."""
    return [
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
            url="/s/lumen/messages/881/",
            link_label="Read the mail",
        ),
    ]


def early_events() -> list[parts.Event]:
    """Return how the order came to wait."""
    return [
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
        parts.Event(ago(days=4), "Order placed", "shopping-bag", "status", body="3 items, from WooCommerce"),
    ]


def timeline() -> parts.Timeline:
    """Return the timeline of an order."""
    kinds = [
        ("payment", "Payments"),
        ("message", "Messages"),
        ("status", "Status"),
        ("decision", "Decisions"),
    ]
    return parts.Timeline([*late_events(), *early_events()], kinds)


def cancel_dialog() -> parts.Confirm:
    """Return the dialog that cancels an order."""
    return parts.Confirm(
        id="cancel-order",
        title="Cancel order 10482?",
        url="/s/lumen/orders/10482/cancel/",
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
