"""What a shop platform answers to everything that it cannot do; an adapter overrides what it can."""
# ruff: noqa: ARG002 - the port names the parameters, and here nothing depends on them

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from recoup.shops.coupons import CartLine, Coupon, CouponWish
from recoup.shops.models import Source
from recoup.shops.ports import (
    Capabilities,
    Page,
    Peek,
    Reading,
    SignatureRefused,
    SourceRefused,
    SourceUnavailable,
)
from recoup.shops.snapshots import OrderSnapshot

_NO_COUPONS = "no_coupons"
MIN_SECRET_BYTES = 24  # Standard Webhooks; a shorter secret can be guessed (R5)


class BasePlatform:
    """A platform that can do nothing."""

    kind = ""
    capabilities = Capabilities(webhooks=False)

    def check_call(self, source: Source, raw: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        """Refuse: this platform sends no webhooks."""
        raise SignatureRefused

    def peek(self, raw: bytes, headers: Mapping[str, str]) -> Peek:
        """Name nothing but the body itself."""
        return Peek(event_id=hashlib.sha256(raw).hexdigest(), topic="", failed=True)

    def read(
        self, source: Source, raw: bytes, headers: Mapping[str, str], *, received_at: datetime
    ) -> Reading:
        """Understand nothing."""
        return Reading(unused="no_webhooks")

    def ask(self, source: Source, order_ref: str) -> OrderSnapshot | None:
        """Read what `ask_page` is told."""
        page = self.ask_page(source, order_ref)
        if page is not None and page.unreadable:
            raise SourceUnavailable(page.unreadable[0].reason)
        return page.orders[0] if page is not None else None

    def ask_page(self, source: Source, order_ref: str) -> Page | None:
        """Refuse: there is nobody to ask."""
        raise SourceUnavailable("cannot_be_asked")

    def poll(self, source: Source, *, now: datetime) -> Page:
        """Find nothing."""
        return Page(cursor=source.cursor)

    def backfill(self, source: Source, cursor: dict[str, Any], *, since: datetime) -> Page:
        """Find nothing."""
        return Page(cursor=cursor)

    def cart_link(self, source: Source, lines: Sequence[CartLine]) -> str:
        """Return nothing."""
        return ""

    def check_connection(self, source: Source) -> Iterable[str]:
        """Find nothing wrong."""
        return ()

    def new_secret(self) -> str:
        """Return 32 random bytes as text."""
        return secrets.token_urlsafe(32)

    def secret_trouble(self, secret: str) -> str:
        """Refuse what is shorter than 24 bytes."""
        return "" if len(secret.encode()) >= MIN_SECRET_BYTES else "secret_short"

    def register_hooks(self, source: Source, *, address: str) -> None:
        """Do nothing: a person pastes the address."""

    def hook_troubles(self, source: Source) -> Iterable[str]:
        """Find nothing."""
        return ()

    def make_coupon(self, source: Source, wish: CouponWish) -> Coupon:
        """Refuse: this platform makes no coupons."""
        raise SourceRefused(_NO_COUPONS)

    def put_coupon(self, source: Source, order_ref: str, code: str, *, is_beside: bool) -> OrderSnapshot:
        """Refuse."""
        raise SourceRefused(_NO_COUPONS)

    def take_off_coupon(self, source: Source, order_ref: str, code: str) -> OrderSnapshot | None:
        """Refuse."""
        raise SourceRefused(_NO_COUPONS)

    def remove_coupon(self, source: Source, code: str, reference: str) -> None:
        """Refuse."""
        raise SourceRefused(_NO_COUPONS)

    def coupon_link(self, source: Source, code: str, lines: Sequence[CartLine]) -> str:
        """Return nothing."""
        return ""
