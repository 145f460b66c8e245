"""Check and hand over: some messages under one lock, and their outcomes whatever breaks (design 6.4).

The locks are held from the look until the server has answered, or 2 s after DATA began. What is owed then is awaited
without locks, the message still `handing`.
"""

import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from django.db import connection, transaction

from recoup.core.clock import boot_seconds
from recoup.customers.models import Suppression
from recoup.messaging.handover import Accepted, NotHanded, Outcome, Rejected, Uncertain
from recoup.messaging.models import Message
from recoup.messaging.ports import Channel, Exchange
from recoup.messaging.reasons import Reason
from recoup.messaging.sender import failpoints, look
from recoup.messaging.sender.details import Detail, note_details
from recoup.messaging.sender.ends import DATABASE_ERRORS, HandOver, Ledger, add_hand_overs, record_ends
from recoup.messaging.sender.judge import Decision, counts, judge, note_passed
from recoup.messaging.sender.records import Claimed, End, Prepared
from recoup.messaging.sender.restating import note_classes
from recoup.messaging.sender.timing import Timing

log = structlog.get_logger(__name__)

_TRUSTED_SILENCE = 0.05  # seconds for which the database session's last answer still counts as just now
State = Message.State


class TradeClock(Protocol):
    """Tells trade time."""

    def __call__(self) -> datetime:
        """Return the instant."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every turn of a sender uses."""

    owner: int
    timing: Timing
    now: TradeClock
    ledger: Ledger


@dataclass(slots=True)
class Report:
    """What a turn found out beyond the ends of its messages."""

    handed: int = 0
    seconds: float = 0.0
    """How long the server took while the locks were held."""

    must_stop: bool = False
    """The line is dead, the database session is lost, or too much time has passed: nothing more with this lock."""

    is_line_dead: bool = False
    is_slow: bool = False
    """The server did not answer while the locks were held."""

    halt: str = ""
    slow_down: bool = False
    policy_refusals: int = 0
    suppress: list[tuple[str, str]] = field(default_factory=list)
    """Addresses that get nothing more, each with why."""

    unspent: list[int] = field(default_factory=list)
    """Messages that certainly did not leave: what was set aside for them is free again."""


class Turn:
    """One lock, the messages under it, and what became of them."""

    def __init__(
        self, messages: Sequence[Prepared], exchange: Exchange, desk: Desk, channel: Channel
    ) -> None:
        self._messages = {one.message.id: one for one in messages}
        self._exchange, self._desk, self._channel = exchange, desk, channel
        self._fresh = min(desk.timing.fresh, channel.fresh)
        self._is_single = False
        self._ends: dict[int, End] = {}
        self._begun: dict[int, float] = {}  # DATA, on the boot clock
        self._counting: set[int] = set()  # passed the look, and counted for the caps if it arrives
        self._undone: set[int] = set()  # begun, and certainly not taken by the server
        self._written: set[int] = set()
        self._noted: dict[int, HandOver] = {}
        self._details: dict[int, Detail] = {}
        self._checked_at = self._heard_at = 0.0
        self._now: datetime | None = None
        self.report = Report()

    def hand_over_batch(self) -> Report:
        """Batch way: check before the first MAIL, then one stream."""
        return self._run(self._stream)

    def hand_over_single(self) -> Report:
        """Single way: name sender and recipient, then lock and check, then DATA."""
        (one,) = self._messages.values()
        self._is_single = True
        started = boot_seconds()
        outcome = self._exchange.open(one.mail)
        if outcome is None:
            return self._run(self._data)
        self.report.seconds = boot_seconds() - started
        self._settle(one.message.id, outcome)
        self._keep_unwritten()
        return self._close_report()

    # One turn

    def _run(self, write: Callable[[list[Prepared]], None]) -> Report:
        is_committed = False
        try:
            with transaction.atomic():
                passing = self._check()
                started = boot_seconds()
                write(passing)
                self.report.seconds = boot_seconds() - started
                if self.report.handed:  # a look that came too late hands nothing over
                    failpoints.reach("after_answers")
                self._write_down()
                failpoints.reach("before_end_commit")
            is_committed = True
            failpoints.reach("after_end")
        except DATABASE_ERRORS as error:
            log.warning("messaging.sender.session_lost", error=type(error).__name__)
            connection.close()
            self.report.must_stop = True
        finally:
            if not is_committed:
                self._written.clear()
                self._noted.clear()
            self._await_owed()
            self._keep_unwritten()
        return self._close_report()

    def _check(self) -> list[Prepared]:
        """Lock, look, and decide about each message; return those that may go, in order."""
        now = self._now = self._desk.now()
        self._checked_at = boot_seconds()
        messages = [one.message for one in self._messages.values()]
        sights, shop = look.look(messages, owner=self._desk.owner, now=now)
        self._session = _Session(connection)
        self._heard_at = boot_seconds()
        failpoints.reach("after_locks")
        note_classes(messages, sights)
        passing = []
        for one in self._messages.values():
            message = one.message
            sight = sights.get(message.id)
            if sight is None:  # its lease ran out while we were away; it was not sent, and we are who knows
                self._ends[message.id] = End(message.id, State.DUE)
                continue
            decision = judge(message, sight, shop, stamp=one.stamp, now=now)
            if decision.what == "send":
                note_passed(message, sight, shop, now)
                if counts(message, sight):
                    self._counting.add(message.id)
                passing.append(one)
            else:
                self._ends[message.id] = end_of(message, decision, now)
        failpoints.reach("after_check")
        return passing

    def _stream(self, passing: list[Prepared]) -> None:
        until = 0.0
        for one in passing:
            if not self._may_write_data():
                break
            self._begin(one.message.id, partial(self._exchange.write_next, one.mail))
            until = until or boot_seconds() + self._desk.timing.hold
            failpoints.reach("after_data")
            self._collect(until)
            if self._exchange.owed or not self._exchange.is_alive:
                return
        if self._exchange.is_alive:
            self._exchange.write_last()
            self._collect(until)

    def _data(self, passing: list[Prepared]) -> None:
        if not passing or not self._may_write_data():
            return
        before = self._checked_at + self._fresh
        self._begin(passing[0].message.id, partial(self._exchange.write_data, before))
        failpoints.reach("after_data")
        self._collect(boot_seconds() + self._desk.timing.hold)

    def _begin(self, message_id: int, write: Callable[[], None]) -> None:
        """Write, and note the instant of DATA; a mail that is refused without a word to the server has none."""
        before = self._exchange.began(message_id)
        write()
        began = self._exchange.began(message_id)
        if began is not None and began != before:
            self._begun[message_id] = began

    def _may_write_data(self) -> bool:
        """Tell whether the look is fresh by the boot clock and the session that holds the locks has just answered.

        :raises django.db.Error: if the session is gone, and the locks with it.
        """
        if boot_seconds() - self._heard_at > _TRUSTED_SILENCE or self._session.has_word():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            self._heard_at = boot_seconds()
        if boot_seconds() - self._checked_at > self._fresh:
            self.report.must_stop = True
            return False
        return True

    def _collect(self, until: float | None) -> None:
        room = None if until is None else max(until - boot_seconds(), 0.0)
        for key, outcome in self._exchange.collect(room):
            self._settle(key, outcome)  # type: ignore[arg-type]

    def _write_down(self) -> None:
        """Write in the locked transaction what is known, and for the caps what has begun."""
        self._release_unbegun()
        self._noted = self._countable()
        add_hand_overs(self._noted.values())
        is_open = [key for key in self._begun if key not in self._ends]
        if is_open:
            self.report.is_slow = True
            _note_begun([(key, self._handed_at(key)) for key in is_open])
        note_details(self._details)
        record_ends(list(self._ends.values()), owner=self._desk.owner)
        self._written = set(self._ends)

    def _release_unbegun(self) -> None:
        for key in self._messages:
            if key not in self._ends and key not in self._begun:
                self._ends[key] = End(key, State.DUE)

    def _await_owed(self) -> None:
        """Wait without locks for what is still owed; each answer has its own time limit."""
        if self._is_single and not self._begun:
            self._exchange.reset()
            self._collect(None)
        while not self._is_single or self._begun:
            self._collect(None)
            if not self._is_single and self._exchange.is_alive:
                self._exchange.write_last()
            if not self._exchange.owed:
                break
        self._collect(0.0)
        self._release_unbegun()

    def _keep_unwritten(self) -> None:
        """Keep in memory, until it is written, what the locked transaction did not write."""
        unwritten = {key: end for key, end in self._ends.items() if key not in self._written}
        if not unwritten:
            return
        countable = self._countable()
        new = {key: pair for key, pair in countable.items() if key not in self._noted}
        undone = [pair for key, pair in self._noted.items() if key not in countable]
        details = {key: detail for key, detail in self._details.items() if key in unwritten}
        self._desk.ledger.keep(unwritten.values(), new.values(), undone, details)
        self._desk.ledger.flush()

    # Outcomes

    def _countable(self) -> dict[int, HandOver]:
        """Return the hand-overs that count for the caps: all but service, unless they certainly did not arrive."""
        return {
            key: (self._messages[key].message.contact_id, self._handed_at(key))
            for key in self._begun
            if key not in self._undone and key in self._counting
        }

    def _gap(self, message_id: int) -> int:
        """Return the milliseconds from the look to the first byte."""
        return round(max(self._begun.get(message_id, self._checked_at) - self._checked_at, 0.0) * 1000)

    def _handed_at(self, message_id: int) -> datetime:
        """Return the trade instant at which DATA began; for one found at the provider, the present."""
        if self._now is None or message_id not in self._begun:
            return self._at()
        return self._now + timedelta(seconds=max(self._begun[message_id] - self._checked_at, 0.0))

    def _settle(self, message_id: int, outcome: Outcome) -> None:
        message = self._messages[message_id].message
        match outcome:
            case Accepted():
                at = self._handed_at(message_id)
                end = End(message_id, State.SENT, "", outcome.answer, at=at, handed_at=at)
                self.report.handed += 1
                if outcome.ref:
                    self._details[message_id] = Detail(outcome.ref, outcome.parts, self._gap(message_id))
            case Uncertain():
                at = self._handed_at(message_id)
                end = End(
                    message_id,
                    State.UNCERTAIN,
                    Reason.LINE_BROKE,
                    outcome.reason,
                    at=at,
                    due_at=at + self._channel.retry_delay(1) if outcome.may_repeat else None,
                    handed_at=at,
                    may_repeat=outcome.may_repeat,
                )
            case NotHanded():
                self._undone.add(message_id)
                attempts = int(not outcome.is_ours)
                wait = self._channel.retry_delay(message.attempt + 1) if attempts else timedelta(0)
                end = End(
                    message_id,
                    State.DUE,
                    Reason.LINE_TROUBLE,
                    outcome.reason,
                    due_at=self._at() + wait,
                    attempts=attempts,
                )
            case Rejected():
                self._undone.add(message_id)
                end = self._refused(message, outcome)
        self._ends[message_id] = end

    def _at(self) -> datetime:
        return self._now if self._now is not None else self._desk.now()

    def _refused(self, message: Claimed, refusal: Rejected) -> End:
        verdict = self._channel.verdict_of(refusal)
        answer = f"{refusal.code} {refusal.enhanced} {refusal.text}".replace("  ", " ")
        self.report.policy_refusals += int(verdict.policy)
        self.report.slow_down |= verdict.slow_down
        if verdict.suppress:
            self.report.suppress.append((message.recipient, verdict.suppress_as))
            if verdict.suppress_as == Suppression.Reason.UNSUBSCRIBED:
                return End(message.id, State.CANCELLED, Reason.SUPPRESSED, answer, at=self._at())
        if verdict.then == "fail":
            reason = Reason.ADDRESS_UNKNOWN if refusal.about_address else Reason.REFUSED
            return End(message.id, State.FAILED, reason, answer, at=self._at())
        if verdict.then == "halt":
            self.report.halt = answer
        attempts = int(verdict.counts_attempt)
        due_at = self._at() + self._channel.retry_delay(message.attempt + attempts)
        if due_at >= message.not_after:
            return End(message.id, State.FAILED, Reason.TOO_LATE_AFTER_TRIES, answer, at=self._at())
        return End(message.id, State.DUE, Reason.TRY_LATER, answer, due_at=due_at, attempts=attempts)

    def _close_report(self) -> Report:
        self.report.is_line_dead = not self._exchange.is_alive
        gone = (State.SENT, State.UNCERTAIN)
        self.report.unspent = [
            key for key in self._messages if key not in self._ends or self._ends[key].state not in gone
        ]
        self.report.must_stop |= self.report.is_line_dead or bool(self.report.halt) or self.report.slow_down
        return self.report


def end_of(message: Claimed, decision: Decision, now: datetime) -> End:
    """Return the end of a message that may not go now."""
    if decision.what == "cancel":
        return End(message.id, State.CANCELLED, decision.reason, at=now)
    return End(message.id, State.DUE, decision.reason, at=now, due_at=decision.until, deferrals=1)


class _Session:
    """The database session that holds the locks of a turn."""

    def __init__(self, database: Any) -> None:
        self._raw = database.connection
        self._poll = select.poll()
        if self._raw is not None and not self._raw.closed:
            self._poll.register(self._raw.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)

    def has_word(self) -> bool:
        """Tell whether the server said something unasked: an end of the session comes so."""
        return self._raw is None or self._raw.closed or bool(self._poll.poll(0))


def _note_begun(hand_overs: Sequence[tuple[int, datetime]]) -> None:
    """Note the instant of DATA of messages whose answer is not awaited under the lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_message m SET handed_at = b.at"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) AS b (id, at) WHERE m.id = b.id",
            [[key for key, _ in hand_overs], [at for _, at in hand_overs]],
        )
