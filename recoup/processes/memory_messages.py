"""Messages of a simulated shop."""

from dataclasses import dataclass
from datetime import datetime

from recoup.processes.engine.records import MessageFacts, SendEffect


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
