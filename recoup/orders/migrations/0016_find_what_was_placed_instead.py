"""What was placed by a link before says in its reference which order it was placed instead of."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

FILL = """
UPDATE orders_order o SET replaces_id = replaced.id
FROM shops_source s, orders_order replaced
WHERE s.kind = 'own' AND o.shop_id = s.shop_id AND o.source_id = s.id AND o.ref ~ '^order-[0-9]{1,18}(-[0-9]+)?$'
  AND replaced.id = substring(o.ref from '^order-([0-9]+)')::bigint AND replaced.shop_id = o.shop_id
"""


class Migration(migrations.Migration):
    atomic = False  # orders come in meanwhile

    dependencies = [("orders", "0015_what_an_order_was_placed_instead_of")]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("replaces__isnull", False)),
                fields=["replaces"],
                name="orders_order_replacements",
            ),
        ),
    ]
