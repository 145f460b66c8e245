"""The context of each page, filled with believable values."""

from collections.abc import Callable
from typing import Any

from recoup.web import parts, screens
from tests.web import samples
from tests.web.samples import ago, base, pln

PEOPLE = (
    ("Maria Wiśniewska", "maria.wisniewska@example.com", "+48 601 234 567"),
    ("Иван Петров", "i.petrov@example.com", "+48 512 000 331"),
    ("Jürgen Groß", "juergen.gross@example.com", ""),
    ("Anna-Maria von der Heydebreck-Lasocka", "amvdh@example.com", "+49 151 2345678"),
    ("Tomasz Zieliński", "t.zielinski@example.com", "+48 698 111 222"),
    ("Zofia Kamińska", "zofia@example.com", ""),
    ("Piotr Lewandowski", "piotr.lew@example.com", "+48 725 333 444"),
    ("Katarzyna Wójcik", "kasia@example.com", "+48 600 999 000"),
)
STATES = (
    ("unpaid", "Unpaid", "failed", "Declined", "Card"),
    ("in_work", "In work", "open", "Not paid", "Bank transfer"),
    ("completed", "Completed", "paid", "Paid", "BLIK"),
    ("awaiting_payment", "Awaiting payment", "open", "Not paid", "Bank transfer"),
    ("new", "New", "open", "Not paid", "Card"),
    ("unpaid", "Unpaid", "open", "Left the bank's page", "BLIK"),
    ("not_confirmed", "Not confirmed", "open", "Not paid", "On delivery"),
    ("completed", "Completed", "paid", "Paid", "Card"),
)
CRUMBS = {"orders": "Orders", "customers": "Customers", "processes": "Processes", "messages": "Messages"}


def crumbs(key: str, name: str) -> list[parts.Link]:
    """Return the way back from a page."""
    return [parts.Link(CRUMBS[key], samples.url_of(key)), parts.Link(name, "")]


def order_rows() -> list[screens.OrderRow]:
    """Return a page of the order list."""
    rows = []
    for index in range(16):
        status, label, payment, payment_label, method = STATES[index % len(STATES)]
        rows.append(
            screens.OrderRow(
                id=index,
                number=str(10498 - index),
                url=f"/lumen/orders/{10498 - index}/",
                person=PEOPLE[(index * 3) % len(PEOPLE)][0],
                placed_at=ago(hours=1.2 + index * 5.3),
                total=pln(f"{79 + (index * 137) % 1400}.{(index * 31) % 100:02d}"),
                status=status,
                status_label=label,
                payment=payment,
                payment_label=payment_label,
                method=method,
                clerk="Piotr" if status == "in_work" else "",
            )
        )
    return rows


def sort(*keys: str) -> dict[str, dict[str, str]]:
    """Return the heads that sort; the first is the one in force."""
    return {
        key: {"url": f"?o={key}", "direction": "" if index else "descending"}
        for index, key in enumerate(keys)
    }


def person(index: int = 0, warning: str = "") -> screens.PersonCard:
    """Return the card of a person."""
    name, email, phone = PEOPLE[index]
    return screens.PersonCard(
        name,
        "/lumen/customers/7/",
        email,
        phone,
        "Polish",
        "Customer since March 2024",
        4,
        [pln("1284.60")],
        warning,
    )


def home(**given: str) -> dict[str, Any]:
    """Home on an ordinary day."""
    return base(
        "/lumen/home/",
        **given,
        tiles=samples.tiles(),
        attention_items=samples.attention(),
        attention_url="/lumen/attention/",
        charts=[samples.week_chart()],
        period_filters=parts.Filters(
            views=[
                parts.Link("Today", "?p=1"),
                parts.Link("7 days", "?p=7", True),
                parts.Link("30 days", "?p=30"),
            ]
        ),
        is_first_time=True,
        setup=[],
    )


def home_first(**given: str) -> dict[str, Any]:
    """Home after the wizard: nothing has happened yet."""
    empty = [
        parts.Tile(one.label, "0" if str(one.value).isdigit() else "–", one.url, series=[0] * 7)
        for one in samples.tiles()
    ]
    steps = [
        screens.WizardStep("Mail server", "/s/", "done"),
        screens.WizardStep("First source of orders", "/s/", "now"),
        screens.WizardStep("Look at the texts", "/s/"),
    ]
    return {
        **home(**given),
        "tiles": empty,
        "attention_items": [],
        "charts": [],
        "setup": steps,
        "go_live_url": "/l/",
    }


def orders(**given: str) -> dict[str, Any]:
    """The order list."""
    return base(
        "/lumen/orders/",
        **given,
        filters=samples.filters(),
        rows=order_rows(),
        pager=parts.Pager("128 orders", "", "?before=10482"),
        sort=sort("placed", "total"),
        import_url="/lumen/settings/import/",
        connect_url="/lumen/settings/sources/",
        is_filtered=False,
        clear_url="?",
        bulk_url="/lumen/orders/bulk/",
        lead_shown=True,
    )


def orders_empty(**given: str) -> dict[str, Any]:
    """The order list of a new shop."""
    return {**orders(**given), "rows": [], "filters": parts.Filters()}


def order(**given: str) -> dict[str, Any]:
    """One unpaid order."""
    page = screens.OrderPage(
        number="10482",
        status="unpaid",
        status_label="Unpaid",
        status_url="/lumen/orders/10482/status/",
        payment="failed",
        payment_label="Declined",
        placed_at=ago(days=4, hours=3),
        lines=[
            screens.OrderLine(
                "Soy candle “Cedar”", "2 × 220 g", pln("258.00"), "LC-220-CED", "https://shop.example/cedar"
            ),
            screens.OrderLine(
                "Gift set “Winter evening” with a ceramic holder", "1", pln("949.00"), "LC-SET-WIN"
            ),
        ],
        sums=[("Delivery, InPost locker KRA012", pln("12.00")), ("Discount WINTER10", pln("-120.00"))],
        total=pln("1299.00"),
        person=person(),
        timeline=samples.timeline(),
        moves=[
            parts.Move("in_work", "In work", "user-check", help="Reminders pause while you work on it"),
            parts.Move("awaiting_payment", "Awaiting payment", "hourglass"),
            parts.Move("not_confirmed", "Not confirmed", "circle-help"),
            parts.Move("cancelled", "Cancelled…", "circle-x", "failed", "Stops 2 messages", "cancel-order"),
        ],
        facts=[
            ("Source", "WooCommerce"),
            ("Method", "Card"),
            ("Delivery", "InPost, KRA012"),
            ("Language", "Polish"),
        ],
        attempts=[
            screens.AttemptRow(
                ago(days=2, hours=8),
                "failed",
                "Declined",
                pln("1299.00"),
                "Card",
                "Not enough money on the card",
            ),
            screens.AttemptRow(
                ago(days=4, hours=3),
                "expired",
                "Expired",
                pln("1299.00"),
                "BLIK",
                "Not confirmed in the bank's app",
            ),
        ],
        next_step=parts.NextStep(
            "Second reminder tomorrow 10:00, unless paid.", detail="Then a last one on Thu 26 Nov, 10:00."
        ),
        actions=[
            screens.Action("Take to work", "user-check", "/t/", is_post=True, tone="primary"),
            screens.Action("Send the pay link", "send", opens="send-link"),
            screens.Action("Open the pay page", "external-link", "/p/"),
            screens.Action("Cancel order…", "circle-x", opens="cancel-order", tone="ghost"),
        ],
        siblings=[
            screens.OrderLink("10455", "/o/", pln("129.00"), ago(days=20), "completed", "Completed"),
            screens.OrderLink(
                "10481", "/o/", pln("1299.00"), ago(days=4, hours=3), "cancelled", "Cancelled", "same goods"
            ),
        ],
        note_url="/lumen/orders/10482/note/",
    )
    return base(
        "/lumen/orders/10482/",
        **given,
        order=page,
        crumb_links=crumbs("orders", "10482"),
        dialogs=[samples.cancel_dialog()],
    )


def recovery_tabs(current: int) -> list[parts.Link]:
    """Return the two halves of recovery."""
    return [
        parts.Link("Cases", "/lumen/recovery/", current == 0, "34"),
        parts.Link("Report", "/lumen/recovery/report/", current == 1),
    ]


def recovery(**given: str) -> dict[str, Any]:
    """The recovery list."""
    outcomes = [
        ("open", "Open"),
        ("recovered", "Recovered"),
        ("open", "Open"),
        ("superseded", "Paid in another order"),
    ]
    causes = [
        "Card declined: not enough money",
        "Left the bank's page",
        "Bank transfer not seen",
        "Cart left",
    ]
    rows = [
        screens.CaseRow(
            index,
            str(10498 - index * 3),
            "/lumen/orders/1/",
            PEOPLE[index % len(PEOPLE)][0],
            pln(f"{99 + index * 173 % 1300}.00"),
            causes[index % 4],
            ago(hours=4 + index * 9),
            *outcomes[index % 4],
            messages=index % 3,
            next_words="Second reminder tomorrow 10:00" if index % 2 == 0 else "",
        )
        for index in range(14)
    ]
    return base(
        "/lumen/recovery/",
        **given,
        tab_links=recovery_tabs(0),
        tiles=samples.tiles()[:4],
        filters=parts.Filters(
            views=[
                parts.Link("Open", "?", True, "34"),
                parts.Link("Recovered", "?v=r"),
                parts.Link("All", "?v=all"),
            ],
            menus=[parts.FilterMenu("Cause", [parts.Link("Declined", "?c=d")])],
        ),
        rows=rows,
        pager=parts.Pager("34 cases", "", "?before=3"),
        sort=sort("opened", "amount"),
        is_filtered=False,
        clear_url="?",
        lead_shown=True,
        process_url="/lumen/processes/1/",
    )


def recovery_report(**given: str) -> dict[str, Any]:
    """The report of a year."""
    link = screens.CountLink
    row = screens.ReportRow(
        "Lumen Candles",
        "PLN",
        link("36,942", "?r=1"),
        link("31,208", "?r=2"),
        link("7,747", "?r=3"),
        "20.97%",
        link("zł2,418,330.50", "?r=3"),
        link("1,004", "?r=4"),
    )
    return base(
        "/lumen/recovery/report/",
        **given,
        tab_links=recovery_tabs(1),
        period_filters=parts.Filters(
            views=[
                parts.Link("30 days", "?"),
                parts.Link("This year", "?", True),
                parts.Link("Own period", "?"),
            ],
            menus=[parts.FilterMenu("Shop", [parts.Link("Lumen Candles", "?")])],
        ),
        period_words="1 January – 22 November 2026, time of Warsaw",
        tiles=samples.tiles()[:4],
        rows=[row],
        charts=[samples.week_chart()],
        definition=(
            "An order counts as recovered when it was unpaid, at least one reminder was sent for it, and it was paid "
            "before its case lapsed. Late payments restate earlier periods."
        ),
        promises=[
            screens.PromiseRow(
                "After we knew of the payment",
                link("0", "?m=1"),
                "No reminder left after the payment was known.",
            ),
            screens.PromiseRow(
                "After the payment, before we could know",
                link("3", "?m=2"),
                "The source reported 4 minutes late at the median.",
            ),
        ],
        comparison=[
            ("Attributed to reminders", link("zł2,418,330.50", "?")),
            ("Would not have come anyway", link("unknown: no hold-out group")),
        ],
        export_url="?format=csv",
    )


def customers(**given: str) -> dict[str, Any]:
    """The customer list."""
    rows = [
        screens.CustomerRow(
            index,
            name,
            "/lumen/customers/7/",
            email,
            phone,
            index % 5,
            [pln(f"{index * 213}.40")] if index % 5 else [],
            ago(days=index * 2 + 0.2),
            pln("129.00") if index % 3 == 0 else None,
        )
        for index, (name, email, phone) in enumerate(PEOPLE)
    ]
    return base(
        "/lumen/customers/",
        **given,
        filters=parts.Filters(
            views=[parts.Link("All", "?", True), parts.Link("Waits to be paid", "?v=open", count="34")]
        ),
        rows=rows,
        pager=parts.Pager("10,000+ customers", "", "?before=3", "?count=1"),
        sort=sort("last", "orders"),
        is_filtered=False,
        clear_url="?",
        import_url="/lumen/settings/import/",
        lead_shown=True,
    )


def customer(**given: str) -> dict[str, Any]:
    """One customer."""
    page = screens.CustomerPage(
        card=person(),
        contacts=[
            screens.ContactRow("E-mail", "maria.wisniewska@example.com", "ok", "Reminders of orders"),
            screens.ContactRow("Phone", "+48 601 234 567", "unknown", "Not asked"),
        ],
        orders=order_rows()[:4],
        timeline=samples.timeline(),
        facts=[("Address", "ul. Długa 4, 31-147 Kraków")],
        doubles=[parts.Link("M. Wisniewska", "/c/", count="same phone")],
        actions=[
            screens.Action("Stop all messages…", "ban", opens="stop"),
            screens.Action("Erase the person…", "trash-2", opens="erase", tone="ghost"),
        ],
        next_step=parts.NextStep("Second reminder of order 10482 tomorrow 10:00, unless paid."),
    )
    return base(
        "/lumen/customers/7/",
        **given,
        customer=page,
        crumb_links=crumbs("customers", PEOPLE[0][0]),
        dialogs=[],
    )


def processes(**given: str) -> dict[str, Any]:
    """The process list."""
    link = screens.CountLink
    rows = [
        screens.ProcessRow(
            "Unpaid order",
            "/lumen/processes/1/",
            "24 hours, 3 days and 7 days after an order was not paid",
            "live",
            "Live",
            link("34", "?"),
            link("139", "?"),
            link("57", "?"),
            "20.97%",
            screens.Action("Pause", "pause", "/p/", is_post=True),
        ),
        screens.ProcessRow(
            "Abandoned cart",
            "/lumen/processes/2/",
            "1 hour, 1 day and 3 days after a cart was left",
            "test",
            "Test mode",
            link("8", "?"),
            link("0", "?"),
            link("0", "?"),
            "–",
            screens.Action("Go live", "play", opens="live"),
        ),
    ]
    return base("/lumen/processes/", **given, rows=rows, lead_shown=True, dialogs=[])


def process(**given: str) -> dict[str, Any]:
    """One process."""
    page = screens.ProcessPage(
        name="Unpaid order",
        status="live",
        status_label="Live",
        description="Reminds a buyer three times in a week, and stops the moment the order is paid.",
        tiles=samples.tiles()[3:7],
        facts=[
            ("Starts", "when an order becomes unpaid"),
            ("Again", "once an order"),
            ("Quiet hours", "21:00–08:00"),
        ],
        versions=[
            parts.Event(ago(days=3), "Version 2", "file-text", body="Third reminder after 7 days"),
            parts.Event(ago(days=60), "Version 1", "file-text"),
        ],
        actions=[
            screens.Action("Try it on past orders", "history", "/b/"),
            screens.Action("Pause", "pause", "/p/", is_post=True),
        ],
    )
    decisions = parts.Timeline(
        [
            parts.Event(ago(minutes=4), "10491: first reminder sent", "mail"),
            parts.Event(
                ago(minutes=31), "10488: not sent", "minus", body="Paid 12 minutes before it was due."
            ),
            parts.Event(ago(hours=2), "10479: moved to 08:00", "clock", tone="due", body="Quiet hours."),
        ]
    )
    return base(
        "/lumen/processes/1/",
        **given,
        process=page,
        nodes=samples.process_nodes(),
        crumb_links=crumbs("processes", "Unpaid order"),
        decisions=decisions,
        decisions_url="/lumen/messages/",
        dialogs=[],
    )


def messages(**given: str) -> dict[str, Any]:
    """The message list."""
    states = [
        ("sent", "Sent"),
        ("clicked", "Clicked"),
        ("due", "Waits"),
        ("uncertain", "Uncertain"),
        ("failed", "Failed"),
        ("skipped", "Not sent"),
    ]
    reasons = ["", "", "", "The mail server broke off", "Mailbox does not exist", "Paid 12 minutes before"]
    rows = [
        screens.MessageRow(
            index,
            "Your order 10482 is waiting for you",
            "/lumen/messages/881/",
            PEOPLE[index % 8][0],
            *states[index % 6],
            ago(hours=index * 3 + 0.3),
            str(10490 - index),
            "Unpaid order, first reminder",
            reasons[index % 6],
        )
        for index in range(12)
    ]
    return base(
        "/lumen/messages/",
        **given,
        filters=parts.Filters(
            views=[
                parts.Link("All", "?", True),
                parts.Link("Uncertain", "?v=u", count="2"),
                parts.Link("Failed", "?v=f", count="3"),
            ]
        ),
        rows=rows,
        pager=parts.Pager("1,240 messages", "", "?before=3"),
        is_filtered=False,
        clear_url="?",
        lead_shown=True,
        templates_url="/lumen/settings/texts/",
    )


def message(**given: str) -> dict[str, Any]:
    """One uncertain message."""
    page = screens.MessagePage(
        subject="Your order 10482 is waiting for you",
        status="uncertain",
        status_label="Uncertain",
        preview_url="/preview/881/",
        text="Hello Maria,\n\nyour order 10482 is still waiting. You can pay it here:\nhttps://pay.example/abc\n\nLumen Candles",
        facts=[
            ("To", "maria.wisniewska@example.com"),
            ("From", "hello@lumen.example"),
            ("Order", "10482"),
            ("Step", "Unpaid order, first reminder"),
            ("Class", "About the order"),
        ],
        timeline=parts.Timeline(
            [
                parts.Event(
                    ago(minutes=42),
                    "The server did not answer after the mail was handed over",
                    "mail-question-mark",
                    tone="due",
                ),
                parts.Event(ago(minutes=43), "Handed over", "send"),
                parts.Event(ago(days=1), "Planned", "calendar-clock"),
            ]
        ),
        person=person(),
        actions=[
            screens.Action("It arrived", "mail-check", "/a/", is_post=True),
            screens.Action("It did not", "mail-x", "/b/", is_post=True),
            screens.Action("Send again", "refresh-cw", "/c/", is_post=True),
        ],
        question="The mail server took this message and then did not answer. Most such mails have arrived. What do you know?",
    )
    return base(
        "/lumen/messages/881/", **given, message=page, crumb_links=crumbs("messages", "10482"), dialogs=[]
    )


def search(**given: str) -> dict[str, Any]:
    """A search that found something."""
    groups = [
        screens.SearchGroup(
            "Orders",
            "package",
            [parts.Link("10482", "/o/", count="Maria Wiśniewska · 1,299.00 PLN · Unpaid")],
        ),
        screens.SearchGroup(
            "People", "user-round", [parts.Link(name, "/c/", count=email) for name, email, _ in PEOPLE[:2]]
        ),
    ]
    return base("/lumen/search/", **given, query="wiśn", groups=groups, found=3)


PAGES: dict[str, tuple[str, Callable[..., dict[str, Any]]]] = {
    "home": ("web/home.html", home),
    "home_first": ("web/home.html", home_first),
    "orders": ("web/orders.html", orders),
    "orders_empty": ("web/orders.html", orders_empty),
    "order": ("web/order.html", order),
    "recovery": ("web/recovery.html", recovery),
    "recovery_report": ("web/recovery_report.html", recovery_report),
    "customers": ("web/customers.html", customers),
    "customer": ("web/customer.html", customer),
    "processes": ("web/processes.html", processes),
    "process": ("web/process.html", process),
    "messages": ("web/messages.html", messages),
    "message": ("web/message.html", message),
    "search": ("web/search.html", search),
}
