"""Let the keeping of a call wait for the hand-over of what it names.

Whoever keeps holds the names, shared, until the commit; a sender holds those of what it hands over alone (`inbox.fence`).
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("recoup.core.migrations.0004_keep_calls_by_a_function").KEEP
KEEP = BEFORE.replace(
    """
DECLARE kept_id bigint;
BEGIN
""",
    """
DECLARE kept_id bigint; patience text;
BEGIN
    IF NOT (SELECT bool_and(pg_try_advisory_xact_lock_shared(hashtextextended(name, its_shop)))
            FROM jsonb_array_elements_text(its_refs) WITH ORDINALITY AS said (name, nr) WHERE nr <= 50) THEN
        patience := current_setting('lock_timeout');
        BEGIN
            PERFORM set_config('lock_timeout', '1500ms', true);
            PERFORM pg_advisory_xact_lock_shared(hashtextextended(name, its_shop))
                FROM jsonb_array_elements_text(its_refs) WITH ORDINALITY AS said (name, nr) WHERE nr <= 50;
            PERFORM set_config('lock_timeout', patience, true);
        EXCEPTION WHEN lock_not_available THEN
            NULL; -- the settings are as before; what is handed over so long has begun before the call came
        END;
    END IF;
""",
)


def replacing(function: str) -> str:
    """Return the statement that puts a function in the place of the one of its name."""
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


class Migration(migrations.Migration):
    dependencies = [("core", "0005_add_trade_moved_at_to_installation")]

    operations = [migrations.RunSQL(replacing(KEEP), replacing(BEFORE))]
