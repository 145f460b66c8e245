"""Servers of these tests: each in a var/ folder of its own, thrown away afterwards."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recoup.supervisor import cluster
from recoup.supervisor.postgres import Server

Begin = Callable[..., Server]


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty folder that Recoup takes for its var/. The account of the database can reach it."""
    parent = Path(tempfile.mkdtemp(prefix="recoup-test-"))
    parent.chmod(0o711)
    monkeypatch.setenv("RECOUP_VAR", str(parent / "var"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    yield parent / "var"
    parent.chmod(0o711)
    shutil.rmtree(parent)


@pytest.fixture(scope="session")
def made_home() -> Iterator[Path]:
    """Return the home of a cluster that was made, started and stopped once, for tests to copy."""
    parent = Path(tempfile.mkdtemp(prefix="recoup-test-"))
    parent.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECOUP_VAR", str(parent / "var"))
        server = Server.ensure(fast=True)
    server.stop()
    yield server.place.home
    shutil.rmtree(parent)
    shutil.rmtree(server.place.home, ignore_errors=True)
    shutil.rmtree(server.place.socket_folder, ignore_errors=True)


@pytest.fixture
def begin(var: Path, made_home: Path) -> Iterator[Begin]:
    """Return `Server.ensure`, quick and silent; what it started is stopped and deleted after the test."""
    places = {}

    def ensure(
        instance: str = "main", *, fast: bool = True, port: int | None = None, is_copied: bool = True
    ) -> Server:
        home = Server.at(instance).place.home
        if is_copied and not (home / "data").exists():
            _copy(made_home, home)
        server = Server.ensure(instance, 18, fast=fast, port=port)
        places[server.place.home] = server
        return server

    yield ensure
    for server in places.values():
        _end(server)


@pytest.fixture(scope="module")
def running(made_home: Path) -> Iterator[Server]:
    """Return a server that runs, for tests that only ask it something."""
    parent = Path(tempfile.mkdtemp(prefix="recoup-test-"))
    parent.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECOUP_VAR", str(parent / "var"))
        _copy(made_home, Server.at().place.home)
        server = Server.ensure(fast=True)
    yield server
    _end(server)
    shutil.rmtree(parent)


def _copy(made_home: Path, home: Path) -> None:
    for name in ("data", "recoup.password", "postgres.password"):
        subprocess.run(["cp", "-a", str(made_home / name), str(home / name)], check=True)


def _end(server: Server) -> None:
    server.stop("immediate")
    cluster.throw_away(server.place)
    shutil.rmtree(server.place.home)
    shutil.rmtree(server.place.socket_folder, ignore_errors=True)
