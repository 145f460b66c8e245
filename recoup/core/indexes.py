"""Indexes that a migration builds beside what goes on."""

from typing import Any

from django.db.migrations import AddConstraint, AddIndex, RunSQL

_IS_BROKEN = """
    SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname = %s AND NOT i.indisvalid AND pg_table_is_visible(c.oid)
"""


class BuildBeside(RunSQL):
    """`CREATE INDEX CONCURRENTLY IF NOT EXISTS`, the statement that drops it, and what the models know of it.

    Building that breaks off leaves an index that nothing uses and that holds nothing apart, under the name of the whole one:
    a second run would take it for built. So it is dropped first.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build it, anew if an earlier run broke off."""
        for known in self.state_operations:
            assert isinstance(known, AddIndex | AddConstraint)
            name = known.index.name if isinstance(known, AddIndex) else known.constraint.name
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(_IS_BROKEN, [name])
                is_broken = cursor.fetchone() is not None
            if is_broken:
                schema_editor.execute(self.reverse_sql, params=None)
        super().database_forwards(app_label, schema_editor, from_state, to_state)
