"""The embedded PostgreSQL server: made, started, found again, stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
from psycopg import sql

from recoup.supervisor import cluster, locks, machine
from recoup.supervisor.cluster import Postmaster
from recoup.supervisor.errors import StartFailed, StopFailed
from recoup.supervisor.places import Place, find_place
from recoup.supervisor.settings import LAST_OWN_PORT

OWNER = "recoup"
SUPERUSER = "postgres"
# How often somebody who waits for a long recovery or a long stop hears that it goes on.
REMIND_SECONDS = 10.0

Tell = Callable[[str], None]
STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def _silent(_line: str) -> None:
    """Tell nobody."""


class Server:
    """One instance of the embedded PostgreSQL.

    `Server.ensure()` returns it running: started, or found running because its supervisor was killed or
    another command uses it. Nothing stops it but `stop()`, or the last `held()` block that ends.
    """

    def __init__(self, place: Place, *, fast: bool, port: int | None, tell: Tell) -> None:
        self.place = place
        self._fast = fast
        self._port = port
        self._tell = tell

    @classmethod
    def ensure(
        cls,
        instance: str = "main",
        version: int = 18,
        *,
        fast: bool = False,
        port: int | None = None,
        tell: Tell = _silent,
    ) -> Server:
        """Return the server of an instance, running.

        :param fast: for data that may be thrown away: no fsync, and a broken cluster is made anew.
        :param port: also listen on 127.0.0.1 with this port; by default on the unix socket alone.
        :raises SupervisorError: one of its kinds, with advice, if the server cannot be had.
        """
        server = cls.at(instance, version, fast=fast, port=port, tell=tell)
        with locks.exclusive(server.place.start_lock):
            server._start()  # noqa: SLF001 (its own)
        return server

    @classmethod
    def at(
        cls,
        instance: str = "main",
        version: int = 18,
        *,
        fast: bool = False,
        port: int | None = None,
        tell: Tell = _silent,
    ) -> Server:
        """Return the server of an instance as it is, running or not."""
        if port is not None and not 0 < port <= LAST_OWN_PORT:
            raise ValueError(f"The port of the database must lie between 1 and {LAST_OWN_PORT}, not {port}.")
        place = find_place(instance, version)
        if place.remark:
            tell(place.remark)
        return cls(place, fast=fast, port=port, tell=tell)

    @property
    def pid(self) -> int | None:
        """The number of the server's process, or None while it does not run."""
        found = Postmaster.read(self.place.data)
        return found.pid if found and machine.is_postgres_of(found.pid, self.place.data) else None

    def is_running(self) -> bool:
        """Tell whether the server runs and lets its owner in."""
        return self.pid is not None and self._answers(OWNER, "postgres")

    def url(self, database: str = "recoup") -> str:
        """Return the address of a database for `recoup`: no superuser, but may make databases and roles."""
        return self._url(OWNER, database)

    def superuser_url(self, database: str = "postgres") -> str:
        """Return the address of a database for the superuser. Recoup itself never uses it."""
        return self._url(SUPERUSER, database)

    def create_database(self, name: str) -> bool:
        """Make an empty database, and return False if it was there already."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return False
        return True

    @contextmanager
    def held(self) -> Iterator[Server]:
        """Keep the server running for the time of the block, and stop it afterwards if nobody else holds it.

        Holders are counted by a lock that the kernel drops, so one who is killed does not keep the server up.
        """
        descriptor = locks.open_lock_file(self.place.home / "holders.lock")
        try:
            with locks.exclusive(self.place.start_lock):
                self._start()
                locks.share(descriptor)
            yield self
        finally:
            with locks.exclusive(self.place.start_lock):
                if locks.try_exclusive(descriptor):
                    self._stop("fast", patience=None)
                os.close(descriptor)

    def start(self) -> None:
        """Start the server if it does not run, as after a crash. A socket in use keeps its address."""
        with locks.exclusive(self.place.start_lock):
            self._start()

    def stop(self, mode: str = "fast", *, patience: float | None = None) -> None:
        """Stop the server and wait until it is gone, without limit unless a patience in seconds is given.

        :param mode: `fast` cuts sessions and writes all down, `immediate` leaves that to the next start.
        :raises StopFailed: if it still runs after the given patience.
        """
        with locks.exclusive(self.place.start_lock):
            self._stop(mode, patience=patience)

    def _start(self) -> None:
        cluster.prepare(self.place, fast=self._fast)
        while (pid := self.pid) is not None:
            if self._wait_until_ready(pid):
                break
            self._wait_until_gone(pid, patience=None)
        else:
            self._launch()
        if not self._answers(OWNER, "postgres"):
            self._make_owner()

    def _launch(self) -> None:
        cluster.clear_remains(self.place)
        try:
            self._launch_once()
        except StartFailed:
            if not self._fast:
                raise
            cluster.throw_away(self.place)
            cluster.prepare(self.place, fast=True)
            self._launch_once()

    def _launch_once(self) -> None:
        if not self._wait_until_ready(cluster.launch(self.place, port=self._port, fast=self._fast)):
            raise StartFailed(
                f"PostgreSQL ended instead of starting:\n{cluster.last_words(self.place)}",
                advice=f"The whole log is in {self.place.log_folder}.",
            )

    def _wait_until_ready(self, pid: int) -> bool:
        """Wait without limit until the server lets people in; False if it ends, or is ending."""
        reminder = time.monotonic() + REMIND_SECONDS
        while machine.is_alive(pid):
            found = Postmaster.read(self.place.data)
            if found and found.pid == pid:
                if found.status == "stopping":
                    return False
                if found.status == "ready" and self._answers(SUPERUSER, "postgres"):
                    return True
            if time.monotonic() > reminder:
                self._tell(
                    "PostgreSQL is still starting; after a crash it repeats what was not yet written down."
                )
                reminder += REMIND_SECONDS
            time.sleep(0.02)
        return False

    def _stop(self, mode: str, *, patience: float | None) -> None:
        pid = self.pid
        if pid is not None:
            os.kill(pid, STOP_SIGNALS[mode])
            self._wait_until_gone(pid, patience=patience)
        cluster.clear_remains(self.place)

    def _wait_until_gone(self, pid: int, *, patience: float | None) -> None:
        started = time.monotonic()
        reminder = started + REMIND_SECONDS
        while machine.is_alive(pid):
            waited = time.monotonic() - started
            if patience is not None and waited > patience:
                raise StopFailed(
                    f"PostgreSQL (process {pid}) still runs after {waited:.0f} s.",
                    advice="It is writing down its data. Wait, or read its log before you end it by force.",
                )
            if time.monotonic() > reminder:
                self._tell("PostgreSQL is still stopping.")
                reminder += REMIND_SECONDS
            time.sleep(0.02)

    def _answers(self, role: str, database: str) -> bool:
        try:
            psycopg.connect(self._url(role, database), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            # A server that is full lives and is not to be started again.
            return "too many clients" in str(error) or "remaining connection slots" in str(error)
        return True

    def _make_owner(self) -> None:
        secret = self._password(OWNER)
        with psycopg.connect(self.superuser_url(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone()
            if not known:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(OWNER)))
            statement = "ALTER ROLE {} LOGIN CREATEDB CREATEROLE BYPASSRLS PASSWORD {}"
            connection.execute(sql.SQL(statement).format(sql.Identifier(OWNER), sql.Literal(secret)))
            granted = "GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO {}"
            connection.execute(sql.SQL(granted).format(sql.Identifier(OWNER)))

    def _url(self, role: str, database: str) -> str:
        found = Postmaster.read(self.place.data)
        folder = found.socket_folder if found and found.socket_folder else str(self.place.socket_folder)
        port = found.port if found and found.port else 5432
        secret = quote(self._password(role), safe="")
        where = f"host={quote(folder, safe='')}&port={port}"
        return f"postgresql://{role}:{secret}@/{quote(database, safe='')}?{where}"

    def _password(self, role: str) -> str:
        return cluster.kept_password(self.place, role)
