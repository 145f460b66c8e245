"""The picture in a mail: whoever loads it has opened the mail, where the shop counts that."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recoup.core.clock import trade_now
from recoup.messaging.models import Message, MessageVisit
from recoup.messaging.tracking import note_visits
from recoup.shops.models import Shop
from recoup.storefront.opened import PICTURE
from tests.factories.messages import make_message
from tests.factories.orders import make_order
from tests.factories.shops import make_shop
from tests.storefront.conftest import MakeLink

THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.3"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
APPLE = "Mozilla/5.0"
SCANNER = "Mozilla/5.0 (compatible; BarracudaCentral scanner)"


@pytest.fixture
def shop() -> Shop:
    return make_shop(counts_opens=True)


def sent(shop: Shop, link: MakeLink, *, ago: timedelta = timedelta(hours=2)) -> tuple[Message, str]:
    """Return a mail and the address of its picture."""
    order = make_order(shop)
    message = make_message(order, state="sent", handed_at=trade_now() - ago)
    return message, f"/o/{link('out', order, message=message).rpartition('/')[2]}.gif"


def ask(path: str, agent: str = THUNDERBIRD, **headers: str) -> Any:
    return Client(enforce_csrf_checks=True).get(path, headers={"User-Agent": agent, **headers})


def is_noted(message: Message) -> bool:
    note_visits(now=trade_now() + timedelta(minutes=1))
    message.refresh_from_db()
    assert message.clicked_at is None
    return message.opened_at is not None


@pytest.mark.parametrize("agent", [THUNDERBIRD, GMAIL])
def test_a_person_has_opened_the_mail_and_is_kept_once(shop: Shop, link: MakeLink, agent: str) -> None:
    message, path = sent(shop, link)

    answer = ask(path, agent)

    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, PICTURE, "image/gif")
    assert (len(PICTURE), answer.headers["Cache-Control"]) == (43, "no-store")
    assert is_noted(message)
    ask(path, agent)
    assert MessageVisit.objects.count() == 1


@pytest.mark.parametrize(
    ("agent", "headers", "ago"),
    [
        (APPLE, {}, timedelta(hours=2)),
        (SCANNER, {}, timedelta(hours=2)),
        ("", {}, timedelta(hours=2)),
        (THUNDERBIRD, {"Sec-Purpose": "prefetch"}, timedelta(hours=2)),
        (GMAIL, {}, timedelta(seconds=1)),
    ],
    ids=["Apple's proxy", "a scanner", "nameless", "ahead of a person", "before it could be read"],
)
def test_machines_open_nothing(
    shop: Shop, link: MakeLink, agent: str, headers: dict[str, str], ago: timedelta
) -> None:
    message, path = sent(shop, link, ago=ago)

    assert ask(path, agent, **headers).content == PICTURE

    assert not is_noted(message)


def test_looking_by_head_leaves_nothing_and_nobody_posts(shop: Shop, link: MakeLink, buyer: Client) -> None:
    _, path = sent(shop, link)

    answers = [buyer.head(path, headers={"User-Agent": THUNDERBIRD}), buyer.post(path)]

    assert [answer.status_code for answer in answers] == [200, 405]
    assert not MessageVisit.objects.exists()


def test_a_shop_that_does_not_count_keeps_nothing(link: MakeLink) -> None:
    message, path = sent(make_shop(), link)

    assert ask(path).content == PICTURE
    assert not is_noted(message)
    assert not MessageVisit.objects.exists()


@pytest.mark.parametrize("token", ["A" * 22, "x", "../../etc/passwd", "%00", "é" * 22])
def test_whatever_is_no_token_gets_the_same_picture(shop: Shop, link: MakeLink, token: str) -> None:
    sent(shop, link)

    with CaptureQueriesContext(connection) as asked:
        answer = ask(f"/o/{token}.gif")

    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert not MessageVisit.objects.exists()
    assert len(asked) <= 2
