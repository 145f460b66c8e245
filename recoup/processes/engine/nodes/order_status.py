"""Order status: ask for another status of the order, without waiting for it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import StringConstraints, model_validator

from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.compiled import CompiledNode, Move
from recoup.processes.engine.nodes.base import (
    Kind,
    NextPort,
    NodeDocument,
    Summary,
    Surroundings,
    Trouble,
    Workshop,
    refuse,
)
from recoup.processes.engine.records import Facts
from recoup.processes.engine.wording import gettext_noop


class StatusEffect(NamedTuple):
    """A wish to move the order to another status; its executor locks the order and may refuse."""

    step_no: int
    node: int
    node_id: str
    status: str
    reason: str
    at: datetime
    is_suppressed: bool


class OrderStatusDocument(NodeDocument):
    """A new status for the order. Completed is left to payments."""

    t: Literal["order_status"]
    to: Literal["in_work", "not_confirmed", "awaiting_payment", "unpaid", "cancelled", "false"]
    reason: Annotated[str, StringConstraints(max_length=40)] = ""
    out: NextPort

    @model_validator(mode="after")
    def _has_its_reason(self) -> "OrderStatusDocument":
        if self.to == "cancelled" and not self.reason:
            raise refuse("cancel_without_reason")
        return self


def _check(document: OrderStatusDocument, around: Surroundings) -> Iterator[Trouble]:
    if around.subject is not SubjectKind.ORDER:
        yield Trouble("t", "needs_order", {})


def _build(document: OrderStatusDocument, shop: Workshop) -> CompiledNode:
    following = shop.node_map[document.out.next]

    def run(move: Move, facts: Facts, now: datetime) -> int:
        is_quiet = move.is_quiet
        step_no = move.log(Code.SUPPRESSED if is_quiet else Code.STATUS_ASKED)
        move.effects.append(
            StatusEffect(step_no, shop.number, shop.node_id, document.to, document.reason, move.at, is_quiet)
        )
        return following

    return CompiledNode(run)


def _summarise(document: OrderStatusDocument) -> Summary:
    return Summary("process.node.order_status", {"status": document.to, "reason": document.reason})


KIND = Kind(
    OrderStatusDocument,
    _build,
    _check,
    _summarise,
    soon=gettext_noop("New status"),
    words={"order_status": gettext_noop("Change the order's status")},
    texts={
        "cancel_without_reason": gettext_noop("Cancelling an order needs a reason."),
        "needs_order": gettext_noop("This block works on orders, and this process has none."),
    },
)
