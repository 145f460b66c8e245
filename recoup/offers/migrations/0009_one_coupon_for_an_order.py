from django.db import migrations, models

from recoup.core.indexes import BuildBeside


class Migration(migrations.Migration):
    """Built beside what goes on; there already where it was built before the first release, by an earlier step."""

    atomic = False
    dependencies = [("offers", "0008_keep_the_limit_of_a_budget")]

    operations = [
        BuildBeside(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS offers_coupon_of_order_once ON offers_offer (order_id)"
            " WHERE maker_id IS NOT NULL AND state IN ('asked', 'granted')",
            "DROP INDEX CONCURRENTLY IF EXISTS offers_coupon_of_order_once",
            state_operations=[
                migrations.AddConstraint(
                    model_name="offer",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("maker__isnull", False), ("state__in", ["asked", "granted"])),
                        fields=("order",),
                        name="offers_coupon_of_order_once",
                    ),
                ),
            ],
        ),
    ]
