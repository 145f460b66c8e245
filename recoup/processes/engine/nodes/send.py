"""Send: one message. The block ends when it is settled; what follows counts from the real sending."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from recoup.processes.engine.codes import Code, Flag, Wake, is_failure
from recoup.processes.engine.compiled import STAY, CompiledNode, Move
from recoup.processes.engine.happenings import latest_offer
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
from recoup.processes.engine.records import Facts, SendEffect
from recoup.processes.engine.times import after, day_end, parse_span, zone_of
from recoup.processes.engine.wording import gettext_noop

# The sender ends a message at its `not_after`; this much later the engine looks whether the news got lost.
GRACE = timedelta(hours=1)
# A hold without an end is lifted by a person, and that wakes; looking once a day costs nothing.
LOOK_AT_HOLD = timedelta(days=1)
_make = tuple.__new__
MESSAGE = "send.message"  # how the block reads in a process about a person: it reminds of nothing
MASK = (Wake.MESSAGE_SETTLED | Wake.HOLD_CHANGED).value


class SendPorts(Strict):
    """`failed` is taken when the message could not be delivered; by default that is `done`."""

    done: NodeId
    failed: NodeId | None = None


Text = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,59}$")]
ChannelName = Literal["email", "sms"]


class OtherWay(Strict):
    """A channel to take when the ones before it cannot reach the person, with its own text."""

    channel: ChannelName
    template: Text


class SendDocument(NodeDocument):
    """A message to the person over the first of its channels that can reach them: an address, a consent, no stop.

    A reminder is never handed over once its order is paid; a message of thanks may be. In a process about a person
    without an order neither is guarded by a payment. Later than `not_after`
    from its planned instant it is skipped; with `same_day` also as soon as the day of that instant is over on the
    person's clock, because its text says "today". What follows a wait until before the end of an offer is skipped once
    that has ended.
    """

    t: Literal["send"]
    channel: ChannelName = "email"
    template: Text
    otherwise: tuple[OtherWay, ...] = ()
    purpose: Literal["reminder", "thanks"] = "reminder"
    not_after: ForwardSpan = "PT24H"
    same_day: bool = False
    out: SendPorts

    @model_validator(mode="after")
    def _each_channel_once(self) -> Self:
        channels = [self.channel, *(way.channel for way in self.otherwise)]
        if len(set(channels)) < len(channels):
            raise refuse("channel_twice")
        return self

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """Return every channel in its order with the key of its text."""
        return (self.channel, self.template), *((way.channel, way.template) for way in self.otherwise)


def _build(document: SendDocument, shop: Workshop) -> CompiledNode:
    done = shop.node_map[document.out.done]
    failed = shop.node_map[document.out.failed or document.out.done]
    span, node, node_id = parse_span(document.not_after), shop.number, shop.node_id
    channel, template, purpose = document.channel, document.template, document.purpose
    otherwise, same_day = document.ways[1:], document.same_day
    ending = shop.before_end_of
    is_reminder, exact = purpose == "reminder", None if span.days else span.exact
    not_anchored, holdout, held = ~Flag.ANCHORED.value, Flag.HOLDOUT.value, Flag.HELD.value
    queued, suppressed = Code.QUEUED.value, Code.SUPPRESSED.value

    def run(move: Move, facts: Facts, now: datetime) -> int:
        if move.due_at is not None:
            return _settle(move, facts, now, done, failed)
        if (
            is_reminder
            and (facts.held_since or facts.paused_until or move.flags & held)
            and _is_held(move, facts, now)
        ):
            return STAY
        planned = move.at
        not_after = planned + exact if exact is not None else after(planned, span, zone_of(facts.contact))
        day_ends_at = day_end(planned, facts.contact) if same_day else None
        if day_ends_at is not None:
            not_after = min(not_after, day_ends_at)
        move.flags &= not_anchored
        if not_after <= now or (ending is not None and _is_over(ending, facts, now)):
            move.log(Code.SKIPPED_EXPIRED)
            return done
        is_holdout = bool(move.flags & holdout)
        step_no = move.log(suppressed if is_holdout else queued)
        move.effects.append(
            _make(
                SendEffect,
                (
                    step_no,
                    node,
                    node_id,
                    channel,
                    template,
                    purpose,
                    planned,
                    not_after,
                    is_holdout,
                    otherwise,
                    day_ends_at,
                ),
            )
        )
        if is_holdout:
            return done
        move.last_message_step = step_no
        move.node_at = planned
        move.due_at = not_after
        move.run_at = not_after + GRACE
        return STAY

    return CompiledNode(run, MASK)


def _is_over(node: int, facts: Facts, now: datetime) -> bool:
    """Tell whether an offer that was to end later has ended: what is said before its end is not true."""
    offer = latest_offer(facts, node)
    return offer is not None and offer.ends_at is not None and offer.ends_at <= now


def _is_held(move: Move, facts: Facts, now: datetime) -> bool:
    """Put the reminder off while a promise or a person holds it; else set the instant at which it is due."""
    until = facts.paused_until
    is_promised = until is not None and until > move.node_at
    if facts.held_since is not None or (until is not None and is_promised and until > now):
        if not move.flags & Flag.HELD:
            move.log(Code.DEFERRED_HELD if facts.held_since is not None else Code.DEFERRED_PROMISE)
            move.flags |= Flag.HELD.value
        move.run_at = now + LOOK_AT_HOLD if facts.held_since is not None or until is None else until
        return True
    if until is not None and is_promised:
        move.at = until
    elif move.flags & Flag.HELD:  # lifted by hand, which leaves no instant of its own
        move.at = max(now, move.node_at)
    move.flags &= ~Flag.HELD.value
    return False


def _settle(move: Move, facts: Facts, now: datetime, done: int, failed: int) -> int:
    """Wait for the end of the message, then go on from the instant at which it really went out."""
    message = facts.messages.get(move.last_message_step or 0)
    due = move.due_at or now
    if message is None or message.settled_at is None:
        if message is not None or now < due + GRACE:
            move.run_at = max(due, now) + GRACE
            return STAY
        return done  # erased together with its person's data: nothing to wait for
    if message.outcome == Code.UNCERTAIN and now < due:
        move.run_at = due  # until then a person may find out whether it arrived
        return STAY
    if message.sent_at is not None:
        move.at = max(message.sent_at, move.node_at)
    return failed if is_failure(message.outcome) else done


def _summarise(document: SendDocument) -> Summary:
    return Summary(
        f"process.node.send.{document.purpose}",
        {
            "channel": document.channel,
            "template": document.template,
            "otherwise": [list(way) for way in document.ways[1:]],
            "same_day": document.same_day,
        },
    )


KIND = Kind(
    SendDocument,
    _build,
    no_trouble,
    _summarise,
    words={
        "send.reminder": gettext_noop("Send a reminder"),
        "send.thanks": gettext_noop("Send thanks"),
        MESSAGE: gettext_noop("Send a message"),
    },
    texts={
        "channel_twice": gettext_noop("Each channel stands only once among those to try."),
    },
)
