"""Whom a process could write to: the addresses of candidates, over the channels that its texts go out by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection

from recoup.customers.queries import address_hash
from recoup.messaging.accounts import find_account
from recoup.messaging.channels import channel
from recoup.messaging.models import ChannelKind
from recoup.messaging.ports import Account
from recoup.processes.engine.nodes.send import SendDocument
from recoup.processes.graph.document import ProcessDocument

Addresses = Mapping[str, str]  # of one candidate by channel; empty where none is known


def channels_of(document: ProcessDocument) -> frozenset[str]:
    """Return the channels that the texts of a process go out by, those that are tried instead included."""
    sends = [node for node in document.nodes.values() if isinstance(node, SendDocument)]
    return frozenset(name for node in sends for name, _ in node.ways)


@dataclass(frozen=True, slots=True)
class Reach:
    """The channels of a process as the shop has set them up. A process that writes to nobody needs no address."""

    shop_id: int
    channels: frozenset[str]
    sms: Account | None

    def usable(self, addresses: Addresses) -> dict[str, str]:
        """Return the addresses by which the process may reach somebody.

        Mails wait for a mail server that is not set up yet; what needs another channel does not, and ends.
        """
        return {
            name: addresses[name]
            for name in self.channels
            if addresses[name] and self._takes(name, addresses[name])
        }

    def _takes(self, name: str, address: str) -> bool:
        if name == ChannelKind.EMAIL:
            return True
        return self.sms is not None and not channel(self.sms.adapter).refusal_of(self.sms, address)

    def suppressed(self, addresses: Iterable[Addresses]) -> set[tuple[str, str]]:
        """Return which of these addresses get nothing of some kind, as channel and address."""
        hashes = {
            (name, address_hash(self.shop_id, name, address)): (name, address)
            for one in addresses
            for name, address in one.items()
            if address
        }
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT channel, address_hash FROM customers_suppression WHERE shop_id = %s AND lifted_at IS NULL"
                " AND address_hash = ANY(%s)",
                [self.shop_id, [hashed for _, hashed in hashes]],
            )
            found = {(name, bytes(hashed)) for name, hashed in cursor.fetchall()}
        return {address for key, address in hashes.items() if key in found}


def reach_of(shop_id: int, document: ProcessDocument) -> Reach:
    """Return whom a process could write to."""
    channels = channels_of(document)
    sms = find_account(shop_id, ChannelKind.SMS) if ChannelKind.SMS in channels else None
    return Reach(shop_id, channels, sms)
