"""What a process brought: those it wrote to beside those it left alone, with the interval of the difference (O3).

By intention to treat: everybody counts in the group that chance gave them, whatever was sent, and only people whose window
is over. Figures of a process are for one stretch in which its share was the same, because people of different shares must
not be thrown together. Without a hold-out, or with too few people in it, the answer is unknown and says what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from recoup.analytics.days import EFFECT, EFFECT_PROFIT, Day, by_day, sums_of
from recoup.analytics.intervals import (
    Group,
    Interval,
    Sums,
    added,
    always_valid,
    always_valid_mean,
    people_until_first_look,
)
from recoup.analytics.profit import Worth, currencies_told, difference, worth_of
from recoup.core.money import Money
from recoup.processes.engine.codes import Flag
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.lasting import longest_stay
from recoup.processes.holdout import Stretch
from recoup.processes.models import Process
from recoup.shops.models import Shop

SHORTEST_WINDOW, LONGEST_WINDOW = timedelta(days=14), timedelta(days=120)
AFTER_THE_END = timedelta(days=3)  # who is written to at the very end gets some days to pay
BEGINNING, FAR = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
NO_END = 1 << 62  # no enrolment has this number


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose people: of a process or, without one, of the whole shop; in one stretch, entered in a period."""

    shop: Shop
    process: Process | None
    stretch: Stretch
    window: timedelta
    start: datetime = BEGINNING
    end: datetime = FAR

    @property
    def control_flag(self) -> int:
        """Return the bit of those who are left alone."""
        return int(Flag.HOLDOUT if self.process is not None else Flag.SHOP_HOLDOUT)

    @property
    def outside_flags(self) -> int:
        """Return the bits of those who count in neither group."""
        return int(Flag.TEST | Flag.SHOP_HOLDOUT) if self.process is not None else int(Flag.TEST)

    @property
    def share(self) -> float:
        """Return the share that is left alone."""
        return self.stretch.share_bp / 10_000

    @property
    def is_cut(self) -> bool:
        """Tell whether a period was chosen, and not the whole stretch."""
        return self.start != BEGINNING or self.end != FAR

    def judged_period(self, now: datetime) -> tuple[datetime, datetime]:
        """Return from when until when the people came in who are judged now."""
        start = max(self.start, self.stretch.since or BEGINNING)
        return start, min(self.end, self.stretch.ended_at or FAR, now - self.window)

    def params(self, now: datetime) -> dict[str, Any]:
        """Return the values of the statements that read these people."""
        return {
            "shop_id": self.shop.pk,
            "process_id": self.process.pk if self.process is not None else None,
            "after": self.stretch.after,
            "until": self.stretch.until if self.stretch.until is not None else NO_END,
            "control": self.control_flag,
            "outside": self.outside_flags,
            "start": self.start,
            "end": self.end,
            "window": self.window,
            "zone": self.shop.time_zone,
            "now": now,
        }


@dataclass(frozen=True, slots=True)
class Look:
    """How it stood at the end of a day, as whoever looked then would have seen it."""

    day: date
    treated: Group
    control: Group
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class MoneyEffect:
    """What people of one currency paid, for one person, and by how much more those who were written to paid."""

    currency: str
    treated: Sums
    control: Sums
    payers: tuple[int, int]
    interval: Interval | None  # for one person

    def of(self, group: Sums) -> Money:
        """Return the mean of a group."""
        return Money(Decimal(repr(group.mean)).quantize(Decimal("0.01")), self.currency)

    @property
    def in_all(self) -> Interval | None:
        """Return what it makes for all who were written to."""
        return None if self.interval is None else self.interval.scaled(self.treated.people)


@dataclass(frozen=True, slots=True)
class ProfitEffect:
    """What people of one currency were worth, and by how much more one person was who was written to."""

    currency: str
    treated: Worth
    control: Worth
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Effect:
    """The two groups side by side."""

    scope: Scope
    treated: Group
    control: Group
    interval: Interval | None  # of the difference of the shares that paid
    money: Sequence[MoneyEffect]
    looks: Sequence[Look]
    young: tuple[int, int]  # people of both groups whose window is not over
    paid_before: int
    written_by_hand: int  # people left alone to whom somebody wrote anyway

    @property
    def has_control(self) -> bool:
        """Tell whether anybody is left alone at all."""
        return self.scope.stretch.share_bp > 0

    @property
    def missing(self) -> int:
        """Return about how many more people it takes until the first answer."""
        if self.interval is not None or not self.has_control:
            return 0
        return people_until_first_look(self.treated.people + self.control.people, self.scope.share)

    @property
    def more_paid(self) -> Interval | None:
        """Return how many of those who were written to paid because of it."""
        return None if self.interval is None else self.interval.scaled(self.treated.people)


def window_of(process: Process) -> timedelta:
    """Return how long after entering a payment counts: 14 days, or the longest way through the process and three days."""
    if process.current_version is None:
        return SHORTEST_WINDOW
    stay = longest_stay(ProcessDocument.model_validate(process.current_version.doc)) + AFTER_THE_END
    days = timedelta(days=-(-stay // timedelta(days=1)))
    return min(max(SHORTEST_WINDOW, days), LONGEST_WINDOW)


def effect_of(scope: Scope, *, now: datetime) -> Effect:
    """Return what these people did, both groups beside each other."""
    days = by_day(EFFECT, scope.params(now))
    judged = [one for one in days if one.part == "judged"]
    treated = added([one.group for one in judged if not one.is_control])
    control = added([one.group for one in judged if one.is_control])
    return Effect(
        scope=scope,
        treated=treated,
        control=control,
        interval=_interval(scope, treated, control),
        money=[_money(scope, currency, judged) for currency in sorted({one.currency for one in judged})],
        looks=_looks(scope, judged),
        young=(_people(days, "young", is_control=False), _people(days, "young", is_control=True)),
        paid_before=sum(one.group.people for one in days if one.part == "before"),
        written_by_hand=_written_by_hand(scope) if scope.stretch.share_bp else 0,
    )


def profit_of(effect: Effect, *, now: datetime) -> list[ProfitEffect]:
    """Return what the people of both groups were worth, in each currency in which they buy."""
    scope, found = effect.scope, []
    people = {one.currency: one.treated.people + one.control.people for one in effect.money}
    for currency in currencies_told(people):
        treated, control = worth_of(EFFECT_PROFIT, scope.params(now), scope.shop, currency, groups=2)
        interval = difference(treated, control, share=scope.share) if scope.stretch.share_bp else None
        found.append(ProfitEffect(currency, treated, control, interval))
    return found


def _people(days: Sequence[Day], part: str, *, is_control: bool) -> int:
    return sum(one.group.people for one in days if one.part == part and one.is_control == is_control)


def _interval(scope: Scope, treated: Group, control: Group) -> Interval | None:
    return always_valid(treated, control, share=scope.share) if scope.stretch.share_bp else None


def _money(scope: Scope, currency: str, judged: Sequence[Day]) -> MoneyEffect:
    (treated, payers), (control, payers_alone) = (
        sums_of([one for one in judged if one.currency == currency and one.is_control == is_control])
        for is_control in (False, True)
    )
    interval = None
    if scope.stretch.share_bp:
        interval = always_valid_mean(treated, control, payers=(payers, payers_alone), share=scope.share)
    return MoneyEffect(currency, treated, control, (payers, payers_alone), interval)


def _looks(scope: Scope, judged: Sequence[Day]) -> list[Look]:
    """Return how it stood after each day on which people became old enough to be judged."""
    treated, control, found = Group(0, 0), Group(0, 0), []
    days = sorted({one.day for one in judged})
    for day in days:
        today = [one for one in judged if one.day == day]
        treated = added([treated, *(one.group for one in today if not one.is_control)])
        control = added([control, *(one.group for one in today if one.is_control)])
        found.append(Look(day + scope.window, treated, control, _interval(scope, treated, control)))
    return found


# The same people one by one, over the alias `r`. Each number of an effect counts what one of these shows (rule 10).
# OFFSET 0 makes PostgreSQL look up each person's earlier times by the index. It takes conditions on flags for rare, expects
# a row or two, and would compare each person with every other otherwise: seven seconds for five thousand people.
_FIRST = """
    r.id > %s AND r.id <= %s AND r.flags & %s = 0 AND r.entered_at >= %s AND r.entered_at < %s
    AND NOT EXISTS (
        SELECT FROM processes_enrolment earlier
        WHERE earlier.shop_id = r.shop_id AND earlier.contact_id = r.contact_id AND earlier.id < r.id
          AND earlier.id > %s AND earlier.flags & %s = 0{same_process} OFFSET 0)
"""
_BY_HAND = """
    SELECT count(*) FROM processes_enrolment r
    WHERE r.shop_id = %s AND {first} AND r.flags & %s <> 0 AND {wrote}
"""
WROTE_BY_HAND = """EXISTS (
    SELECT FROM messaging_message m
    WHERE m.shop_id = r.shop_id AND m.contact_id = r.contact_id AND m.enrolment_id IS NULL AND m.manual_key IS NOT NULL
      AND NOT m.is_asked_for AND NOT m.is_test AND m.state IN ('sent', 'uncertain')
      AND m.handed_at >= r.entered_at AND m.handed_at < r.entered_at + %s::interval)"""


def first_entries(scope: Scope) -> tuple[str, list[Any]]:
    """Return the condition, over enrolments `r`, of those by which people count, and its parameters."""
    values = scope.params(BEGINNING)
    same_process = " AND earlier.process_id = r.process_id" if scope.process is not None else ""
    own = " AND r.process_id = %s" if scope.process is not None else ""
    params = [values[name] for name in ("after", "until", "outside", "start", "end", "after", "outside")]
    return _FIRST.format(same_process=same_process) + own, (
        [*params, scope.process.pk] if scope.process is not None else params
    )


def _written_by_hand(scope: Scope) -> int:
    first, params = first_entries(scope)
    values: list[Any] = [scope.shop.pk, *params, scope.control_flag, scope.window]
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_HAND.format(first=first, wrote=WROTE_BY_HAND),
            values,
        )
        return int(cursor.fetchone()[0])
