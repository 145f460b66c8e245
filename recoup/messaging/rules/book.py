"""The rules that are in force in a shop: the table of the product with the shop's own changes over it, at an instant."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import NamedTuple

from django.db import connection
from django.utils.functional import Promise

from recoup.customers.clocks import clocks_of_person
from recoup.messaging.models import Message, SendingRule
from recoup.messaging.rules.kinds import Content, Relation
from recoup.messaging.rules.law import COUNTRIES, OTHER, changes_of_law, law_at

Class = Message.MessageClass


class Cell(NamedTuple):
    """One place of the table."""

    country: str
    content: str
    relation: str


CELLS = tuple(
    Cell(country, content, relation)
    for country in COUNTRIES
    for content in Content.values
    for relation in Relation.values
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is in force at one place, since when it differs, and where it comes from."""

    cell: Cell
    verdict: str
    shipped: str
    source: Promise
    change: SendingRule | None
    shipped_since: date
    zone: tzinfo = UTC  # the shop's

    @property
    def is_own(self) -> bool:
        """Whether the shop has another rule than the product came with."""
        return self.verdict != self.shipped

    @property
    def since(self) -> date:
        """The day from which it is in force, on the shop's calendar if it is the shop's."""
        if self.change is None or not self.is_own:
            return self.shipped_since
        return self.change.since.astimezone(self.zone).date()


class RuleBook:
    """All rules of a shop as they are in force on a day; without one, as they are now."""

    def __init__(
        self,
        changes: Mapping[Cell, SendingRule],
        *,
        has_ground: bool = False,
        day: date | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._changes = changes
        self._day, self._zone = day, zone
        self.has_ground = has_ground
        """Whether buyers are told at the checkout that they may refuse advertising for similar goods."""

    def rule(self, country: str, content: str, relation: str) -> Rule:
        """Return the rule for a country; for one that is not named, the strict one for all others."""
        cell = Cell(country if country in COUNTRIES else OTHER, content, relation)
        law = law_at(cell.country, cell.content, self._day)
        change, shipped = self._changes.get(cell), law.verdict(relation)
        if change is not None and not change.verdict:
            change = None
        return Rule(
            cell, change.verdict if change else shipped, shipped, law.source, change, law.since, self._zone
        )

    def deciding(self, country: str, content: str, relation: str) -> Rule:
        """Return the rule that decides about a reader.

        Whoever has an order and was not told that they may refuse is a stranger to it, unless by a rule of the shop.
        """
        rule = self.rule(country, content, relation)
        is_untold = relation == Relation.ORDER and content != Content.CONTRACT and not self.has_ground
        if is_untold and rule.verdict == Class.SOFT_OPT_IN and not rule.is_own:
            return self.rule(country, content, Relation.NEITHER)
        return rule

    def verdict(self, country: str, content: str, relation: str, channel: str = "email") -> str:
        """Return the class of a message.

        What may be sent without consent until somebody refuses is so for e-mail alone; any other channel needs consent then.
        """
        found = self.deciding(country, content, relation).verdict
        return Class.NEEDS_CONSENT if found == Class.SOFT_OPT_IN and channel != "email" else found

    def rules(self) -> list[Rule]:
        """Return every place of the table."""
        return [self.rule(*cell) for cell in CELLS]


SHIPPED = RuleBook({})


class RuleHistory:
    """The rules of a shop at any instant: what was tried on a past goes by those of then."""

    def __init__(self, changes: Iterable[SendingRule] = (), *, zone: tzinfo = UTC) -> None:
        # Of two that begin at once the one that was made later holds.
        self.changes = sorted(
            (one for one in changes if one.withdrawn_at is None), key=lambda one: (one.since, one.pk or 0)
        )
        self._turns = sorted({*(one.since for one in self.changes), *_TURNS_OF_LAW})
        self._books: dict[int, RuleBook] = {}
        self._zone = zone

    def at(self, instant: datetime) -> RuleBook:
        """Return the rules that were, are or will be in force at an instant."""
        place = bisect_right(self._turns, instant)
        if place not in self._books:
            self._books[place] = self._book(instant)
        return self._books[place]

    @property
    def ever_had_ground(self) -> bool:
        """Whether buyers were, are or will be told that they may refuse advertising."""
        told = SendingRule.TOLD
        return any(one.content == SendingRule.GROUND and one.verdict == told for one in self.changes)

    def _book(self, instant: datetime) -> RuleBook:
        begun = [one for one in self.changes if one.since <= instant]
        grounds = [one for one in begun if one.content == SendingRule.GROUND]
        return RuleBook(
            {Cell(one.country, one.content, one.relation): one for one in begun},
            has_ground=bool(grounds) and grounds[-1].verdict == SendingRule.TOLD,
            day=instant.astimezone(UTC).date(),
            zone=self._zone,
        )


# A law begins with its day in Universal Time: near enough for what was law years ago.
_TURNS_OF_LAW = [datetime.combine(day, time(), UTC) for day in changes_of_law()]
_UNCHANGED = RuleHistory()
_COLUMNS = (
    "id", "shop_id", "country", "content", "relation", "verdict", "was", "note", "changed_at", "changed_by", "holds_from",
)  # fmt: skip
# Every shop's own: the sender and the engine serve all of them.
_CHANGES = f"""
    SELECT {", ".join(f"r.{column}" for column in _COLUMNS)}, s.time_zone
    FROM messaging_sendingrule r JOIN shops_shop s ON s.id = r.shop_id
    WHERE r.shop_id = ANY(%s) AND r.withdrawn_at IS NULL ORDER BY r.id
"""  # noqa: S608 - columns of the model


def book_of(shop_id: int, *, now: datetime) -> RuleBook:
    """Return the rules that are in force in a shop."""
    return history_of(shop_id).at(now)


def books_of(shop_ids: Iterable[int], *, now: datetime) -> dict[int, RuleBook]:
    """Return the rules of shops by their ids: one statement for a batch, since every queueing asks."""
    return {shop_id: history.at(now) for shop_id, history in _histories(shop_ids).items()}


def history_of(shop_id: int) -> RuleHistory:
    """Return the rules of a shop over all time."""
    return _histories([shop_id])[shop_id]


def _histories(shop_ids: Iterable[int]) -> dict[int, RuleHistory]:
    changes: dict[int, list[SendingRule]] = {shop_id: [] for shop_id in shop_ids}
    zones: dict[int, tzinfo] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, [list(changes)])
        for *row, zone in cursor.fetchall():
            change = SendingRule(**dict(zip(_COLUMNS, row, strict=True)))
            changes[change.shop_id].append(change)
            zones[change.shop_id] = clocks_of_person("", "", shop_zone=zone, shop_country="").wait
    return {
        shop_id: RuleHistory(of_shop, zone=zones[shop_id]) if of_shop else _UNCHANGED
        for shop_id, of_shop in changes.items()
    }
