from django.db import migrations, models

from recoup.core.indexes import BuildBeside


class Migration(migrations.Migration):
    """Built beside what goes on; there already where it was built before the first release, by an earlier step."""

    atomic = False
    dependencies = [("offers", "0011_find_offers_of_a_source")]

    operations = [
        BuildBeside(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_offer_earned ON offers_offer (shop_id, granted_at DESC)"
            " WHERE NOT is_test AND NOT (state = 'refused')",
            "DROP INDEX CONCURRENTLY IF EXISTS offers_offer_earned",
            state_operations=[
                migrations.AddIndex(
                    model_name="offer",
                    index=models.Index(
                        condition=models.Q(("is_test", False), models.Q(("state", "refused"), _negated=True)),
                        fields=["shop", "-granted_at"],
                        name="offers_offer_earned",
                    ),
                ),
            ],
        ),
    ]
