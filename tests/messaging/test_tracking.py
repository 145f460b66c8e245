"""Visits through the links of messages: whose are they, and when do they count."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.models import Link
from recoup.messaging.events import MessageClicked, MessageOpened, PageVisited
from recoup.messaging.models import Message, MessageVisit, PageVisit
from recoup.messaging.tracking import (
    OPEN,
    PATIENCE,
    SLOT,
    is_machine,
    note_visits,
    record_straight_visit,
    record_visit,
)
from tests.factories.messages import make_message
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Accept-Language": "pl"}
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def message() -> Message:
    return make_message(make_order(make_shop()), state="sent", handed_at=NOW, enrolment_id=9)


@pytest.fixture
def clicks() -> Iterator[list[Any]]:
    heard: list[Any] = []
    outbox.set_routes({MessageClicked: (heard.extend,), MessageOpened: (heard.extend,)})
    yield heard
    outbox.set_routes({})


def link_of(message: Message, purpose: str = "pay") -> Link:
    return Link(purpose=purpose, shop_id=message.shop_id, message_id=message.pk)


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", BROWSER, False),
        ("POST", BROWSER, False),
        ("HEAD", BROWSER, True),
        ("GET", {}, True),
        ("GET", {"User-Agent": BROWSER["User-Agent"]}, True),
        ("GET", {**BROWSER, "Sec-Purpose": "prefetch;prerender"}, True),
        ("GET", {**BROWSER, "Purpose": "preview"}, True),
        ("GET", {**BROWSER, "User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, True),
        ("GET", {**BROWSER, "User-Agent": "WhatsApp/2.23"}, True),
        ("GET", {**BROWSER, "User-Agent": "python-requests/2.32"}, True),
    ],
)
def test_a_request_by_itself_looks_like_a_person_or_a_machine(
    method: str, headers: dict[str, str], expected: bool
) -> None:
    assert is_machine(method, headers) is expected


def test_the_first_visit_of_a_person_is_the_click_and_is_told_once(
    message: Message, clicks: list[Any]
) -> None:
    record_visit(link_of(message), at=NOW + HOUR, is_machine=False)
    record_visit(link_of(message, "why"), at=NOW + 2 * HOUR, is_machine=False)

    counted = [note_visits(now=NOW + 3 * HOUR), note_visits(now=NOW + 3 * HOUR)]
    outbox.dispatch()

    message.refresh_from_db()
    assert (counted, message.clicked_at, message.opened_at) == ([1, 0], NOW + HOUR, NOW + HOUR)
    assert clicks == [MessageClicked(message.shop_id, message.pk, 9, NOW + HOUR)]


def test_a_mail_is_opened_before_its_link_is_followed_and_each_is_told_once(
    message: Message, clicks: list[Any]
) -> None:
    record_visit(link_of(message, OPEN), at=NOW + HOUR, is_machine=False)
    noted = [note_visits(now=NOW + HOUR + PATIENCE)]
    record_visit(link_of(message), at=NOW + 2 * HOUR, is_machine=False)
    record_visit(link_of(message, OPEN), at=NOW + 3 * HOUR, is_machine=False)

    noted += [note_visits(now=NOW + 4 * HOUR), note_visits(now=NOW + 4 * HOUR)]
    outbox.dispatch()

    message.refresh_from_db()
    assert (noted, message.opened_at, message.clicked_at) == ([1, 1, 0], NOW + HOUR, NOW + 2 * HOUR)
    assert clicks == [
        MessageOpened(message.shop_id, message.pk, 9, NOW + HOUR),
        MessageClicked(message.shop_id, message.pk, 9, NOW + 2 * HOUR),
    ]


@pytest.mark.parametrize(
    "visits",
    [
        [("pay", 3600, True)],
        [("pay", 2, False)],
        [("pay", 3600, False), ("why", 3601, False), ("out", 3609, False)],
        [("open", 3600, False), ("pay", 3601, False), ("why", 3602, False), ("out", 3609, False)],
    ],
    ids=[
        "a robot by its looks",
        "before it could be read",
        "every link at once",
        "its picture and its links",
    ],
)
def test_what_machines_open_is_kept_and_does_not_count(
    message: Message, clicks: list[Any], visits: list[tuple[str, int, bool]]
) -> None:
    for purpose, seconds, looks_like_machine in visits:
        record_visit(link_of(message, purpose), at=NOW + seconds * SECOND, is_machine=looks_like_machine)

    assert note_visits(now=NOW + 2 * HOUR) == 0

    outbox.dispatch()
    message.refresh_from_db()
    assert (message.opened_at, message.clicked_at, clicks) == (None, None, [])
    assert list(MessageVisit.objects.values_list("is_machine", flat=True)) == [True] * len(visits)


def test_the_picture_that_loads_with_the_first_links_makes_no_machine_of_a_reader(message: Message) -> None:
    for purpose, seconds in ((OPEN, 0), ("pay", 3), ("why", 9)):
        record_visit(link_of(message, purpose), at=NOW + HOUR + seconds * SECOND, is_machine=False)

    assert note_visits(now=NOW + 2 * HOUR) == 1

    message.refresh_from_db()
    assert (message.opened_at, message.clicked_at) == (NOW + HOUR, NOW + HOUR + 3 * SECOND)


def test_a_visit_waits_until_its_neighbours_must_have_come(message: Message) -> None:
    record_visit(link_of(message), at=NOW + HOUR, is_machine=False)

    early = note_visits(now=NOW + HOUR + PATIENCE - SECOND)

    assert (early, note_visits(now=NOW + HOUR + PATIENCE)) == (0, 1)


def test_a_visit_writes_no_row_but_its_own(message: Message) -> None:
    def rows() -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables"
                " WHERE relname <> 'messaging_messagevisit' ORDER BY relname"
            )
            found: list[tuple[object, ...]] = cursor.fetchall()
            return found

    before = rows()
    record_visit(link_of(message), at=NOW, is_machine=False)

    assert rows() == before
    assert MessageVisit.objects.count() == 1


def test_a_link_that_no_message_carried_leaves_no_visit() -> None:
    record_visit(Link(purpose="pay", shop_id=make_shop().pk), at=NOW, is_machine=False)

    assert MessageVisit.objects.count() == 0


@pytest.fixture
def came() -> Iterator[list[PageVisited]]:
    heard: list[PageVisited] = []
    outbox.set_routes({MessageClicked: (), MessageOpened: (), PageVisited: (heard.extend,)})
    yield heard
    outbox.set_routes({})


def test_whoever_follows_a_link_has_come_to_its_page_each_time_and_once_in_a_while(
    message: Message, came: list[PageVisited]
) -> None:
    start = NOW + HOUR  # on a whole hour, with which such a while begins
    for after in (timedelta(0), SLOT / 2, SLOT):
        record_visit(link_of(message), at=start + after, is_machine=False)
    record_visit(link_of(message, OPEN), at=start, is_machine=False)

    note_visits(now=NOW + 2 * HOUR)
    outbox.dispatch()

    order = message.order_id or 0
    assert sorted(came, key=lambda one: one.at) == [
        PageVisited(message.shop_id, 1, order, message.contact_id, start + SLOT / 2),
        PageVisited(message.shop_id, 1, order, message.contact_id, start + SLOT),
    ]
    assert list(PageVisit.objects.order_by("at").values_list("at", "last_at")) == [
        (start, start + SLOT / 2),
        (start + SLOT, None),
    ]
    assert set(PageVisit.objects.values_list("page", "source_id")) == {("pay", message.source_id)}


def test_who_comes_again_soon_after_is_told_again_because_somebody_may_ask_only_since_then(
    message: Message, came: list[PageVisited]
) -> None:
    start = NOW + HOUR
    for after in (10, 90, 50):  # the last is told late
        at = start + after * SECOND
        record_visit(link_of(message), at=at, is_machine=False)
        note_visits(now=start + max(after, 90) * SECOND + PATIENCE)
    outbox.dispatch()

    assert [one.at - start for one in came] == [10 * SECOND, 90 * SECOND]
    visit = PageVisit.objects.get()
    assert (visit.at - start, visit.last_at and visit.last_at - start) == (10 * SECOND, 90 * SECOND)


def test_past_visits_are_filled_in_twice_without_harm(message: Message) -> None:
    fill = import_module("recoup.messaging.migrations.0021_fill_in_visits_of_before").fill
    start = NOW + HOUR
    for after in (10, 90, 200):
        record_visit(link_of(message), at=start + after * SECOND, is_machine=False)
    note_visits(now=NOW + 2 * HOUR)
    kept = list(PageVisit.objects.order_by("at").values_list("at", "last_at", "source_id", "noted_at"))
    PageVisit.objects.filter(at__gt=start + 100 * SECOND).delete()
    PageVisit.objects.update(at=start + 90 * SECOND, last_at=None)

    fill(None, SimpleNamespace(connection=connection))
    fill(None, SimpleNamespace(connection=connection))

    assert len(kept) == 2
    assert (
        list(PageVisit.objects.order_by("at").values_list("at", "last_at", "source_id", "noted_at")) == kept
    )


def test_an_order_made_of_a_cart_is_what_its_own_page_is_about(
    message: Message, came: list[PageVisited]
) -> None:
    link = Link(
        purpose="pay", shop_id=message.shop_id, message_id=message.pk, subject_kind="cart", subject_id=77
    )
    record_visit(link, at=NOW + HOUR, is_machine=False)

    note_visits(now=NOW + 2 * HOUR)
    outbox.dispatch()

    assert [(one.subject_kind, one.subject_id) for one in came] == [(2, 77)]


def test_what_machines_open_is_no_visit_of_a_page(message: Message, came: list[PageVisited]) -> None:
    record_visit(link_of(message), at=NOW + 2 * SECOND, is_machine=False)
    record_visit(link_of(message), at=NOW + HOUR, is_machine=True)
    Message.objects.filter(pk=message.pk).update(is_test=True)
    record_visit(link_of(message), at=NOW + 2 * HOUR, is_machine=False)  # of a message made in test mode
    shop_id, straight = (
        message.shop_id,
        {"shop_id": message.shop_id, "subject_kind": "order", "subject_id": 5},
    )
    record_straight_visit(Link(purpose="pay", **straight), None, at=NOW, is_machine=True)
    for page in ("pay", "why", "out"):  # all at once, by looks a person
        record_straight_visit(Link(purpose=page, **straight), None, at=NOW, is_machine=False)

    note_visits(now=NOW + SECOND + PATIENCE)
    note_visits(now=NOW + 3 * HOUR)
    outbox.dispatch()

    assert came == []
    assert not PageVisit.objects.filter(shop=shop_id, is_machine=False).exists()


def test_who_comes_straight_counts_once_weighed(message: Message, came: list[PageVisited]) -> None:
    anna = make_contact(message.shop)
    link = Link(purpose="cart", shop_id=message.shop_id, subject_kind="cart", subject_id=5)
    record_straight_visit(link, anna.pk, at=NOW, is_machine=False)
    record_straight_visit(link, anna.pk, at=NOW + SECOND, is_machine=False)

    assert not PageVisit.objects.filter(noted_at__isnull=False).exists()
    note_visits(now=NOW + PATIENCE)
    note_visits(now=NOW + HOUR)
    outbox.dispatch()

    assert came == [PageVisited(message.shop_id, 2, 5, anna.pk, NOW + SECOND)]
    visit = PageVisit.objects.get()
    assert (visit.at, visit.last_at) == (NOW, NOW + SECOND)


def test_who_comes_straight_again_after_the_first_visit_was_told_is_told_again(
    message: Message, came: list[PageVisited]
) -> None:
    link = Link(purpose="pay", shop_id=message.shop_id, subject_kind="order", subject_id=5)
    for seconds in range(0, 60, 5):  # a process may begin to ask at any time between them
        record_straight_visit(link, None, at=NOW + seconds * SECOND, is_machine=False)
        note_visits(now=NOW + seconds * SECOND)
    note_visits(now=NOW + HOUR)
    outbox.dispatch()

    assert [one.at for one in came] == [NOW + seconds * SECOND for seconds in (10, 25, 40, 55)]
    kept = PageVisit.objects.order_by("at").values_list("at", "last_at")
    assert list(kept) == [(NOW + first * SECOND, NOW + (first + 10) * SECOND) for first in (0, 15, 30, 45)]
