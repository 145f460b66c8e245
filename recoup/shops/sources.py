"""Connecting sources: what the settings screen, the wizard and the command line call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from recoup.core import activity
from recoup.core.activity import SYSTEM, Actor
from recoup.shops.adapters import platform
from recoup.shops.addresses import site_of
from recoup.shops.models import Shop, Source

POLLS_KEY = "_intake"  # in `Source.cursor`: failures of its polls, and when it may be asked again
HISTORY_KEY = "_history"  # in `Source.cursor`: the backfill that was asked for, and how far it is


class SecretRefused(ValueError):
    """The webhook secret cannot be used: shorter than 24 bytes, or not in the platform's form (T2)."""


class AlreadyConnected(ValueError):
    """This platform is a source of the shop already: it may get new keys (`replace_keys`), but not come twice."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a person fills in to connect a source."""

    kind: str
    name: str
    base_url: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""  # empty: a fresh one is made
    options: Mapping[str, Any] = field(default_factory=dict)


def connect_source(shop: Shop, wanted: Connection, *, now: datetime, actor: Actor = SYSTEM) -> Source:
    """Connect a source to a shop, with a fresh webhook secret unless one is given. Orders placed before `now` are history.

    :raises SecretRefused: if the given secret is too weak. :raises PlatformUnknown: if no adapter serves this kind.
    :raises AlreadyConnected: if the shop has this source.
    """
    adapter = platform(wanted.kind)
    secret = wanted.secret or (adapter.new_secret() if adapter.capabilities.webhooks else "")
    _check_secret(wanted.kind, secret)
    with transaction.atomic():
        source = Source(
            shop=shop,
            kind=wanted.kind,
            name=wanted.name,
            base_url=wanted.base_url.rstrip("/"),
            site=site_of(wanted.base_url),
            credentials=_kept(wanted.credentials),
            secret=secret,
            options=dict(wanted.options),
            live_since=now,
        )
        try:
            with transaction.atomic():
                source.save(force_insert=True)
        except IntegrityError as error:
            if find_connected(shop, wanted) is None:
                raise
            raise AlreadyConnected(source.site) from error
        _note(source, "shops.source.connected", actor, now)
    return source


def try_connection(shop: Shop, wanted: Connection) -> list[str]:
    """Try the address and the keys of what shall be connected, without keeping anything; return what a person must mend.

    Each is a reason of `shops.reasons`. Calls a foreign system: not inside a transaction.
    """
    trial = Source(
        shop=shop,
        kind=wanted.kind,
        base_url=wanted.base_url.rstrip("/"),
        credentials=_kept(wanted.credentials),
    )
    return list(platform(wanted.kind).check_connection(trial))


def find_connected(shop: Shop, wanted: Connection) -> Source | None:
    """Return the source that a connection would be a second one of, or `None`."""
    site = site_of(wanted.base_url)
    return Source.objects.filter(shop=shop, kind=wanted.kind, site=site).first() if site else None


def replace_keys(
    source: Source, credentials: Mapping[str, str], *, now: datetime, actor: Actor = SYSTEM
) -> None:
    """Give a source new keys to its platform. What was wrong with the old ones is forgotten, and it is polled at once."""
    with transaction.atomic():
        source.credentials, source.trouble = _kept(credentials), ""
        if source.state == Source.State.BROKEN:
            source.state = Source.State.ACTIVE
        source.save(update_fields=["credentials", "trouble", "state"])
        _poll_soon(source)
        _note(source, "shops.source.keys_replaced", actor, now)


def has_cart_source(shop: Shop) -> bool:
    """Tell whether any connected source reports carts, without which no cart is ever reminded."""
    kinds = Source.objects.filter(shop=shop).values_list("kind", flat=True).distinct()
    return any(platform(kind).capabilities.carts for kind in kinds)


def rotate_secret(source: Source, *, secret: str = "", now: datetime, actor: Actor = SYSTEM) -> str:
    """Replace the webhook secret and return the new one; the old is accepted until `end_rotation`.

    :raises SecretRefused: if the given secret is too weak.
    """
    fresh = secret or platform(source.kind).new_secret()
    _check_secret(source.kind, fresh)
    with transaction.atomic():
        source.previous_secret, source.secret = source.secret, fresh
        source.save(update_fields=["previous_secret", "secret"])
        _note(source, "shops.source.secret_rotated", actor, now)
    return fresh


def end_rotation(source: Source, *, now: datetime, actor: Actor = SYSTEM) -> None:
    """Accept the new secret only."""
    with transaction.atomic():
        source.previous_secret = ""
        source.save(update_fields=["previous_secret"])
        _note(source, "shops.source.rotation_ended", actor, now)


def set_paused(source: Source, *, is_paused: bool, now: datetime, actor: Actor = SYSTEM) -> None:
    """Stop or go on fetching from a source. What it sends by itself is always taken in: it may be a payment."""
    with transaction.atomic():
        source.state = Source.State.PAUSED if is_paused else Source.State.ACTIVE
        source.trouble = ""
        source.save(update_fields=["state", "trouble"])
        _poll_soon(source)
        _note(source, f"shops.source.{'paused' if is_paused else 'resumed'}", actor, now)


def request_backfill(source: Source, *, since: datetime, now: datetime, actor: Actor = SYSTEM) -> None:
    """Ask for the history of a source since an instant; the worker fetches it with its polls, and nobody is mailed.

    Asking again begins anew; nothing is recorded twice.
    """
    wanted = {"since": since.isoformat(), "cursor": {}, "is_done": False, "rows": 0}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shops_source SET cursor = cursor || %s::jsonb, last_polled_at = NULL WHERE id = %s AND shop_id = %s",
            [json.dumps({HISTORY_KEY: wanted}), source.pk, source.shop_id],
        )
        _note(source, "shops.source.history_requested", actor, now)
    source.refresh_from_db(fields=["cursor", "last_polled_at"])


def history_state(source: Source) -> dict[str, Any] | None:
    """Return how far the backfill of a source is (`since`, `rows`, `is_done`), or `None` if none was asked for."""
    kept = source.cursor.get(HISTORY_KEY)
    return kept if isinstance(kept, dict) else None


def hook_address(source: Source) -> str:
    """Return the address that a source's webhooks are sent to, built from the configured public address (T60)."""
    return f"{settings.PUBLIC_URL}/hooks/{source.key}"


def register_hooks(source: Source, *, now: datetime, actor: Actor = SYSTEM) -> None:
    """Make the source's webhooks through its own API. Calls a foreign system: not inside a transaction.

    :raises SourceUnavailable: :raises SourceRefused: with the reason (`shops.reasons`).
    """
    platform(source.kind).register_hooks(source, address=hook_address(source))
    _note(source, "shops.source.hooks_registered", actor, now)


def _poll_soon(source: Source) -> None:
    """Forget the pauses that grew with failures: a person has just mended something."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shops_source SET cursor = cursor - %s, last_polled_at = NULL WHERE id = %s AND shop_id = %s",
            [POLLS_KEY, source.pk, source.shop_id],
        )
    source.refresh_from_db(fields=["cursor", "last_polled_at"])


def _kept(credentials: Mapping[str, str]) -> str:
    return json.dumps(dict(credentials)) if credentials else ""


def _check_secret(kind: str, secret: str) -> None:
    adapter = platform(kind)
    trouble = adapter.secret_trouble(secret) if adapter.capabilities.webhooks else ""
    if trouble:
        raise SecretRefused(trouble)


def _note(source: Source, verb: str, actor: Actor, now: datetime) -> None:
    activity.record(
        verb, shop_id=source.shop_id, subject=("source", source.pk), at=now, actor=actor, name=source.name
    )
