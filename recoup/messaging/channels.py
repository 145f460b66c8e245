"""Finds the adapter of a channel by its kind, loaded on first use."""

from collections.abc import Mapping
from functools import cache

from django.utils.module_loading import import_string

from recoup.messaging.ports import Channel

_table: dict[str, str] = {}


class ChannelUnknown(Exception):
    """No adapter is registered for this kind."""


def register(table: Mapping[str, str]) -> None:
    """Say which dotted path serves which kind; called once at start with `config.adapters.CHANNELS`."""
    _table.clear()
    _table.update(table)
    channel.cache_clear()


@cache
def channel(kind: str) -> Channel:
    """Return the adapter of a kind.

    :raises ChannelUnknown: if there is none.
    """
    if kind not in _table:
        raise ChannelUnknown(kind)
    adapter: Channel = import_string(_table[kind])()
    return adapter
