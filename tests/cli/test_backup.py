"""Backup and restore: everything comes back, silent, and nobody's work is written over."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from recoup.cli import archive, backup, tools_of_postgres
from recoup.core.installation import get_installation
from recoup.core.models import Installation
from recoup.supervisor.errors import SupervisorError
from tests import databases
from tests.cli.conftest import Recoup

KEY = "k" * 60
OTHER_KEY = "o" * 60


_made: dict[UUID, bytes] = {}  # backups by what they are of, so that most tests damage or restore a copy


@pytest.fixture
def made_backup(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Path:
    """Return a backup of an installation with a key and an uploaded file, made just now or for another test."""
    content = _made.get(get_installation().instance_id)
    if content is None:
        return request.getfixturevalue("fresh_backup")  # type: ignore[no-any-return]
    Installation.objects.update_or_create(pk=1, defaults={"public_url": "https://shop.example"})
    target = tmp_path / "kept" / "backup.tar"
    target.parent.mkdir()
    target.write_bytes(content)
    return target


@pytest.fixture
def fresh_backup(recoup: Recoup, database_url: str, tmp_path: Path) -> Path:
    """Return a backup that was made just now."""
    Installation.objects.update_or_create(pk=1, defaults={"public_url": "https://shop.example"})
    home = tmp_path / "old"
    (home / "media" / "logos").mkdir(parents=True)
    (home / "media" / "logos" / "ünser logo.png").write_bytes(b"\x89PNG")
    (home / "secret.key").write_text(KEY + "\n")
    target = tmp_path / "kept" / "backup.tar"
    done = recoup("backup", "--to", str(target), database=database_url, RECOUP_VAR=str(home))
    assert (done.returncode, done.stderr) == (0, "")
    _made[get_installation().instance_id] = target.read_bytes()
    return target


def ask(address: str, question: str) -> object:
    """Return the first row of an answer."""
    with psycopg.connect(address) as connection:
        return connection.execute(question.encode()).fetchone()


def test_restore_brings_everything_back_and_keeps_it_silent(
    recoup: Recoup, made_backup: Path, empty_database: str, tmp_path: Path
) -> None:
    instance = get_installation().instance_id
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret.key").write_text(OTHER_KEY + "\n")

    done = recoup("restore", str(made_backup), database=empty_database)

    assert done.returncode == 0, done.stderr
    row = ask(
        empty_database,
        "SELECT instance_id, public_url, silenced_at IS NOT NULL, silenced_reason FROM core_installation",
    )
    assert row == (instance, "https://shop.example", True, "restored")
    assert (tmp_path / "var" / "secret.key").read_text() == f"{KEY}\n{OTHER_KEY}\n"
    assert (tmp_path / "var" / "media" / "logos" / "ünser logo.png").read_bytes() == b"\x89PNG"
    assert "stays silent until an owner signs in" in done.stdout


def test_restore_takes_the_place_of_an_installation_never_set_up(
    recoup: Recoup, made_backup: Path, empty_database: str
) -> None:
    databases.copy_template(Path(urlsplit(empty_database).path).name)

    done = recoup("restore", str(made_backup), database=empty_database)

    assert done.returncode == 0, done.stderr
    assert ask(empty_database, "SELECT silenced_reason FROM core_installation") == ("restored",)
    assert recoup("migrate", "--check", database=empty_database).returncode == 0


def test_restore_refuses_a_database_in_use(recoup: Recoup, made_backup: Path, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE ledger_of_somebody_else AS SELECT 7 AS amount")

    done = recoup("restore", str(made_backup), database=empty_database)

    assert done.returncode == 1
    assert "The database is in use" in done.stderr
    tables = "SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'"
    assert ask(empty_database, tables) == (["ledger_of_somebody_else"],)


@pytest.mark.parametrize("damage", ["flipped", "cut", "extra"])
def test_restore_refuses_a_damaged_backup(
    recoup: Recoup, made_backup: Path, empty_database: str, tmp_path: Path, damage: str
) -> None:
    content = bytearray(made_backup.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    made_backup.write_bytes(content[: len(content) // 2] if damage == "cut" else content)
    if damage == "extra":
        with tarfile.open(made_backup, "a") as adding:
            adding.add(Path(__file__), arcname="media/../../evil.py")

    done = recoup("restore", str(made_backup), database=empty_database)

    assert done.returncode == 1
    assert "Nothing was changed" in done.stderr
    assert ask(empty_database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == (0,)
    assert not (tmp_path / "var" / "secret.key").exists()


def test_a_backup_can_be_read_by_its_owner_alone(fresh_backup: Path) -> None:
    manifest = archive.read_checked(fresh_backup)

    assert fresh_backup.stat().st_mode & 0o777 == 0o600
    assert sorted(manifest.sha256) == ["database.dump", "media/logos/ünser logo.png", "secret.key"]
    assert datetime.fromisoformat(manifest.made_at).tzinfo == UTC
    assert sorted(path.name for path in fresh_backup.parent.iterdir()) == ["backup.tar"]


def test_the_password_of_the_database_stands_in_no_command_line() -> None:
    given = tools_of_postgres.environment("postgresql://anna:s%40fe@db.example:6000/shop?sslmode=require")

    wanted = {name: value for name, value in given.items() if name.startswith("PG")}
    assert wanted == {
        "PGHOST": "db.example",
        "PGPORT": "6000",
        "PGUSER": "anna",
        "PGPASSWORD": "s@fe",
        "PGDATABASE": "shop",
        "PGSSLMODE": "require",
    }


def test_an_older_server_gets_the_tools_of_its_time() -> None:
    paths = [tools_of_postgres.tool("pg_dump", version=version) for version in (15, 16, 17, 18)]

    assert [path.parent.parent.name for path in paths] == [
        "pginstall",
        "pginstall",
        "pginstall18",
        "pginstall18",
    ]
    assert all(path.exists() for path in paths)


def test_rows_come_back_silent_in_the_same_transaction(
    made_backup: Path, empty_database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "taken" / "database.dump"
    archive.take_out(made_backup, archive.DUMP, dump)

    backup.load_database(empty_database, dump, is_to_be_emptied=False)

    assert ask(empty_database, "SELECT silenced_reason FROM core_installation") == ("restored",)


def test_a_dump_that_does_not_fit_leaves_the_database_as_it_was(
    made_backup: Path, empty_database: str, tmp_path: Path
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE core_installation (id int)")
    dump = tmp_path / "taken" / "database.dump"
    archive.take_out(made_backup, archive.DUMP, dump)

    with pytest.raises(SupervisorError, match="The database refused the backup"):
        backup.load_database(empty_database, dump, is_to_be_emptied=False)

    assert ask(empty_database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == (1,)
