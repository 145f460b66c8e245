"""Row locks in the one global order: contact gate < order, cart < enrolment < message; inside a table by key."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Model


def lock_rows(model: type[Model], ids: Iterable[int]) -> list[int]:
    """Lock rows for change in key order until the transaction ends; return the ids that exist."""
    wanted = sorted(set(ids))
    if not wanted:
        return []
    table = connection.ops.quote_name(model._meta.db_table)
    key = connection.ops.quote_name(model._meta.pk.column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key} FROM {table} WHERE {key} = ANY(%s) ORDER BY {key} FOR NO KEY UPDATE", [wanted]
        )
        return [row[0] for row in cursor.fetchall()]


def set_lock_timeout(milliseconds: int) -> None:
    """Give up waiting for a row after so long, in this transaction (a payment waits 3 s at most)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"])
