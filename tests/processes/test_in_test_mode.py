"""A process in test mode in a live shop: everything is decided, nothing leaves, and nobody is kept from a live process."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.customers.models import ContactTag
from recoup.messaging.models import Message
from recoup.offers.models import Offer
from recoup.processes.engine.codes import Flag, State
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, Process
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import NOW
from tests.factories.offers import make_settings
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
END: dict[str, Any] = {"t": "end"}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    shop = make_shop()
    make_settings(shop)
    return shop


def work() -> None:
    for _ in range(100):
        if not outbox.dispatch() and not Engine().run_once():
            return
    raise AssertionError("it never ends")


def test_an_order_of_a_live_shop_is_left_as_it_is(shop: Shop) -> None:
    other = make_process(shop, entry={"on": "manual", "about": "order"}, nodes={"n1": END})
    nodes: dict[str, Any] = {
        "n1": {"t": "order_status", "to": "cancelled", "reason": "no_answer", "out": {"next": "n2"}},
        "n2": {"t": "tag", "add": ["given up"], "out": {"next": "n3"}},
        "n3": {"t": "enrol", "process": other.pk, "out": {"next": "n4"}},
        "n4": {"t": "offer", "percent": 5, "valid": "P2D", "out": {"granted": "n5"}},
        "n5": {"t": "send", "template": "first", "out": {"done": "n6"}},
        "n6": END,
    }
    make_process(shop, nodes=nodes, status="test")
    order = make_order(shop, status="unpaid", total="100.00")

    enrol_cases([opened(make_case(order))])
    work()

    order.refresh_from_db()
    assert order.status == "unpaid"
    assert not ContactTag.objects.exists()
    assert [one.flags & Flag.TEST for one in Enrolment.objects.all()] == [Flag.TEST] * 2
    assert [one.is_test for one in (Offer.objects.get(), Message.objects.get())] == [True, True]


def entered(process: Process) -> list[tuple[int, int]]:
    """Return the order and the state of each who came into a process."""
    return list(Enrolment.objects.filter(process=process).order_by("id").values_list("subject_id", "state"))


def test_a_stronger_copy_takes_nobody_from_the_live_process_of_its_group(shop: Shop) -> None:
    live = make_process(shop, exclusive_group="unpaid", priority=1)
    anna = make_contact(shop)
    first, second = (make_order(shop, status="unpaid", contact=anna) for _ in range(2))
    enrol_cases([opened(make_case(first))])
    copy = make_process(shop, exclusive_group="unpaid", priority=2, status="test")

    enrol_cases([opened(make_case(second)), opened(make_case(other := make_order(shop, status="unpaid")))])

    assert entered(live) == [(first.pk, State.READY), (other.pk, State.READY)]  # one of Anna's at a time
    assert entered(copy) == [(second.pk, State.READY), (other.pk, State.READY)]


def test_in_test_mode_one_group_still_lets_one_person_into_one_process(shop: Shop) -> None:
    weaker, stronger = (
        make_process(shop, exclusive_group="unpaid", priority=rank, status="test") for rank in (1, 2)
    )

    enrol_cases([opened(make_case(make_order(shop, status="unpaid")))])

    assert (entered(weaker), len(entered(stronger))) == ([], 1)


def test_a_stronger_process_that_is_paused_takes_nobody_from_one_that_runs(shop: Shop) -> None:
    running = make_process(shop, exclusive_group="unpaid", priority=1)
    anna = make_contact(shop)
    first, second = (make_order(shop, status="unpaid", contact=anna) for _ in range(2))
    enrol_cases([opened(make_case(first))])
    paused = make_process(shop, exclusive_group="unpaid", priority=2, status="paused")

    enrol_cases([opened(make_case(second)), opened(make_case(other := make_order(shop, status="unpaid")))])

    assert entered(running) == [(first.pk, State.READY), (other.pk, State.READY)]
    assert entered(paused) == []


@pytest.mark.parametrize(
    ("message", "is_taken_over"), [(None, True), ("due", True), ("cancelled", True), ("sent", False)]
)
def test_a_process_that_is_paused_keeps_nobody_to_whom_it_has_not_written_from_one_that_runs(
    shop: Shop, message: str | None, *, is_taken_over: bool
) -> None:
    paused = make_process(shop, exclusive_group="unpaid", priority=2, status="paused")
    anna = make_contact(shop)
    first, second = (make_order(shop, status="unpaid", contact=anna) for _ in range(2))
    enrol_cases([opened(make_case(first))])
    if message is not None:
        inside = Enrolment.objects.get()
        make_message(first, enrolment_id=inside.pk, step_no=1, state=message)
        Enrolment.objects.update(last_message_step=1)
    running = make_process(shop, exclusive_group="unpaid", priority=1)

    enrol_cases([opened(make_case(second))])

    assert entered(paused) == [(first.pk, State.CANCELLED if is_taken_over else State.READY)]
    assert entered(running) == ([(second.pk, State.READY)] if is_taken_over else [])
    assert not Message.objects.filter(state="due").exists()
