"""Split: sends people along different ways by chance that stays the same for each of them (D18, engine 10.6)."""

from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from recoup.processes.engine.bucket import BUCKETS, bucket
from recoup.processes.engine.codes import Code
from recoup.processes.engine.compiled import CompiledNode, Move
from recoup.processes.engine.nodes.base import (
    Kind,
    NodeDocument,
    NodeId,
    Strict,
    Summary,
    Surroundings,
    Trouble,
    Workshop,
)
from recoup.processes.engine.records import Facts
from recoup.processes.engine.wording import gettext_noop

MOST_ARMS = 8


class Arm(Strict):
    """One of the ways. `w` is its weight beside the others; the name is the merchant's own."""

    id: NodeId
    w: int = Field(ge=1, le=100)
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""


class SplitDocument(NodeDocument):
    """Two or more ways. The place of an arm in the list is what the ledger keeps, so arms are only ever added at the end."""

    t: Literal["split"]
    arms: Annotated[list[Arm], Field(min_length=2, max_length=MOST_ARMS)]
    out: dict[NodeId, NodeId]

    @property
    def ports(self) -> dict[str, str]:
        """Return the way of each arm."""
        return dict(self.out)

    def port_name(self, port: str) -> str:
        """Return the name of an arm."""
        return next((arm.name for arm in self.arms if arm.id == port), "") or port.upper()


def _check(document: SplitDocument, around: Surroundings) -> Iterator[Trouble]:
    names = [arm.id for arm in document.arms]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Trouble("arms", "double_arm", {"arm": name})
    for name in names:
        if name not in document.out:
            yield Trouble("out", "arm_without_way", {"arm": name})
    for name in document.out:
        if name not in names:
            yield Trouble(f"out.{name}", "way_without_arm", {"arm": name})


def shares(document: SplitDocument) -> list[float]:
    """Return the share of each arm, from 0 to 1."""
    whole = sum(arm.w for arm in document.arms)
    return [arm.w / whole for arm in document.arms]


def _build(document: SplitDocument, shop: Workshop) -> CompiledNode:
    whole = sum(arm.w for arm in document.arms)
    # Where each arm ends among the buckets; the last one takes what rounding leaves.
    ends = [total * BUCKETS // whole for total in accumulate(arm.w for arm in document.arms)]
    ways = [shop.node_map[document.out[arm.id]] for arm in document.arms]
    number, salt = shop.number, shop.salt

    def run(move: Move, facts: Facts, now: datetime) -> int:
        place = bucket(salt, number, move.contact_id)
        arm = next(index for index, end in enumerate(ends) if place < end)
        move.log(Code.SPLIT, arm)
        return ways[arm]

    return CompiledNode(run)


def _summarise(document: SplitDocument) -> Summary:
    names = [document.port_name(arm.id) for arm in document.arms]
    percent = [f"{name} {share:.0%}" for name, share in zip(names, shares(document), strict=True)]
    return Summary("process.node.split", {"arms": " · ".join(percent)})


KIND = Kind(
    SplitDocument,
    _build,
    _check,
    _summarise,
    words={"split": gettext_noop("Try ways against each other")},
    texts={
        "double_arm": gettext_noop("The way {arm} stands here twice."),
        "arm_without_way": gettext_noop("The way {arm} leads nowhere."),
        "way_without_arm": gettext_noop("{arm} is none of the ways of this block."),
    },
)
