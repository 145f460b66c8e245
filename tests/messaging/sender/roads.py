"""Shops that can send, and messages on their way, for tests of the sending loop."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recoup.messaging.models import Lane, Message, MessageSource, Template
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop
from tests.factories.messages import make_lane, make_mail_account, make_message, make_message_source
from tests.factories.moments import NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.factories.templates import make_template


@dataclass
class Road:
    """A shop with everything that sending needs."""

    shop: Shop
    lane: Lane
    source: MessageSource
    texts: dict[str, Template]

    def reminder(
        self, subject: Order | Cart | None = None, *, email: str | None = None, **values: Any
    ) -> Message:
        """Make a due reminder about an order (a new one unless given) or a cart."""
        if subject is None:
            subject = make_order(self.shop, contact=make_contact(self.shop, email=email))
        kind = "order" if isinstance(subject, Order) else "cart"
        defaults: dict[str, Any] = {
            "source": self.source,
            "lane": self.lane,
            "template": self.texts[kind],
            "message_class": "contract" if kind == "order" else "needs_consent",
        }
        return make_message(subject, **{**defaults, **values})

    def cart(self, **values: Any) -> Cart:
        """Make a cart that was left."""
        return make_cart(self.shop, state="abandoned", **values)


def make_road(port: int, *, way: str = "batch", **values: Any) -> Road:
    """Make a shop that sends through a server on this machine."""
    shop = make_shop(**{"name": "Pottery", **values})
    make_mail_account(shop, port=port)
    return Road(
        shop,
        make_lane(shop, way=way),
        make_message_source(shop),
        {"order": make_template(shop), "cart": make_template(shop, key="cart", kind="cart")},
    )


def state_of(message: Message) -> tuple[str, str]:
    """Return state and reason as they are now."""
    message.refresh_from_db()
    return message.state, message.reason


def waits_until(message: Message) -> datetime | None:
    """Return until when a message waits; `None` if it does not."""
    message.refresh_from_db()
    return message.due_at if message.state == "due" and message.due_at > NOW else None
