"""From the lines of the ledger about one order, cart or person in one process to one reason for each message of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from recoup.processes.engine.advance import advance
from recoup.processes.engine.aside import blocks_left, is_aside, place_of
from recoup.processes.engine.codes import Code, Flag, Refusal, State, is_final
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.happenings import latest_offer
from recoup.processes.engine.nodes.send import SendDocument
from recoup.processes.engine.records import Effect, Enrolment, Facts, MessageFacts, SendEffect
from recoup.processes.engine.times import day_end
from recoup.processes.graph.compiling import before_end_of
from recoup.processes.graph.ways import Ways

FURTHEST = 50
_LED_ON = (Code.YES, Code.NO, Code.NOT_SENT, Code.SPLIT, Code.ROUNDS_OVER)
_GOT = (Code.SENT, Code.UNCERTAIN)


class Told(NamedTuple):
    """A line of the ledger with the end of the message that it queued. `at` is logical, `done_at` when it was done."""

    step_no: int
    node: str
    code: Code
    at: datetime
    done_at: datetime
    version: int = 0
    arm: int | None = None
    message_end: int = 0  # a code; 0 while the message has none
    message_at: datetime | None = None  # when it ended, or was handed over
    message_due_at: datetime | None = None
    message_reason: str = ""
    message_id: int | None = None
    message_wait: int = 0  # a code; 0 if it has ended, or for a reason that has none
    template: str = ""  # the text of the message, of the channel that it goes out by
    drawn: Mapping[str, Any] | None = (
        None  # the terms of the size that chance gave, of an offer that tries several
    )

    @property
    def has_offered(self) -> bool:
        """Tell whether chance gave a size that is offered: which way that led, the next line says."""
        return self.drawn is not None and Decimal(self.drawn[self.drawn["kind"]]) > 0


class Reason(NamedTuple):
    """Why, as a key of words: the name of a code or refusal, or one of `OTHER_KEYS`.

    `at` is when that was so, `due_at` when the message was or would have been due, `block` the step at which another way
    was taken, `message_reason` the sender's own word.
    """

    key: str
    at: datetime | None = None
    due_at: datetime | None = None
    block: str = ""
    message_reason: str = ""
    process_id: int | None = None
    recent: int = 0  # messages in the day before, where a limit kept it back

    @property
    def has_got_it(self) -> bool:
        """Tell whether the message went out."""
        return self.key in ("sent", "uncertain")

    @property
    def is_open(self) -> bool:
        """Tell whether it may still come."""
        return self.key in OPEN_KEYS


OPEN_KEYS = frozenset(
    {"queued", "waiting", "planned", "paused", "not_yet", "not_put_in", "resting"}
    | {code.name.lower() for code in Code if code.is_deferral}
)
# Reasons that are no code of the ledger.
OTHER_KEYS = frozenset(
    {
        "planned",  # will get it, unless something happens before
        "waiting",  # queued, and kept back for a reason of the sender's
        "paused",  # the process is paused
        "resting",  # will be looked at again: the way there depends on what happens
        "other_way",  # a question or a split led elsewhere
        "held_out",  # left alone for comparison
        "held_out_of_shop",
        "try_out",  # entered in test mode: nothing leaves
        "not_running",  # nobody was let in when the order came
        "before_start",  # the order came before the process was first switched on
        "not_yet",  # what the process begins with has not happened
        "not_put_in",  # nobody put them in, and there is no other way
        "day_over",  # it said "today", and the day was over
        "other_end",  # the other process ended otherwise than this one asks for
        "before_version",  # it came when another version began with something else
        "paid_before",  # paid before it was found unpaid
        "nobody",  # no person is known
        "backfill",  # brought in from the past
        "test_order",
        "no_record",
    }
)


@dataclass(frozen=True, slots=True)
class Story:
    """One enrolment with all that was written down about it. `titles` come later, from the door."""

    enrolment: Enrolment
    graph: Graph
    facts: Facts
    lines: Sequence[Told]
    process_status: str = "live"


def explain(story: Story, node: str, now: datetime) -> Reason:
    """Return why the message of a block did, did not, or will come."""
    lines = [line for line in story.lines if line.node == node]
    queued = [line for line in lines if line.code is Code.QUEUED]
    if queued:
        return _of_message(story, queued[-1], now)
    settled = [
        line for line in lines if line.code is Code.SUPPRESSED or line.code.is_skip or line.code.is_failure
    ]
    if settled:
        return _of_line(story, settled[-1], node)
    if is_final(story.enrolment.state):
        return _of_end(story, node)
    return _of_waiting(story, node, lines, now)


def _of_message(story: Story, line: Told, now: datetime) -> Reason:
    if story.enrolment.flags & Flag.TEST and line.message_end in (0, *_GOT):
        return Reason("try_out", line.at)
    if not line.message_end:
        return _of_kept_back(story, line, now)
    return Reason(
        line.message_reason if line.message_reason == "day_over" else Code(line.message_end).name.lower(),
        line.message_at,
        line.message_due_at,
        message_reason=line.message_reason,
    )


def _of_kept_back(story: Story, line: Told, now: datetime) -> Reason:
    if story.process_status == "paused":
        return Reason("paused", line.message_due_at or line.at, line.message_due_at)
    if line.message_wait:
        return Reason(Code(line.message_wait).name.lower(), now, line.message_due_at)
    key = "waiting" if line.message_reason else "queued"
    return Reason(
        key, line.message_due_at or line.at, line.message_due_at, message_reason=line.message_reason
    )


def _of_line(story: Story, line: Told, node: str) -> Reason:
    if line.code is Code.SUPPRESSED:
        return _left_alone(story, line.at)
    if _is_over_with_offer(story, line):
        return Reason("skipped_other", line.done_at, message_reason="offer_over")
    key = "day_over" if _is_over_by_day(story, line) else line.code.name.lower()
    return Reason(key, line.done_at, _due_at(story, node))


def _is_over_by_day(story: Story, line: Told) -> bool:
    """Tell whether a message was left out because the day of which it speaks was over."""
    document = story.graph.document.nodes.get(line.node)
    if line.code is not Code.SKIPPED_EXPIRED or not isinstance(document, SendDocument):
        return False
    return document.same_day and day_end(line.at, story.facts.contact) <= line.done_at


def _is_over_with_offer(story: Story, line: Told) -> bool:
    """Tell whether a message was left out because the offer before whose end it was to go had ended already."""
    graph = story.graph
    document = graph.document.nodes.get(line.node)
    if line.code is not Code.SKIPPED_EXPIRED or not isinstance(document, SendDocument):
        return False
    block = before_end_of(graph.document, line.node)
    offer = None if block is None else latest_offer(story.facts, graph.node_map[block])
    return offer is not None and offer.ends_at is not None and offer.ends_at <= line.done_at


def _left_alone(story: Story, at: datetime) -> Reason:
    return Reason("held_out_of_shop" if story.enrolment.flags & Flag.SHOP_HOLDOUT else "held_out", at)


def _of_end(story: Story, node: str) -> Reason:
    """Say what ended the process, or which answer led past the block."""
    led = _led_away(story, node)
    last = story.lines[-1] if story.lines else None
    if last is None:
        return Reason("no_record")
    if led is not None:
        return Reason("other_way", led.at, block=led.node)
    return Reason(last.code.name.lower(), last.at, _due_at(story, node), message_reason=last.message_reason)


def _of_waiting(story: Story, node: str, lines: Sequence[Told], now: datetime) -> Reason:
    led = _led_away(story, node)
    if led is not None:
        return Reason("other_way", led.at, block=led.node)
    if story.enrolment.flags & Flag.HOLDOUT:
        return _left_alone(story, story.enrolment.entered_at)
    if lines and lines[-1].code.is_deferral:
        return Reason(lines[-1].code.name.lower(), lines[-1].at, story.enrolment.run_at)
    if story.process_status == "paused" or story.enrolment.state == State.PAUSED:
        return Reason("paused", None, story.enrolment.due_at)
    due_at = _look_for(story.graph, story.enrolment, story.facts, node, now)
    return (
        Reason("resting", story.enrolment.run_at)
        if due_at is None
        else Reason("planned", max(due_at, now), due_at)
    )


def _led_away(story: Story, node: str) -> Told | None:
    """Return the line from which no way led to the block any more; nothing if one still leads there."""
    ways = Ways({name: tuple(one.ports.values()) for name, one in story.graph.document.nodes.items()})
    enrolment = story.enrolment
    todo, place = [enrolment.node], enrolment.node
    if enrolment.variables is not None and is_aside(enrolment.variables):
        # From the added blocks they go nowhere but back.
        todo, place = [*todo, *blocks_left(enrolment.variables)], place_of(enrolment.variables).node
    present = story.graph.node_id(place)
    if node not in story.graph.document.nodes or present not in story.graph.document.nodes:
        return None
    if node in {story.graph.node_id(number) for number in todo}:
        return None
    if node == present or node in ways.reached_from(present):
        return None
    led = None
    for line in story.lines:
        is_known = line.node in story.graph.document.nodes
        if (
            line.code in _LED_ON
            and not line.has_offered
            and is_known
            and node in ways.reached_from(line.node)
        ):
            led = line
    return led


def _due_at(story: Story, node: str) -> datetime | None:
    """Return when the message would have been due if what ended the process had not happened."""
    if node not in story.graph.document.nodes:
        return None
    order, cart = story.facts.order, story.facts.cart
    facts = story.facts._replace(
        order=order
        and order._replace(paid_at=None, cancelled_at=None, total_due=max(order.total_due, order.total)),
        cart=cart and cart._replace(converted_at=None, emptied_at=None),
        superseded_at=None,
        case_closed_at=None,
        swaps=(),
        held_since=None,
        promised_at=None,
        claimed_until=None,
    )
    enrolment = story.enrolment._replace(
        state=int(State.READY),
        due_at=None,
        run_at=story.enrolment.node_at,
        flags=story.enrolment.flags & ~Flag.HELD,
    )
    return _look_for(story.graph, enrolment, facts, node, story.enrolment.node_at)


def _look_for(graph: Graph, enrolment: Enrolment, facts: Facts, node: str, now: datetime) -> datetime | None:
    """Run ahead on unchanged facts until the message of a block is queued, and return when it is due."""
    for _ in range(FURTHEST):
        at = max(enrolment.run_at or now, now)
        ahead, _steps, effects = advance(graph, enrolment, facts, at)
        found = next((one for one in effects if isinstance(one, SendEffect) and one.node_id == node), None)
        if found is not None:
            return found.planned_at
        if is_final(ahead.state) or _is_stuck(enrolment, ahead, effects):
            return None
        facts = _as_sent(facts, effects)
        enrolment, now = ahead, at
        if effects:
            enrolment = ahead._replace(run_at=at)
    return None


def _is_stuck(before: Enrolment, ahead: Enrolment, effects: Sequence[Effect]) -> bool:
    return not effects and (ahead.node, ahead.run_at, ahead.step_no) == (
        before.node,
        before.run_at,
        before.step_no,
    )


def _as_sent(facts: Facts, effects: Sequence[Effect]) -> Facts:
    """Take the messages on the way as sent when they were due."""
    sent = {
        one.step_no: MessageFacts(one.node, int(Code.SENT), one.planned_at, one.planned_at)
        for one in effects
        if isinstance(one, SendEffect)
    }
    return facts._replace(messages={**facts.messages, **sent}) if sent else facts


def refusal_key(code: int) -> str:
    """Return the key of words of a refusal."""
    return f"refused_{Refusal(code).name.lower()}"


def all_keys() -> list[str]:
    """Return every key that a reason may have: each must have its sentence."""
    return [
        *(code.name.lower() for code in Code),
        *(refusal_key(code) for code in Refusal),
        *sorted(OTHER_KEYS),
    ]
