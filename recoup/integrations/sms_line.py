"""A line to a provider of short messages over HTTP: one request a message, begun at most 250 ms after the last look.

A request runs in a thread of its own, so that the locks of the look are let go after their time however slow the provider
is. What was begun gets its outcome; what had not begun in time is never written.
"""

import math
import threading
from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings

from recoup.core.clock import boot_seconds
from recoup.core.http import TooLateToWrite
from recoup.messaging.handover import NotHanded, Outcome, ShortMessage, Stage, Uncertain
from recoup.messaging.ports import LineTrouble

FRESH = 0.25
_WARM = 3.0  # seconds for which a kept connection is trusted; then the account is asked about, which warms it again
_STEPS = (1, 5, 15, 60)  # minutes before the second, third, ... try


class Api(Protocol):
    """What a provider's own part does."""

    def check(self) -> None:
        """See that the provider answers and knows us.

        :raises LineTrouble: if not.
        """

    def ask(self, message: ShortMessage) -> Outcome | None:
        """Ask what became of a message that was offered before; `None` if the provider cannot say."""

    def send(self, message: ShortMessage, before_write: Callable[[], None]) -> Outcome:
        """Offer a message. Never raises but what `before_write` raises."""

    def close(self) -> None:
        """Let connections go."""


class OneByOne:
    """The pace of a provider that takes one message a request."""

    size = 1

    def note(self, count: int, seconds: float) -> None:
        """There is nothing to learn."""


class HttpLine:
    """A line to a provider."""

    can_pipeline = False

    def __init__(self, make_api: Callable[[], Api]) -> None:
        self._make_api = make_api
        self._api: Api | None = None
        self._exchange: HttpExchange | None = None
        self._heard_at = -math.inf
        self.pace = OneByOne()

    def ready(self) -> None:
        """See that the provider answers, unless it has just done so.

        :raises LineTrouble: if it does not.
        """
        if self._exchange is not None and not self._exchange.is_alive:
            self.close()
        if self._api is None:
            self._api = self._make_api()
        if boot_seconds() - self._heard_at > _WARM:
            try:
                self._api.check()
            except LineTrouble:
                self.close()
                raise
        self._heard_at = boot_seconds()

    def exchange(self) -> "HttpExchange":
        """Begin to hand over."""
        assert self._api is not None, "not ready"
        self._heard_at = boot_seconds()
        self._exchange = HttpExchange(self._api)
        return self._exchange

    def close(self) -> None:
        """Let the connection go."""
        if self._api is not None:
            self._api.close()
        self._api = self._exchange = None
        self._heard_at = -math.inf


class HttpExchange:
    """Hands one message over. Used by one thread; the request has its own."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._open: ShortMessage | None = None
        self._began: dict[Hashable, float] = {}
        self._settled: list[tuple[Hashable, Outcome]] = []
        self._lock = threading.Lock()
        self._begun_or_done, self._done = threading.Event(), threading.Event()
        self._is_given_up = False
        self._is_running = False
        self.is_alive = True

    @property
    def owed(self) -> bool:
        """Whether an answer is still to come."""
        return self._is_running

    def began(self, key: Hashable) -> float | None:
        """Return the instant, on the boot clock, at which the request's first byte was about to be written."""
        return self._began.get(key)

    def open(self, mail: ShortMessage) -> Outcome | None:
        """Ask about a message that was offered before; any other may follow."""
        self._open = mail
        return self._api.ask(mail) if mail.handed_at is not None else None

    def reset(self) -> None:
        """The check said no: nothing was written."""
        self._open = None

    def write_next(self, mail: ShortMessage) -> None:
        """There is no stream here."""
        raise NotImplementedError("one request a message")

    def write_last(self) -> None:
        """There is no stream here."""

    def write_data(self, before: float = math.inf) -> None:
        """Begin the request in time or not at all; return once it has begun, failed, or is too late."""
        message = self._open
        assert message is not None, "nothing is open"
        self._is_running = True
        threading.Thread(target=self._send, args=(message, before), name="sms-request", daemon=True).start()
        self._begun_or_done.wait(None if before == math.inf else max(before - boot_seconds(), 0.0) + 0.05)
        with self._lock:
            if message.key not in self._began and not self._done.is_set():
                self._is_given_up = True
                self.is_alive = self._is_running = False
                self._settle(message, NotHanded("no connection in time", Stage.CONNECT, is_ours=True))

    def _send(self, message: ShortMessage, before: float) -> None:
        def before_write() -> None:
            with self._lock:
                if self._is_given_up or boot_seconds() > before:
                    raise TooLateToWrite
                self._began[message.key] = boot_seconds()
            self._begun_or_done.set()

        try:
            outcome = self._api.send(message, before_write)
        except TooLateToWrite:
            outcome = NotHanded("the look was too old", Stage.CONNECT, is_ours=True)
        except Exception as error:  # noqa: BLE001 - every message begun gets its outcome
            text = f"{type(error).__name__}: {error}"
            is_begun = message.key in self._began
            outcome = Uncertain(text) if is_begun else NotHanded(text, Stage.CONNECT)
        with self._lock:
            if not self._is_given_up:
                self._settle(message, outcome)
                self.is_alive = not isinstance(outcome, NotHanded | Uncertain)
            self._done.set()
        self._begun_or_done.set()

    def _settle(self, message: ShortMessage, outcome: Outcome) -> None:
        self._settled.append((message.key, outcome))

    def collect(self, timeout: float | None) -> list[tuple[Hashable, Outcome]]:
        """Wait for the answer and return what is settled since the last call."""
        if self._is_running:
            self._done.wait(timeout)
        with self._lock:
            if self._done.is_set():
                self._is_running = False
            settled, self._settled = self._settled, []
        return settled


def retry_delay(attempt: int) -> timedelta:
    """Return how long to wait after this many tries."""
    return timedelta(minutes=_STEPS[min(max(attempt, 1), len(_STEPS)) - 1])


def refuse_in_demo(base_url: str) -> None:
    """See that a demo calls nothing but this machine: it sends no real message.

    :raises LineTrouble: if it would.
    """
    if settings.IS_DEMO and urlsplit(base_url).hostname not in {"127.0.0.1", "localhost"}:
        raise LineTrouble("the demo sends no real messages", stage=Stage.CONNECT.value, is_for_person=True)
