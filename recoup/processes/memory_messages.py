"""Messages of a simulated shop."""

from dataclasses import dataclass
from datetime import datetime

from recoup.processes.engine.codes import Code
from recoup.processes.engine.records import Facts, MessageFacts, SendEffect
from recoup.processes.worlds import Lane, refusal


@dataclass(slots=True)
class Message:
    """A queued message and what became of it."""

    enrolment_id: int
    effect: SendEffect
    queued_at: datetime
    outcome: int = 0
    settled_at: datetime | None = None
    sent_at: datetime | None = None
    opened_at: datetime | None = None
    clicked_at: datetime | None = None
    cancel_requested_at: datetime | None = None

    def facts(self) -> MessageFacts:
        """Return what the engine is told about it."""
        return MessageFacts(
            self.effect.node, self.outcome, self.settled_at, self.sent_at, self.opened_at, self.clicked_at
        )


def fate_of(message: Message, facts: Facts, lane: Lane, now: datetime) -> Code:
    """Return how the hand-over of a message ends, after a look at the facts."""
    if message.cancel_requested_at is not None:
        return Code.SKIPPED_STOPPED
    if now >= message.effect.not_after:
        return Code.SKIPPED_EXPIRED
    refused = refusal(facts) if message.effect.purpose == "reminder" else None
    return refused or lane.fate(message.enrolment_id, message.effect.step_no, now)
