"""The store of a back-test: that of the simulator, which also says why somebody did not come in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from heapq import heappop, heappush

from recoup.processes.backtest.offers import PastOffers
from recoup.processes.backtest.sending import Letter, Sending
from recoup.processes.engine.codes import Code, Wake, is_final
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.records import Enrolment, Outcome
from recoup.processes.memory import MemoryStore
from recoup.processes.memory_messages import Message
from recoup.processes.worlds import Arrival, Lane, refusal


class PastShop(MemoryStore):
    """One page of people of a shop, and one process."""

    def __init__(self, start: datetime, graph: Graph, version_id: int, sending: Sending) -> None:
        super().__init__(start)
        self.graphs[version_id] = graph
        self.turned_away: Counter[str] = Counter()
        self._sending = sending
        self._why: dict[tuple[int, int], str] = {}  # who was turned away last
        self._last_ends: dict[int, datetime] = {}
        self.past_offers: PastOffers | None = None  # else every offer is taken to be granted

    def enter(self, arrival: Arrival) -> Enrolment | None:
        """Enrol somebody, or count why not."""
        candidate = arrival.candidate
        last = self._last_ends.get(candidate.contact_id)
        if last is not None:
            arrival = replace(arrival, candidate=replace(candidate, last_ended_at=last))
        subject = (candidate.subject_kind, candidate.subject_id)
        enrolment = super().enter(arrival)
        if enrolment is None:
            graph = self.graphs[candidate.version_id]
            is_admitted = graph.admits(self.known_of(candidate), candidate.entered_at)
            self._why[subject] = "again" if is_admitted else "condition"
            self.turned_away[self._why[subject]] += 1
        elif subject in self._why and self.graphs[candidate.version_id].looks_again:
            self.turned_away.subtract([self._why.pop(subject)])  # let in once its goods were exchanged
            self.turned_away = +self.turned_away
        return enrolment

    def judge_offer(self, enrolment: Enrolment, effect: OfferEffect) -> Code:
        """Decide about an offer by what is known of the order or cart."""
        if self.past_offers is None:
            return super().judge_offer(enrolment, effect)
        return self.past_offers.judge(enrolment, effect)

    def save(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Write what a batch decided, and remember when people left."""
        super().save(outcomes, now)
        for enrolment, steps, _ in outcomes:
            if steps and is_final(enrolment.state):
                known = self._last_ends.get(enrolment.contact_id, steps[-1].at)
                self._last_ends[enrolment.contact_id] = max(known, steps[-1].at)

    def hand_over(self, lane: Lane) -> None:
        """Hand over the next message, or put it off, as the sender would."""
        _, enrolment_id, step_no = heappop(self._due_messages)
        message, enrolment = self.messages[enrolment_id, step_no], self.enrolments[enrolment_id]
        verdict = self._verdict(message, enrolment)
        if isinstance(verdict, datetime):
            heappush(self._due_messages, (verdict - lane.lag, enrolment_id, step_no))
            return
        message.outcome, message.settled_at = int(verdict), self.clock
        if verdict in (Code.SENT, Code.UNCERTAIN):
            message.sent_at = self.clock
        self._wake_one(enrolment, Wake.MESSAGE_SETTLED.value, self.clock)

    def _verdict(self, message: Message, enrolment: Enrolment) -> Code | datetime:
        effect = message.effect
        if message.cancel_requested_at is not None:
            return Code.SKIPPED_STOPPED
        if self.clock >= effect.not_after:
            return Code.SKIPPED_EXPIRED
        subject = (enrolment.subject_kind, enrolment.subject_id)
        refused = refusal(self._facts[subject]) if effect.purpose == "reminder" else None
        return refused or self._sending.decide(
            Letter(enrolment.contact_id, *subject, effect.step_no, effect.purpose, effect.not_after),
            self.clock,
        )
