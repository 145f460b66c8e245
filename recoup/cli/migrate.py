"""`migrate`: bring the tables up to the code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from recoup.cli import ground

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# Any number; it tells our lock from those of others in the same database.
MIGRATION_LOCK = 7_264_120
_PAUSE = 0.2  # seconds between two looks whether the other has finished


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only tell what is pending; exit 1 if anything.")
    ] = False,
) -> None:
    """Bring the tables of the database up to this version. Safe to run again, and by two at once."""
    with ground.django_with_database():
        from django.core.management import call_command  # local: django
        from django.db import connection  # local: django

        if check:
            names = pending()
            for name in names:
                ground.console.print(name, markup=False)
            raise typer.Exit(1 if names else 0)
        _wait_for_turn(connection)
        try:
            names = pending()
            if names:
                ground.tell(f"migrating: {len(names)} steps")
                call_command("migrate", verbosity=0, interactive=False)
        finally:
            connection.close()
        ground.tell(f"the database is up to date ({len(names)} steps done)")


def _wait_for_turn(connection: BaseDatabaseWrapper) -> None:
    """Wait until no other process migrates.

    By asking again: a statement that waits for the lock would have an index that is built beside what goes on wait for it.
    """
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK])
            if cursor.fetchone()[0]:
                return
            time.sleep(_PAUSE)


def pending() -> list[str]:
    """Return the migrations that the database has not seen yet, in their order."""
    from django.db import connection  # local: django
    from django.db.migrations.executor import MigrationExecutor  # local: django

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
