"""Takes back what a test has committed.

Django empties every table there is and then writes permissions and content types anew: half a second for a
test that wrote a dozen rows. Here the rows are deleted, by one statement, where there are any.
"""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from recoup.supervisor import locks
from recoup.supervisor.places import var_folder

# Written by migrations, and by nobody else.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
Clear = Callable[[], object]
_CLEAR = """
    DO $$
    DECLARE name text;
    BEGIN
        -- No trigger and no foreign key has a say: all goes.
        SET LOCAL session_replication_role = replica;
        FOR name IN
            SELECT relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
                AND relname <> ALL ({kept})
        LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
        INSERT INTO core_installation SELECT * FROM jsonb_populate_record(NULL::core_installation, {installation});
    END $$
"""


def prepare(superuser_url: str | None) -> Clear:
    """Return what leaves the database as it was migrated; on a server that lets nobody silence its triggers, Django's."""
    if superuser_url is None:
        return lambda: call_command("flush", verbosity=0, interactive=False)
    lock = locks.exclusive(var_folder() / "tests" / "template.lock")  # others who grant the same wait
    with lock, psycopg.connect(superuser_url, autocommit=True) as superuser:
        role = sql.Identifier(connection.settings_dict["USER"])
        superuser.execute(sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(role))
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(installation)::text FROM core_installation installation")
        ((installation,),) = cursor.fetchall()
    statement = sql.SQL(_CLEAR).format(kept=sql.Literal(list(KEPT)), installation=sql.Literal(installation))

    def clear() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return clear
