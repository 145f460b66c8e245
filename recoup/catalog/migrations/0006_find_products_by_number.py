from django.db import migrations, models

from recoup.core.indexes import BuildBeside


class Migration(migrations.Migration):
    """Built beside what goes on; there already where it was built before the first release, by an earlier step."""

    atomic = False
    dependencies = [("catalog", "0005_find_products_by_name")]

    operations = [
        BuildBeside(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS catalog_product_by_sku ON catalog_product (shop_id, sku)"
            " WHERE NOT (sku = '')",
            "DROP INDEX CONCURRENTLY IF EXISTS catalog_product_by_sku",
            state_operations=[
                migrations.AddIndex(
                    model_name="product",
                    index=models.Index(
                        condition=models.Q(("sku", ""), _negated=True),
                        fields=["shop", "sku"],
                        name="catalog_product_by_sku",
                    ),
                ),
            ],
        ),
    ]
