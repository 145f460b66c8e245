"""`recoup run` as an owner has it: comes up, survives the kill of each part and of itself, and stops cleanly."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from recoup.cli.address import WHAT_TO_DO, require_public_address
from recoup.config import environment
from recoup.supervisor import cluster, machine
from recoup.supervisor.postgres import Server
from recoup.supervisor.runlock import only_supervisor
from tests import databases

# Long, because a slow machine migrates for a while; nothing waits longer than it must.
PATIENCE = 180.0
ADDRESS = {"RECOUP_PUBLIC_URL": "https://recoup.example.com"}


class Running:
    """A `recoup run` in a folder of its own."""

    def __init__(self, var: Path, environment: dict[str, str], port: int) -> None:
        self.var = var
        self.port = port
        self._environment = environment | ADDRESS
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        """Start it, and take it for the one that runs."""
        options = ["run", "--port", str(self.port), "--processes", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "recoup", *options],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self.process

    def is_green(self) -> bool:
        """Tell whether web, database and worker are up."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=5, trust_env=False)
        except httpx.HTTPError:
            return False
        return bool(answer.json()["status"] == "green")

    def waits_for_green(self) -> bool:
        """Wait until all is up."""
        return machine.wait_until(self.is_green, seconds=PATIENCE, pause=0.2)

    def programs(self) -> list[int]:
        """Return the processes under it: web, worker, watchdog."""
        return [int(row["pid"]) for row in json.loads((self.var / "run.json").read_text())]


@pytest.fixture
def var(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_full_size: bool
) -> Path:
    """Return the folder of an installation that is one migration behind; in full size, one that is not there yet."""
    var = tmp_path / "var"
    if not is_full_size:
        request.getfixturevalue("django_db_setup")
    monkeypatch.setenv("RECOUP_VAR", str(var))
    if not is_full_size:
        with Server.at().held() as server:
            server.create_database("recoup")
            assert databases.copy_to_server(server.url(), version=server.place.version)
            with psycopg.connect(server.url()) as connection:
                connection.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
                connection.execute("DROP TABLE django_session")
    return var


@pytest.fixture
def running(clean_environment: dict[str, str], var: Path) -> Iterator[Running]:
    """Return a Recoup that was started; whatever is left of it afterwards is ended."""
    port = next(port for port in random.sample(range(21_000, 30_000), 99) if is_free(port))
    runs = Running(var, clean_environment, port)
    yield runs
    left = runs.programs() if (var / "run.json").exists() else []
    for pid in [runs.process.pid, *left]:
        if machine.is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    runs.process.communicate()
    server = Server.at()
    server.stop("immediate")
    cluster.throw_away(server.place)
    shutil.rmtree(server.place.home)
    shutil.rmtree(server.place.socket_folder, ignore_errors=True)


@pytest.mark.faults
@pytest.mark.slow
def test_run_survives_every_kill_and_stops_cleanly(running: Running, is_full_size: bool) -> None:
    assert running.waits_for_green()
    server = Server.at()

    web, worker, _watchdog = running.programs()
    os.kill(web, signal.SIGKILL)
    assert machine.wait_until(lambda: running.programs()[0] != web, seconds=PATIENCE)
    assert running.waits_for_green()

    before = server.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert machine.wait_until(lambda: server.pid not in {None, before}, seconds=PATIENCE)
    assert running.waits_for_green()
    assert machine.is_alive(worker)

    first, database = running.process, server.pid
    first.kill()
    told = first.communicate()[0]
    assert "Make your account: https://" in told
    assert ("migrating: 1 steps" in told) != is_full_size
    assert "migrating: " in told
    running.start()
    assert machine.wait_until(lambda: not machine.is_alive(worker), seconds=PATIENCE)
    assert running.waits_for_green()
    assert server.pid == database

    running.process.send_signal(signal.SIGTERM)
    told = running.process.communicate(timeout=PATIENCE)[0]
    assert running.process.returncode == 0
    assert [line.split("stopping ")[1] for line in told.splitlines() if "stopping" in line] == [
        "web",
        "worker",
        "watchdog",
    ]
    assert machine.processes_in(server.place.data) == []
    assert is_free(running.port)


def test_a_second_run_is_told_who_is_there(clean_environment: dict[str, str], tmp_path: Path) -> None:
    with only_supervisor(tmp_path / "var" / "run.lock", about="at http://127.0.0.1:8000"):
        second = recoup_run(clean_environment | ADDRESS, "--port", "8001")

    assert second.returncode == 1
    assert (
        f"runs from {tmp_path / 'var'} already: process {os.getpid()}, at http://127.0.0.1:8000."
        in second.stderr
    )
    assert not (tmp_path / "var" / "postgres").exists()


def test_a_start_without_a_public_address_says_what_to_do(
    clean_environment: dict[str, str], tmp_path: Path
) -> None:
    done = recoup_run(clean_environment, stdin=subprocess.DEVNULL)

    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["Recoup has no public address yet.", WHAT_TO_DO],
    )
    assert not (tmp_path / "var").exists()


def test_the_first_start_asks_for_the_public_address_until_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOUP_VAR", str(tmp_path))
    for name in ("RECOUP_DEMO", "RECOUP_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("http://shop.example\nhttps://shop.example/\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    require_public_address()
    require_public_address()

    assert "The address must begin with https://" in capsys.readouterr().err
    assert environment.public_url(is_demo=False, var=tmp_path) == "https://shop.example"
    assert environment.public_url(is_demo=True, var=tmp_path) == "http://127.0.0.1:8000"


def test_a_port_that_is_taken_is_said_before_anything_starts(
    clean_environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = recoup_run(clean_environment | ADDRESS, "--port", str(taken.getsockname()[1]))

    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert not (tmp_path / "var" / "postgres").exists()


def recoup_run(
    environment: dict[str, str], *options: str, stdin: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `recoup run` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "recoup", "run", *options],
        env=environment,
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
