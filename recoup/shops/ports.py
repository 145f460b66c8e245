"""What an adapter of a shop platform must implement. Loaded through `config/adapters.py` by kind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from recoup.shops.coupons import CartLine, CouponMaker
from recoup.shops.models import Source
from recoup.shops.snapshots import OrderSnapshot, ProductSnapshot, Snapshot


class SignatureRefused(Exception):
    """The call is not signed by this source (T1-T8): answer 401 and change nothing."""


class CallUnreadable(Exception):
    """The call itself is malformed (T9, T10, T12): answer 400 and change nothing."""


class BodyQuarantined(Exception):
    """The body passed the signature but cannot be used; kept raw with this reason.

    Reasons are codes with details, `code: details`; their words in every language stand in `shops.reasons`.
    """

    def __init__(self, code: str, details: object = "") -> None:
        super().__init__(f"{code}: {details}" if details else code)


class SourceUnavailable(Exception):
    """The source did not answer or answered nonsense; try again later. The text is a reason as above."""


class SourceRefused(Exception):
    """The source refused our credentials or rights; a person must act. The text is a reason as above."""


@dataclass(frozen=True, slots=True)
class Peek:
    """What can be named of a body without understanding it. Total: never raises, at worst `failed`."""

    event_id: str
    topic: str
    subject_kind: str = ""  # order, cart, payment, product or ""
    subject_refs: tuple[str, ...] = ()  # external ids of orders or carts that the body names
    failed: bool = False
    is_ping: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A body understood: the snapshots it holds, or `unused` with the reason (unknown topic, test event)."""

    snapshots: tuple[Snapshot, ...] = ()
    unused: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One row of a page that cannot be used; kept raw, so that the rest of the page is not held up by it."""

    ref: str
    topic: str
    raw: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a poll or backfill: what came, the cursor to store, and whether more waits."""

    orders: tuple[OrderSnapshot, ...] = ()
    products: tuple[ProductSnapshot, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    cursor: dict[str, Any] = field(default_factory=dict)
    has_more: bool = False
    # The rows as they were told, by `row_key`: what cannot be applied now is kept by them and tried again.
    told: Mapping[str, Any] = field(default_factory=dict)


def row_key(snapshot: OrderSnapshot | ProductSnapshot) -> str:
    """Return what a row of a page is found by in `Page.told`."""
    if isinstance(snapshot, OrderSnapshot):
        return f"order:{snapshot.ref}"
    return f"product:{snapshot.ref}:{snapshot.variant_ref}"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do; screens and detection ask here, never for a kind."""

    webhooks: bool = True
    carts: bool = False  # reports carts, so that cart reminders exist
    asks: bool = False  # can be asked for one order before it is called unpaid
    polls: bool = False
    backfills: bool = False
    pay_links: bool = False  # orders carry the platform's own pay link
    pays_itself: bool = (
        False  # every order is paid by that link or not at all: no payment of ours is opened for it
    )
    registers: bool = False  # makes its webhooks by itself, given its keys
    coupons: bool = False  # makes coupons, given its keys, and puts them on its unpaid orders
    fills_carts: bool = False  # its checkout can be opened with goods in it by a link


class ShopPlatform(CouponMaker, Protocol):
    """A shop platform. Knows no other adapter, saves no row."""

    kind: str
    capabilities: Capabilities

    def check_call(self, source: Source, raw: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        """Check the signature over the raw bytes; `now` is real time.

        :raises SignatureRefused: if it is absent or wrong. :raises CallUnreadable: if the call is malformed.
        """

    def peek(self, raw: bytes, headers: Mapping[str, str]) -> Peek:
        """Name kind and ids; never raises."""

    def read(
        self, source: Source, raw: bytes, headers: Mapping[str, str], *, received_at: datetime
    ) -> Reading:
        """Turn a kept body into snapshots.

        :raises BodyQuarantined: if it cannot be used, with the reason for a person.
        """

    def ask(self, source: Source, order_ref: str) -> OrderSnapshot | None:
        """Ask the source for one order; `None` if it knows none.

        :raises SourceUnavailable: also if the answer cannot be read. :raises SourceRefused:
        """

    def ask_page(self, source: Source, order_ref: str) -> Page | None:
        """Ask the source for one order, to be applied: a page of that one as it was told, readable or not.

        :raises SourceUnavailable: :raises SourceRefused:
        """

    def poll(self, source: Source, *, now: datetime) -> Page:
        """Fetch what changed since `source.cursor`, one page.

        :raises SourceUnavailable: :raises SourceRefused:
        """

    def backfill(self, source: Source, cursor: dict[str, Any], *, since: datetime) -> Page:
        """Fetch one page of history from `since`; `cursor` is empty at first.

        :raises SourceUnavailable: :raises SourceRefused:
        """

    def cart_link(self, source: Source, lines: Sequence[CartLine]) -> str:
        """Return an address of the shop that opens its checkout with these goods and nothing else, for whoever has it.

        Nothing if the shop has no such address, does not answer within a few seconds, or one line cannot be said in it:
        never a link to a part of the goods. Asked while a buyer waits for the page.
        """

    def check_connection(self, source: Source) -> Iterable[str]:
        """Try the credentials and return the reason of everything that is wrong; nothing if all is well."""

    def new_secret(self) -> str:
        """Return a fresh secret for webhooks, in the form that this platform takes."""

    def secret_trouble(self, secret: str) -> str:
        """Return the reason why a secret cannot be used (shorter than 24 bytes, T2), or nothing."""

    def register_hooks(self, source: Source, *, address: str) -> None:
        """Make the webhooks at the source, or mend those that lead to `address`. May be repeated.

        :raises SourceUnavailable: :raises SourceRefused:
        """

    def hook_troubles(self, source: Source) -> Iterable[str]:
        """Return the reasons of webhooks that the source has switched off or lost; nothing if all deliver.

        :raises SourceUnavailable: :raises SourceRefused:
        """
