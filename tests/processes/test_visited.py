"""Visits to pages, as the tables tell them: who is woken, whose count, and those of another shop or time (D14)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core import links, outbox
from recoup.core.links import LinkOrder
from recoup.flow import ROUTES
from recoup.messaging.tracking import note_visits
from recoup.processes.engine.codes import Code, State
from recoup.processes.entering import enrol_placed
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, StepLog
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop

ASKS = {
    "n1": {
        "t": "until",
        "on": {"e": "page.visited"},
        "within": "P2D",
        "out": {"yes": "n2", "no": "n3"},
    },
    "n3": {"t": "send", "template": "first", "out": {"done": "n2"}},
    "n2": {"t": "end"},
}
PERSON = {"HTTP_ACCEPT_LANGUAGE": "en", "HTTP_USER_AGENT": "Mozilla/5.0 Firefox/140.0"}
SCANNER = {"HTTP_ACCEPT_LANGUAGE": "en", "HTTP_USER_AGENT": "Mozilla/5.0 (compatible; proofpoint)"}
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Any:
    with scopes_disabled():
        outbox.set_routes(ROUTES)
        yield
        outbox.set_routes({})


def _look(shop: Shop, order_id: int, **headers: str) -> None:
    (token,) = links.mint([LinkOrder("pay", shop.pk, "order", order_id)], now=NOW)
    assert Client().get(f"/pay/{token}", **headers).status_code == 200  # type: ignore[arg-type]


def test_whoever_comes_to_the_pay_page_by_a_link_that_no_message_carried_answers_the_block() -> None:
    set_clock(NOW)
    shop = make_shop()
    make_process(shop, nodes=ASKS, entry={"on": "order.placed"})
    anna = make_contact(shop)
    asked = [make_order(shop, contact=anna, placed_at=NOW) for _ in range(3)]
    _look(shop, asked[2].pk, **PERSON)
    note_visits(now=NOW + MINUTE)
    set_clock(NOW + HOUR)
    enrol_placed([order.pk for order in asked])
    Enrolment.objects.update(entered_at=NOW + HOUR, node_at=NOW + HOUR)
    Engine().run_once()

    _look(shop, asked[0].pk, **PERSON)
    _look(shop, asked[1].pk, **SCANNER)
    note_visits(now=NOW + HOUR + MINUTE)
    outbox.dispatch()
    Engine().run_once()

    assert dict(Enrolment.objects.values_list("subject_id", "state")) == {
        asked[0].pk: State.COMPLETED,
        asked[1].pk: State.WAITING,
        asked[2].pk: State.WAITING,  # had come before they were in
    }
    assert list(StepLog.objects.order_by("step_no").values_list("outcome", flat=True)) == [
        Code.YES,
        Code.COMPLETED,
    ]
