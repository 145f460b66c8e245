"""The rules that are in force in a shop: the table of the product with the shop's own changes over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.functional import Promise
from django_scopes import scopes_disabled

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
        """
        found = self.rule(country, content, relation).verdict
        return Class.NEEDS_CONSENT if found == Class.SOFT_OPT_IN and channel != "email" else found

    def rules(self) -> list[Rule]:
        """Return every place of the table."""
        return [self.rule(*cell) for cell in CELLS]


SHIPPED = RuleBook({})


def book_of(shop_id: int) -> RuleBook:
    """Return the rules of a shop."""
    with scopes_disabled():  # asked by the sender too, which serves all shops
        changes = list(SendingRule.objects.filter(shop=shop_id).order_by("id"))
    grounds = [one for one in changes if one.content == SendingRule.GROUND]
    cells = {Cell(one.country, one.content, one.relation): one for one in changes}
    return RuleBook(cells, has_ground=bool(grounds) and grounds[-1].verdict == SendingRule.TOLD)
