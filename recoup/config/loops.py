"""Loops of the worker: a step done again and again, a pause when there was nothing to do, a beat, and no way to die."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import OperationalError, close_old_connections, connection

from recoup.core import heartbeat
from recoup.core.clock import boot_seconds, real_now

log = structlog.get_logger(__name__)

BEAT_EVERY = 10.0  # seconds; `/health` turns red after several missed beats
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds after an error, doubling


@dataclass(frozen=True, slots=True)
class Loop:
    """A step with a name. It returns how much it did; nothing means a pause of `idle` seconds."""

    name: str
    step: Callable[[], int]
    idle: float = 0.25


class Pulse:
    """The beat of one thread: said at most every ten seconds, however often it is called."""

    def __init__(self, name: str) -> None:
        self._name, self._beaten_at = name, -BEAT_EVERY

    def __call__(self) -> None:
        """Say that the thread is alive, unless that was said just now."""
        if boot_seconds() - self._beaten_at >= BEAT_EVERY:
            heartbeat.beat(self._name, now=real_now())
            self._beaten_at = boot_seconds()


def run(loop: Loop, stop: threading.Event) -> None:
    """Run a loop until told to stop. An error is logged and tried again, later each time; the loop never ends by itself."""
    pause, beat = FIRST_PAUSE, Pulse(loop.name)
    while not stop.is_set():
        try:
            done = loop.step()
            beat()
            pause = FIRST_PAUSE
            if not done:
                stop.wait(loop.idle)
        except Exception as error:  # one bad step never ends the loop
            if has_no_database(error):
                log.warning("worker.loop.no_database", loop=loop.name)
            else:
                log.exception("worker.loop.failed", loop=loop.name)
            close_old_connections()
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
    connection.close()


def has_no_database(error: Exception) -> bool:
    """Tell whether the server went away, is starting or takes no more lines: where that happened says nothing."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state[:3] in {"08P", "080", "533", "57P"}


def start(loops: list[Loop], stop: threading.Event) -> list[threading.Thread]:
    """Start a thread for each loop."""
    threads = [threading.Thread(target=run, args=(loop, stop), name=loop.name, daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    return threads
