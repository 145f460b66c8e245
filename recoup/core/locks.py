"""Row locks in the one global order: contact gate < order, cart < enrolment < message; inside a table by key."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Model


def lock_rows(model: type[Model], ids: Iterable[int]) -> list[int]:
    """Lock rows for change in key order until the transaction ends; return the ids that exist."""
    wanted = sorted(set(ids))
    if not wanted:
        return []
    manager = model._base_manager  # noqa: SLF001 - the one manager that no scope narrows
    rows = manager.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True)
    return list(rows.values_list("pk", flat=True))


def set_lock_timeout(milliseconds: int) -> None:
    """Give up waiting for a row after so long, in this transaction (a payment waits 3 s at most)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"])
