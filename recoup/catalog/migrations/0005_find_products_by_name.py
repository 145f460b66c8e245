from django.db import migrations, models

from recoup.core.indexes import BuildBeside


class Migration(migrations.Migration):
    """Built beside what goes on; there already where it was built before the first release, by an earlier step."""

    atomic = False
    dependencies = [("catalog", "0004_delivery_options")]

    operations = [
        BuildBeside(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS catalog_product_by_name ON catalog_product (shop_id, name, id)"
            " WHERE NOT is_deleted",
            "DROP INDEX CONCURRENTLY IF EXISTS catalog_product_by_name",
            state_operations=[
                migrations.AddIndex(
                    model_name="product",
                    index=models.Index(
                        condition=models.Q(("is_deleted", False)),
                        fields=["shop", "name", "id"],
                        name="catalog_product_by_name",
                    ),
                ),
            ],
        ),
    ]
