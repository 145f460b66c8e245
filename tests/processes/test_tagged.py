"""Tags and processes: a block sets them, an entry begins with them, and two processes cannot tag each other for ever."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import SYSTEM
from recoup.customers.models import ContactTag
from recoup.customers.tagging import tag_by_hand, tags_of
from recoup.processes.engine.entry import LONGEST_CHAIN
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, TurnedAway
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
END = {"n1": {"t": "end"}}


def tags(add: str, remove: str = "") -> dict[str, Any]:
    values = {"add": [add]} | ({"remove": [remove]} if remove else {})
    return {"n1": {"t": "tag", **values, "out": {"next": "n2"}}, "n2": {"t": "end"}}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop()


def work() -> None:
    for _ in range(100):
        if not outbox.dispatch() and not Engine().run_once():
            return
    raise AssertionError("it never ends")


def test_a_process_tags_the_person_of_an_order(shop: Shop) -> None:
    process = make_process(shop, nodes=tags("unpaid"), goals=[])
    order = make_order(shop, status="unpaid")

    enrol_cases([opened(make_case(order))])
    work()

    one = ContactTag.objects.select_related("tag").get()
    assert (one.contact_id, one.tag.name) == (order.contact_id, "unpaid")
    assert (one.added_kind, one.added_by) == ("process", process.pk)


def test_the_control_group_is_not_tagged(shop: Shop) -> None:
    make_process(shop, nodes=tags("unpaid"), goals=[], holdout_bp=9_999)

    enrol_cases([opened(make_case(make_order(shop, status="unpaid")))])
    work()

    assert not ContactTag.objects.exists()


def test_whoever_is_tagged_from_now_on_enters_and_who_has_the_tag_does_not(shop: Shop) -> None:
    old, anna, other = make_contact(shop), make_contact(shop), make_contact(shop)
    tag_by_hand(old, add=["vip"], actor=SYSTEM, now=NOW)
    work()
    process = make_process(shop, entry={"on": "tag.set", "tags": ["VIP", "loyal"]}, goals=[], nodes=END)

    tag_by_hand(old, add=["vip"], actor=SYSTEM, now=NOW + HOUR)  # has it already
    tag_by_hand(anna, add=["Vip", "new"], actor=SYSTEM, now=NOW + HOUR)
    tag_by_hand(other, add=["new"], actor=SYSTEM, now=NOW + HOUR)
    tag_by_hand(other, remove=["new"], actor=SYSTEM, now=NOW + HOUR)
    work()

    one = Enrolment.objects.get()
    assert (one.process_id, one.subject_kind, one.subject_id, one.entered_at) == (
        process.pk, 3, anna.pk, NOW + HOUR,
    )  # fmt: skip


def test_a_tag_taken_off_and_set_again_is_a_new_event(shop: Shop) -> None:
    make_process(
        shop, entry={"on": "tag.set", "tags": ["vip"], "reentry": "one_at_a_time"}, goals=[], nodes=END
    )
    anna = make_contact(shop)

    for hour in (1, 2):
        set_clock(NOW + hour * HOUR)
        tag_by_hand(anna, add=["vip"], actor=SYSTEM, now=NOW + hour * HOUR)
        tag_by_hand(anna, remove=["vip"], actor=SYSTEM, now=NOW + hour * HOUR)
        work()

    assert Enrolment.objects.count() == 2


def test_two_processes_that_tag_for_each_other_come_to_an_end(shop: Shop) -> None:
    for mine, others in (("ping", "pong"), ("pong", "ping")):
        entry = {"on": "tag.set", "tags": [mine], "reentry": "every_event"}
        make_process(shop, entry=entry, goals=[], nodes=tags(others, mine))
    anna = make_contact(shop)

    tag_by_hand(anna, add=["ping"], actor=SYSTEM, now=NOW)
    work()

    assert Enrolment.objects.count() == LONGEST_CHAIN + 1
    assert [one.tag.name for one in tags_of(anna)] == ["ping"] or TurnedAway.objects.exists()
