from django.db import migrations, models

from recoup.core.indexes import BuildBeside


class Migration(migrations.Migration):
    """What was settled is found too, without reading all of it under the lock of an order."""

    atomic = False
    dependencies = [("core", "0006_keep_calls_behind_a_fence")]

    operations = [
        BuildBeside(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS core_attention_ever ON core_attention (shop_id, kind, key)",
            "DROP INDEX CONCURRENTLY IF EXISTS core_attention_ever",
            state_operations=[
                migrations.AddIndex(
                    model_name="attentionitem",
                    index=models.Index(fields=["shop_id", "kind", "key"], name="core_attention_ever"),
                ),
            ],
        ),
    ]
