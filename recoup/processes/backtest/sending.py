"""What stands for the sender: the shop's quiet hours and limits, addresses, who gets nothing. No message is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from django.db import connection

from recoup.messaging.sender.limits import Caps, Quiet, free_from, loud_from, zone_of
from recoup.processes.engine.codes import Code

Suppressed = Mapping[int, Sequence[tuple[datetime, datetime | None, str]]]


class Letter(NamedTuple):
    """A message that is to be handed over, named without ids of the store."""

    contact_id: int
    subject_kind: int
    subject_id: int
    step_no: int
    purpose: str
    not_after: datetime


class Sending(Protocol):
    """Decides about a message whose facts allow it. One for each page of people."""

    @property
    def lag(self) -> timedelta:
        """Return how long after the planned instant a message is handed over."""

    def decide(self, letter: Letter, now: datetime) -> Code | datetime:
        """Return how a message ends now, or when it is to be looked at again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a shop has set for its messages, as it is set today."""

    caps: Caps
    quiet_hours: tuple[Quiet, ...]
    zone: str


def limits_of(shop_id: int) -> Limits:
    """Return the limits of a shop."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.time_zone, coalesce(l.per_day, 2), coalesce(l.per_week, 5), coalesce(l.per_order, 3)"
            " FROM shops_shop s LEFT JOIN messaging_sendinglimits l ON l.shop_id = s.id WHERE s.id = %s",
            [shop_id],
        )
        zone, per_day, per_week, per_order = cursor.fetchone()
        cursor.execute(
            "SELECT starts, ends, weekdays FROM messaging_quiethours WHERE shop_id = %s AND channel = 'email'",
            [shop_id],
        )
        hours = tuple(Quiet(starts, ends, tuple(days)) for starts, ends, days in cursor.fetchall())
    return Limits(Caps(per_day, per_week, per_order), hours, zone)


@dataclass(slots=True)
class ShopSending:
    """The sender's rules that facts can answer; whatever passes them counts as sent."""

    limits: Limits
    zones: Mapping[int, str]  # of people
    without_address: frozenset[int]
    suppressed: Suppressed = field(default_factory=dict)
    lag: timedelta = timedelta(0)
    _recent: dict[int, list[datetime]] = field(default_factory=dict)
    _of_subject: dict[tuple[int, int], int] = field(default_factory=dict)

    def remember(self, contact_id: int, at: datetime) -> None:
        """Count a message that somebody has got before."""
        self._recent.setdefault(contact_id, []).append(at)

    def decide(self, letter: Letter, now: datetime) -> Code | datetime:
        """Return how a message ends now, or when it is to be looked at again."""
        contact_id = letter.contact_id
        if contact_id in self.without_address:
            return Code.SKIPPED_NO_ADDRESS
        if self.suppressed and self._is_suppressed(letter, now):
            return Code.SKIPPED_SUPPRESSION
        if letter.purpose != "reminder":
            return Code.SENT
        subject = (letter.subject_kind, letter.subject_id)
        if self._of_subject.get(subject, 0) >= self.limits.caps.per_order:
            return Code.SKIPPED_CAP
        recent = self._recent.setdefault(contact_id, [])
        free = free_from(recent, self.limits.caps, now)
        later = self._loud_from(contact_id, free)
        if later > now:
            too_late = Code.SKIPPED_CAP if free > now else Code.SKIPPED_EXPIRED
            return later if later < letter.not_after else too_late
        recent.append(now)
        self._of_subject[subject] = self._of_subject.get(subject, 0) + 1
        return Code.SENT

    def _loud_from(self, contact_id: int, at: datetime) -> datetime:
        if not self.limits.quiet_hours:
            return at
        zone = zone_of(self.zones.get(contact_id, "") or self.limits.zone, self.limits.zone)
        return loud_from(self.limits.quiet_hours, zone, at, contact_id=contact_id)

    def _is_suppressed(self, letter: Letter, now: datetime) -> bool:
        scopes = ("all", "reminders") if letter.purpose == "reminder" else ("all",)
        return any(
            scope in scopes and since <= now and (lifted_at is None or lifted_at > now)
            for since, lifted_at, scope in self.suppressed.get(letter.contact_id, ())
        )
