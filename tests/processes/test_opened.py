"""Opened or not, on a real database: from the visit of a person to the answer of the block (D13)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.models import Link
from recoup.messaging.events import MessageSettled
from recoup.messaging.models import Message
from recoup.messaging.tracking import OPEN, PATIENCE, note_visits, record_visit
from recoup.processes.engine.codes import Code
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import StepLog
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
ASKED = {
    "n1": {"t": "send", "template": "first", "out": {"done": "n2"}},
    "n2": {
        "t": "until",
        "on": {"e": "message.opened", "ref": "n1"},
        "within": "P1D",
        "out": {"yes": "n4", "no": "n3"},
    },
    "n3": {"t": "send", "template": "again", "out": {"done": "n4"}},
    "n4": {"t": "end"},
}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


def work() -> None:
    for _ in range(100):
        if not outbox.dispatch() and not Engine().run_once():
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize(
    ("purpose", "is_machine", "answer"),
    [("pay", False, Code.YES), (OPEN, False, Code.YES), (OPEN, True, Code.NO)],
)
def test_who_follows_a_link_or_opens_the_mail_gets_no_second_one(
    purpose: str, is_machine: bool, answer: Code
) -> None:
    set_clock(NOW)
    shop = make_shop()
    make_process(shop, nodes=ASKED)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    work()
    message = Message.objects.get()
    Message.objects.update(state="sent", handed_at=NOW, settled_at=NOW)
    outbox.announce(_settled(message))
    work()

    set_clock(NOW + HOUR)
    link = Link(purpose=purpose, shop_id=shop.pk, message_id=message.pk)
    record_visit(link, at=NOW + HOUR, is_machine=is_machine)
    set_clock(NOW + HOUR + PATIENCE)
    note_visits(now=NOW + HOUR + PATIENCE)
    work()
    set_clock(NOW + timedelta(hours=25))
    work()

    answers = StepLog.objects.filter(outcome__in=[Code.YES, Code.NO]).values_list("outcome", flat=True)
    assert list(answers) == [answer]
    assert Message.objects.count() == (1 if answer is Code.YES else 2)


def _settled(message: Message) -> MessageSettled:
    return MessageSettled(
        message.shop_id, message.pk, message.enrolment_id, message.step_no, message.case_id, "sent", NOW
    )
