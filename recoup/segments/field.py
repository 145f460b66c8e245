"""What a fact of the closed list is: its type, and how Python and SQL read it."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recoup.segments.facts import Known, Need
from recoup.segments.history import Frame, Read, Scope, Sql, Value


class FieldType(StrEnum):
    """Type of a fact; it decides which operators fit."""

    NUMBER = "number"
    TEXT = "text"
    YES_NO = "yes_no"
    LIST = "list"
    INSTANT = "instant"


class Field(NamedTuple):
    """A fact of the closed list. `reader` gives nothing when it does not exist; no comparison meets that."""

    name: str
    type: FieldType
    subjects: frozenset[int]
    reader: Callable[[Scope], Read]
    sql: Callable[[Frame, Scope], Sql]
    choices: tuple[str, ...] = ()
    need: Need = Need(0)
    is_timed: bool = False  # may be narrowed to the last days
    is_money: bool = False  # asked for in one currency
    folds: bool = False  # capital letters make no difference
    keeps_past: bool = True  # known as of any instant; else what is known today is taken for it


@lru_cache(maxsize=512)
def zone_named(name: str) -> ZoneInfo:
    """Return the zone of a name; UTC where there is none of it."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def local(facts: Known, at: datetime) -> datetime:
    """Return an instant as a clock in the shop shows it."""
    return at.astimezone(zone_named(facts.contact.shop_zone if facts.contact is not None else ""))


def column(name: str) -> Callable[[Frame, Scope], Sql]:
    return lambda _frame, _scope: Sql(name)


def of_person(name: str) -> Callable[[Frame, Scope], Sql]:
    """Read a column of the person, whoever the row is about."""

    def build(frame: Frame, _scope: Scope) -> Sql:
        person = frame.person
        text = f"(SELECT {name} FROM customers_contact w WHERE w.shop_id = %s AND w.id = {person})"  # noqa: S608 - ours
        return Sql(text, (frame.shop_id,))

    return build


def in_shop(text: str) -> Callable[[Frame, Scope], Sql]:
    return lambda frame, _scope: Sql(text, (frame.zone,))


def plain(read: Callable[[Known], Value]) -> Callable[[Scope], Read]:
    def read_at(facts: Known, _at: datetime) -> Value:
        return read(facts)

    return lambda _scope: read_at
