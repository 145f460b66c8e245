"""What a provider said of a message that it took: its name for it, the parts it counted, how fresh our look was."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from recoup.core import arrays


@dataclass(frozen=True, slots=True)
class Detail:
    """What is kept of one message beside its end."""

    ref: str
    parts: int | None
    gap_ms: int


def note_details(details: Mapping[int, Detail]) -> None:
    """Write them in the present transaction; the price follows the parts that the provider counts."""
    if not details:
        return
    rows = [(key, one.ref[:64], one.parts, one.gap_ms) for key, one in sorted(details.items())]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_message m SET provider_ref = r ->> 1, gap_ms = (r ->> 3)::integer,"
            " price = CASE WHEN (r ->> 2)::smallint > 0 AND m.parts > 0"
            " THEN m.price / m.parts * (r ->> 2)::smallint ELSE m.price END,"
            " parts = CASE WHEN (r ->> 2)::smallint > 0 THEN (r ->> 2)::smallint ELSE m.parts END,"
            " delivery = CASE WHEN m.delivery = '' THEN 'accepted' ELSE m.delivery END"
            " FROM jsonb_array_elements(%s::jsonb) AS r WHERE m.id = (r ->> 0)::bigint",
            [arrays.rows(rows)],
        )
