"""The command line as a person uses it: as a program, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests import databases

Recoup = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def clean_environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which nothing of the test run is left, with var/ in the test's folder."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("RECOUP_", "DATABASE_URL"))
    }
    return kept | {"RECOUP_VAR": str(tmp_path / "var"), "COLUMNS": "200"}


@pytest.fixture
def recoup(clean_environment: dict[str, str]) -> Recoup:
    """Return a function that runs `recoup` and gives what it printed; `database` is the address it works on."""

    def run(*arguments: str, database: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "recoup", *arguments],
            env=clean_environment | {"DATABASE_URL": database} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def empty_database(database_url: str) -> Iterator[str]:
    """Return the address of a database without any table."""
    name = f"{connection.settings_dict['NAME']}_empty"
    databases.make_empty(name)
    yield databases.database_url(name)
    databases.drop(name)
