"""An index that is built beside what goes on: there after a second run, and whole."""

import pytest
from django.db import connection, models
from django.db.migrations import AddIndex
from django.db.migrations.state import ProjectState

from recoup.core.indexes import BuildBeside

pytestmark = pytest.mark.django_db
STEP = BuildBeside(
    "CREATE INDEX IF NOT EXISTS jars_by_size ON jars (size)",
    "DROP INDEX IF EXISTS jars_by_size",
    state_operations=[AddIndex("jar", models.Index(fields=["size"], name="jars_by_size"))],
)


@pytest.fixture(autouse=True)
def _jars() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE jars (size int) PARTITION BY RANGE (size)")
        cursor.execute("CREATE TABLE small_jars PARTITION OF jars FOR VALUES FROM (0) TO (9)")


def build() -> None:
    with connection.schema_editor(atomic=False) as editor:
        STEP.database_forwards("tests", editor, ProjectState(), ProjectState())


def index() -> tuple[int, bool]:
    """Return which index stands by the name, and whether it is whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid, indisvalid FROM pg_index WHERE indexrelid = 'jars_by_size'::regclass"
        )
        found: tuple[int, bool] = cursor.fetchone()
    return found


def test_a_second_run_leaves_an_index_that_is_whole() -> None:
    build()
    before = index()

    build()

    assert index() == before
    assert before[1]


def test_a_second_run_builds_anew_what_broke_off() -> None:
    with connection.cursor() as cursor:
        # Without those of its parts an index is as one whose building broke off: there, and not whole.
        cursor.execute("CREATE INDEX jars_by_size ON ONLY jars (size)")
    broken, is_whole = index()

    build()

    assert not is_whole
    assert index()[1]
    assert index()[0] != broken
