"""The rules that are in force in a shop: the table of the product with the shop's own changes over it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django.utils.functional import Promise

from recoup.messaging.models import Message, SendingRule
from recoup.messaging.rules.kinds import Content, Relation
from recoup.messaging.rules.law import COUNTRIES, LAW, OTHER

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

    @property
    def is_own(self) -> bool:
        """Whether the shop has another rule than the product came with."""
        return self.verdict != self.shipped


class RuleBook:
    """All rules of a shop."""

    def __init__(self, changes: Mapping[Cell, SendingRule], *, has_ground: bool = False) -> None:
        self._changes = changes
        self.has_ground = has_ground
        """Whether buyers are told at the checkout that they may refuse advertising for similar goods."""

    def rule(self, country: str, content: str, relation: str) -> Rule:
        """Return the rule for a country; for one that is not named, the strict one for all others."""
        cell = Cell(country if country in COUNTRIES else OTHER, content, relation)
        law = LAW[cell.country, cell.content]
        change, shipped = self._changes.get(cell), law.verdict(relation)
        return Rule(cell, change.verdict if change else shipped, shipped, law.source, change)

    def verdict(self, country: str, content: str, relation: str, channel: str = "email") -> str:
        """Return the class of a message.

        What may be sent without consent until somebody refuses is so for e-mail alone; any other channel needs consent then.
        Whoever has an order and was not told that they may refuse is a stranger to it, unless by a rule of the shop.
        """
        rule = self.rule(country, content, relation)
        is_untold = relation == Relation.ORDER and content != Content.CONTRACT and not self.has_ground
        if is_untold and rule.verdict == Class.SOFT_OPT_IN and not rule.is_own:
            rule = self.rule(country, content, Relation.NEITHER)
        found = rule.verdict
        return Class.NEEDS_CONSENT if found == Class.SOFT_OPT_IN and channel != "email" else found

    def rules(self) -> list[Rule]:
        """Return every place of the table."""
        return [self.rule(*cell) for cell in CELLS]


SHIPPED = RuleBook({})
_COLUMNS = (
    "id", "shop_id", "country", "content", "relation", "verdict", "was", "note", "changed_at", "changed_by",
)  # fmt: skip
# Every shop's own: the sender and the engine serve all of them.
_CHANGES = f"SELECT {', '.join(_COLUMNS)} FROM messaging_sendingrule WHERE shop_id = ANY(%s) ORDER BY id"  # noqa: S608 - columns of the model


def book_of(shop_id: int) -> RuleBook:
    """Return the rules of a shop."""
    return books_of([shop_id])[shop_id]


def books_of(shop_ids: Iterable[int]) -> dict[int, RuleBook]:
    """Return the rules of shops by their ids: one statement for a batch, since every queueing asks."""
    changes: dict[int, list[SendingRule]] = {shop_id: [] for shop_id in shop_ids}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, [list(changes)])
        for row in cursor.fetchall():
            change = SendingRule(**dict(zip(_COLUMNS, row, strict=True)))
            changes[change.shop_id].append(change)
    return {shop_id: _book(of_shop) for shop_id, of_shop in changes.items()}


def _book(changes: Sequence[SendingRule]) -> RuleBook:
    if not changes:
        return SHIPPED
    grounds = [one for one in changes if one.content == SendingRule.GROUND]
    cells = {Cell(one.country, one.content, one.relation): one for one in changes}
    return RuleBook(cells, has_ground=bool(grounds) and grounds[-1].verdict == SendingRule.TOLD)
