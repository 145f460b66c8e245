"""Orders from before somebody was asked about an unknown status are not looked at: ask, once for each word of a source."""

from django.db import migrations

ASK = """
INSERT INTO core_attention (shop_id, kind, key, subject_kind, subject_id, details, opened_at)
SELECT DISTINCT ON (o.shop_id, o.source_id, o.raw_state)
    o.shop_id, 'orders.unknown_status', o.source_id || ':' || o.raw_state, 'order', o.id,
    jsonb_build_object('source', s.name, 'status', o.raw_state), now()
FROM orders_order o JOIN shops_source s ON s.id = o.source_id
WHERE o.shop_state = 'unknown' AND (o.check_at IS NOT NULL OR o.unpaid_at IS NOT NULL)
  AND o.status IN ('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid')
  AND o.payment_state IN ('owed', 'on_hold', 'failed', 'partly_paid') AND NOT o.is_backfill AND NOT o.is_test
  AND NOT EXISTS (
    SELECT FROM core_attention a WHERE a.shop_id = o.shop_id AND a.kind = 'orders.unknown_status'
      AND a.key = o.source_id || ':' || o.raw_state)
ORDER BY o.shop_id, o.source_id, o.raw_state, o.placed_at DESC, o.id DESC
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0007_find_what_was_ever_asked"),
        ("orders", "0016_find_what_was_placed_instead"),
    ]

    operations = [migrations.RunSQL(ASK, migrations.RunSQL.noop)]
