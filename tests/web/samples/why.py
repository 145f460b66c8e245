"""Why somebody did or did not get something."""

from typing import Any

from recoup.web import parts
from recoup.web.life_screens import WhyAnswer, WhyLine, WhyProcess
from tests.web.samples.ground import ago, base


def why(**given: str) -> dict[str, Any]:
    """One order, two processes."""
    gentle = WhyProcess(
        "Unpaid order",
        "/s/lumen/processes/1/",
        [
            WhyAnswer(
                "Anna Kowalska got “First reminder”.",
                "It was sent at 22 Nov 2026, 15:00.",
                "mail-check",
                "recovered",
            ),
            WhyAnswer(
                "Anna Kowalska did not get “Second reminder”.",
                "It was paid at 22 Nov 2026, 16:02, before this was due (24 Nov 2026, 15:00).",
                "minus",
            ),
        ],
        [
            WhyLine(ago(hours=2), "3. Wait 48 hours", "Paid"),
            WhyLine(ago(hours=3), "2. First reminder", "Sent", url="#"),
        ],
        ago(days=1),
    )
    second = WhyProcess(
        "Win back",
        "/s/lumen/processes/2/",
        [
            WhyAnswer(
                "Anna Kowalska did not get “Win back”.",
                "It did not meet the condition of the process when it came, at 21 Nov 2026, 15:00.",
                "minus",
            )
        ],
    )
    return base(
        "/s/lumen/why/",
        **given,
        crumb_links=[parts.Link("Processes", "/s/lumen/processes/"), parts.Link("Why?", "")],
        title="Order 1042",
        query="",
        process_id="",
        hits=[],
        subjects=[parts.Link("About the person", "#"), parts.Link("Order 1042", "#", is_on=True)],
        is_asked=True,
        processes=[gentle, second],
    )
