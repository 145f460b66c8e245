"""Shops and their sources, with believable defaults."""

import itertools
from typing import Any

from recoup.shops.models import Shop, Source, WaitingTime
from tests.factories.moments import DAY, NOW

_numbers = itertools.count(1)


def make_shop(**values: Any) -> Shop:
    """Make a live shop that waits 24 hours; its slug is new unless given."""
    number = next(_numbers)
    shop = Shop(
        **{
            "slug": f"shop-{number}",
            "name": f"Shop {number}",
            "currency": "EUR",
            "email": f"shop-{number}@shop.example",
            "live_since": NOW - 60 * DAY,
            **values,
        }
    )
    shop.save(force_insert=True)
    return shop


def make_source(shop: Shop, **values: Any) -> Source:
    """Make an active source of the generic kind that has been live for as long as its shop."""
    source = Source(
        **{
            "shop": shop,
            "kind": "generic",
            "name": "Own checkout",
            "secret": "s" * 32,
            "live_since": NOW - 60 * DAY,
            **values,
        }
    )
    source.save(force_insert=True)
    return source


def make_waiting_time(shop: Shop, *, method: str, minutes: int) -> WaitingTime:
    """Give a payment method a waiting time of its own."""
    row = WaitingTime(shop=shop, method=method, minutes=minutes)
    row.save(force_insert=True)
    return row
