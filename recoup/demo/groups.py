"""Segments in the demo: whom and what the owner of the shop looks at again and again, counted from the start."""

from datetime import datetime
from typing import Any

from recoup.core.activity import Actor
from recoup.segments.actions import save_segment
from recoup.segments.counting import count_due
from recoup.segments.models import Segment
from recoup.shops.models import Shop

_ABOUT = Segment.About
SEGMENTS: list[tuple[str, int, dict[str, Any]]] = [
    ("Bought at least twice", _ABOUT.PERSON, {"f": "contact.paid_count", "op": ">=", "v": 2}),
    (
        "Large and still unpaid",
        _ABOUT.ORDER,
        {
            "all": [
                {"f": "order.status", "op": "=", "v": "unpaid"},
                {"f": "order.total", "op": ">=", "v": 200},
            ]
        },
    ),
    (
        "Carts worth a second look",
        _ABOUT.CART,
        {
            "all": [
                {"f": "cart.total", "op": ">=", "v": 150},
                {"f": "cart.item_count", "op": ">=", "v": 2},
            ]
        },
    ),
]


def keep_segments(shop: Shop, *, actor: Actor, now: datetime) -> None:
    """Save the segments and count them."""
    for name, about, condition in SEGMENTS:
        save_segment(shop, name=name, about=about, condition=condition, actor=actor, now=now)
    count_due(now=now)
