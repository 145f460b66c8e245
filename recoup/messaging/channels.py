"""Finds the adapter of a channel by its kind, loaded on first use."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from recoup.messaging.ports import Accountant, Channel, Teller

_table: dict[str, str] = {}


class ChannelUnknown(Exception):
    """No adapter is registered for this kind."""


def register(table: Mapping[str, str]) -> None:
    """Say which dotted path serves which kind; called once at start with `config.adapters.CHANNELS`."""
    _table.clear()
    _table.update(table)
    _adapter.cache_clear()


def channel(kind: str) -> Channel:
    """Return the adapter of a kind.

    :raises ChannelUnknown: if there is none.
    """
    adapter: Channel = _adapter(kind)
    return adapter


def teller(kind: str) -> Teller:
    """Return the adapter of a kind whose provider calls us.

    :raises ChannelUnknown: if there is none.
    """
    adapter: Teller = _adapter(kind)
    return adapter


def accountant(kind: str) -> Accountant:
    """Return the adapter of a kind whose provider tells what is left.

    :raises ChannelUnknown: if there is none.
    """
    adapter: Accountant = _adapter(kind)
    return adapter


@cache
def _adapter(kind: str) -> Any:
    if kind not in _table:
        raise ChannelUnknown(kind)
    return import_string(_table[kind])()
