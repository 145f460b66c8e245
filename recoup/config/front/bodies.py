"""Bodies of requests, taken in whole before any thread works on them (T14).

What bounds it: a body has half a minute, and more only as long as it keeps coming; it stands in memory up to `IN_MEMORY`
and beyond that in a file without a name; so many are under way for one client, so many in all, and so many bytes on disk.
"""

import asyncio
import io
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

Receive = Callable[[], Awaitable[dict[str, Any]]]

IN_MEMORY = 128 * 1024
# Who brings less than this a second once the time is over is cut: a telephone on a bad line brings four times as much.
LEAST_RATE = 16 * 1024
# A body that came at once is never cut to make room: a burst of a busy shop is no attack.
YOUNG_SECONDS = 1.0


class Refused(Exception):
    """The request is answered without anybody working on it."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(status, words)
        self.status = status
        self.words = words


class CallerLeft(Exception):
    """The caller is gone; nobody is left to answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken in at once by one process."""

    seconds: float = 30.0
    for_client: int = 128
    in_all: int = 512
    on_disk: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one request may bring. A `steady` body earns more time by what it brings; the others have the one limit."""

    client: str
    most: int
    is_steady: bool


class Body:
    """A body that came in whole, or is coming."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._folder = folder
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    @property
    def on_disk(self) -> int:
        """Return how many bytes stand on disk."""
        return self.size if self._file is not None else 0

    def add(self, block: bytes) -> None:
        """Keep what came; to disk once it is much."""
        self.size += len(block)
        if self._file is None and self.size <= IN_MEMORY:
            self._memory += block
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by `close`
            self._file.write(self._memory)
            self._memory.clear()
        self._file.write(block)

    def opened(self) -> IO[bytes]:
        """Return the body to read from its beginning."""
        if self._file is None:
            return io.BytesIO(self._memory)
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()


class _Seat:
    """One body under way: whose, since when, and the clock that cuts it."""

    def __init__(self, client: str, clock: asyncio.Timeout, began: float) -> None:
        self.client = client
        self.began = began
        self.is_cut = False
        self._clock = clock

    def cut(self, now: float) -> None:
        """End its time."""
        self.is_cut = True
        self._clock.reschedule(now)

    def prolong(self, until: float) -> None:
        """Give it more time, unless it was cut."""
        if not self.is_cut:
            self._clock.reschedule(until)


class Bodies:
    """All bodies that are under way in this process. Used by its event loop alone."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self._limits = limits
        self._folder = folder
        self._seats: dict[str, dict[_Seat, None]] = {}  # of each client, the oldest first
        self._taken = 0
        self._on_disk = 0

    async def take_in(self, receive: Receive, wanted: Wanted) -> Body:
        """Return a body once it is whole; `let_go` ends its life.

        :raises Refused: if it is too big, too slow, or there is no room.
        :raises CallerLeft: if the rest will never come.
        """
        body = Body(self._folder)
        try:
            async with asyncio.timeout(self._limits.seconds) as clock:
                with self._seat(wanted.client, clock) as seat:
                    await self._fill(body, receive, wanted, seat)
        except TimeoutError:
            self.let_go(body)
            raise Refused(408, "The request came too slowly and was given up.") from None
        except BaseException:
            self.let_go(body)
            raise
        return body

    def let_go(self, body: Body) -> None:
        """Forget a body that was worked on, or never will be."""
        self._on_disk -= body.on_disk
        body.close()

    async def _fill(self, body: Body, receive: Receive, wanted: Wanted, seat: _Seat) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise CallerLeft
            block, more = message.get("body", b""), message.get("more_body", False)
            if body.size + len(block) > wanted.most:
                raise Refused(413, "The request is too big.")
            self._keep(body, block)
            if wanted.is_steady:
                seat.prolong(seat.began + self._limits.seconds + body.size / LEAST_RATE)

    def _keep(self, body: Body, block: bytes) -> None:
        before = body.on_disk
        if before + len(block) > IN_MEMORY and self._on_disk + len(block) > self._limits.on_disk:
            raise Refused(503, "Too much is being sent at once. Please try again in a minute.")
        body.add(block)
        self._on_disk += body.on_disk - before

    @contextmanager
    def _seat(self, client: str, clock: asyncio.Timeout) -> Iterator[_Seat]:
        now = asyncio.get_running_loop().time()
        seat = _Seat(client, clock, now)
        self._make_room(client, now)
        self._seats.setdefault(client, {})[seat] = None
        self._taken += 1
        try:
            yield seat
        finally:
            self._leave(seat)

    def _make_room(self, client: str, now: float) -> None:
        """Cut the oldest body of a client that has too many, or of the one that has most: who comes last is quicker."""
        if len(self._seats.get(client, ())) >= self._limits.for_client:
            crowd = self._seats[client]
        elif self._taken >= self._limits.in_all:
            crowd = max(self._seats.values(), key=len)
        else:
            return
        oldest = next(iter(crowd))
        if now - oldest.began < YOUNG_SECONDS:
            raise Refused(503, "Too many requests are coming at once. Please try again in a minute.")
        self._leave(oldest)
        oldest.cut(now)

    def _leave(self, seat: _Seat) -> None:
        """Give a seat back; one that was cut gave it back already."""
        crowd = self._seats.get(seat.client, {})
        if seat not in crowd:
            return
        del crowd[seat]
        self._taken -= 1
        if not crowd:
            del self._seats[seat.client]
