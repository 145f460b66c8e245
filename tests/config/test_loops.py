"""Loops of the worker: they beat while they work, and nothing ends them."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection

from recoup.config import loops
from recoup.core import heartbeat
from recoup.core.models import Heartbeat
from recoup.messaging.sender.loop import Sender
from recoup.web.health import troubles
from tests.factories.moments import HOUR, MINUTE, NOW


@pytest.fixture
def stop(transactional_db: None) -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def wait_for_beat(name: str) -> bool:
    for _ in range(1200):
        if Heartbeat.objects.filter(name=name).exists():
            return True
        threading.Event().wait(0.05)
    return False


def test_a_loop_beats_goes_on_after_an_error_and_stops_when_told(
    stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE", 0.01)
    steps: list[int] = []

    def step() -> int:
        steps.append(1)
        if len(steps) < 3:
            raise ValueError("not yet")
        return 0

    [thread] = loops.start([loops.Loop("patient", step, idle=0.01)], stop)

    assert wait_for_beat("patient")
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert len(steps) >= 3


@pytest.mark.parametrize(
    ("cause", "away"),
    [
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.DeadlockDetected(), False),
        (psycopg.errors.QueryCanceled(), False),
    ],
)
def test_where_the_database_is_away_no_trace_is_logged(cause: Exception, *, away: bool) -> None:
    error = OperationalError()
    error.__cause__ = cause

    assert loops.has_no_database(error) == away
    assert not loops.has_no_database(ValueError())
    assert not loops.has_no_database(InterfaceError("the cursor is closed"))


def test_a_loop_that_only_fails_does_not_beat(stop: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE", 0.01)
    failed = threading.Semaphore(0)

    def step() -> int:
        failed.release()
        raise ValueError("never")

    [thread] = loops.start([loops.Loop("hopeless", step)], stop)
    for _ in range(3):
        assert failed.acquire(timeout=60)
    stop.set()
    thread.join(60)

    assert not Heartbeat.objects.exists()


def test_a_sender_beats(stop: threading.Event) -> None:
    def send() -> None:
        Sender().run(stop, beat=loops.Pulse("sender-1"))
        connection.close()

    thread = threading.Thread(target=send)
    thread.start()

    assert wait_for_beat("sender-1")
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.django_db
def test_a_silent_sender_turns_health_red_and_a_loop_that_is_no_more_does_not() -> None:
    for name, at in (("engine", NOW), ("sender-1", NOW - HOUR), ("of_an_older_release", NOW - HOUR)):
        heartbeat.beat(name, now=at)

    heartbeat.keep_only({"engine", "sender-1"})

    assert troubles(now=NOW) == ["loop_silent:sender-1"]
    heartbeat.beat("sender-1", now=NOW)
    assert troubles(now=NOW + MINUTE) == []
