"""Health is red for what people must mend, and for nothing that is so on purpose."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django_scopes import scopes_disabled

from recoup.core import heartbeat, inbox
from recoup.core.clock import real_now, trade_now
from recoup.core.installation import get_installation, move_trade_clock, silence_installation
from recoup.core.models import Installation
from recoup.shops.models import Shop
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
