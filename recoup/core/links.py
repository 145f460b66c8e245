"""Links for one purpose on one object: mint, resolve, revoke (design 8; T46-T55).

A token is 128 random bits, or as many reckoned with the key of the installation where a page is to tell it again; only its
SHA-256 is stored. A link signs nobody in. Purposes are registered by the parts that serve them, with their life.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.utils.crypto import salted_hmac

from recoup.core import arrays
from recoup.core.models import Link

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_purposes: dict[str, timedelta] = {}


class LinkUnknown(Exception):
    """No such link for this purpose: never made, revoked or made for another (one answer for all: 404)."""


class LinkExpired(Exception):
    """The link was real and is too old: 410 with a way to a fresh one. Holds the link."""

    def __init__(self, link: Link) -> None:
        super().__init__(link.pk)
        self.link = link


class LinkOrder(NamedTuple):
    """A link to be minted."""

    purpose: str
    shop_id: int
    subject_kind: str
    subject_id: int
    contact_id: int | None = None
    message_id: int | None = None


class Retold(NamedTuple):
    """A link whose token can be told again, and when it ends."""

    token: str
    expires_at: datetime


def register_purpose(purpose: str, *, life: timedelta) -> None:
    """Tell that links of this purpose exist and how long they live."""
    _purposes[purpose] = life


def is_token(token: str) -> bool:
    """Tell whether a text is written as tokens are; most that are none need not be looked for."""
    return _TOKEN.fullmatch(token) is not None


def hash_token(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def _new_tokens(count: int) -> list[str]:
    """Return tokens of 22 characters, 132 bits each, from one draw of random bytes."""
    drawn = base64.urlsafe_b64encode(secrets.token_bytes(18 * count)).decode()
    return [drawn[start : start + 22] for start in range(0, 24 * count, 24)]


_MINT = """
    INSERT INTO core_link
        (token_hash, purpose, shop_id, subject_kind, subject_id, contact_id, message_id, expires_at, minted_at)
    SELECT decode(r ->> 0, 'hex'), p.names[(r ->> 1)::int], (r ->> 2)::bigint, r ->> 3, (r ->> 4)::bigint,
        (r ->> 5)::bigint, (r ->> 6)::bigint, p.expiries[(r ->> 1)::int], %s
    FROM jsonb_array_elements(%s::jsonb) AS r, (SELECT %s::text[] AS names, %s::timestamptz[] AS expiries) AS p
"""


def mint(orders: Sequence[LinkOrder], *, now: datetime) -> list[str]:
    """Mint links with one insert and return their tokens in the same order. `now` is trade time."""
    tokens = _new_tokens(len(orders))
    _insert(orders, tokens, now)
    return tokens


def _insert(orders: Sequence[LinkOrder], tokens: Sequence[str], now: datetime) -> None:
    if not orders:
        return
    purposes = list(_purposes)
    # One text for the server to read: a thousand links as nine arrays of parameters take ten times as long here.
    rows = [
        (
            hashlib.sha256(token.encode()).hexdigest(),
            purposes.index(order.purpose) + 1,
            order.shop_id,
            order.subject_kind,
            order.subject_id,
            order.contact_id,
            order.message_id,
        )
        for order, token in zip(orders, tokens, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _MINT, [now, arrays.rows(rows), purposes, [now + _purposes[name] for name in purposes]]
        )


def mint_once(order: LinkOrder, *, now: datetime) -> tuple[Retold, bool]:
    """Return the link of an order for one that a page tells again while it is valid, and whether it was minted now.

    Its token is reckoned from the key of the installation and the row, so that of it, too, only the hash is stored. The
    caller holds what the link is about locked, so that of two at once the second finds what the first has minted.
    """
    found = find_minted_once(order, now=now)
    if found is not None:
        return found, False
    token = _reckoned(order, now)
    _insert([order], [token], now)
    return Retold(token, now + _purposes[order.purpose]), True


def find_minted_once(order: LinkOrder, *, now: datetime) -> Retold | None:
    """Return the valid link that `mint_once` made of such an order, or `None`; reads only."""
    rows = Link.objects.filter(
        shop_id=order.shop_id,
        subject_kind=order.subject_kind,
        subject_id=order.subject_id,
        purpose=order.purpose,
        contact_id=order.contact_id,
        message_id=order.message_id,
        revoked_at=None,
        expires_at__gt=now,
    )
    for stored, minted_at, ends_at in rows.order_by("-id").values_list(
        "token_hash", "minted_at", "expires_at"
    ):
        token = _reckoned(order, minted_at)
        if bytes(stored) == hash_token(token):
            return Retold(token, ends_at)
    return None


def _reckoned(order: LinkOrder, minted_at: datetime) -> str:
    """Return the token of a link that was minted once: 132 bits that nobody without the installation's key can reckon."""
    what = "|".join(str(part) for part in (*order, minted_at.astimezone(UTC).isoformat()))
    drawn = salted_hmac("recoup.core.links", what, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(drawn[:18]).decode()[:22]


def public_address(path: str) -> str:
    """Return the full address of a page, built from the configured public address alone (T60)."""
    return f"{settings.PUBLIC_URL}{path}"


def address(purpose: str, token: str) -> str:
    """Return the full address of a link."""
    return public_address(f"/{purpose}/{token}")


def resolve(purpose: str, token: str, *, now: datetime) -> Link:
    """Return the link of a token, for this purpose.

    :raises LinkUnknown: if there is none, it was revoked, or it is for another purpose.
    :raises LinkExpired: if it was real and is too old.
    """
    if not is_token(token):
        raise LinkUnknown
    link = Link.objects.filter(token_hash=hash_token(token), purpose=purpose, revoked_at=None).first()
    if link is None:
        raise LinkUnknown
    if link.expires_at <= now:
        raise LinkExpired(link)
    return link


def revoke(
    shop_id: int, subject_kind: str, subject_id: int, *, purposes: Sequence[str], now: datetime
) -> int:
    """Revoke the links of an object for the purposes named; return how many."""
    return Link.objects.filter(
        shop_id=shop_id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        purpose__in=purposes,
        revoked_at=None,
    ).update(revoked_at=now)
