"""The embedded server: found again after kills, stopped by its last holder, out of others' reach."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from recoup.supervisor import machine, places
from recoup.supervisor.errors import StartFailed, StopFailed, WrongVersion
from recoup.supervisor.postgres import Server
from tests.supervisor.conftest import Begin

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")


def killed(pid: int) -> None:
    """Kill a process and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    assert machine.wait_until(lambda: not machine.is_alive(pid), seconds=60)


def pid_of(server: Server) -> int:
    """Return the number of a server that runs."""
    assert server.pid is not None
    return server.pid


def ask(server: Server, question: str, database: str = "postgres") -> object:
    """Return the one value that a question gives."""
    with psycopg.connect(server.url(database)) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def test_ensure_finds_the_running_server(begin: Begin) -> None:
    first = begin()

    second = begin()

    assert second.pid == first.pid
    assert second.is_running()


def test_stop_ends_the_server_and_start_keeps_address_and_rows(begin: Begin) -> None:
    server = begin()
    server.create_database("recoup")
    address = server.url("recoup")
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    server.stop()
    stopped = (server.is_running(), machine.processes_in(server.place.data))
    server.start()

    assert stopped == (False, [])
    assert server.url("recoup") == address
    assert ask(server, "SELECT number FROM kept", "recoup") == 7


def test_create_database_says_whether_it_made_one(running: Server) -> None:
    assert [running.create_database("shop"), running.create_database("shop")] == [True, False]


def test_a_killed_server_is_started_again_with_its_rows(begin: Begin) -> None:
    server = begin(fast=False)
    server.create_database("recoup")
    with psycopg.connect(server.url("recoup")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    before = pid_of(server)

    killed(before)
    again = begin(fast=False)

    assert again.pid != before
    assert ask(again, "SELECT number FROM kept", "recoup") == 7


def test_a_server_killed_in_a_long_statement_is_started_again(begin: Begin) -> None:
    server = begin()
    script = "import psycopg, sys; psycopg.connect(sys.argv[1]).execute('SELECT pg_sleep(600)')"
    client = subprocess.Popen(
        [sys.executable, "-c", script, server.url("postgres")], stderr=subprocess.DEVNULL
    )
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)'"
    assert machine.wait_until(lambda: ask(server, asleep) == 1, seconds=60)

    killed(pid_of(server))
    again = begin()

    assert ask(again, asleep) == 0
    assert client.wait(timeout=60) == 1


def test_the_server_outlives_a_killed_supervisor_and_is_adopted(begin: Begin) -> None:
    script = (
        "import os; from recoup.supervisor.postgres import Server\n"
        "with Server.at('main', fast=True).held() as server:\n"
        "    print(server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    left = int(done.stdout)

    adopted = begin()

    assert done.returncode == -signal.SIGKILL
    assert adopted.pid == left
    with adopted.held():
        pass
    assert not machine.is_alive(left)


def test_a_pid_file_that_names_a_stranger_does_not_keep_the_server_down(begin: Begin) -> None:
    server = begin()
    pid_file = server.place.data / "postmaster.pid"
    text = pid_file.read_text()
    killed(pid_of(server))
    stranger = os.getpid()
    pid_file.write_text(text.replace(text.splitlines()[0], str(stranger), 1))

    again = begin()

    assert again.pid not in {None, stranger}
    assert again.is_running()


def test_the_last_holder_stops_the_server(begin: Begin) -> None:
    server = begin()
    seen = []

    with server.held():
        with Server.at().held():
            seen.append(server.is_running())
        seen.append(server.is_running())

    assert [*seen, server.is_running()] == [True, True, False]


def test_many_who_start_it_at_once_get_one_server(begin: Begin) -> None:
    begin().stop()
    pids: list[int | None] = []
    threads = [threading.Thread(target=lambda: pids.append(Server.ensure(fast=True).pid)) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(pids) == 4
    assert len(set(pids)) == 1


def test_stop_gives_up_after_the_patience_of_its_caller(begin: Begin) -> None:
    server = begin()

    with psycopg.connect(server.url("postgres")), pytest.raises(StopFailed, match="still runs after"):
        server.stop("smart", patience=0.2)

    assert server.pid is not None


def test_environment_of_the_caller_does_not_reach_the_server(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "LC_ALL": "ru_RU.UTF-8",
        "LANG": "pl_PL",
        "TZ": "Asia/Tokyo",
        "PGDATA": "/nowhere",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGOPTIONS": "--wrong",
    }.items():
        monkeypatch.setenv(name, value)
    if os.environ["PGOPTIONS"]:
        monkeypatch.delenv("PGOPTIONS")  # libpq of this very process would send it

    server = begin()

    question = "SELECT concat_ws(' ', current_setting('TimeZone'), getdatabaseencoding(), upper('żółć ж'))"
    assert ask(server, question) == "UTC UTF8 ŻÓŁĆ Ж"


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(
    begin: Begin, var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUP_VAR", str(var / ("a" * 90) / ("b" * 110)))
    (var / ("a" * 90)).mkdir(parents=True)
    var.chmod(0o711)
    (var / ("a" * 90)).chmod(0o711)

    server = begin()

    folder = server.place.socket_folder
    assert len(str(folder)) < 60
    assert folder.stat().st_mode & 0o777 == 0o700
    assert server.is_running()


def test_passwords_are_asked_for_and_kept_from_others(running: Server) -> None:
    wrong = running.url("postgres").replace(
        ":" + running.url("postgres").split(":")[2].split("@")[0], ":guess"
    )

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)

    kept = {path.name: path.stat().st_mode & 0o777 for path in running.place.home.glob("*.password")}
    assert kept == {"recoup.password": 0o600, "postgres.password": 0o600}
    assert ask(running, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_tcp_is_silent_unless_asked_for(begin: Begin) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
    port = next(port for port in random.sample(range(20_000, 32_000), 99) if _is_free(port))

    quiet = begin("quiet")
    loud = begin("loud", port=port)

    assert ask(quiet, "SELECT current_setting('listen_addresses')") == ""
    assert not _is_free(port)
    assert loud.is_running()
    with pytest.raises(ValueError, match="between 1 and 32767"):
        Server.at(port=40_000)


def test_data_of_another_version_is_refused_with_advice(begin: Begin) -> None:
    server = begin()
    server.stop()
    (server.place.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(WrongVersion, match="written by PostgreSQL 17, and this is 18") as refused:
        Server.ensure()

    assert "backup" in refused.value.advice
    (server.place.data / "PG_VERSION").write_text("18\n")


def test_a_broken_cluster_is_kept_unless_it_may_be_thrown_away(begin: Begin) -> None:
    server = begin()
    server.stop()
    control = server.place.data / "global" / "pg_control"
    control.write_bytes(b"\0" * 100)

    with pytest.raises(StartFailed, match="pg_control"):
        Server.ensure(fast=False)
    broken = control.read_bytes()
    made_anew = begin(fast=True)

    assert broken == b"\0" * 100
    assert made_anew.is_running()


def test_an_initdb_that_was_killed_leaves_nothing_in_the_way(begin: Begin) -> None:
    server = Server.at(fast=True)
    half = server.place.home / "data.new" / "base"
    half.mkdir(parents=True)

    assert begin(is_copied=False).is_running()

    assert not half.exists()


@AS_ROOT
def test_root_runs_the_server_under_another_account(running: Server) -> None:
    status = (machine.PROC / str(running.pid) / "status").read_text()

    uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert "0" not in uids


@AS_ROOT
def test_root_in_a_private_home_keeps_the_data_elsewhere_and_says_so(begin: Begin, var: Path) -> None:
    var.parent.chmod(0o700)
    told: list[str] = []

    server = begin()
    Server.ensure(fast=True, tell=told.append)

    assert server.place.home.parent == Path("/var/lib/recoup")
    assert var.parent.stat().st_mode & 0o777 == 0o700
    assert told == [server.place.remark]
    assert str(server.place.home) in server.place.remark


@AS_ROOT
def test_root_in_a_private_home_runs_a_copy_of_the_programs(
    begin: Begin, var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = places.wheel_programs(18).parent.parent
    private = var.parent / "private"
    private.mkdir(mode=0o700)
    shutil.copytree(package / "pginstall18", private / package.name / "pginstall18")
    shutil.copytree(f"{package}.libs", private / f"{package.name}.libs")
    monkeypatch.setattr(
        places, "wheel_programs", lambda _version: private / package.name / "pginstall18" / "bin"
    )
    monkeypatch.setattr(places, "SHARED_HOME", var.parent / "shared")

    server = begin()

    assert server.is_running()
    assert server.place.programs.is_relative_to(var.parent / "shared")
    assert private.stat().st_mode & 0o777 == 0o700


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
