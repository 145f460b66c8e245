"""Quiet hours when a message is queued, so that it is due when it may go; they are looked at again at the last look."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from django.db import connection

from recoup.customers.clocks import clocks_of_person
from recoup.messaging.models import Message
from recoup.messaging.sender.limits import Quiet, loud_from


class Wanted(NamedTuple):
    """A reminder that is to be queued."""

    shop_id: int
    contact_id: int
    channel: str
    due_at: datetime
    not_after: datetime


class Resting(Protocol):
    """What tells of a message whether it keeps quiet hours."""

    @property
    def purpose(self) -> str: ...
    @property
    def is_asked_for(self) -> bool: ...
    @property
    def manual_key(self) -> str | None: ...


def rests(order: Resting, message_class: str) -> bool:
    """Tell whether a message keeps quiet hours: not what was asked for, sent by hand, or carries out a paid order."""
    is_service = order.purpose == "thanks" and message_class == Message.MessageClass.CONTRACT
    return not (order.is_asked_for or order.manual_key is not None or is_service)


def loud_instants(reminders: Sequence[Wanted], *, now: datetime) -> list[datetime | None]:
    """Return for each reminder when it is due instead, if it would be due in quiet hours.

    One that would then be too late keeps its instant: the last look says why it did not go.
    """
    if not reminders:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT q.shop_id, q.channel, q.starts, q.ends, q.weekdays, q.keeps_holidays, s.time_zone, s.country"
            " FROM messaging_quiethours q JOIN shops_shop s ON s.id = q.shop_id WHERE q.shop_id = ANY(%s)",
            [sorted({one.shop_id for one in reminders})],
        )
        hours: dict[tuple[int, str], list[Quiet]] = {}
        shops: dict[int, tuple[str, str]] = {}
        for shop_id, channel, starts, ends, days, keeps, zone, country in cursor.fetchall():
            hours.setdefault((shop_id, channel), []).append(Quiet(starts, ends, tuple(days), keeps))
            shops[shop_id] = (zone, country)
        cursor.execute(
            "SELECT id, time_zone, country FROM customers_contact WHERE id = ANY(%s)",
            [sorted({one.contact_id for one in reminders})],
        )
        people = {row[0]: row[1:] for row in cursor.fetchall()}
    return [_loud_at(one, hours, shops, people.get(one.contact_id, ("", "")), now) for one in reminders]


def _loud_at(
    one: Wanted,
    hours: Mapping[tuple[int, str], Sequence[Quiet]],
    shops: Mapping[int, tuple[str, str]],
    person: tuple[str, str],
    now: datetime,
) -> datetime | None:
    quiet = hours.get((one.shop_id, one.channel))
    if not quiet:
        return None
    (shop_zone, shop_country), (zone, country) = shops[one.shop_id], person
    clocks = clocks_of_person(zone, country, shop_zone=shop_zone, shop_country=shop_country)
    return put_off(one, quiet, clocks.quiet, country=country or shop_country, now=now)


def put_off(
    one: Wanted, quiet: Sequence[Quiet], zones: Sequence[ZoneInfo], *, country: str, now: datetime
) -> datetime | None:
    """Return when a reminder is due instead of in the quiet hours of its channel; nothing if it keeps its instant."""
    start = max(one.due_at, now)
    loud = loud_from(quiet, zones, start, contact_id=one.contact_id, country=country)
    return loud if start < loud < one.not_after else None
