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
from recoup.processes.worlds import Arrival, Elsewhere, Lane, News


class PastShop(MemoryStore):
    """One page of people of a shop, and one process."""

    def __init__(self, start: datetime, graph: Graph, version_id: int, sending: Sending) -> None:
        super().__init__(start)
        self.graphs[version_id] = graph
        self.turned_away: Counter[str] = Counter()
        self._why: dict[tuple[int, int], str] = {}  # who was turned away last
        self.sending = sending
        self.displaced = 0  # who really were in another process of the group, and would have left it
        self._last_ends: dict[int, datetime] = {}
        self._elsewhere: dict[int, Elsewhere] = {}  # by the key of the group
        self._offered_until: dict[int, datetime] = {}
        self._is_kept_out = False
        self.past_offers: PastOffers | None = None  # else every offer is taken to be granted

    def apply(self, news: News) -> None:
        """Let something happen, in another process too."""
        if isinstance(news, Elsewhere):
            self._meet(news)
        else:
            super().apply(news)

    def enter(self, arrival: Arrival) -> Enrolment | None:
        """Enrol somebody, or count why not."""
        candidate = arrival.candidate
        last = self._last_ends.get(candidate.contact_id)
        if last is not None:
            arrival = replace(arrival, candidate=replace(candidate, last_ended_at=last))
        subject = (candidate.subject_kind, candidate.subject_id)
        self._is_kept_out = False
        enrolment = super().enter(arrival)
        if enrolment is None:
            graph = self.graphs[candidate.version_id]
            is_admitted = graph.admits(self.known_of(candidate), candidate.entered_at)
            why = "group" if self._is_kept_out else "again" if is_admitted else "condition"
            self._why[subject] = why
            self.turned_away[why] += 1
        elif subject in self._why and self.graphs[candidate.version_id].looks_again:
            self.turned_away.subtract([self._why.pop(subject)])  # let in once its goods were exchanged
            self.turned_away = +self.turned_away
        return enrolment

    def judge_offer(self, enrolment: Enrolment, effect: OfferEffect) -> Code:
        """Decide about an offer by what is known of the order or cart."""
        if self.past_offers is None:
            code = super().judge_offer(enrolment, effect)
        else:
            facts = self._facts[enrolment.subject_kind, enrolment.subject_id]
            code = self.past_offers.judge(enrolment, effect, facts, self.clock)
        if code == Code.OFFER_GRANTED:
            self._offered_until[enrolment.id] = effect.valid_until
        return code

    def save(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Write what a batch decided, and remember when people left."""
        super().save(outcomes, now)
        for enrolment, steps, _ in outcomes:
            if steps and is_final(enrolment.state):
                known = self._last_ends.get(enrolment.contact_id, steps[-1].at)
                self._last_ends[enrolment.contact_id] = max(known, steps[-1].at)

    def due_of(self, message: Message) -> datetime:
        """Return when a message is due that is queued now: not in the quiet hours of its channel."""
        enrolment = self.enrolments[message.enrolment_id]
        facts = self._facts[enrolment.subject_kind, enrolment.subject_id]
        return self.sending.queue(self._letter(message, enrolment), facts, self.clock)

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
        if message.cancel_requested_at is not None:
            return Code.SKIPPED_STOPPED
        facts = self._facts[enrolment.subject_kind, enrolment.subject_id]
        return self.sending.decide(self._letter(message, enrolment), facts, self.clock)

    def _letter(self, message: Message, enrolment: Enrolment) -> Letter:
        return Letter(
            enrolment.id,
            enrolment.shop_id,
            enrolment.contact_id,
            enrolment.subject_kind,
            enrolment.subject_id,
            message.effect,
            self._offered_until.get(enrolment.id),
        )

    def _gives_way(self, key: tuple[str, int, int], process_id: int) -> bool:
        """Look also at those who really were in another process of the group at this instant."""
        other = self._elsewhere.get(key[2])
        if other is not None and (other.until is None or other.until > self.clock):
            if other.rank >= self.ranks.get(process_id, 0):
                self._is_kept_out = True
                return False
            self._displace(self._elsewhere.pop(key[2]))
        if super()._gives_way(key, process_id):
            return True
        self._is_kept_out = True
        return False

    def _meet(self, other: Elsewhere) -> None:
        """Let somebody come into another process of the group: they leave this one if it is weaker, else they stay out."""
        mine = self._keys.get(("group", other.shop_id, other.group_key))
        if mine is not None:
            if other.rank <= self.ranks.get(self.enrolments[mine].process_id, 0):
                self._displace(other)
                return
            self.stop(mine, Code.STOPPED_PREEMPTED)
        self._elsewhere[other.group_key] = other

    def _displace(self, other: Elsewhere) -> None:
        self.displaced += 1
        self.sending.forget(other.enrolment_id, self.clock)
