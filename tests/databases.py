"""Databases for tests: migrated once into a template, then copied, which takes a fraction of a second.

The template's name holds a hash of everything that shapes the schema, so a changed migration makes a new one.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from recoup.cli import tools_of_postgres
from recoup.supervisor import locks
from recoup.supervisor.places import var_folder

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "recoup_template_"
SHAPING_PACKAGES = ("django", "django-allauth")


def template_name() -> str:
    """Return the name of the template that fits the migrations as they lie on the disk."""
    digest = hashlib.sha256(" ".join(version(package) for package in SHAPING_PACKAGES).encode())
    shaping = [ROOT / "recoup" / "config" / "settings.py", *(ROOT / "recoup").rglob("*/migrations/**/*.*")]
    for path in sorted(shaping):
        if path.suffix in {".py", ".sql"}:
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return PREFIX + digest.hexdigest()[:16]


def ensure_template() -> str:
    """Make the migrated template if there is none, drop idle ones of other migrations, return its name."""
    name = template_name()
    with locks.exclusive(var_folder() / "tests" / "template.lock"), _server() as server:
        if not _exists(server, name):
            making = f"{name}_new"
            _drop(server, making)
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
            _on(making, lambda: call_command("migrate", verbosity=0, interactive=False))
            connection.close()
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name))
            )
            for old in _templates(server) - {name}:
                _drop_idle(server, old)
    return name


def copy_template(target: str) -> None:
    """Make a database as migrated and empty as a fresh installation; one of this name is replaced."""
    name = ensure_template()
    # Copies wait for each other: PostgreSQL refuses a template that another session is just reading.
    with locks.exclusive(var_folder() / "tests" / "template.lock"), _server() as server:
        _drop(server, target)
        statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
        server.execute(sql.SQL(statement).format(sql.Identifier(target), sql.Identifier(name)))


def template_url() -> str | None:
    """Return the address of the template, to be read; None if no test has needed one yet."""
    with _server() as server:
        return database_url(template_name()) if _exists(server, template_name()) else None


def copy_to_server(target: str, *, version: int) -> bool:
    """Fill an empty database of another server, a second's work instead of a quarter of a minute; False without a template.

    :param target: the address of the database.
    :param version: of that server: one of another version is not copied to.
    """
    migrated = template_url()
    if migrated is None or tools_of_postgres.server_version(migrated) != version:
        return False
    dump = [str(tools_of_postgres.tool("pg_dump", version=version)), "--no-owner"]
    said = subprocess.run(
        dump, check=True, stdout=subprocess.PIPE, env=tools_of_postgres.environment(migrated)
    ).stdout
    psql = [str(tools_of_postgres.tool("psql", version=version)), "--no-psqlrc", "--quiet"]
    subprocess.run(
        [*psql, "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"],
        check=True,
        input=said,
        env=tools_of_postgres.environment(target),
    )
    return True


def make_empty(target: str) -> None:
    """Make a database without any table; one of this name is replaced."""
    with _server() as server:
        _drop(server, target)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(target)))


def drop(target: str) -> None:
    """Drop a database, cutting whoever is still connected."""
    with _server() as server:
        _drop(server, target)


def database_url(name: str) -> str:
    """Return the address of a database on the test server, for programs that the test starts."""
    parts = {key: quote(str(value), safe="") for key, value in connection.get_connection_params().items()}
    login = f"{parts['user']}:{parts.get('password', '')}"
    return f"postgresql://{login}@/{quote(name, safe='')}?host={parts['host']}&port={parts.get('port', 5432)}"


def _on(name: str, work: Callable[[], object]) -> None:
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        work()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _server() -> psycopg.Connection[Any]:
    parts = connection.get_connection_params()
    wanted = {key: parts[key] for key in ("host", "port", "user", "password") if parts.get(key)}
    return psycopg.connect(dbname="postgres", autocommit=True, **wanted)


def _exists(server: psycopg.Connection[Any], name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _templates(server: psycopg.Connection[Any]) -> set[str]:
    rows = server.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX]
    ).fetchall()
    return {row[0] for row in rows}


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_idle(server: psycopg.Connection[Any], name: str) -> None:
    try:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
    except psycopg.errors.ObjectInUse:
        pass
