"""Tell of orders that are paid on delivery and whose cases opened before that was known to bring no reminder."""

from django.db import migrations

TELL = """
INSERT INTO core_outbox (shop_id, kind, payload)
SELECT o.shop_id, 'orders.OrderChanged', jsonb_build_object('shop_id', o.shop_id, 'order_id', o.id, 'at', now())
FROM recovery_recoverycase c JOIN orders_order o ON o.id = c.order_id
WHERE c.closed_at IS NULL AND o.method = 'cod' AND NOT EXISTS (
    SELECT FROM shops_waitingtime own WHERE own.shop_id = o.shop_id AND own.method = o.method)
ORDER BY o.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0007_find_what_was_ever_asked"),
        ("orders", "0016_find_what_was_placed_instead"),
        ("recovery", "0002_money_given_back"),
    ]

    operations = [migrations.RunSQL(TELL, migrations.RunSQL.noop)]
