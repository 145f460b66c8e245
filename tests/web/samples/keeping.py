"""Customers, processes, messages and search."""

from types import SimpleNamespace
from typing import Any

from recoup.web import parts, screens
from tests.web.samples import pieces
from tests.web.samples.ground import PEOPLE, ago, base, crumbs, person, pln, sort
from tests.web.samples.selling import order_rows


def customers(**given: str) -> dict[str, Any]:
    """The customer list."""
    rows = [
        screens.CustomerRow(
            index,
            name,
            "/s/lumen/customers/7/",
            email,
            phone,
            index % 5,
            [pln(f"{index * 213}.40")] if index % 5 else [],
            ago(days=index * 2 + 0.2),
            [pln("129.00")] if index % 3 == 0 else [],
        )
        for index, (name, email, phone) in enumerate(PEOPLE)
    ]
    return base(
        "/s/lumen/customers/",
        **given,
        filters=parts.Filters(
            views=[parts.Link("All", "?", True), parts.Link("Waits to be paid", "?v=open", count="34")]
        ),
        rows=rows,
        pager=parts.Pager("10,000+ customers", "", "?before=3", "?count=1"),
        sort=sort("last", "orders"),
        is_filtered=False,
        clear_url="?",
        import_url="/s/lumen/settings/import/",
        lead_shown=True,
        segments_url="/s/lumen/segments/",
        move_url="/s/lumen/processes/add/new/",  # rows are picked by their boxes
        all_url="/s/lumen/processes/add/new/?f=1",
    )


def customer(**given: str) -> dict[str, Any]:
    """One customer."""
    page = screens.CustomerPage(
        card=person(),
        cart_link=screens.HandedLink(
            "Link to the left cart",
            "https://recoup.shop.example/cart/Qm9Ytk3xVZ2p-LrW8sEa1c",
            [
                "Opens the cart of 258.00 zł as it was left, until Mon 21 Dec 2026, 11:00.",
                "It is for a talk with the customer and counts as no reminder.",
            ],
        ),
        contacts=[
            screens.ContactRow("E-mail", "maria.wisniewska@example.com", "ok", "Reminders of orders"),
            screens.ContactRow("Phone", "+48 601 234 567", "unknown", "Not asked"),
        ],
        orders=order_rows()[:4],
        timeline=pieces.timeline(),
        facts=[("Address", "ul. Długa 4, 31-147 Kraków")],
        tags=[
            screens.TagShown("vip", "Set on 12 Nov 2026"),
            screens.TagShown("called twice", "Set by a process"),
        ],
        tags_url="/c/",
        tasks=_task_rows()[:2],
        doubles=[
            screens.Double(
                "M. Wisniewska",
                "/c/",
                "m.wisniewska@example.com",
                "shares an account, an e-mail or a phone",
                [
                    screens.Action("Merge…", opens="merge-1"),
                    screens.Action("Not the same person", url="/c/", is_post=True, tone="ghost"),
                ],
            )
        ],
        actions=[
            screens.Action("Stop all messages…", "ban", opens="stop"),
            screens.Action("Erase the person…", "trash-2", opens="erase", tone="ghost"),
        ],
        next_step=parts.NextStep("Second reminder of order 10482 tomorrow 10:00, unless paid."),
    )
    return base(
        "/s/lumen/customers/7/",
        **given,
        customer=page,
        crumb_links=crumbs("customers", PEOPLE[0][0]),
        dialogs=[
            parts.Confirm(
                "merge-1",
                "Merge these two customers?",
                "/c/",
                "Merge into one customer",
                fields=[
                    parts.Choice(
                        "kept",
                        "Keep the name and the address of",
                        [("this", "Maria Wiśniewska · 3 orders"), ("other", "M. Wisniewska · 1 order")],
                        "Mails go to this address.",
                        is_required=True,
                        kind="radio",
                    )
                ],
            )
        ],
    )


def processes(**given: str) -> dict[str, Any]:
    """The process list."""
    link = screens.CountLink
    rows = [
        screens.ProcessRow(
            "Unpaid order",
            "/s/lumen/processes/1/",
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
            "/s/lumen/processes/2/",
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
    return base("/s/lumen/processes/", **given, rows=rows, lead_shown=True, dialogs=[])


def process_inside(**given: str) -> dict[str, Any]:
    """All that wait in a process: orders, a cart, a person."""
    titles = ["10491", "Cart", "Customer", "10488", "10479"]
    rows = [
        SimpleNamespace(
            title=title, url="/s/lumen/orders/1/", person=PEOPLE[number][0], at=ago(hours=number * 9)
        )
        for number, title in enumerate(titles)
    ]
    views = [
        parts.Link("All", "?", True),
        parts.Link("Their cases in Recovery", "/s/lumen/recovery/?process=1"),
    ]
    return base(
        "/s/lumen/processes/1/inside/",
        **given,
        crumb_links=crumbs("processes", "Waiting in it"),
        title="Waiting in “Unpaid order”",
        filters=parts.Filters(views),
        rows=rows,
        pager=parts.Pager("5 in the list", "", ""),
    )


def process(**given: str) -> dict[str, Any]:
    """One process."""
    page = screens.ProcessPage(
        name="Unpaid order",
        status="live",
        status_label="Live",
        description="Reminds a buyer three times in a week, and stops the moment the order is paid.",
        tiles=pieces.tiles()[3:7],
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
        "/s/lumen/processes/1/",
        **given,
        process=page,
        nodes=pieces.process_nodes(),
        crumb_links=crumbs("processes", "Unpaid order"),
        decisions=decisions,
        decisions_url="/s/lumen/messages/",
        picture_url="/s/lumen/processes/1/picture/",
        dialogs=[],
    )


def _task_rows() -> list[screens.TaskRow]:
    return [
        screens.TaskRow(
            f"Call {PEOPLE[index % 8][0]} about order {10490 - index}",
            "/s/lumen/tasks/7/",
            PEOPLE[index % 8][0],
            f"Order {10490 - index}",
            ago(hours=index * 5 - 20),
            "Ewa Lis" if index % 2 else "Clerk",
            "overdue" if index > 4 else "open",
            "Overdue" if index > 4 else "To do",
            is_urgent=index == 0,
        )
        for index in range(8)
    ]


def tasks(**given: str) -> dict[str, Any]:
    """The list of tasks."""
    return base(
        "/s/lumen/tasks/",
        **given,
        filters=parts.Filters(
            views=[
                parts.Link("Mine", "?", True),
                parts.Link("All", "?v=all"),
                parts.Link("Ended", "?v=done"),
            ],
            menus=[parts.FilterMenu("Due", [parts.Link("overdue", "?due=overdue")])],
        ),
        rows=_task_rows(),
        pager=parts.Pager("8 tasks", "", ""),
        is_filtered=False,
        clear_url="?",
        lead_shown=True,
        next_url="/s/lumen/tasks/7/",
    )


def tasks_empty(**given: str) -> dict[str, Any]:
    """The list of tasks when there is nothing to do."""
    return {**tasks(**given), "rows": [], "next_url": ""}


def task(**given: str) -> dict[str, Any]:
    """One task."""
    page = screens.TaskPage(
        row=_task_rows()[0],
        note="Ask whether the card was refused. Offer a bank transfer.",
        facts=[("Whose it is", "Clerk"), ("How urgent", "Urgent")],
        order_url="/s/lumen/orders/7/",
        customer_url="/s/lumen/customers/7/",
        phone="+48601234567",
        process_url="/s/lumen/processes/7/",
        close_url="/s/lumen/tasks/7/close/",
        hand_on_url="/s/lumen/tasks/7/hand-on/",
    )
    return base(
        "/s/lumen/tasks/7/",
        **given,
        task=page,
        crumb_links=[parts.Link("Tasks", "/s/lumen/tasks/"), parts.Link("Call", "")],
        assignees=[
            ("everybody", "everybody", False),
            ("role:clerk", "Clerk", True),
            ("person:7", "Ewa Lis", False),
        ],
        next_url="/s/lumen/tasks/8/",
    )


def messages(**given: str) -> dict[str, Any]:
    """The message list."""
    states = [
        ("sent", "Sent"),
        ("clicked", "Clicked"),
        ("due", "Waits"),
        ("uncertain", "Uncertain"),
        ("failed", "Failed"),
        ("cancelled", "Not sent"),
    ]
    reasons = ["", "", "", "The mail server broke off", "Mailbox does not exist", "Paid 12 minutes before"]
    rows = [
        screens.MessageRow(
            index,
            "Your order 10482 is waiting for you",
            "/s/lumen/messages/881/",
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
        "/s/lumen/messages/",
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
        templates_url="/s/lumen/settings/texts/",
    )


def message(**given: str) -> dict[str, Any]:
    """One uncertain message."""
    page = screens.MessagePage(
        subject="Your order 10482 is waiting for you",
        status="uncertain",
        status_label="Uncertain",
        preview_url="/preview/881/",
        text="Hello Maria,\n\nyour order 10482 is still waiting. Pay it here:\nhttps://pay.example/abc",
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
        question="The mail server took this message and then did not answer. Most such mails arrive. What do you know?",
    )
    return base(
        "/s/lumen/messages/881/", **given, message=page, crumb_links=crumbs("messages", "10482"), dialogs=[]
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
    return base("/s/lumen/search/", **given, query="wiśn", groups=groups, found=3)
