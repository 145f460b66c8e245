"""Processes and the news that leads people into them."""

import itertools
from typing import Any

from recoup.core.activity import SYSTEM
from recoup.orders.models import Cart, Order
from recoup.processes import actions
from recoup.processes.graph.reading import read_document
from recoup.processes.models import Process
from recoup.recovery.events import RecoveryCaseOpened
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.factories.messages import make_message_source
from tests.factories.moments import NOW

_numbers = itertools.count(1)
WAIT_AND_SEND: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT24H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
    "n3": {"t": "end"},
}


def make_process(
    shop: Shop,
    *,
    nodes: dict[str, Any] | None = None,
    entry: dict[str, Any] | None = None,
    goals: list[dict[str, Any]] | None = None,
    **values: Any,
) -> Process:
    """Make a running process on unpaid orders that waits a day and writes once."""
    process = Process(
        **{
            "shop": shop,
            "name": f"Process {next(_numbers)}",
            "status": "live",
            "salt": 9,
            "message_source": values.pop("message_source", None) or make_message_source(shop),
            **values,
        }
    )
    process.save(force_insert=True)
    document = {
        "schema": 1,
        "name": process.name,
        "entry": {"on": "order.unpaid", "first": "n1", **(entry or {})},
        "goals": [{"on": "order.paid"}] if goals is None else goals,
        "nodes": nodes or WAIT_AND_SEND,
    }
    actions.publish(process, read_document(document), actor=SYSTEM, now=NOW)
    process.refresh_from_db()
    return process


def opened(case: RecoveryCase) -> RecoveryCaseOpened:
    """Return the news that a case was opened."""
    subject: Order | Cart | None = case.order or case.cart
    assert subject is not None
    return RecoveryCaseOpened(case.shop_id, case.pk, case.kind, subject.pk, case.contact_id, case.opened_at)
