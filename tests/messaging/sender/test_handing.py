"""The moment of the hand-over: no DATA without fresh locks, and no lock longer than 2 s after it (design 6.4)."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core.clock import boot_seconds
from recoup.messaging.channels import channel
from recoup.messaging.models import MailAccount, Message
from recoup.messaging.sender import failpoints, handing
from recoup.messaging.sender.ends import Ledger
from recoup.messaging.sender.handing import Desk
from recoup.messaging.sender.lane_run import LaneRun
from recoup.messaging.sender.lane_state import LaneState
from recoup.messaging.sender.leases import InFlight
from recoup.messaging.sender.loop import Sender
from recoup.messaging.sender.timing import Timing
from recoup.payments.actions import record_payment
from recoup.shops.snapshots import AttemptState, PaymentSnapshot
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.messaging.sender.roads import make_road, state_of
from tests.support.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("channel_table")]
WAYS = pytest.mark.parametrize("way", ["batch", "single"])


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def between_look_and_data(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Return what lets something happen once, when the look has passed and DATA is not written yet."""

    def arrange(happening: Callable[[], None]) -> None:
        left = [happening]

        def reach(name: str) -> None:
            if name == "after_check" and left:
                left.pop()()

        monkeypatch.setattr(failpoints, "reach", reach)

    return arrange


def verbs(sink: SmtpSink) -> set[bytes]:
    return {command.split(b" ")[0].upper() for command in sink.commands}


@WAYS
def test_a_look_that_is_too_old_writes_no_data(
    sink: SmtpSink, way: str, between_look_and_data: Callable[[Callable[[], None]], None]
) -> None:
    road = make_road(sink.port, way=way)
    message = road.reminder(email="u+slow0.0@x.example")
    between_look_and_data(lambda: time.sleep(0.15))
    sender = Sender(now=lambda: NOW, timing=Timing(fresh=0.1))

    sender.run_once()
    sender.close()

    assert (state_of(message), message.attempt, message.handed_at) == (("due", ""), 0, None)
    assert (sink.mails(), b"DATA" in verbs(sink)) == ([], False)
    sender = Sender(now=lambda: NOW)
    sender.run_once()
    sender.close()
    assert (state_of(message)[0], len(sink.mails())) == ("sent", 1)


@WAYS
def test_a_session_that_lost_its_locks_writes_no_data(
    sink: SmtpSink,
    way: str,
    database_url: str,
    between_look_and_data: Callable[[Callable[[], None]], None],
) -> None:
    road = make_road(sink.port, way=way)
    message = road.reminder(email="u+slow0.0@x.example")

    def end_session() -> None:
        assert connection.connection is not None
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])

    between_look_and_data(end_session)
    sender = Sender(now=lambda: NOW)

    sender.run_once()

    assert (sink.mails(), b"DATA" in verbs(sink)) == ([], False)
    sender.run_once()
    sender.close()
    assert (state_of(message)[0], len(sink.mails())) == ("sent", 1)


@WAYS
def test_a_payment_waits_for_a_slow_server_no_longer_than_the_locks_are_held(
    sink: SmtpSink, way: str
) -> None:
    road = make_road(sink.port, way=way)
    order = make_order(road.shop, contact=make_contact(road.shop, email="u+held@x.example"))
    message = road.reminder(order)
    sender = Sender(now=lambda: NOW, timing=Timing(hold=0.1))

    def send() -> None:
        with scopes_disabled():
            sender.run_once()
            sender.close()
        connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    while not Message.objects.filter(pk=message.pk, handed_at__isnull=False).exists():
        time.sleep(0.01)
    record_payment(
        order, PaymentSnapshot("p1", AttemptState.SUCCEEDED, order.total, order.currency, NOW), now=NOW
    )
    state_at_payment = state_of(message)[0]
    sink.released.set()
    thread.join(60)

    order.refresh_from_db()
    assert (order.payment_state, state_at_payment) == ("paid", "handing")
    assert (state_of(message), len(sink.mails())) == (("sent", ""), 1)


def test_the_locks_of_a_whole_stream_are_held_no_longer_than_those_of_one_mail(
    sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer takes three seconds of the four, so that one is left for the second, which takes three again."""
    road = make_road(sink.port)
    state, timing = LaneState(road.lane.pk), Timing(hold=4.0, fresh=60.0)
    desk = Desk(7, timing, lambda: NOW, Ledger(7))
    account = MailAccount.objects.get()
    road.reminder()
    LaneRun(state, desk, InFlight(timing)).run()
    messages = [
        road.reminder(email=f"u{number}{wish}@x.example") for number, wish in enumerate(("", "+slow3.0", ""))
    ]
    for _ in range(2):  # a quick server so far: three at once
        state.line_for(account, channel("email")).pace.note(10, 0.001)
    monkeypatch.setattr(channel("email"), "fresh", 60.0)
    began, taken = boot_seconds(), len(sink.mails())
    monkeypatch.setattr(handing, "boot_seconds", lambda: began + 3.0 * (len(sink.mails()) > taken))

    def send() -> None:
        with scopes_disabled():
            LaneRun(state, desk, InFlight(timing)).run()
        state.close()
        connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    while state_of(messages[0])[0] != "sent":  # seen when the locks are given back
        time.sleep(0.01)
    states_then = [state_of(message)[0] for message in messages]
    thread.join(60)

    assert states_then == ["sent", "handing", "handing"]
    assert [state_of(message)[0] for message in messages] == ["sent"] * 3
