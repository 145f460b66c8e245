"""Webhook: tell another program of the merchant; go on at once, or wait until it has taken it."""

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from recoup.processes.engine.codes import Code, Wake
from recoup.processes.engine.compiled import STAY, CompiledNode, Move
from recoup.processes.engine.happenings import latest_answer
from recoup.processes.engine.nodes.base import (
    ForwardSpan,
    Kind,
    NodeDocument,
    NodeId,
    Strict,
    Summary,
    Workshop,
    no_trouble,
    refuse,
)
from recoup.processes.engine.records import Facts
from recoup.processes.engine.times import after, parse_span, zone_of
from recoup.processes.engine.wording import gettext_noop

Told = Literal["customer", "order", "cart"]


class WebhookEffect(NamedTuple):
    """A call to be made."""

    step_no: int
    node: int
    at: datetime
    node_id: str
    endpoint: int
    tells: tuple[str, ...]
    is_suppressed: bool


class WebhookPorts(Strict):
    """`failed` is taken when it was not taken in time, or for good; it belongs to a block that waits."""

    ok: NodeId
    failed: NodeId | None = None


class WebhookDocument(NodeDocument):
    """A call to one of the shop's addresses. With `within` the block waits so long for it to be taken."""

    t: Literal["webhook"]
    endpoint: Annotated[int, Field(ge=0, le=2**63 - 1)]  # 0: none was chosen yet, see `graph.replacing`
    tells: Annotated[list[Told], Field(max_length=3)] = Field(default_factory=lambda: list[Told](("order",)))
    within: ForwardSpan | None = None
    out: WebhookPorts

    @model_validator(mode="after")
    def _fits(self) -> "WebhookDocument":
        if (self.within is None) != (self.out.failed is None):
            raise refuse("webhook_wait_without_way")
        return self


def _build(document: WebhookDocument, shop: Workshop) -> CompiledNode:
    ok = shop.node_map[document.out.ok]
    failed = shop.node_map[document.out.failed or document.out.ok]
    within = parse_span(document.within) if document.within else None
    number, node_id = shop.number, shop.node_id
    endpoint, tells = document.endpoint, tuple(document.tells)

    def run(move: Move, facts: Facts, now: datetime) -> int:
        if move.due_at is None:
            is_quiet = move.is_quiet
            step_no = move.log(Code.SUPPRESSED if is_quiet else Code.WEBHOOK_ASKED)
            move.effects.append(WebhookEffect(step_no, number, move.at, node_id, endpoint, tells, is_quiet))
            if within is None or is_quiet:
                return ok
            move.node_at = move.at
            move.due_at = max(after(move.at, within, zone_of(facts.contact)), move.at)
        due = move.due_at
        answer = latest_answer(facts, number)
        if answer is not None and move.node_at <= answer.at <= due:
            move.at = max(answer.at, move.node_at)
            move.log(answer.code)
            return ok if answer.code == Code.YES else failed
        if due <= now:
            move.at = due
            move.log(Code.FAILED_WEBHOOK)
            return failed
        move.run_at = due
        return STAY

    return CompiledNode(run, Wake.WEBHOOK_ANSWERED.value if within is not None else 0)


def _summarise(document: WebhookDocument) -> Summary:
    word = "process.node.webhook.wait" if document.within is not None else "process.node.webhook"
    return Summary(word, {"endpoint": document.endpoint, "within": document.within})


KIND = Kind(
    WebhookDocument,
    _build,
    no_trouble,
    _summarise,
    soon=gettext_noop("Another program is told"),
    words={
        "webhook": gettext_noop("Tell another program"),
        "webhook.wait": gettext_noop("Another program: taken within {within}?"),
    },
    texts={
        "webhook_wait_without_way": gettext_noop(
            "Waiting for the answer and the way for when it does not come belong together."
        ),
    },
    waits=True,
)
