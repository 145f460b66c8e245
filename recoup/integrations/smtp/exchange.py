"""Mails on an open line: many in one stream by RFC 2920, or one at a time with the check between RCPT and DATA.

Nothing here raises. Whatever breaks, every mail begun gets its outcome: a mail whose final dot left and was not answered is
uncertain, every other was certainly not handed over.
"""

import math
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum, auto

from recoup.integrations.smtp.line import Answer, Line, LineBroken, boot_time
from recoup.integrations.smtp.terms import Abilities, Counts, Timeouts
from recoup.integrations.smtp.words import rejected
from recoup.messaging.handover import Accepted, Mail, NotHanded, Outcome, Rejected, Stage, Uncertain
from recoup.messaging.mime.addresses import AddressRefused, needs_smtputf8, wire_address


class _Owed(Enum):
    RESET = auto()
    SENDER = auto()
    RECIPIENT = auto()
    DATA = auto()
    DOT = auto()
    LONE_DOT = auto()


@dataclass(slots=True)
class _Turn:
    """One mail on its way."""

    mail: Mail
    refusal: Rejected | None = None
    is_sender_taken: bool = False
    is_settled: bool = False
    dot_ends_at: int = 0
    """The position in the line's stream behind its final dot; zero until that is written."""

    verb_ends_at: int = 0
    """The same for its DATA."""


@dataclass(slots=True)
class _State:
    """What the stream has come to."""

    owed: deque[tuple[_Owed, _Turn | None]] = field(default_factory=deque)
    settled: list[tuple[Hashable, Outcome]] = field(default_factory=list)
    open_turn: _Turn | None = None
    """It has its 354 and waits for its content."""

    has_lone_354: bool = False
    """A 354 came for a mail that was refused: it must be answered with a lone dot."""

    must_reset: bool = False
    """The server still holds the envelope of a mail that will not come."""

    follows_354: bool = False
    """Single way: the content follows its 354 by itself."""

    waiting_since: float = 0.0


class Exchange:
    """Hands mails over on one line. Made by `SmtpConnection.exchange`; used by one thread."""

    def __init__(self, line: Line, abilities: Abilities, timeouts: Timeouts, counts: Counts) -> None:
        self._line, self._abilities, self._timeouts, self._counts = line, abilities, timeouts, counts
        self._state = _State()
        self._began: dict[Hashable, float] = {}

    @property
    def owed(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._state.owed)

    @property
    def is_alive(self) -> bool:
        """Whether the line still serves."""
        return self._line.is_open

    def forget(self) -> None:
        """Forget when earlier mails began: a line that is kept for days must not grow."""
        if not self.owed and self._state.open_turn is None:
            self._began.clear()

    def began(self, key: Hashable) -> float | None:
        """Return the instant, on the boot clock, at which this mail's DATA was about to be written."""
        return self._began.get(key)

    def write_next(self, mail: Mail) -> None:
        """Batch way: write the content of the mail before, its dot, and MAIL, RCPT and DATA of this one, all at once.

        Call it only when nothing is owed. Without PIPELINING use the single way.
        """
        assert self._abilities.pipelining, "the server does not pipeline"
        assert not self.owed, "an answer is still owed"
        if self._refuse_here(mail):
            self.write_last()
            return
        turn = _Turn(mail)
        head = self._finish_open()
        self._began[mail.key] = boot_time()
        self._write(
            head + self._reset() + self._envelope(mail) + b"DATA\r\n",
            *self._pop_finished(),
            *self._pop_reset(),
            (_Owed.SENDER, turn),
            (_Owed.RECIPIENT, turn),
            (_Owed.DATA, turn),
        )

    def write_last(self) -> None:
        """Batch way: write the content and dot of the open mail when no other follows."""
        content = self._finish_open()
        if content:
            self._write(content, *self._pop_finished())

    def open(self, mail: Mail) -> Outcome | None:
        """Single way: name sender and recipient and wait for both answers; nothing if DATA may follow."""
        assert not self.owed, "an answer is still owed"
        if self._refuse_here(mail):
            return self._state.settled.pop()[1]
        turn = _Turn(mail)
        self._settle_open()
        steps = [(self._reset(), self._pop_reset())]
        sender, recipient = self._envelope(mail).splitlines(keepends=True)
        steps += [(sender, [(_Owed.SENDER, turn)]), (recipient, [(_Owed.RECIPIENT, turn)])]
        if self._abilities.pipelining:
            steps = [(b"".join(step for step, _ in steps), [owed for _, many in steps for owed in many])]
        for command, owed in steps:
            if turn.refusal is None and command:
                self._write(command, *owed)
                self._pump(None)
        if turn.is_settled:
            return self._state.settled.pop()[1]
        if turn.refusal is not None:
            self._state.must_reset = turn.is_sender_taken
            self._settle(turn, turn.refusal)
            return self._state.settled.pop()[1]
        self._state.open_turn = turn
        return None

    def write_data(self, before: float = math.inf) -> None:  # noqa: ARG002 - the line stands: it begins at once
        """Single way: write DATA; content and dot follow their 354 by themselves while `collect` waits."""
        turn = self._state.open_turn
        assert turn is not None, "no mail is open"
        self._state.open_turn = None
        self._state.follows_354 = True
        self._began[turn.mail.key] = boot_time()
        self._write(b"DATA\r\n", (_Owed.DATA, turn))

    def reset(self) -> None:
        """Single way: the check said no. The envelope is taken back together with what is written next."""
        if self._state.open_turn is not None:
            self._state.open_turn = None
            self._state.must_reset = True

    def settle_down(self) -> bool:
        """Leave nothing half said, before the line is used for something else; tell whether that could be done."""
        if self._state.open_turn is not None or self.owed:
            return False
        if self._state.has_lone_354:
            self._settle_open()
        return self._line.is_open

    def collect(self, timeout: float | None) -> list[tuple[Hashable, Outcome]]:
        """Wait for the answers that are owed and return what was settled since the last call.

        Returns when nothing is owed or the time is up. Without a time-out each answer has its own limit, after which the
        line is given up; and as whoever waits so holds no locks any more, a DATA that has not left by then never does: the
        line is given up instead.
        """
        if timeout is None and self._has_unsent_verb():
            self._give_up("the server does not read")
        self._pump(timeout)
        settled, self._state.settled = self._state.settled, []
        return settled

    # Writing

    def _envelope(self, mail: Mail) -> bytes:
        sender = f"MAIL FROM:<{mail.sender}>"
        if self._abilities.largest_mail:
            sender += f" SIZE={len(mail.wire)}"
        if needs_smtputf8(mail.recipient):
            sender += " SMTPUTF8"
        return f"{sender}\r\nRCPT TO:<{wire_address(mail.recipient)}>\r\n".encode()

    def _refuse_here(self, mail: Mail) -> bool:
        """Settle a mail that this server cannot take, without a word to it."""
        refusal = None
        try:
            wire_address(mail.recipient)
            if mail.sender:
                wire_address(mail.sender)
        except AddressRefused as error:
            refusal = rejected(Stage.RECIPIENT, 553, f"5.1.3 {error}")
        else:
            if needs_smtputf8(mail.recipient) and not self._abilities.smtputf8:
                refusal = rejected(Stage.RECIPIENT, 553, "5.6.7 the server takes no address outside of ASCII")
            elif 0 < self._abilities.largest_mail < len(mail.wire):
                refusal = rejected(Stage.SENDER, 552, "5.3.4 larger than the server takes")
        if refusal is not None:
            self._settle(_Turn(mail), refusal)
        return refusal is not None

    def _finish_open(self) -> bytes:
        if self._state.has_lone_354:
            return b".\r\n"
        return self._state.open_turn.mail.wire if self._state.open_turn else b""

    def _pop_finished(self) -> list[tuple[_Owed, _Turn | None]]:
        state = self._state
        if state.has_lone_354:
            state.has_lone_354 = False
            return [(_Owed.LONE_DOT, None)]
        turn, state.open_turn = state.open_turn, None
        return [(_Owed.DOT, turn)] if turn else []

    def _settle_open(self) -> None:
        """Give back what an earlier use left open, so that no two envelopes mix."""
        if self._state.has_lone_354:
            self._write(self._finish_open(), *self._pop_finished())
            self._pump(None)
        assert self._state.open_turn is None, "a mail is still open"

    def _reset(self) -> bytes:
        return b"RSET\r\n" if self._state.must_reset else b""

    def _pop_reset(self) -> list[tuple[_Owed, _Turn | None]]:
        must, self._state.must_reset = self._state.must_reset, False
        return [(_Owed.RESET, None)] if must else []

    def _write(self, data: bytes, *owed: tuple[_Owed, _Turn | None]) -> None:
        """Write, and note what is owed for it."""
        state = self._state
        if not state.owed:
            state.waiting_since = boot_time()
        state.owed.extend(owed)
        for kind, turn in owed:
            if kind is _Owed.DOT and turn is not None:
                # A finished mail stands at the front, so that its dot ends where its wire form ends.
                turn.dot_ends_at = self._line.queued + len(turn.mail.wire)
            if kind is _Owed.DATA and turn is not None:
                turn.verb_ends_at = self._line.queued + len(data)
        if not self._line.is_open:
            self._give_up("the line was closed before")
            return
        try:
            self._line.write(data)
            self._counts.written_bytes += len(data)
        except LineBroken as failure:
            self._give_up(str(failure))

    # Reading

    def _pump(self, timeout: float | None) -> None:
        deadline = None if timeout is None else boot_time() + timeout
        state = self._state
        while state.owed:
            now = boot_time()
            own = state.waiting_since + self._limit(state.owed[0][0]) - now
            room = own if deadline is None else min(own, deadline - now)
            try:
                answer = self._line.read(seconds=max(room, 0))
            except LineBroken as failure:
                self._give_up(str(failure))
                return
            if answer is None:
                if own <= room:
                    self._line.close()
                    self._give_up("no answer in time")
                return
            state.waiting_since = boot_time()
            kind, turn = state.owed.popleft()
            self._take(kind, turn, answer)
            if answer.code == 421 and state.owed:
                self._give_up("the server is closing")
            if answer.code == 421:
                self._line.close()

    def _has_unsent_verb(self) -> bool:
        return any(
            kind is _Owed.DATA and turn is not None and not self._line.has_left(turn.verb_ends_at)
            for kind, turn in self._state.owed
        )

    def _limit(self, kind: _Owed) -> float:
        if self._line.has_pending:
            return self._timeouts.data
        match kind:
            case _Owed.DATA:
                return self._timeouts.data
            case _Owed.DOT:
                return self._timeouts.dot
        return self._timeouts.answer

    def _take(self, kind: _Owed, turn: _Turn | None, answer: Answer) -> None:
        if turn is None:
            if kind is _Owed.RESET and not _is_yes(answer):
                self._line.close()
                self._give_up("the server does not reset")
            return
        match kind:
            case _Owed.SENDER:
                self._take_sender(turn, answer)
            case _Owed.RECIPIENT:
                self._take_recipient(turn, answer)
            case _Owed.DATA:
                self._take_data(turn, answer)
            case _:
                self._take_dot(turn, answer)

    def _take_sender(self, turn: _Turn, answer: Answer) -> None:
        turn.is_sender_taken = _is_yes(answer)
        if not turn.is_sender_taken:
            turn.refusal = rejected(Stage.SENDER, answer.code, answer.text)

    def _take_recipient(self, turn: _Turn, answer: Answer) -> None:
        if not _is_yes(answer) and turn.refusal is None:
            turn.refusal = rejected(Stage.RECIPIENT, answer.code, answer.text)

    def _take_data(self, turn: _Turn, answer: Answer) -> None:
        state = self._state
        if answer.code == 354:
            if turn.refusal is not None:
                state.has_lone_354 = True
                self._settle(turn, turn.refusal)
            elif state.follows_354:
                self._write(turn.mail.wire, (_Owed.DOT, turn))
            else:
                state.open_turn = turn
            state.follows_354 = False
            return
        state.follows_354 = False
        state.must_reset = turn.is_sender_taken
        self._settle(turn, turn.refusal or rejected(Stage.DATA, answer.code, answer.text))

    def _take_dot(self, turn: _Turn, answer: Answer) -> None:
        if _is_yes(answer):
            self._settle(turn, Accepted(f"{answer.code} {answer.text}"[:500]))
        else:
            self._settle(turn, rejected(Stage.CONTENT, answer.code, answer.text))

    # Endings

    def _settle(self, turn: _Turn, outcome: Outcome) -> None:
        if turn.is_settled:
            return
        turn.is_settled = True
        match outcome:
            case Accepted():
                self._counts.accepted += 1
            case Rejected():
                self._counts.rejected += 1
            case NotHanded():
                self._counts.not_handed += 1
            case Uncertain():
                self._counts.uncertain += 1
        self._state.settled.append((turn.mail.key, outcome))

    def _give_up(self, reason: str) -> None:
        """Settle everything begun: the line is of no use any more."""
        state = self._state
        self._line.close()
        for kind, turn in state.owed:
            if turn is None or turn.is_settled:
                continue
            if turn.dot_ends_at and self._line.may_have_left(turn.dot_ends_at):
                self._settle(turn, Uncertain(reason))
            else:
                self._settle(turn, turn.refusal or NotHanded(reason, _STAGES[kind]))
        if state.open_turn is not None:
            self._settle(state.open_turn, NotHanded(reason, Stage.DATA))
        state.owed.clear()
        state.open_turn, state.has_lone_354, state.must_reset = None, False, False


_STAGES = {
    _Owed.SENDER: Stage.SENDER,
    _Owed.RECIPIENT: Stage.RECIPIENT,
    _Owed.DATA: Stage.DATA,
    _Owed.DOT: Stage.CONTENT,
}


def _is_yes(answer: Answer) -> bool:
    return 200 <= answer.code < 300
