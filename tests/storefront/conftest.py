"""Links of buyers, and browsers that follow them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Protocol

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core import links
from recoup.core.clock import trade_now
from recoup.core.links import LinkOrder
from recoup.messaging.models import Message
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop
from tests.factories.shops import make_shop
from tests.support.bank import TestBank, test_bank


class MakeLink(Protocol):
    """Makes the path of a link."""

    def __call__(
        self, purpose: str, subject: Order | Cart, *, ago: timedelta = ..., message: Message | None = ...
    ) -> str: ...


@pytest.fixture(autouse=True)
def _all_shops(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    """Return a shop with a phone, in English."""
    return make_shop(name="Cedar & Wax", phone="+48 22 100 20 30", time_zone="Europe/Warsaw")


@pytest.fixture
def link() -> MakeLink:
    """Return what mints links."""

    def make(
        purpose: str,
        subject: Order | Cart,
        *,
        ago: timedelta = timedelta(0),
        message: Message | None = None,
    ) -> str:
        kind = "order" if isinstance(subject, Order) else "cart"
        wish = LinkOrder(
            purpose, subject.shop_id, kind, subject.pk, subject.contact_id, message.pk if message else None
        )
        (token,) = links.mint([wish], now=trade_now() - ago)
        return f"/{purpose}/{token}"

    return make


@pytest.fixture
def buyer() -> Client:
    """Return a browser that sends no token against forgery: buyers' pages set no cookie."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def bank() -> Iterator[TestBank]:
    """Return a bank in threads."""
    with test_bank() as running_bank:
        yield running_bank
