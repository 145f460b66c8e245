"""Finds the adapter of an operator by its kind, loaded on first use."""

from collections.abc import Mapping
from functools import cache

from django.utils.module_loading import import_string

from recoup.payments.ports import Operator

_table: dict[str, str] = {}


class OperatorUnknown(Exception):
    """No adapter is registered for this kind."""


def register(table: Mapping[str, str]) -> None:
    """Say which dotted path serves which kind; called once at start with `config.adapters.OPERATORS`."""
    _table.clear()
    _table.update(table)
    operator.cache_clear()


@cache
def operator(kind: str) -> Operator:
    """Return the adapter of a kind.

    :raises OperatorUnknown: if there is none.
    """
    if kind not in _table:
        raise OperatorUnknown(kind)
    adapter: Operator = import_string(_table[kind])()
    return adapter
