"""The sender of a process: lanes side by side, one never delays another; leases, sweep and ledger beside them."""

import queue
import secrets
import threading
from collections.abc import Callable

import structlog
from django.db import connection

from recoup.core.clock import boot_seconds, trade_now
from recoup.messaging.sender.claim import due_lanes
from recoup.messaging.sender.ends import DATABASE_ERRORS, Ledger
from recoup.messaging.sender.handing import Desk, TradeClock
from recoup.messaging.sender.lane_run import LaneRun
from recoup.messaging.sender.lane_state import LaneState
from recoup.messaging.sender.leases import InFlight, renew, sweep
from recoup.messaging.sender.timing import TIMING, Timing
from recoup.messaging.tracking import note_visits

log = structlog.get_logger(__name__)

MOST_THREADS = 32  # slow servers keep a thread each; quick ones share
_IDLE_THREAD = 30.0  # seconds after which a thread without work ends, and its database connection with it


def new_owner() -> int:
    """Return an owner for leases, new at every start of a process: nobody takes over a predecessor's by name."""
    return secrets.randbits(62)


class Sender:
    """Sends the messages of all shops."""

    def __init__(
        self, owner: int | None = None, *, timing: Timing = TIMING, now: TradeClock = trade_now
    ) -> None:
        self.owner = owner or new_owner()
        self._timing = timing
        self._now = now
        self.ledger = Ledger(self.owner)
        self._in_flight = InFlight(timing)
        self._states: dict[int, LaneState] = {}
        self._busy: set[int] = set()
        self._lock = threading.Lock()
        self._waiting: queue.Queue[int | None] = queue.Queue()
        self._threads: list[threading.Thread] = []
        self._idle_threads = 0
        self._swept_at = self._renewed_at = 0.0

    def run_once(self, now_provider: TradeClock | None = None) -> int:
        """Send some batches of each due lane in this thread, and sweep; return how many messages were looked at."""
        now = now_provider or self._now
        self.ledger.flush()
        sweep(now=now())
        return sum(self._run_lane(lane_id, now) for lane_id in due_lanes(now()))

    def run(self, stop: threading.Event, *, beat: Callable[[], None] | None = None) -> None:
        """Send until `stop` is set, then finish what is being handed over; what waits is given back.

        Lost database connections are survived: answers of servers are kept until they can be written.

        :param beat: called after each round that went well, to say that the sender is alive.
        """
        pause, is_away = self._timing.poll, False
        while not stop.wait(pause):
            began = boot_seconds()
            try:
                self._keep_house()
                for lane_id in due_lanes(self._now()):
                    self._start_lane(lane_id, stop)
                is_away = False
                if beat is not None:
                    beat()
            except DATABASE_ERRORS as error:
                if not is_away:
                    log.warning("messaging.sender.database_away", error=type(error).__name__)
                is_away = True
                connection.close()
            except Exception:
                log.exception("messaging.sender.round_failed")
            # A look that is dear (an old snapshot keeps dead entries) is made less often.
            pause = max(self._timing.poll, 4 * (boot_seconds() - began))
        self._finish()

    def _finish(self) -> None:
        for _ in self._threads:
            self._waiting.put(None)
        deadline = boot_seconds() + self._timing.longest_handing
        for thread in self._threads:
            while thread.is_alive() and boot_seconds() < deadline:
                thread.join(timeout=self._timing.poll)
                self._keep_house_quietly()
        while self.ledger.flush() and boot_seconds() < deadline:
            threading.Event().wait(self._timing.poll)
        self.close()
        connection.close()

    def close(self) -> None:
        """Close the lines to servers."""
        with self._lock:
            states = list(self._states.values())
            self._states.clear()
        for state in states:
            state.close()

    def _keep_house_quietly(self) -> None:
        try:
            self._keep_house()
        except DATABASE_ERRORS:
            connection.close()
        except Exception:
            log.exception("messaging.sender.round_failed")

    def _keep_house(self) -> None:
        """Renew leases, sweep those of others, write what is kept, close what is idle."""
        now = boot_seconds()
        if now - self._renewed_at > self._timing.lease / 3:
            self._renewed_at = now
            renew(self._in_flight.renewable(), owner=self.owner, timing=self._timing)
        if now - self._swept_at > self._timing.sweep:
            self._swept_at = now
            trade = self._now()
            note_visits(now=trade)
            due, uncertain = sweep(now=trade)
            if due or uncertain:
                log.warning("messaging.sender.swept", due=due, uncertain=uncertain)
            self._close_idle(now)
        self.ledger.flush()

    def _close_idle(self, now: float) -> None:
        with self._lock:
            idle = [
                state
                for lane_id, state in self._states.items()
                if lane_id not in self._busy and now - state.used_at > self._timing.idle_line
            ]
            for state in idle:
                del self._states[state.lane_id]
        for state in idle:
            state.close()
        self._threads = [thread for thread in self._threads if thread.is_alive()]

    def _start_lane(self, lane_id: int, stop: threading.Event) -> None:
        with self._lock:
            if lane_id in self._busy:
                return
            self._busy.add(lane_id)
            needs_thread = self._idle_threads <= self._waiting.qsize() and len(self._threads) < MOST_THREADS
        self._waiting.put(lane_id)
        if needs_thread:
            thread = threading.Thread(target=self._work, args=(stop,), name="sender-lane")
            self._threads.append(thread)
            thread.start()

    def _work(self, stop: threading.Event) -> None:
        """Send batches of whatever lane waits; a lane with more to send goes to the end of the queue."""
        try:
            while (lane_id := self._next_lane()) is not None:
                has_more = False
                try:
                    has_more = self._run_lane(lane_id, self._now, stop.is_set) > 0 and not stop.is_set()
                except DATABASE_ERRORS as error:
                    log.warning("messaging.sender.lane_lost", lane_id=lane_id, error=type(error).__name__)
                    connection.close()
                except Exception:
                    log.exception("messaging.sender.lane_failed", lane_id=lane_id)
                if has_more:
                    self._waiting.put(lane_id)
                else:
                    with self._lock:
                        self._busy.discard(lane_id)
        finally:
            connection.close()

    def _next_lane(self) -> int | None:
        with self._lock:
            self._idle_threads += 1
        try:
            return self._waiting.get(timeout=_IDLE_THREAD)
        except queue.Empty:
            return None
        finally:
            with self._lock:
                self._idle_threads -= 1

    def _run_lane(
        self, lane_id: int, now: TradeClock, is_stopping: Callable[[], bool] = lambda: False
    ) -> int:
        with self._lock:
            state = self._states.setdefault(lane_id, LaneState(lane_id))
        desk = Desk(self.owner, self._timing, now, self.ledger)
        return LaneRun(state, desk, self._in_flight, is_stopping=is_stopping).run()


def run_sender(stop: threading.Event, *, owner: int | None = None) -> None:
    """Run a sender in the calling thread until `stop` is set: what the worker starts."""
    Sender(owner).run(stop)
