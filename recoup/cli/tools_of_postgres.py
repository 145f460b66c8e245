"""Runs `pg_dump`, `pg_restore` and `psql` against the database of this installation."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from recoup.supervisor.errors import SupervisorError
from recoup.supervisor.places import FOLDER_OF_VERSION, wheel_programs

OLDEST_SERVER = 15


class ServerTooNew(SupervisorError):
    """The server is newer than the newest tools that we bring along."""


def server_version(address: str) -> int:
    """Return the major version of the server.

    :raises ServerTooNew: if our tools do not know it.
    """
    with psycopg.connect(address) as connection:
        version = connection.info.server_version // 10_000
    if not OLDEST_SERVER <= version <= max(FOLDER_OF_VERSION):
        raise ServerTooNew(
            f"The database server is PostgreSQL {version}.",
            advice=f"Recoup works with PostgreSQL {OLDEST_SERVER} to {max(FOLDER_OF_VERSION)}.",
        )
    return version


def tool(name: str, *, version: int) -> Path:
    """Return the tool for a server: the oldest that is not older than the server.

    A newer one would write settings into a dump that an older server refuses when it is restored.
    """
    return wheel_programs(min(known for known in FOLDER_OF_VERSION if known >= version)) / name


def environment(address: str) -> dict[str, str]:
    """Return the environment in which the tools find the server. The password never stands in a command line."""
    parts = {name: str(value) for name, value in conninfo_to_dict(address).items() if value is not None}
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    names |= {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {variable: parts[name] for name, variable in names.items() if name in parts}
