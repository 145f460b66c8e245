"""What commands stand on: a terminal to write to, a database that answers, and Django set up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from recoup.supervisor.places import var_folder
from recoup.supervisor.postgres import Server

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def is_demo() -> bool:
    """Tell whether this process belongs to the demo, which has a database of its own."""
    return os.environ.get("RECOUP_DEMO", "").lower() in {"1", "true", "yes", "on"}


def use_demo() -> None:
    """Make this process, and those that it starts, part of the demo."""
    os.environ["RECOUP_DEMO"] = "1"


def database_name() -> str:
    """Return the name of the database in the embedded server."""
    return "recoup_demo" if is_demo() else "recoup"


def file_of(kind: str) -> Path:
    """Return the path of a file of the supervisor: `run.lock`, `demo.json`."""
    stem = "demo" if is_demo() else "run"
    return var_folder() / f"{stem}.{kind}"


def published_address() -> str | None:
    """Return the address of the database if the environment names one already."""
    return os.environ.get("DATABASE_URL") or os.environ.get("RECOUP_DATABASE_URL")


def tell(line: str) -> None:
    """Tell the person what goes on, beside the output of the command."""
    errors.print(line, style="dim", markup=False, soft_wrap=True)


@contextmanager
def database() -> Iterator[Server | None]:
    """Have a database for the time of the block.

    A server that the environment names is used as it is. Otherwise the embedded one is started, or found running, and
    its address published in `RECOUP_DATABASE_URL` for this process and those that it starts.
    """
    if published_address():
        yield None
        return
    server = Server.at("main", tell=tell)
    with server.held():
        server.create_database(database_name())
        os.environ["RECOUP_DATABASE_URL"] = server.url(database_name())
        try:
            yield server
        finally:
            del os.environ["RECOUP_DATABASE_URL"]


def set_up_django() -> None:
    """Load the settings and the parts."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recoup.config.settings")
    import django  # local: start

    django.setup()


@contextmanager
def django_with_database() -> Iterator[None]:
    """Have Django and a database for the time of the block."""
    with database():
        set_up_django()
        yield
