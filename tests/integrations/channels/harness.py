"""What the conformance suite of channels needs of each of them: a server that misbehaves on request, and its accounts."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from recoup.messaging.models import Lane, Message, MessageSource, Template
from recoup.orders.models import Order
from recoup.shops.models import Shop
from tests.factories.messages import make_lane, make_message, make_message_source
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.factories.templates import make_template


@dataclass(frozen=True)
class Had:
    """One message that the server has taken responsibility for."""

    recipient: str
    ref: str
    began_at: float
    """On the boot clock, when it began to be handed over."""


class Harness(Protocol):
    """One channel."""

    channel: str
    can_repeat: bool
    """Whether the provider takes a message once however often it is offered, or can be asked for it."""

    def set_up(self, shop: Shop) -> None:
        """Let the shop send through the server."""

    def address(self, how: str = "") -> str:
        """Return a new address whose messages are treated so: busy, later, refused, gone, lost_after, lost_before, slow."""

    def had(self) -> list[Had]:
        """Return what was taken so far."""

    def connections(self) -> int:
        """Return how often it was talked to."""

    def limit(self, most: int) -> None:
        """Ask for fewer messages after so many; 0 is never."""

    def spoil(self, shop: Shop) -> None:
        """Let the shop's credentials be wrong."""

    def mend(self, shop: Shop) -> None:
        """Let them be right."""

    def leave_home(self, shop: Shop) -> None:
        """Point the shop at a server that is not of this machine's demo."""


@dataclass
class Street:
    """A shop with everything that sending over a channel needs."""

    harness: Harness
    shop: Shop
    lane: Lane
    source: MessageSource
    template: Template
    orders: list[Order] = field(default_factory=list)

    def reminder(self, how: str = "", **values: Any) -> Message:
        """Make a due reminder about a new order of somebody new."""
        address = self.harness.address(how)
        is_mail = self.harness.channel == "email"
        contact = make_contact(self.shop, **({"email": address} if is_mail else {"phone": address}))
        order = make_order(self.shop, contact=contact)
        self.orders.append(order)
        message = make_message(
            order,
            **{
                "source": self.source,
                "lane": self.lane,
                "template": self.template,
                "channel": self.harness.channel,
                "recipient": address,
                **values,
            },
        )
        if not is_mail:
            Message.objects.filter(pk=message.pk).update(message_ref=message.message_ref.partition("@")[0])
            message.refresh_from_db()
        return message


def make_street(harness: Harness, **values: Any) -> Street:
    """Make a shop that sends over the channel of the harness."""
    shop = make_shop(**{"name": "Pottery", "country": "PL", **values})
    harness.set_up(shop)
    return Street(
        harness,
        shop,
        make_lane(shop, channel=harness.channel),
        make_message_source(shop),
        make_template(shop, channel=harness.channel),
    )
