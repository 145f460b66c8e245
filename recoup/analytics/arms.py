"""The ways of a split beside each other: which one makes more people pay, with intervals that stay true (peers 15).

The sizes of an offer that are tried are ways too. Each way is compared with the first one. The intervals are those of
`intervals`; with several ways each gets its part of the allowed errors (Bonferroni), so that all of them together are
right in 95 of 100 splits, however often one looks.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from recoup.analytics.days import ARMS, ARMS_PROFIT, Day, by_day, sums_of
from recoup.analytics.effects import BEGINNING, FAR, window_of
from recoup.analytics.intervals import (
    ALPHA,
    Group,
    Interval,
    Sums,
    added,
    always_valid,
    always_valid_mean,
    corrected,
    people_needed,
    people_until_first_look,
)
from recoup.analytics.profit import Least, Worth, currencies_told, difference, least_that_helps, worth_of
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.graph.editing import ports_of
from recoup.processes.graph.entries import subject_of
from recoup.processes.graph.ways import Ways
from recoup.processes.models import Process, ProcessVersion

WORTH_SEEING = 0.03  # a difference of three people of a hundred is worth waiting for
MAIN_CURRENCY = 0.9  # of the people must buy in one currency
_PORT = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Split:
    """A split of the running version, or an offer that tries sizes, and the versions in which it was the same."""

    process: Process
    block: str
    label: str
    node: int
    arms: Sequence[tuple[str, str, int]]  # id, name, weight
    version_ids: Sequence[int]
    first_version: int  # the number of the oldest of these
    window: timedelta
    sizes: Sequence[Decimal] = ()  # of an offer; each is the way of its place
    size_kind: str = ""
    size_currency: str = ""
    costs_later: bool = False  # an offer takes off a next order, and what is judged is this one

    def params(self, now: datetime) -> dict[str, Any]:
        """Return the values of the statement that reads its people."""
        return {
            "shop_id": self.process.shop_id,
            "process_id": self.process.pk,
            "versions": list(self.version_ids),
            "node": self.node,
            "start": BEGINNING,
            "end": FAR,
            "window": self.window,
            "zone": self.process.shop.time_zone,
            "now": now,
        }


@dataclass(frozen=True, slots=True)
class ArmMoney:
    """What people of a way paid in one currency, and how much more one person paid than on the first way."""

    currency: str
    sums: Sums
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class ArmProfit:
    """What people of a way were worth in one currency, and how much more one person was than on the first way."""

    currency: str
    worth: Worth
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class ArmEffect:
    """One way of a split."""

    id: str
    name: str
    number: int
    weight: int
    group: Group
    money: Sequence[ArmMoney]
    interval: Interval | None  # of the difference from the first way, none for itself
    young: int
    profit: Sequence[ArmProfit] = ()
    missing: int = 0  # people on both ways until the first answer
    more_to_see: int = 0  # people on both ways until a difference that is worth seeing would be seen


@dataclass(frozen=True, slots=True)
class SplitEffect:
    """The ways of a split beside each other."""

    split: Split
    arms: Sequence[ArmEffect]
    least: Least | None = None  # the way that costs least of those that bring as much profit as any

    @property
    def is_paid_for(self) -> bool:
        """Tell whether anything was spent on the people of a way: then more payments may still be less profit."""
        if self.split.sizes or self.split.costs_later:
            return True
        return any(one.worth.spent for arm in self.arms for one in arm.profit)

    @property
    def winner(self) -> ArmEffect | None:
        """Return the way that is clearly better than the first one, or the first if all others are clearly worse."""
        first, *others = self.arms
        better = [arm for arm in others if arm.interval is not None and arm.interval.low > 0]
        if better:
            return max(better, key=lambda arm: arm.group.rate)
        if all(arm.interval is not None and arm.interval.high < 0 for arm in others):
            return first
        return None


def splits_of(process: Process) -> list[Split]:
    """Return the splits of the running version, each with the versions in which nothing behind it was different."""
    current = process.current_version
    if current is None:
        return []
    versions = list(ProcessVersion.objects.filter(process=process).order_by("number"))
    found = []
    for block, node in sorted(current.doc["nodes"].items()):
        if not is_tried(node):
            continue
        wanted = _signature(current.doc, block)
        same = [one for one in versions if _signature(one.doc, block) == wanted]
        sizes = [Decimal(str(one)) for one in node.get("sizes", ())]
        arms = [(f"{size.normalize():f}", f"{size.normalize():f}", 1) for size in sizes] or [
            (arm["id"], arm.get("name") or _PORT[number], arm["w"]) for number, arm in enumerate(node["arms"])
        ]
        found.append(
            Split(
                process=process,
                block=block,
                label=node.get("label") or "",
                node=int(current.node_map[block]),
                arms=arms,
                version_ids=[one.pk for one in same],
                first_version=same[0].number,
                window=window_of(process),
                sizes=sizes,
                size_kind=node.get("kind", "percent") if sizes else "",
                size_currency=node.get("currency") or "",
                costs_later=costs_later(current.doc, block),
            )
        )
    return found


def is_tried(node: dict[str, Any]) -> bool:
    """Tell whether chance sends people of a block different ways: a split, or an offer of several sizes."""
    return node["t"] == "split" or (node["t"] == "offer" and bool(node.get("sizes")))


def costs_later(doc: dict[str, Any], block: str) -> bool:
    """Tell whether an offer from a block on is for a next order, whose price nothing here sees."""
    if subject_of(doc["entry"]) is SubjectKind.CONTACT:
        return False
    return any(node.get("next_order") for node in _from_on(doc, block).values())


def _from_on(doc: dict[str, Any], block: str) -> dict[str, dict[str, Any]]:
    """Return a block and all that lies behind it."""
    following = {name: tuple(ports_of(node).values()) for name, node in doc["nodes"].items()}
    return {name: doc["nodes"][name] for name in Ways(following).reached_from(block)}


def _signature(doc: dict[str, Any], block: str) -> str:
    """Return all that decides what happens to people from a split on, names left out."""
    nodes = doc["nodes"]
    if block not in nodes or not is_tried(nodes[block]):
        return ""
    behind = {name: _told(node) for name, node in _from_on(doc, block).items()}
    return json.dumps(behind, sort_keys=True)


def _told(node: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in node.items() if key not in ("label", "note")}
    if node["t"] == "split":
        told["arms"] = [(arm["id"], arm["w"]) for arm in node["arms"]]
    return told


def split_effect(split: Split, *, now: datetime) -> SplitEffect:
    """Return how the people of each way did, everybody once, by their first time at the split."""
    days = by_day(ARMS, split.params(now))
    judged = [
        [one for one in days if one.part == "judged" and one.arm == at] for at in range(len(split.arms))
    ]
    young = [
        sum(one.group.people for one in days if one.part == "young" and one.arm == at)
        for at in range(len(split.arms))
    ]
    people: Counter[str] = Counter()
    for one in (one for of_arm in judged for one in of_arm):
        people[one.currency] += one.group.people
    worth = {
        currency: worth_of(
            ARMS_PROFIT, split.params(now), split.process.shop, currency, groups=len(split.arms)
        )
        for currency in currencies_told(people)
    }
    return SplitEffect(
        split,
        [_arm(split, at, judged, young[at], _profit(split, at, worth)) for at in range(len(split.arms))],
        _least(split, worth, people),
    )


def _profit(split: Split, at: int, worth: dict[str, list[Worth]]) -> list[ArmProfit]:
    weights = [weight for *_, weight in split.arms]
    share, pairs = weights[0] / (weights[0] + weights[at]), len(weights) * (len(weights) - 1) // 2
    return [
        ArmProfit(
            currency,
            found[at],
            difference(found[at], found[0], share=share, alpha=corrected(ALPHA, pairs)) if at else None,
        )
        for currency, found in worth.items()
    ]


def _least(split: Split, worth: Mapping[str, list[Worth]], people: Mapping[str, int]) -> Least | None:
    """Return the cheapest way that helps: only where nearly all people buy in one currency, and ways differ in price."""
    main = max(people, key=lambda currency: people[currency], default=None)
    if main is None or people[main] < MAIN_CURRENCY * sum(people.values()):
        return None
    if split.costs_later:
        return None
    found, places = worth[main], range(len(split.arms))
    if not split.sizes and not any(one.spent for one in found):
        return None
    order = list(places) if split.sizes else sorted(places, key=lambda at: found[at].spent_each)
    return least_that_helps(found, [weight for *_, weight in split.arms], order)


def _arm(
    split: Split, at: int, judged: Sequence[Sequence[Day]], young: int, profit: Sequence[ArmProfit]
) -> ArmEffect:
    code, name, weight = split.arms[at]
    first, mine = added([one.group for one in judged[0]]), added([one.group for one in judged[at]])
    share = split.arms[0][2] / (split.arms[0][2] + weight)
    alpha = corrected(ALPHA, len(split.arms) - 1)
    interval = always_valid(mine, first, share=share, alpha=alpha) if at else None
    people = mine.people + first.people
    return ArmEffect(
        id=code,
        name=name,
        number=at,
        weight=weight,
        group=mine,
        money=_money(judged[0], judged[at], share, alpha, is_first=at == 0),
        interval=interval,
        young=young,
        profit=profit,
        missing=people_until_first_look(people, share) if at and interval is None else 0,
        more_to_see=_more_to_see(first.rate, share, alpha, people)
        if interval is not None and not interval.is_clear
        else 0,
    )


def _more_to_see(rate: float, share: float, alpha: float, people: int) -> int:
    return max(people_needed(rate, WORTH_SEEING, share=share, alpha=alpha) - people, 0)


def _money(
    first: Sequence[Day], mine: Sequence[Day], share: float, alpha: float, *, is_first: bool
) -> list[ArmMoney]:
    found = []
    for currency in sorted({one.currency for one in [*first, *mine]}):
        of_mine, payers = sums_of([one for one in mine if one.currency == currency])
        of_first, first_payers = sums_of([one for one in first if one.currency == currency])
        interval = None
        if not is_first:
            interval = always_valid_mean(
                of_mine, of_first, payers=(payers, first_payers), share=share, alpha=alpha
            )
        found.append(ArmMoney(currency, of_mine, interval))
    return found
