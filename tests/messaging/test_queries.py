"""Lists of messages and the story of one."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.messaging.copies import MessageText, keep_copies, make_copy
from recoup.messaging.models import Message, MessageVisit
from recoup.messaging.queries import (
    MessageFilter,
    MessageStep,
    count_messages,
    count_uncertain,
    get_message_story,
    list_messages,
    uncertain_messages,
)
from recoup.messaging.rendering.pool import Rendered
from recoup.messaging.texts import read_texts
from recoup.shops.models import Shop
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.factories.templates import make_template

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def ids(shop: Shop, cursor: str = "", size: int = 50, **chosen: object) -> list[int]:
    page = list_messages(shop, MessageFilter(**chosen), cursor=cursor, size=size)  # type: ignore[arg-type]
    return [row.message.pk for row in page.rows]


def test_list_pages_by_key_newest_first_within_the_shop(shop: Shop) -> None:
    messages = [make_message(make_order(shop)) for _ in range(5)]
    make_message(make_order(make_shop()))

    first = list_messages(shop, MessageFilter(), size=2)
    second = list_messages(shop, MessageFilter(), cursor=first.older, size=2)

    expected = [message.pk for message in reversed(messages)]
    assert [row.message.pk for row in [*first.rows, *second.rows]] == expected[:4]
    assert ids(shop, cursor=second.older, size=2) == expected[4:]
    assert count_messages(shop, MessageFilter()).number == 5


def test_list_filters_by_state_template_period_and_words(shop: Shop) -> None:
    anna = make_order(shop, contact=make_contact(shop, name="Anna Nowak"), number="A-1")
    boris = make_order(shop, contact=make_contact(shop, name="Boris Orlov"), number="B-2")
    template = make_template(shop)
    sent = make_message(anna, state="sent", template=template)
    failed = make_message(boris, state="failed", reason="refused", queued_at=NOW - DAY)
    waiting = make_message(boris)

    assert ids(shop, states=["sent", "failed"]) == [failed.pk, sent.pk]
    assert ids(shop, template_key="reminder") == [sent.pk]
    assert ids(shop, queued_before=NOW) == [failed.pk]
    assert ids(shop, queued_from=NOW) == [waiting.pk, sent.pk]
    assert ids(shop, text="nowak") == [sent.pk]
    assert ids(shop, text="B-2") == [waiting.pk, failed.pk]
    assert ids(shop, reason="refused", order_id=boris.pk) == [failed.pk]


def test_list_reads_no_more_often_for_more_rows(shop: Shop) -> None:
    counts = []
    for rows in (1, 3):
        for _ in range(rows - Message.objects.count()):
            make_message(make_order(shop), template=None)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page = list_messages(shop, MessageFilter())
            assert [row.message.contact.name for row in page.rows] == ["Anna Nowak"] * rows
        counts.append(len(captured))

    assert counts == [3, 3]


def test_story_tells_text_answer_decisions_and_visits_in_order(shop: Shop) -> None:
    message = make_message(
        make_order(shop),
        state="sent",
        reason="delivered",
        handed_at=NOW,
        settled_at=NOW + HOUR,
        answer="250 ok",
    )
    version = make_template(shop).current_version
    assert version is not None
    template = read_texts(version.pk, version.texts).by_locale["en"]
    mail = Rendered("Hi", b"<p>Hi, https://x.example/pay/__pay_________________</p>", b"Hi")
    keep_copies(shop.pk, [make_copy(message.pk, version.pk, "en", template, mail)])
    activity.record(
        "messaging.message.delivered",
        shop_id=shop.pk,
        subject=("message", message.pk),
        at=NOW + HOUR,
        actor=Actor("person", 4),
    )
    MessageVisit(shop=shop, message=message, purpose="pay", at=NOW + 2 * HOUR, is_machine=False).save()
    MessageVisit(shop=shop, message=message, purpose="why", at=NOW + 2 * HOUR, is_machine=True).save()

    story = get_message_story(message)

    assert story.text == MessageText("Hi", "<p>Hi, https://x.example/pay/•••</p>", "Hi")
    assert story.steps == (
        MessageStep(NOW, "queued"),
        MessageStep(NOW, "handed"),
        MessageStep(NOW + HOUR, "sent", "A colleague found that it arrived", "250 ok"),
        MessageStep(NOW + HOUR, "messaging.message.delivered", actor_id=4),
        MessageStep(NOW + 2 * HOUR, "visited", "pay"),
    )


def test_story_of_a_waiting_message_says_why_and_until_when(shop: Shop) -> None:
    message = make_message(make_order(shop), due_at=NOW + HOUR, reason="quiet_hours", deferrals=1)

    story = get_message_story(message)

    assert (story.text, story.steps[-1]) == (None, MessageStep(NOW + HOUR, "waiting", "Quiet hours"))


def test_uncertain_messages_are_those_of_the_shop_oldest_first(shop: Shop) -> None:
    older, newer = (make_message(make_order(shop), state="uncertain") for _ in range(2))
    make_message(make_order(shop), state="sent")
    make_message(make_order(make_shop()), state="uncertain")

    assert (list(uncertain_messages(shop)), count_uncertain(shop)) == ([older, newer], 2)
