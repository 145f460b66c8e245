"""What a kill or race test plays on: a database, a mail server, senders and payers as programs of their own.

Nothing of ours runs in the test's own process: everything is a child that may be killed, and the test reads the database
and the log of the mail server like a stranger.
"""

import atexit
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from recoup.supervisor import locks
from recoup.supervisor.places import var_folder
from recoup.supervisor.postgres import Server
from tests import databases

# A killed sender's messages are seen within two seconds, so that a run of half a minute shows their whole life.
QUICK_TIMING = {"poll": 0.05, "lease": 2.0, "sweep": 0.4}
ROOT = Path(__file__).resolve().parents[2]


class Stage:
    """A context manager; `name` tells databases and folders of runs at the same time apart."""

    def __init__(self, name: str, folder: Path, *, delay: float = 0.0, is_to_die: bool = False) -> None:
        self.name, self.folder = name, folder
        self._is_to_die = is_to_die  # then nobody else's test may play on the same server
        self._delay = delay  # of each answer of the mail server
        self._stack = contextlib.ExitStack()
        self.pids: set[int] = set()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            if self._is_to_die:
                self._stack.enter_context(locks.exclusive(var_folder() / "tests" / "dying.lock"))
            server = Server.at("dying" if self._is_to_die else "faults")
            self.server = self._stack.enter_context(server.held())
            self.url = self._stack.enter_context(_fresh_database(self.server, self.name))
            self._stack.callback(self._end_children)
            self.port = self._start_sink()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def sink_log(self) -> Path:
        """Where the mail server notes each mail before it answers."""
        return self.folder / "sink.jsonl"

    @property
    def pay_log(self) -> Path:
        """Where payers note each payment once it is known."""
        return self.folder / "payments.jsonl"

    def _start_sink(self) -> int:
        told = self.folder / "port"
        told.unlink(missing_ok=True)
        pid = self.start("sink", log=str(self.sink_log), delay=self._delay, port=str(told))
        deadline = time.monotonic() + 60
        while not told.exists():
            if time.monotonic() > deadline or not is_alive(pid):
                raise TimeoutError("the mail server did not start")
            time.sleep(0.01)
        return int(told.read_text(encoding="ascii"))

    def _end_children(self) -> None:
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # Children

    def start(self, role: str, **request: Any) -> int:
        """Start a child and return its pid."""
        nursery = _nursery()
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        words = str(self.folder / f"{role}.log")
        nursery.stdin.write(
            json.dumps({"role": role, "database": self.url, "words": words, **request}) + "\n"
        )
        nursery.stdin.flush()
        pid = int(nursery.stdout.readline())
        self.pids.add(pid)
        return pid

    def start_sender(self, *, weaken: Sequence[str] = (), failpoint: str = "", **timing: float) -> int:
        """Start a sender."""
        return self.start(
            "sender", weaken=list(weaken), failpoint=failpoint, timing={**QUICK_TIMING, **timing}
        )

    def start_payers(
        self,
        count: int,
        *,
        payments: int,
        reach: int,
        pause: float,
        seed: int,
        hooks: int = 0,
        weaken: Sequence[str] = (),
    ) -> list[int]:
        """Start payers who share the orders; `reach` is how far down the queue they look.

        As many as `hooks` pay by a call of the shop, known once it is answered; the others here.
        """
        return [
            self.start(
                "payer",
                weaken=list(weaken),
                number=number,
                payers=count,
                payments=payments // count,
                reach=reach,
                pause=pause,
                seed=seed + number,
                by_hook=number < hooks,
                log=str(self.pay_log),
            )
            for number in range(count)
        ]

    def make_world(self, *, messages: int, roads: int = 2) -> None:
        """Fill the database, and wait for it."""
        self.wait(self.start("world", port=self.port, messages=messages, roads=roads), seconds=300)
        assert self.value("SELECT count(*) FROM messaging_message") == messages

    def kill(self, pid: int) -> bool:
        """Kill a child of ours; tell whether it lived."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.wait(pid, seconds=60)
        return True

    def wait(self, pid: int, *, seconds: float) -> None:
        """Wait until a child has ended."""
        deadline = time.monotonic() + seconds
        while is_alive(pid):
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {pid} still runs after {seconds} s")
            time.sleep(0.01)
        self.pids.discard(pid)

    def terminate(self, pid: int, *, seconds: float) -> None:
        """Ask a child to stop, and wait until it has."""
        os.kill(pid, signal.SIGTERM)
        self.wait(pid, seconds=seconds)

    def wait_stopped(self, pid: int, *, seconds: float) -> None:
        """Wait until a child has stopped itself."""
        deadline = time.monotonic() + seconds
        while _state_of(pid) != "T":
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {pid} did not stop in {seconds} s")
            time.sleep(0.01)

    def wait_for_mails(self, count: int, *, seconds: float) -> None:
        """Wait until the mail server has taken so many."""
        deadline = time.monotonic() + seconds
        while not self.sink_log.exists() or self.sink_log.read_bytes().count(b"\n") < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"fewer than {count} mails in {seconds} s")
            time.sleep(0.01)

    # The database, read like a stranger

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with psycopg.connect(self.url, autocommit=True) as own:
            return own.execute(query.encode(), values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        """Return the one value that a query finds."""
        return self.rows(query, *values)[0][0]

    def are_on_their_way(self) -> int:
        """Return how many messages have not ended."""
        query = "SELECT count(*) FROM messaging_message WHERE state IN ('due', 'claimed', 'handing')"
        return int(self.value(query))

    def wait_drained(self, *, seconds: float) -> None:
        """Wait until no message is on its way any more."""
        deadline = time.monotonic() + seconds
        while left := self.are_on_their_way():
            if time.monotonic() > deadline:
                states = self.rows("SELECT state, reason, count(*) FROM messaging_message GROUP BY 1, 2")
                raise TimeoutError(f"{left} messages are still on their way: {states}")
            time.sleep(0.1)

    def outlive_leases(self) -> None:
        """Let the time pass for which the messages of senders that are dead or frozen stay theirs."""
        with psycopg.connect(self.url, autocommit=True) as own:
            own.execute(
                "UPDATE messaging_message SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL"
            )

    def end_senders(self, senders: Iterable[int]) -> None:
        """Let senders that have drained finish, and one more what they gave back: nobody is left who may know better.

        One that came to its look after its lease had run out puts right what another called uncertain meanwhile.
        """
        for pid in senders:
            self.terminate(pid, seconds=60)
        if self.are_on_their_way():
            last = self.start_sender(lease=60.0)
            self.wait_drained(seconds=60)
            self.terminate(last, seconds=60)

    def restart_database(self) -> None:
        """Let the server die as in a loss of power, and start it."""
        self.server.stop("immediate")
        self.server.start()


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that is only not buried yet does not."""
    return _state_of(pid) not in {"", "Z", "X"}


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


@functools.cache
def _nursery() -> subprocess.Popen[str]:
    """Return the program that forks the children of all stages; it is started once, and each child told its database."""
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "RECOUP_PUBLIC_URL": "https://recoup.example",
            "RECOUP_LOG_LEVEL": "ERROR",
            "PYTHONWARNINGS": "ignore",
        },
        cwd=ROOT,
    )
    atexit.register(_end, nursery)
    return nursery


def _end(nursery: subprocess.Popen[str]) -> None:
    nursery.terminate()
    nursery.communicate()


@contextlib.contextmanager
def _fresh_database(server: Server, name: str) -> Iterator[str]:
    template = databases.template_name()
    with locks.exclusive(var_folder() / "tests" / "faults.lock"):
        if template not in _names(server):
            _migrate(server, f"{template}_new")
            _run(server, "ALTER DATABASE {} RENAME TO {}", f"{template}_new", template)
        _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        _run(server, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
    try:
        yield server.url(name)
    finally:
        with contextlib.suppress(psycopg.Error):
            _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _names(server: Server) -> set[str]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as own:
        return {row[0] for row in own.execute("SELECT datname FROM pg_database").fetchall()}


def _run(server: Server, statement: str, *names: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as own:
        own.execute(sql.SQL(statement).format(*[sql.Identifier(name) for name in names]))


def _migrate(server: Server, name: str) -> None:
    """Make a migrated database: a copy of what other tests have migrated on their server, if they have."""
    _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _run(server, "CREATE DATABASE {}", name)
    if databases.copy_to_server(server.url(name), version=server.place.version):
        return
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(
        [*command, "--settings", "recoup.config.settings"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": server.url(name)},
    )
