"""Home, orders and recovery."""

from typing import Any

from recoup.web import keeping_screens, parts, screens
from recoup.web.effect_screens import BroughtRow
from tests.web.samples import pieces
from tests.web.samples.ground import PEOPLE, STATES, ago, base, crumbs, person, pln, sort


def home(**given: str) -> dict[str, Any]:
    """Home on an ordinary day."""
    return base(
        "/s/lumen/home/",
        **given,
        tiles=pieces.tiles(),
        attention_items=pieces.attention(),
        attention_url="/s/lumen/attention/",
        charts=[pieces.week_chart()],
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
        for one in pieces.tiles()
    ]
    steps = [
        keeping_screens.WizardStep("Mail server", "/s/", "done"),
        keeping_screens.WizardStep("First source of orders", "/s/", "now"),
        keeping_screens.WizardStep("Look at the texts", "/s/"),
    ]
    return {
        **home(**given),
        "tiles": empty,
        "attention_items": [],
        "charts": [],
        "setup": steps,
        "go_live_url": "/l/",
    }


def order_rows() -> list[screens.OrderRow]:
    """Return a page of the order list."""
    rows = []
    for index in range(16):
        status, label, payment, payment_label, method = STATES[index % len(STATES)]
        rows.append(
            screens.OrderRow(
                id=index,
                number=str(10498 - index),
                url=f"/s/lumen/orders/{10498 - index}/",
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


def orders(**given: str) -> dict[str, Any]:
    """The order list."""
    return base(
        "/s/lumen/orders/",
        **given,
        filters=pieces.filters(),
        rows=order_rows(),
        pager=parts.Pager("128 orders", "", "?before=10482"),
        sort=sort("placed", "total"),
        import_url="/s/lumen/settings/import/",
        connect_url="/s/lumen/settings/sources/",
        is_filtered=False,
        clear_url="?",
        bulk_url="/s/lumen/orders/bulk/",
        lead_shown=True,
    )


def order_twins(**given: str) -> dict[str, Any]:
    """Two people with several orders for the same products, and what was done before."""
    rows = [
        screens.TwinRow(
            id=number,
            person=person,
            goods=goods,
            why=why,
            kept_id=number,
            options=[(number, f"{number} of 3 Nov"), (number - 1, f"{number - 1} of 1 Nov")],
            orders=[
                (parts.Link(str(number), "/s/lumen/orders/1/"), pln("149.00"), "New, owed"),
                (
                    parts.Link(str(number - 1), "/s/lumen/orders/1/"),
                    pln("149.00"),
                    "Unpaid, failed",
                ),
            ],
            ids=f"{number},{number - 1}",
        )
        for number, person, goods, why in (
            (10482, "Anna Nowak", 2, "the newest"),
            (10466, "Aleksandra Wiśniewska-Kowalczyk", 0, "its buyer has promised to pay"),
        )
    ]
    return base(
        "/s/lumen/orders/duplicates/",
        **given,
        crumb_links=[parts.Link("Orders", "/s/lumen/orders/"), parts.Link("Possible duplicates", "")],
        rows=rows,
        pager=parts.Pager("2 groups"),
        is_part=False,
        all_url="/s/lumen/orders/duplicates/",
        orders_url="/s/lumen/orders/",
        undo_url="/u/",
        undo_words="Piotr marked 12 orders as duplicates.",
        made_at=ago(minutes=8),
    )


def order_twins_empty(**given: str) -> dict[str, Any]:
    """The same where nobody has any."""
    return {**order_twins(**given), "rows": [], "undo_url": ""}


def orders_empty(**given: str) -> dict[str, Any]:
    """The order list of a new shop."""
    return {**orders(**given), "rows": [], "filters": parts.Filters()}


def moves() -> list[parts.Move]:
    """Return what an unpaid order may become."""
    return [
        parts.Move("in_work", "In work", "user-check", help="Reminders pause while you work on it"),
        parts.Move("awaiting_payment", "Awaiting payment", "hourglass"),
        parts.Move("not_confirmed", "Not confirmed", "circle-help"),
        parts.Move("cancelled", "Cancelled…", "circle-x", "failed", "Stops 2 messages", "cancel-order"),
    ]


def attempts() -> list[screens.AttemptRow]:
    """Return two attempts that failed."""
    return [
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
    ]


def actions() -> list[screens.Action]:
    """Return the buttons of an order."""
    return [
        screens.Action("Take this order", "user-check", "/t/", is_post=True, tone="primary"),
        screens.Action("Send the pay link", "send", opens="send-link"),
        screens.Action("Open the pay page", "external-link", "/p/"),
        screens.Action("Cancel order…", "circle-x", opens="cancel-order", tone="ghost"),
    ]


def siblings() -> list[screens.OrderLink]:
    """Return other orders of the person."""
    return [
        screens.OrderLink("10455", "/o/", pln("129.00"), ago(days=20), "completed", "Completed"),
        screens.OrderLink(
            "10481", "/o/", pln("1299.00"), ago(days=4, hours=3), "cancelled", "Cancelled", "same goods"
        ),
    ]


def order(**given: str) -> dict[str, Any]:
    """One unpaid order."""
    page = screens.OrderPage(
        number="10482",
        status="unpaid",
        status_label="Unpaid",
        status_url="/s/lumen/orders/10482/status/",
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
        timeline=pieces.timeline(),
        moves=moves(),
        facts=[
            ("Source", "WooCommerce"),
            ("Method", "Card"),
            ("Language", "Polish"),
        ],
        delivery=[
            ("Delivery", "InPost, parcel locker"),
            ("Pick-up point", "KRA012, by the grocery, ul. Pawia 5, 31-154 Kraków"),
            ("Billing address", "ul. Lipowa 12/4, 31-112 Kraków, PL"),
            ("Invoice", "wanted"),
            ("Invoice for", "Pracownia Lipa Maria Wójcik"),
            ("Tax number", "5252248481"),
        ],
        attempts=attempts(),
        next_step=parts.NextStep(
            "Second reminder tomorrow 10:00, unless paid.", detail="Then a last one on Thu 26 Nov, 10:00."
        ),
        actions=actions(),
        siblings=siblings(),
        note_url="/s/lumen/orders/10482/note/",
        pay_link=screens.HandedLink(
            "Pay link",
            "https://recoup.shop.example/pay/Qm9Ytk3xVZ2p-LrW8sEa1c",
            [
                "Opens the payment of this order, now 1,299.00 zł, until Tue 19 Jan 2027, 11:00.",
                "It is for a talk with the customer and counts as no reminder.",
                "Whoever has it sees name and address masked, and opening it counts as a visit of the customer.",
            ],
        ),
    )
    return base(
        "/s/lumen/orders/10482/",
        **given,
        order=page,
        crumb_links=crumbs("orders", "10482"),
        dialogs=[pieces.cancel_dialog()],
    )


def recovery_tabs(current: int) -> list[parts.Link]:
    """Return the two halves of recovery."""
    return [
        parts.Link("Cases", "/s/lumen/recovery/", current == 0, "34"),
        parts.Link("Report", "/s/lumen/recovery/report/", current == 1),
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
            "/s/lumen/orders/1/",
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
        "/s/lumen/recovery/",
        **given,
        tab_links=recovery_tabs(0),
        tiles=pieces.tiles()[:4],
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
        process_url="/s/lumen/processes/1/",
        move_url="/s/lumen/processes/add/new/",  # rows are picked by their boxes
        all_url="/s/lumen/processes/add/new/?f=1",
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
        link("20.97%", "?r=2"),
        link("zł2,418,330.50", "?r=3"),
        link("1,004", "?r=4"),
    )
    return base(
        "/s/lumen/recovery/report/",
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
        own_period={"first": "2026-01-01", "last": "2026-11-22", "kept": [("shop", "lumen")], "is_on": True},
        period_words="1 January – 22 November 2026, time of Warsaw",
        tiles=pieces.tiles()[:4],
        rows=[row],
        charts=[pieces.week_chart()],
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
        brought=[
            BroughtRow(
                "Unpaid order",
                "/s/lumen/processes/1/result/",
                link("1,705", "?"),
                ["zł262,117.00"],
                "1,888 of 8,991",
                "151 of 1,009",
                "189 to 890 more",
                ["PLN 12,400 to PLN 154,700 more"],
            ),
            BroughtRow(
                "Cart left behind",
                "",
                link("31", "?"),
                ["zł4,002.00"],
                "60 of 410",
                "–",
                "unknown",
                [],
                "Nobody is left alone.",
            ),
        ],
        export_url="?format=csv",
        brought_url="?format=csv",
    )
