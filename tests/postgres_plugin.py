"""A pytest plugin, loaded before Django's, that gives the run a server and a database name of its own.

- `DATABASE_URL` names a server to use instead of the embedded one.
- `RECOUP_TEST_PG=16` runs on PostgreSQL 16; the default is 18.
- Several runs at the same time share the server and take different slots, so their databases do not meet.

Workers of pytest-xdist inherit all this from the environment and start nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recoup.supervisor import locks
from recoup.supervisor.places import var_folder
from recoup.supervisor.postgres import Server

MOST_RUNS = 20
_PREPARED = "RECOUP_TEST_PREPARED"
_stack = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Start the server, or find it, before the Django settings are read."""
    if _PREPARED not in os.environ:
        _prepare()
    yield


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Let go of the server; the last run that held it stops it."""
    _stack.close()


def _prepare() -> None:
    slot = _take_slot(var_folder())
    os.environ[_PREPARED] = str(slot)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recoup.config.settings")
    os.environ.setdefault("RECOUP_TEST", "1")  # an address on this machine, and no built front end needed
    if os.environ.get("DATABASE_URL"):
        return
    version = int(os.environ.get("RECOUP_TEST_PG", "18"))
    server = Server.at(f"test{version}", version, fast=True)
    _stack.enter_context(server.held())
    os.environ["RECOUP_DATABASE_URL"] = server.url(f"recoup_{slot}")
    os.environ["RECOUP_TEST_SUPERUSER_URL"] = server.superuser_url()


def _take_slot(var: Path) -> int:
    (var / "tests").mkdir(parents=True, exist_ok=True)
    for slot in range(1, MOST_RUNS + 1):
        descriptor = locks.open_lock_file(var / "tests" / f"slot{slot}.lock")
        if locks.try_exclusive(descriptor):
            _stack.callback(os.close, descriptor)
            return slot
        os.close(descriptor)
    raise pytest.UsageError(f"{MOST_RUNS} test runs are going on in {var} already.")
