"""The engine's store in memory: the same decisions without a database, for tests, previews, back-tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from heapq import heappop, heappush

from recoup.processes.engine.batch import Due, WakeUp
from recoup.processes.engine.codes import Code, Priority, State, Wake, is_final
from recoup.processes.engine.endings import stop
from recoup.processes.engine.entry import LONGEST_CHAIN, Candidate, Reentry, begin
from recoup.processes.engine.nodes.enrol import EnrolEffect, candidate_for
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.records import (
    Answer,
    CallOff,
    Effect,
    Enrolment,
    Facts,
    Outcome,
    SendEffect,
    Step,
)  # fmt: skip
from recoup.processes.engine.swapping import is_open, lets_in
from recoup.processes.graph.compiling import keys_for
from recoup.processes.memory_knowledge import Knowledge
from recoup.processes.memory_messages import Message, fate_of
from recoup.processes.memory_rows import BrokenPromise, Line, check_step, journal_of, last_asked
from recoup.processes.worlds import (
    WAKES,
    Arrival,
    Change,
    ChangeKind,
    Coming,
    Lane,
    News,
    Purchase,
    Reply,
    Visit,
    apply_change,
)  # fmt: skip

__all__ = ["BrokenPromise", "Line", "MemoryStore", "Message"]
ACTIVE = (State.WAITING, State.READY)


class MemoryStore(Knowledge):
    """Enrolments, ledger and messages of one simulated shop. It refuses what the tables refuse."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.enrolments: dict[int, Enrolment] = {}
        self.ledger: list[tuple[int, Step]] = []
        self.done: list[tuple[int, Effect]] = []  # everything but messages, by enrolment
        self.suppressed: list[Effect] = []
        self._early: dict[tuple[int, int], list[Change]] = {}  # about subjects that have not arrived yet
        self._of_subject: dict[tuple[int, int], list[int]] = {}
        self._keys: dict[tuple[str, int, int], int] = {}
        self._active_keys: dict[int, list[tuple[str, int, int]]] = {}
        self._heaps: dict[int, list[tuple[datetime, int]]] = {int(priority): [] for priority in Priority}
        self._due_messages: list[tuple[datetime, int, int]] = []
        self._paused: set[int] = set()
        self._versions: dict[int, int] = {}  # of processes, by the last who came to their doors
        self._shares: dict[int, tuple[int, int]] = {}  # held out, of the process and of the shop
        self.ranks: dict[int, int] = {}  # of processes, for exclusive groups
        self._came: dict[tuple[int, int, int], Arrival] = {}  # to the doors, by subject and process
        self.groups: dict[int, str] = {}  # that people have set, of processes

    # What the engine calls.

    def now(self) -> datetime:
        """Return the simulated time."""
        return self.clock

    def wake(self, wake_ups: Sequence[WakeUp], now: datetime) -> int:
        """Make the enrolments ready that listen to these events."""
        woken = 0
        for kind, subject_id, event_bit in wake_ups:
            for enrolment_id in self._of_subject.get((kind, subject_id), ()):
                woken += self._wake_one(self.enrolments[enrolment_id], event_bit, now)
        return woken

    def pick(self, limit: int, now: datetime) -> list[Due]:
        """Take the enrolments that are due, by priority, then by time."""
        picked: list[Due] = []
        seen: set[int] = set()
        for heap in self._heaps.values():
            while heap and heap[0][0] <= now and len(picked) < limit:
                run_at, enrolment_id = heappop(heap)
                enrolment = self.enrolments[enrolment_id]
                if (
                    enrolment.run_at != run_at
                    or self._heaps[enrolment.prio] is not heap
                    or enrolment_id in seen
                ):
                    continue  # an older place in the heap
                seen.add(enrolment_id)
                if enrolment.process_id in self._paused:
                    self.enrolments[enrolment_id] = enrolment._replace(state=int(State.PAUSED), run_at=None)
                    continue
                picked.append(Due(self.graphs[enrolment.version_id], enrolment, self.facts_of(enrolment)))
        return picked

    def save(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Write what a batch decided."""
        for enrolment, steps, _ in outcomes:
            check_step(self.enrolments[enrolment.id], enrolment, steps)
            self._put(enrolment)
            self.ledger.extend((enrolment.id, step) for step in steps)
            if is_final(enrolment.state):
                self._release(enrolment.id)
        for enrolment, _, effects in outcomes:  # whoever has ended stands in nobody's way any more
            for effect in effects:
                self._carry_out(enrolment, effect, now)
            if is_final(enrolment.state):
                self._call_off(enrolment.id, now)

    # What the world does.

    def apply(self, news: News) -> None:
        """Let something happen, and wake those who wait for it."""
        match news:
            case Arrival():
                self.enter(news)
            case Change():
                self._change(news)
            case Purchase():
                self._buy(news)
            case Visit():
                self._visit(news)
            case Coming():
                self._come(news)
            case Reply():
                self._reply(news)

    def enter(self, arrival: Arrival) -> Enrolment | None:
        """Enrol somebody, unless the process does not admit them or they are in it already."""
        candidate = arrival.candidate
        subject = (candidate.subject_kind, candidate.subject_id)
        if subject not in self._facts:
            self._facts[subject] = reduce(apply_change, self._early.pop(subject, []), arrival.facts)
        self._versions[candidate.process_id] = candidate.version_id
        self._came.setdefault((*subject, candidate.process_id), arrival)
        self._shares[candidate.process_id] = (arrival.holdout_bp, arrival.shop_holdout_bp)
        known = self.known_of(candidate)
        if not self.graphs[candidate.version_id].admits(known, candidate.entered_at):
            return None
        return self._begin(candidate, (arrival.holdout_bp, arrival.shop_holdout_bp))

    def _begin(self, candidate: Candidate, shares: tuple[int, int]) -> Enrolment | None:
        """Enrol somebody unless the unique keys turn them away."""
        graph = self.graphs[candidate.version_id]
        subject = (candidate.subject_kind, candidate.subject_id)
        keys = keys_for(graph, candidate, group=self.groups.get(candidate.process_id, ""))
        if keys is None or candidate.chain > LONGEST_CHAIN:
            return None
        wanted = [
            ("entry", candidate.process_id, keys.entry_key),
            ("active", candidate.process_id, keys.active_key),
        ]
        if keys.group_key is not None:
            wanted.append(("group", candidate.shop_id, keys.group_key))
        if any(key in self._keys for key in wanted[:2]):
            return None
        if wanted[2:] and not self._gives_way(wanted[2], candidate.process_id):
            return None
        enrolment = begin(graph, candidate, holdout_bp=shares[0], shop_holdout_bp=shares[1])._replace(
            id=len(self.enrolments) + 1, run_at=max(self.clock, candidate.entered_at)
        )
        self._keys |= dict.fromkeys(wanted, enrolment.id)
        self._active_keys[enrolment.id] = wanted[1:]
        self._of_subject.setdefault(subject, []).append(enrolment.id)
        self._put(enrolment)
        return enrolment

    def _gives_way(self, key: tuple[str, int, int], process_id: int) -> bool:
        """End who is in a weaker process of the same group, or in a paused one that has not written yet.

        Tells whether nobody stands in the way any more.
        """
        other = self._keys.get(key)
        if other is None:
            return True
        its_process = self.enrolments[other].process_id
        is_weaker = self.ranks.get(its_process, 0) < self.ranks.get(process_id, 0)
        has_written = any(self.messages[other, step].sent_at for step in self._message_steps.get(other, ()))
        rests = its_process in self._paused and not has_written
        if (is_weaker or rests) and process_id not in self._paused:
            self.stop(other, Code.STOPPED_PREEMPTED)
        return key not in self._keys

    def adopt(self, enrolment: Enrolment, facts: Facts, messages: Sequence[Message] = ()) -> None:
        """Take over a living enrolment, for a preview of what the next hours bring."""
        self._facts[enrolment.subject_kind, enrolment.subject_id] = facts._replace(messages={})
        self._of_subject.setdefault((enrolment.subject_kind, enrolment.subject_id), []).append(enrolment.id)
        self._put(enrolment)
        for message in messages:
            self._queue(replace(message))

    def stop(self, enrolment_id: int, code: Code) -> None:
        """End an enrolment from outside its graph."""
        self.save([stop(self.enrolments[enrolment_id], code, self.clock)], self.clock)

    def pause(self, process_id: int) -> None:
        """Pause a process: whoever becomes due stays where they stand."""
        self._paused.add(process_id)

    def resume(self, process_id: int) -> None:
        """Let a paused process go on."""
        self._paused.discard(process_id)
        for enrolment in list(self.enrolments.values()):
            if enrolment.process_id == process_id and enrolment.state == State.PAUSED:
                self._put(enrolment._replace(state=int(State.READY), run_at=self.clock))

    def next_run_at(self) -> datetime | None:
        """Return when the engine has something to do next."""
        instants = []
        for heap in self._heaps.values():
            while heap and self._is_stale(heap):
                heappop(heap)
            if heap:
                instants.append(heap[0][0])
        return min(instants, default=None)

    def next_message_at(self) -> datetime | None:
        """Return when the next message is due for its hand-over."""
        return self._due_messages[0][0] if self._due_messages else None

    def hand_over(self, lane: Lane) -> None:
        """Hand over the next message, after the sender's last look."""
        _, enrolment_id, step_no = heappop(self._due_messages)
        message = self.messages[enrolment_id, step_no]
        enrolment = self.enrolments[enrolment_id]
        facts = self._facts[enrolment.subject_kind, enrolment.subject_id]
        message.outcome = fate_of(message, facts, lane, self.clock)
        message.settled_at = self.clock
        if message.outcome in (Code.SENT, Code.UNCERTAIN):
            message.sent_at = self.clock
        self._wake_one(enrolment, Wake.MESSAGE_SETTLED.value, self.clock)

    # What a test asks.

    def journal(self) -> list[Line]:
        """Return the whole ledger in an order and in words that any store can repeat."""
        return journal_of(self.enrolments, self.ledger, self.graphs)

    # Inside.

    def _change(self, change: Change) -> None:
        subject = (change.subject_kind, change.subject_id)
        if subject in self._facts:
            self._facts[subject] = apply_change(self._facts[subject], change)
            self.wake([WakeUp(*subject, WAKES[change.kind].value)], self.clock)
            if change.kind is ChangeKind.SWAPPED:
                self._look_again(subject)
        else:
            self._early.setdefault(subject, []).append(change)

    def _look_again(self, subject: tuple[int, int]) -> None:
        """Let an order in whose goods were exchanged, where it has come by what a process lets people in for."""
        facts = self._facts[subject]
        order, swap = facts.order, facts.swaps[-1]
        at = min(swap.at, swap.learnt_at)
        if order is None or not is_open(facts, at):
            return
        for (*of, process_id), arrival in sorted(self._came.items(), key=self._as_doors_stand):
            graph = self.graphs[self._versions[process_id]]
            if tuple(of) == subject and lets_in(graph, swap, order.products):
                been = [self.enrolments[one].process_id for one in self._of_subject.get(subject, ())]
                if graph.document.entry.reentry is not Reentry.AGAIN_AFTER or process_id not in been:
                    candidate = replace(arrival.candidate, entered_at=at)
                    self.enter(replace(arrival, at=self.clock, candidate=candidate))

    def _as_doors_stand(self, came: tuple[tuple[int, int, int], object]) -> tuple[bool, int, int]:
        process_id = came[0][2]
        entry = self.graphs[self._versions[process_id]].document.entry
        return entry.on != "order.placed", -self.ranks.get(process_id, 0), process_id

    def _buy(self, purchase: Purchase) -> None:
        self.note_purchase(purchase)
        for enrolment in list(self.enrolments.values()):
            if enrolment.contact_id == purchase.contact_id:
                self._wake_one(enrolment, Wake.BOUGHT.value, self.clock)

    def _visit(self, visit: Visit) -> None:
        subject = (visit.subject_kind, visit.subject_id)
        for enrolment_id in self._of_subject.get(subject, ()):
            enrolment = self.enrolments[enrolment_id]
            messages = [
                self.messages[enrolment_id, step] for step in self._message_steps.get(enrolment_id, ())
            ]
            of_node = [message for message in messages if message.effect.node_id == visit.node_id]
            if not of_node or of_node[-1].sent_at is None:
                continue
            of_node[-1].opened_at = of_node[-1].opened_at or visit.at
            if visit.is_click:
                of_node[-1].clicked_at = of_node[-1].clicked_at or visit.at
                self._come(Coming(visit.at, *subject, enrolment.contact_id))
                enrolment = self.enrolments[enrolment_id]
            bits = Wake.MESSAGE_OPENED | (Wake.MESSAGE_CLICKED if visit.is_click else Wake(0))
            self._wake_one(enrolment, bits.value, self.clock)

    def _come(self, coming: Coming) -> None:
        places = self.note_coming(coming)
        self.wake([WakeUp(*place, Wake.VISITED.value) for place in places], self.clock)

    def _reply(self, reply: Reply) -> None:
        """Answer what a block has asked for last, once; what has ended is answered no more."""
        for enrolment_id in self._of_subject.get((reply.subject_kind, reply.subject_id), ()):
            enrolment = self.enrolments[enrolment_id]
            node = self.graphs[enrolment.version_id].node_map.get(reply.node_id, 0)
            asked = last_asked(self.done, enrolment_id, node, reply.code)
            answers = self._answers.setdefault(enrolment_id, {})
            if asked and asked not in answers and not is_final(enrolment.state):
                answers[asked] = Answer(node, int(reply.code), reply.at)
                self._wake_one(enrolment, (Wake.TASK_DONE | Wake.WEBHOOK_ANSWERED).value, self.clock)

    def _wake_one(self, enrolment: Enrolment, bits: int, now: datetime) -> bool:
        if enrolment.state not in ACTIVE or not enrolment.wait_mask & bits or enrolment.run_at is None:
            return False
        self._put(
            enrolment._replace(
                state=int(State.READY), prio=int(Priority.WOKEN), run_at=min(enrolment.run_at, now)
            )
        )
        return True

    def _put(self, enrolment: Enrolment) -> None:
        self.enrolments[enrolment.id] = enrolment
        if enrolment.run_at is not None:
            heappush(self._heaps[enrolment.prio], (enrolment.run_at, enrolment.id))

    def _is_stale(self, heap: list[tuple[datetime, int]]) -> bool:
        run_at, enrolment_id = heap[0]
        enrolment = self.enrolments[enrolment_id]
        return enrolment.run_at != run_at or self._heaps[enrolment.prio] is not heap

    def _carry_out(self, enrolment: Enrolment, effect: Effect, now: datetime) -> None:
        if effect.is_suppressed:
            self.suppressed.append(effect)
        elif isinstance(effect, CallOff):
            self._call_off(enrolment.id, now)
        elif not isinstance(effect, SendEffect):
            self.done.append((enrolment.id, effect))
            if isinstance(effect, EnrolEffect):
                self._put_in(enrolment, effect)
            if isinstance(effect, OfferEffect):
                self._decide(enrolment, effect, now)
        else:
            if (enrolment.id, effect.step_no) in self.messages:
                raise BrokenPromise(f"message twice: {effect}")
            self._queue(Message(enrolment.id, effect, now))

    def _put_in(self, enrolment: Enrolment, effect: EnrolEffect) -> None:
        """Let somebody into another process past its entry, if it is in this world; else it is taken to let them in."""
        version_id = self._versions.get(effect.process)
        if version_id is None:
            return
        subject = self.graphs[version_id].document.entry.subject
        candidate = candidate_for(enrolment, effect, version_id=version_id, subject=subject)
        if candidate is not None:
            contact = self._facts[enrolment.subject_kind, enrolment.subject_id].contact
            place = (candidate.subject_kind, candidate.subject_id)
            self._facts.setdefault(place, Facts(contact=contact))
        if candidate is None or self._begin(candidate, self._shares.get(effect.process, (0, 0))) is None:
            sought = (enrolment.id, effect.step_no)
            line = next(n for n, (owner, step) in enumerate(self.ledger) if (owner, step.step_no) == sought)
            turned_away = self.ledger[line][1]._replace(outcome=int(Code.SKIPPED_NOT_ENROLLED))
            self.ledger[line] = (enrolment.id, turned_away)

    def _decide(self, enrolment: Enrolment, effect: OfferEffect, now: datetime) -> None:
        code = int(self.judge_offer(enrolment, effect))
        self.note_offer(enrolment.id, effect, code)
        self._wake_one(self.enrolments[enrolment.id], Wake.OFFER_DECIDED.value, now)

    def judge_offer(self, enrolment: Enrolment, effect: OfferEffect) -> Code:  # noqa: ARG002 - for those who know more
        """Decide about an offer; whoever knows sums and costs decides by them."""
        return Code.OFFER_GRANTED

    def _queue(self, message: Message) -> None:
        step_no = message.effect.step_no
        self.messages[message.enrolment_id, step_no] = message
        self._message_steps.setdefault(message.enrolment_id, []).append(step_no)
        if message.settled_at is None:
            heappush(self._due_messages, (self.due_of(message), message.enrolment_id, step_no))

    def due_of(self, message: Message) -> datetime:
        """Return when a message is due that is queued now."""
        return message.effect.planned_at

    def _release(self, enrolment_id: int) -> None:
        for key in self._active_keys.pop(enrolment_id, ()):
            self._keys.pop(key, None)

    def _call_off(self, enrolment_id: int, now: datetime) -> None:
        for step_no in self._message_steps.get(enrolment_id, ()):
            message = self.messages[enrolment_id, step_no]
            if message.settled_at is None:
                message.cancel_requested_at = now
