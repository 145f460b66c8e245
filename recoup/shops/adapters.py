"""The one table of shop platforms: which adapter serves which kind, loaded on first use."""

from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from django.utils.module_loading import import_string

from recoup.shops.ports import ShopPlatform

_TABLE = "recoup.config.adapters.SHOP_PLATFORMS"  # by name, so that no part imports the wiring
_registered: dict[str, str] = {}


class PlatformUnknown(Exception):
    """No adapter serves this kind of source."""


def register(table: Mapping[str, str]) -> None:
    """Replace the table of kinds and dotted paths; without a call that of `config.adapters` is used."""
    _registered.clear()
    _registered.update(table)
    _load.cache_clear()


def kinds() -> tuple[str, ...]:
    """Return the kinds of sources that can be connected, in the order of the table."""
    return tuple(_paths())


def platform(kind: str) -> ShopPlatform:
    """Return the adapter of a kind; one instance serves all sources.

    :raises PlatformUnknown: if there is none.
    """
    path = _paths().get(kind)
    if path is None:
        raise PlatformUnknown(kind)
    return _load(path)


def can_ask(kind: str) -> bool:
    """Tell whether a source of this kind can be asked for one order."""
    return kind in _paths() and platform(kind).capabilities.asks


def _paths() -> Mapping[str, str]:
    return _registered or cast("Mapping[str, str]", import_string(_TABLE))


@lru_cache(maxsize=32)
def _load(path: str) -> ShopPlatform:
    return cast("ShopPlatform", import_string(path)())
