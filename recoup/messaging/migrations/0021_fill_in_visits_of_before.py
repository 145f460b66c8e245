from typing import Any

from django.db import migrations

BATCH = 5000
# As `messaging.tracking` keeps them: of two minutes of one page the first visit and the last, about what the message was
# about. What is kept already, by an earlier run or since, only grows.
_STEP = """
    WITH batch AS (
        SELECT * FROM messaging_messagevisit WHERE id > %s ORDER BY id LIMIT %s
    ), came AS (
        SELECT m.shop_id, CASE WHEN m.order_id IS NOT NULL THEN 1 WHEN m.cart_id IS NOT NULL THEN 2 ELSE 3 END AS kind,
            coalesce(m.order_id, m.cart_id, m.contact_id) AS key, m.contact_id, v.purpose,
            floor(extract(epoch FROM v.at) / 120)::bigint AS slot, v.at, m.source_id, v.noted_at
        FROM batch v JOIN messaging_message m ON m.id = v.message_id
        WHERE NOT v.is_machine AND v.noted_at IS NOT NULL AND v.purpose <> 'open' AND NOT m.is_test
            AND v.subject_kind = '' AND v.subject_id IS NULL
    ), kept AS (
        INSERT INTO messaging_pagevisit AS p
            (shop_id, subject_kind, subject_id, contact_id, page, slot, at, last_at, source_id, noted_at)
        SELECT DISTINCT ON (kind, key, purpose, slot) shop_id, kind, key, contact_id, purpose, slot, at,
            nullif(max(at) OVER (PARTITION BY kind, key, purpose, slot), at), source_id, noted_at
        FROM came ORDER BY kind, key, purpose, slot, at
        ON CONFLICT (subject_kind, subject_id, page, slot) DO UPDATE SET at = least(p.at, EXCLUDED.at),
            last_at = nullif(greatest(p.at, p.last_at, EXCLUDED.at, EXCLUDED.last_at), least(p.at, EXCLUDED.at))
            WHERE NOT p.is_machine AND p.noted_at IS NOT NULL AND (EXCLUDED.at < p.at
                OR coalesce(EXCLUDED.last_at, EXCLUDED.at) > coalesce(p.last_at, p.at))
    )
    SELECT max(id) FROM batch
"""


def fill(_apps: Any, editor: Any) -> None:
    """Keep that whoever followed a link before has come, too; a batch at a time, safe to run again."""
    last: int | None = 0
    with editor.connection.cursor() as cursor:
        while last is not None:
            cursor.execute(_STEP, [last, BATCH])
            (last,) = cursor.fetchone()


class Migration(migrations.Migration):
    atomic = False  # each batch by itself: nothing waits for all of them
    dependencies = [("messaging", "0020_last_of_visits")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
