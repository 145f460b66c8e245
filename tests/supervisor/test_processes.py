"""The supervisor of web and worker, tried with small programs that behave badly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recoup.supervisor import keeper, machine
from recoup.supervisor.keeper import DatabaseKeeper
from recoup.supervisor.processes import Program, Supervisor
from tests.supervisor.conftest import Begin

STAYS = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
LEAVES_CHILD = (
    "import subprocess, sys;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True)"
)
SUPERVISES = """
import sys
from pathlib import Path
from recoup.supervisor.processes import Program, Supervisor
program = Program(name="web", command=(sys.executable, "-c", sys.argv[2]), grace=60)
Supervisor([program], tell=lambda name, line: print(name, line, flush=True), notes=Path(sys.argv[1])).run()
"""


class Told:
    """Collects what a supervisor says, and stops it when a condition holds."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def of(self, name: str) -> list[str]:
        """Return the lines of one program."""
        return [line for teller, line in self.lines if teller == name]


def python(name: str, script: str, *, grace: float = 60.0) -> Program:
    """Return a program that runs a line of Python."""
    return Program(name=name, command=(sys.executable, "-S", "-c", script), grace=grace)


def run_until(condition: Callable[[], bool], supervisor: Supervisor, *, stops: int = 1) -> None:
    """Run a supervisor and ask it to stop as soon as the condition holds, or after a minute."""

    def watch() -> None:
        machine.wait_until(condition, seconds=60)
        for _ in range(stops):
            supervisor.request_stop()

    watcher = threading.Thread(target=watch)
    watcher.start()
    supervisor.run()
    watcher.join()


def test_lines_of_all_programs_carry_their_names(tmp_path: Path) -> None:
    told = Told()
    programs = [
        python("web", STAYS),
        python("worker", "import sys, time; print('a\\n\\nb\\xe9', file=sys.stderr); time.sleep(600)"),
    ]

    run_until(lambda: len(told.lines) == 3, Supervisor(programs, tell=told, notes=tmp_path / "run.json"))

    assert told.of("web") == ["up"]
    assert told.of("worker") == ["a", "bé"]


def test_what_dies_is_started_again_with_growing_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "PAUSES", (0.05, 0.1, 0.2))
    told = Told()
    supervisor = Supervisor([python("worker", "raise SystemExit(3)")], tell=told, notes=tmp_path / "run.json")

    run_until(lambda: len(told.lines) >= 4, supervisor)

    assert told.of("worker")[:4] == [
        f"ended with 3; next start in {seconds} s" for seconds in (0.05, 0.1, 0.2, 0.2)
    ]


def test_pauses_grow_to_ten_seconds_and_no_further() -> None:
    assert [keeper.pause_after(failures) for failures in range(7)] == [0, 1, 2, 5, 10, 10, 10]


def test_programs_are_stopped_in_order_and_killed_after_their_grace(tmp_path: Path) -> None:
    told = Told()
    programs = [python("web", STAYS), python("worker", STUBBORN, grace=0.3)]
    begun = time.monotonic()

    run_until(
        lambda: sorted(told.lines) == [("web", "up"), ("worker", "up")],
        Supervisor(programs, tell=told, notes=tmp_path / "run.json"),
    )

    assert told.of("run") == ["stopping web", "stopping worker", "killing worker"]
    assert time.monotonic() - begun < 60
    assert not (tmp_path / "run.json").exists()


def test_a_second_signal_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    told = Told()
    supervisor = Supervisor([python("worker", STUBBORN, grace=600)], tell=told, notes=tmp_path / "run.json")

    run_until(lambda: told.of("worker") == ["up"], supervisor, stops=2)

    assert told.of("run") == ["stopping worker", "killing worker"]


def test_children_of_a_dead_program_do_not_outlive_it(tmp_path: Path) -> None:
    told = Told()
    supervisor = Supervisor([python("web", LEAVES_CHILD)], tell=told, notes=tmp_path / "run.json")

    run_until(lambda: len(told.lines) >= 2, supervisor)

    child = int(told.of("web")[0])
    assert machine.wait_until(lambda: not machine.is_alive(child), seconds=60)


def test_programs_stop_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor, child = started(tmp_path, STAYS)

    supervisor.kill()
    supervisor.communicate()

    assert machine.wait_until(lambda: not machine.is_alive(child), seconds=60)


def test_the_next_supervisor_ends_what_a_killed_one_left(tmp_path: Path) -> None:
    supervisor, child = started(tmp_path, STUBBORN)
    supervisor.kill()
    supervisor.communicate()
    told = Told()
    survived = machine.is_alive(child)

    next_one = Supervisor([python("web", STAYS, grace=0.3)], tell=told, notes=tmp_path / "run.json")
    run_until(lambda: told.of("web") == ["up"], next_one)

    assert survived
    assert told.of("run")[0] == "ended 1 programs that a killed supervisor had left"
    assert not machine.is_alive(child)


def test_sigterm_stops_a_supervisor_cleanly(tmp_path: Path) -> None:
    supervisor, child = started(tmp_path, STAYS)

    supervisor.send_signal(signal.SIGTERM)

    assert supervisor.communicate(timeout=60)[0] == "run stopping web\n"
    assert supervisor.returncode == 0
    assert not machine.is_alive(child)


def test_a_killed_database_is_started_again(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.05)
    server = begin()
    told: list[str] = []
    watching = DatabaseKeeper(server, tell=told.append)
    watching.start()
    before = server.pid
    assert before is not None

    os.kill(before, signal.SIGKILL)

    assert machine.wait_until(lambda: told[1:] == ["PostgreSQL is back"], seconds=60)
    watching.stop()
    assert server.is_running()
    assert server.pid != before


def started(folder: Path, script: str) -> tuple[subprocess.Popen[str], int]:
    """Start a supervisor as a process of its own; return it and its program's number, once that is up."""
    notes = folder / "run.json"
    command = [sys.executable, "-c", SUPERVISES, str(notes), script]
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "web up\n"
    row = notes.read_text()
    return supervisor, int(row.split('"pid": ')[1].split(",")[0])
