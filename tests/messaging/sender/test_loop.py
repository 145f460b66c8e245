"""The sender of a process: lanes side by side, a calm idle, a clean stop (F15, F33)."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.messaging.models import Message
from recoup.messaging.sender import claim, loop
from recoup.messaging.sender.loop import Sender
from recoup.messaging.sender.timing import Timing
from tests.factories.moments import NOW
from tests.messaging.sender.roads import make_road, state_of
from tests.support.smtp_sink import SinkOptions, SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("channel_table")]


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


class Running:
    """A sender in a thread of its own."""

    def __init__(self, *, claim: int = 100) -> None:
        self._stop = threading.Event()
        self.sender = Sender(now=lambda: NOW, timing=Timing(poll=0.05, claim=claim))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.sender.run(self._stop)
        finally:
            connection.close()

    def worked(self) -> float:
        """Return the processor's time that its thread has had."""
        return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident or 0))

    def stop(self) -> float:
        """Stop it and return how long that took."""
        started = time.monotonic()
        self._stop.set()
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()
        return time.monotonic() - started


@pytest.fixture
def running() -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def start(**values: int) -> Running:
        made.append(Running(**values))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def wait_for(condition: Callable[[], bool], *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def test_a_server_that_hangs_delays_no_other_shop(running: Callable[[], Running]) -> None:
    with SmtpSink() as hanging, SmtpSink() as quick:
        stuck = make_road(hanging.port).reminder(email="u+hangdot@x.example")
        good_road = make_road(quick.port)
        good = [good_road.reminder() for _ in range(20)]

        running()
        wait_for(lambda: state_of(stuck)[0] == "handing")
        wait_for(lambda: len(quick.mails()) == 20)
        late = good_road.reminder()
        wait_for(lambda: len(quick.mails()) == 21)

        assert {state_of(message)[0] for message in (*good, late)} <= {"sent", "handing"}
        assert state_of(stuck)[0] == "handing"


def test_a_stop_finishes_what_is_being_handed_over_and_gives_the_rest_back(
    running: Callable[[], Running],
) -> None:
    with SmtpSink(SinkOptions(delay=0.02)) as sink:
        road = make_road(sink.port, way="single")
        for _ in range(40):
            road.reminder()
        one = running()
        wait_for(lambda: len(sink.mails()) >= 3)

        one.stop()

        states = set(Message.objects.values_list("state", flat=True))
        sent = Message.objects.filter(state="sent").count()
        assert states <= {"sent", "due"}
        assert sent == len(sink.mails())
        assert len(one.sender.ledger) == 0


def test_an_idle_sender_costs_next_to_nothing(running: Callable[[], Running]) -> None:
    one = running()
    time.sleep(0.5)
    before = one.worked()
    time.sleep(1.0)
    spent = one.worked() - before
    one.stop()

    assert spent < 0.2  # twenty looks a second here, four in the product


def test_two_senders_of_one_lane_send_everything_once(running: Callable[..., Running]) -> None:
    with SmtpSink() as sink:
        road = make_road(sink.port)
        messages = [road.reminder() for _ in range(60)]

        running(claim=10)
        running(claim=10)
        wait_for(lambda: not Message.objects.exclude(state="sent").exists())

        taken = sorted(mail.recipients[0] for mail in sink.mails())
        assert taken == sorted(message.recipient for message in messages)


def test_a_round_that_fails_is_not_the_last_one(
    running: Callable[[], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([RuntimeError("once")])
    due_lanes = claim.due_lanes

    def failing(now: object) -> list[int]:
        for error in failures:
            raise error
        return due_lanes(now)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "due_lanes", failing)
    with SmtpSink() as sink:
        make_road(sink.port).reminder()

        running()

        wait_for(lambda: len(sink.mails()) == 1)
