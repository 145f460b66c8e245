"""Virtual time: feeds news to a store, hands its messages over and runs the engine."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop
from typing import Protocol

from recoup.processes.engine.batch import BATCH, Store, run_batch
from recoup.processes.engine.records import Enrolment
from recoup.processes.worlds import Lane, News

_FACTS, _MESSAGES, _TIMERS = range(3)  # at one instant: facts first, timers last


class TooManyTurns(Exception):
    """It went on for longer than it may."""


def _on_time(_run_at: datetime) -> timedelta:
    return timedelta(0)


class SimulatedStore(Store, Protocol):
    """A store whose clock, news and sending are in the hands of the simulator."""

    clock: datetime

    def apply(self, news: News) -> None:
        """Let something happen, and wake those who wait for it."""

    def next_run_at(self) -> datetime | None:
        """Return when the engine has something to do next."""

    def next_message_at(self) -> datetime | None:
        """Return when the next message is due for its hand-over."""

    def hand_over(self, lane: Lane) -> None:
        """Hand over the next message, after the sender's last look."""


class Simulator:
    """Drives one store from its present to an instant.

    `lag` is how late the engine looks. While `asleep`, nothing of ours runs: news, messages and timers come when
    the machine wakes, each with the instant at which it became true. `most` is how many things may happen in all.
    """

    def __init__(
        self,
        store: SimulatedStore,
        news: Sequence[News] = (),
        *,
        lane: Lane | None = None,
        batch: Callable[[], int] = lambda: BATCH,
        lag: Callable[[datetime], timedelta] = _on_time,
        asleep: Sequence[tuple[datetime, datetime]] = (),
        most: int | None = None,
    ) -> None:
        self.store = store
        self.lane = lane or Lane()
        self.errors: list[tuple[Enrolment, Exception]] = []
        self._batch = batch
        self._lag = lag
        self._asleep = asleep
        self._left = most
        self._news = [(each.at, number, each) for number, each in enumerate(news)]
        heapify(self._news)

    def run(self, until: datetime) -> None:
        """Let everything happen up to and including an instant.

        :raises TooManyTurns: if more happens than may.
        """
        while True:
            instant, rank = self._next()
            if instant is None or instant > until:
                break
            if self._left is not None:
                if not self._left:
                    raise TooManyTurns
                self._left -= 1
            self.store.clock = max(self.store.clock, instant)
            if rank == _FACTS:
                self.store.apply(heappop(self._news)[2])
            elif rank == _MESSAGES:
                self.lane.free_at = self.store.clock + self.lane.pause
                self.store.hand_over(self.lane)
            else:
                run_batch(self.store, self._batch(), lambda *error: self.errors.append(error))
        self.store.clock = max(self.store.clock, until)

    def _next(self) -> tuple[datetime | None, int]:
        """Return the next instant at which something happens, and what."""
        news_at = self._news[0][0] if self._news else None
        message_at = self.store.next_message_at()
        if message_at is not None:
            message_at += self.lane.lag
            message_at = max(message_at, self.lane.free_at or message_at)
        run_at = self.store.next_run_at()
        if run_at is not None:
            run_at += self._lag(run_at)
        instants = [(news_at, _FACTS), (message_at, _MESSAGES), (run_at, _TIMERS)]
        awake = [(self._awake(at), rank) for at, rank in instants if at is not None]
        return min(awake, default=(None, _FACTS))

    def _awake(self, at: datetime) -> datetime:
        """Return when the machine gets to something: now, or when it wakes."""
        at = max(at, self.store.clock)
        for begins, ends in self._asleep:
            if begins <= at < ends:
                return ends
        return at
