"""`backup` and `restore`: database, uploaded files and secret key as one file."""

from __future__ import annotations

import os
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

import recoup
from recoup.cli import archive, ground, tools_of_postgres
from recoup.cli.archive import Contents, Manifest
from recoup.supervisor.errors import SupervisorError
from recoup.supervisor.places import var_folder
from recoup.supervisor.runlock import only_supervisor

# In the transaction that brings the rows back, so that no copy is ever awake for a moment (R19).
SILENCE = """
UPDATE core_installation SET silenced_at = coalesce(silenced_at, now()), silenced_reason = 'restored';
"""
EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"


class CannotRestore(SupervisorError):
    """The backup must not be restored here."""


def backup(
    to: Annotated[Path | None, typer.Option(help="The file to write; by default one in var/backups.")] = None,
) -> None:
    """Write a backup: database, uploaded files and the secret key. Recoup may run meanwhile.

    Whoever has the file can read every customer and every stored password: keep it as you keep those.
    """
    with ground.django_with_database():
        from django.conf import settings  # local: django

        from recoup.core.installation import get_installation  # local: django

        installation = get_installation()
        address = ground.published_address() or ""
        now = datetime.now(UTC)
        target = to or var_folder() / "backups" / f"recoup-{now:%Y%m%d-%H%M%S}.tar"
        target.parent.mkdir(parents=True, exist_ok=True)
        manifest = Manifest(
            made_at=now.isoformat(),
            version=recoup.__version__,
            server_version=tools_of_postgres.server_version(address),
            instance_id=str(installation.instance_id),
            is_demo=installation.is_demo,
            sha256={},
        )
        with (
            ground.errors.status("writing the backup"),
            tempfile.TemporaryDirectory(dir=target.parent) as folder,
        ):
            dump = Path(folder) / archive.DUMP
            dump_database(address, dump, version=manifest.server_version)
            contents = Contents(dump=dump, secret_key=secret_key_file(), media=Path(settings.MEDIA_ROOT))
            manifest = archive.write(target, contents=contents, manifest=manifest)
    size = target.stat().st_size / 1024 / 1024
    ground.console.print(
        f"{target}: {len(manifest.sha256)} files, {size:.1f} MB", markup=False, soft_wrap=True
    )


def restore(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A backup.")],
) -> None:
    """Bring a backup back into an empty installation.

    Nothing is sent from it until an owner has signed in and confirmed that no other copy of it is running.
    """
    with only_supervisor(ground.file_of("lock"), about="restoring a backup"):
        manifest = archive.read_checked(path)
        if manifest.is_demo != ground.is_demo():
            raise CannotRestore(
                "A demo's backup belongs into a demo, and a real one into a real installation.",
                advice="Set RECOUP_DEMO=1 to restore a demo, and leave it out for a real one.",
            )
        with ground.database():
            address = ground.published_address() or ""
            has_tables = require_unused(address, manifest)
            restore_secret_key(path)
            ground.set_up_django()
            restore_rest(path, manifest=manifest, address=address, has_tables=has_tables)
    ground.console.print(f"Restored the backup of {manifest.made_at[:16]} UTC.", markup=False)
    ground.console.print(
        "It stays silent until an owner signs in and confirms that it may send.", markup=False
    )


def restore_rest(path: Path, *, manifest: Manifest, address: str, has_tables: bool) -> None:
    """Bring back files, then rows, then the tables' newest shape."""
    from django.conf import settings  # local: django
    from django.core.management import call_command  # local: django

    from recoup.core.clock import real_now  # local: django
    from recoup.core.installation import silence_installation  # local: django

    with ground.errors.status("restoring"), tempfile.TemporaryDirectory(dir=var_folder()) as folder:
        archive.take_out_media(path, manifest, Path(settings.MEDIA_ROOT))
        dump = Path(folder) / archive.DUMP
        archive.take_out(path, archive.DUMP, dump)
        load_database(address, dump, is_to_be_emptied=has_tables)
        call_command("migrate", verbosity=0, interactive=False)
        silence_installation(reason="restored", now=real_now())


def dump_database(address: str, target: Path, *, version: int) -> None:
    """Dump the database in PostgreSQL's own compressed form, from one instant."""
    command = [str(tools_of_postgres.tool("pg_dump", version=version)), "--format=custom", "--no-owner"]
    done = subprocess.run(
        [*command, f"--file={target}"],
        env=tools_of_postgres.environment(address),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SupervisorError(f"pg_dump failed:\n{done.stderr}", advice="No backup was written.")


def require_unused(address: str, manifest: Manifest) -> bool:
    """Refuse to write over anybody's work; tell whether there are tables, of an installation never set up.

    :raises CannotRestore: if the installation has owners, or its server is older than the backup's.
    """
    version = tools_of_postgres.server_version(address)
    if version < manifest.server_version:
        raise CannotRestore(
            f"The backup comes from PostgreSQL {manifest.server_version}, and this is {version}.",
            advice=f"Restore it into PostgreSQL {manifest.server_version} or newer.",
        )
    with psycopg.connect(address) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        known = connection.execute("SELECT to_regclass('public.accounts_user') IS NOT NULL").fetchone()
        users = (
            connection.execute("SELECT 1 FROM accounts_user LIMIT 1").fetchone()
            if known and known[0]
            else None
        )
        has_tables = bool(tables and tables[0])
    if users or (has_tables and not (known and known[0])):
        raise CannotRestore(
            "The database is in use: it holds people or tables of somebody else.",
            advice="Restore into an empty database: name one in DATABASE_URL, or set RECOUP_VAR to a new folder.",
        )
    return has_tables


def load_database(address: str, dump: Path, *, is_to_be_emptied: bool) -> None:
    """Load a dump and silence the installation, all in one transaction.

    :raises SupervisorError: if it fails; the database is then as it was.
    """
    version = tools_of_postgres.server_version(address)
    script = dump.with_suffix(".sql")
    with script.open("wb") as out:
        out.write(EMPTY.encode() if is_to_be_emptied else b"")
        out.flush()
        read = subprocess.run(
            [str(tools_of_postgres.tool("pg_restore", version=version)), "--no-owner", "--file=-", str(dump)],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if read.returncode:
            raise SupervisorError(f"pg_restore failed:\n{read.stderr}", advice="Nothing was restored.")
        out.seek(0, os.SEEK_END)
        out.write(b"SET search_path = public;" + SILENCE.encode())
    command = [
        str(tools_of_postgres.tool("psql", version=version)),
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
    ]
    done = subprocess.run(
        [*command, "--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--file={script}"],
        env=tools_of_postgres.environment(address),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SupervisorError(
            f"The database refused the backup:\n{done.stderr}", advice="Nothing was restored."
        )


def secret_key_file() -> Path:
    """Return where the secret key lies; without it, stored passwords in the database cannot be read."""
    return Path(os.environ.get("RECOUP_SECRET_KEY_FILE") or var_folder() / "secret.key")


def restore_secret_key(path: Path) -> None:
    """Put the backup's keys before those that are here, so that what either of them locked can be opened."""
    target = secret_key_file()
    here = target.read_text().split() if target.exists() else []
    with tempfile.TemporaryDirectory(dir=var_folder()) as folder:
        fresh = Path(folder) / archive.SECRET_KEY
        archive.take_out(path, archive.SECRET_KEY, fresh)
        keys = fresh.read_text().split()
        if here[: len(keys)] != keys:
            fresh.write_text("\n".join([*keys, *(key for key in here if key not in keys)]) + "\n")
            fresh.replace(target)
