"""`demo`: a shop full of orders in the browser, from which no message ever leaves this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Annotated

import typer

from recoup.cli import ground, run
from recoup.cli.migrate import migrate, pending
from recoup.supervisor.processes import Program
from recoup.supervisor.settings import LAST_OWN_PORT

HOST = "127.0.0.1"


def demo(
    port: run.Port = 8000,
    seed_only: Annotated[bool, typer.Option("--seed-only", help="Only fill the demo's database.")] = False,
) -> None:
    """Run the demo shop at 127.0.0.1, with a mailbox that catches every mail and a clock that can be moved."""
    ground.use_demo()
    if seed_only:
        with ground.django_with_database():
            if pending():
                migrate(check=False)
            from recoup.demo import seed  # local: django

            seed.start_demo()
        return
    bank, mailbox = free_ports(2, after=port)
    os.environ["RECOUP_PUBLIC_URL"] = f"http://{HOST}:{port}"
    os.environ["RECOUP_DEMO_BANK_URL"] = f"http://{HOST}:{bank}"
    os.environ["RECOUP_DEMO_MAILBOX_PORT"] = str(mailbox)
    programs = [
        run.web_program(HOST, port, 1),
        run.worker_program(),
        module(
            "bank", "recoup.integrations.demobank.server", "--port", bank, "--ledger", ground.file_of("bank")
        ),
        module("mailbox", "recoup.demo.mailbox", "--port", mailbox),
    ]
    run.supervise(host=HOST, port=port, programs=programs, prepare=seed_in_child)


def seed_in_child() -> None:
    """Fill an empty demo, or tell a filled one the addresses of this start."""
    done = subprocess.run((*run.own_command("demo"), "--seed-only"), check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)


def module(name: str, dotted: str, *options: object) -> Program:
    """Return a module of ours as a program to supervise."""
    return Program(name=name, command=(sys.executable, "-m", dotted, *(str(option) for option in options)))


def free_ports(count: int, *, after: int) -> list[int]:
    """Return the next ports above one that nobody listens on."""
    found: list[int] = []
    for port in range(after + 1, LAST_OWN_PORT + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            break
    return found
