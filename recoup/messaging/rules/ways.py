"""What a message is by law over each channel that it may take one after the other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from recoup.messaging.rules.deciding import Asked, Basis, bases_of


class Travelling(Asked, Protocol):
    """A message that goes on over other channels where the one before cannot deliver it."""

    @property
    def otherwise(self) -> Sequence[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Way:
    """A message over one of its channels."""

    shop_id: int
    contact_id: int
    template_key: str
    channel: str
    order_id: int | None
    cart_id: int | None


def bases_of_ways(orders: Sequence[Travelling], *, now: datetime) -> list[list[Basis]]:
    """Return what each message is by law, and behind it what it would be over each channel that follows."""
    ways = [ways_of(order) for order in orders]
    found = iter(bases_of([way for of_one in ways for way in of_one], now=now))
    return [[next(found) for _ in of_one] for of_one in ways]


def ways_of(order: Travelling) -> list[Way]:
    """Return a message over each of its channels, in the order in which they are tried."""
    return [
        Way(order.shop_id, order.contact_id, template, channel, order.order_id, order.cart_id)
        for channel, template in [(order.channel, order.template_key), *order.otherwise]
    ]


def fallback_of(otherwise: Sequence[tuple[str, str]], bases: Sequence[Basis]) -> str:
    """Return what the row keeps of the channels that follow; nothing if there are none."""
    if not otherwise:
        return ""
    return json.dumps(
        [
            {
                "channel": channel,
                "template": template,
                "class": basis.message_class,
                "content": basis.content,
                "relation": basis.relation,
            }
            for (channel, template), basis in zip(otherwise, bases, strict=True)
        ]
    )
