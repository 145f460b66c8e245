"""`run`, `web`, `worker`: Recoup as one, and its halves for those who spread them over machines."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Annotated

import typer

from recoup.cli import ground
from recoup.cli.address import require_public_address
from recoup.cli.telling import Teller
from recoup.supervisor import machine
from recoup.supervisor.keeper import DatabaseKeeper
from recoup.supervisor.postgres import Server
from recoup.supervisor.processes import Program, Supervisor, Tell
from recoup.supervisor.runlock import only_supervisor

# Requests that are under way get this long; a worker gets time to hear the answer to the mails it has handed over.
WEB_GRACE = 15.0
WORKER_GRACE = 30.0
# Open lines of one process; granian takes no further one beyond it. Idle ones cost it a few kilobytes.
CONNECTIONS = 2048
HEADER_SECONDS = 30

Host = Annotated[str, typer.Option(help="The address to listen on. Put a proxy with https before it.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]
Processes = Annotated[int, typer.Option(min=1, max=64, help="How many web processes.")]


def run(host: Host = "127.0.0.1", port: Port = 8000, processes: Processes = 2) -> None:
    """Run everything on this machine: database, web and worker. Ctrl-C stops it cleanly."""
    require_public_address()
    supervise(
        host=host,
        port=port,
        programs=[web_program(host, port, processes), worker_program(), watchdog_program()],
    )


def web(host: Host = "127.0.0.1", port: Port = 8000, processes: Processes = 2) -> None:
    """Run the web server alone."""
    require_public_address()
    if not ground.published_address():
        supervise(host=host, port=port, programs=[web_program(host, port, processes)])
        return
    allow_open_files()
    command = granian(host, port, processes)
    os.execv(command[0], command)  # noqa: S606 - our own command, in this process's place


def allow_open_files() -> None:
    """Let this process and what it becomes open as many files as it takes lines, where the machine permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS + 512
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def granian(
    host: str, port: int, processes: int, application: str = "recoup.config.asgi:application"
) -> list[str]:
    """Return how to start the web server. It cuts slow headers after `HEADER_SECONDS`; bodies are cut by our front."""
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--no-ws", "--http", "1"]
    command += ["--host", host, "--port", str(port), "--workers", str(processes)]
    command += ["--backpressure", str(CONNECTIONS), "--http1-header-read-timeout", str(HEADER_SECONDS * 1000)]
    command += ["--respawn-failed-workers", "--workers-kill-timeout", str(int(WEB_GRACE) - 5)]
    return [*command, "--log-level", "warning", application]


def worker() -> None:
    """Run a worker. Start as many as you like, on any machine that reaches the database."""
    require_public_address()
    with ground.django_with_database():
        from recoup.config import worker as loops  # local: django

        loops.run()


def watchdog() -> None:
    """Watch over the others and write to the owners when they have stopped. `run` has one."""
    with ground.django_with_database():
        from recoup.config import watchdog as dog  # local: django

        dog.run()


def supervise(
    *, host: str, port: int, programs: list[Program], prepare: Callable[[], None] = lambda: None
) -> None:
    """Keep programs running over a migrated database until somebody stops us. `prepare` runs before they start."""
    address = f"http://{host}:{port}"
    with only_supervisor(ground.file_of("lock"), about=f"at {address}"):
        require_free(host, port)
        with ground.database() as server:
            migrate_first()
            prepare()
            with Teller() as tell:
                keeper = keeper_of(server, tell)
                supervisor = Supervisor(programs, tell=tell, notes=ground.file_of("json"), keeper=keeper)
                supervisor.run(started=lambda: announce(host, port, tell))


def announce(host: str, port: int, tell: Tell) -> None:
    """Say where Recoup is once somebody answers there."""
    where = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 (compared, not bound)

    def wait() -> None:
        if machine.wait_until(lambda: is_answering(where, port), seconds=120, pause=0.2):
            tell("run", f"Recoup is at http://{where}:{port}. Stop it with Ctrl-C.")
            if not ground.is_demo():  # its shop has an owner
                subprocess.run(
                    (*own_command("setup-link"), "--quiet", "--address", f"http://{where}:{port}"),
                    check=False,
                )

    threading.Thread(target=wait, name="announce", daemon=True).start()


def is_answering(host: str, port: int) -> bool:
    """Tell whether a port takes connections."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def web_program(host: str, port: int, processes: int) -> Program:
    """Return the web server as a program to supervise."""
    options = ("--host", host, "--port", str(port), "--processes", str(processes))
    return Program(name="web", command=(*own_command("web"), *options), grace=WEB_GRACE)


def worker_program() -> Program:
    """Return the worker as a program to supervise."""
    return Program(name="worker", command=own_command("worker"), grace=WORKER_GRACE)


def watchdog_program() -> Program:
    """Return the watchdog as a program to supervise; it holds nothing, so it is not waited for."""
    return Program(name="watchdog", command=own_command("watchdog"), grace=2.0)


def own_command(name: str) -> tuple[str, ...]:
    """Return how to start another command of ours."""
    return (sys.executable, "-m", "recoup", name)


def migrate_first() -> None:
    """Bring the tables up to date before anything uses them."""
    done = subprocess.run(own_command("migrate"), check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)


def keeper_of(server: Server | None, tell: Tell) -> DatabaseKeeper | None:
    """Return who looks after the embedded server, if it is ours."""
    return DatabaseKeeper(server, tell=lambda line: tell("database", line)) if server else None


def require_free(host: str, port: int) -> None:
    """Refuse to start when somebody listens there already, instead of restarting the web server for ever."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            ground.errors.print(f"Recoup cannot listen on {host} port {port}: {error.strerror}.", style="red")
            ground.errors.print("Stop the program that listens there, or choose another port with --port.")
            raise typer.Exit(1) from error
