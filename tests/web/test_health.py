"""Health is red for what people must mend, and for nothing that is so on purpose."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django_scopes import scopes_disabled

from recoup.core import heartbeat, inbox
from recoup.core.clock import real_now, trade_now
from recoup.core.installation import get_installation, move_trade_clock, silence_installation
from recoup.core.models import Installation
from recoup.messaging.models import Lane
from recoup.shops.models import Shop
from recoup.web import health
from recoup.web.health import troubles
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, MINUTE
from tests.factories.orders import make_order
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    """Return a shop whose worker is well."""
    get_installation()
    heartbeat.beat("engine", now=real_now())
    return make_shop()


def keep_news(shop: Shop, *, age: timedelta) -> None:
    """Keep a call that nobody has read."""
    at = trade_now() - age
    inbox.keep(inbox.Call(shop.pk, inbox.SHOP, 1, "event-1", b"{}", received_at=at))


def test_messages_and_news_that_wait_too_long_are_red(shop: Shop) -> None:
    make_message(make_order(shop), state="due", due_at=trade_now() - HOUR)
    keep_news(shop, age=HOUR)

    assert troubles(now=real_now()) == ["messages_late", "inbox_late"]


@pytest.mark.parametrize(("hidden", "expected"), [(1, ["messages_late"]), (2, [])])
def test_what_buyers_ask_for_does_not_hide_that_other_mail_is_late(
    shop: Shop, hidden: int, expected: list[str]
) -> None:
    order = make_order(shop)
    make_message(order, state="due", prio=0, due_at=trade_now())
    make_message(order, state="due", prio=hidden, due_at=trade_now() - HOUR)

    assert troubles(now=real_now()) == expected


@pytest.mark.parametrize("full", [{"daily_quota": 5, "taken": 5}, {"warmup": [5], "taken": 5}])
def test_a_lane_whose_day_is_full_is_not_red_before_the_next_has_begun(
    shop: Shop, full: dict[str, object]
) -> None:
    make_message(make_order(shop), state="due", due_at=trade_now() - 2 * DAY)
    today = real_now().astimezone(ZoneInfo(shop.time_zone)).date()
    Lane.objects.update(taken_on=today, warmup_since=today if "warmup" in full else None, **full)
    resting = troubles(now=real_now())

    Lane.objects.update(taken_on=today - DAY)
    at_midnight = health._oldest_waiting()[0]
    Lane.objects.update(daily_quota=None, warmup_since=None)

    assert (resting, troubles(now=real_now())) == ([], ["messages_late"])
    assert at_midnight == datetime.combine(today, time(), ZoneInfo(shop.time_zone))


def test_a_silenced_copy_is_not_red_because_it_sends_nothing(shop: Shop) -> None:
    make_message(make_order(shop), state="due", due_at=trade_now() - HOUR)

    silence_installation(reason="restored", now=real_now())

    assert troubles(now=real_now()) == []


def test_news_has_not_waited_for_as_long_as_a_demos_clock_was_moved(shop: Shop) -> None:
    Installation.objects.filter(pk=1).update(is_demo=True)
    keep_news(shop, age=MINUTE)
    make_message(make_order(shop), state="due", due_at=trade_now() - MINUTE)

    move_trade_clock(3 * DAY)
    at_once = troubles(now=real_now())
    Installation.objects.filter(pk=1).update(trade_moved_at=real_now() - 11 * MINUTE)
    later = troubles(now=real_now())

    assert (at_once, later) == ([], ["messages_late", "inbox_late"])
