from django.db import migrations, models

from recoup.core.indexes import BuildBeside


class Migration(migrations.Migration):
    """Built beside what goes on; there already where it was built before the first release, by an earlier step."""

    atomic = False
    dependencies = [("offers", "0010_one_coupon_for_a_cart")]

    operations = [
        BuildBeside(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_offer_maker ON offers_offer (maker_id)"
            " WHERE maker_id IS NOT NULL",
            "DROP INDEX CONCURRENTLY IF EXISTS offers_offer_maker",
            state_operations=[
                migrations.AddIndex(
                    model_name="offer",
                    index=models.Index(
                        condition=models.Q(("maker__isnull", False)),
                        fields=["maker"],
                        name="offers_offer_maker",
                    ),
                ),
            ],
        ),
    ]
