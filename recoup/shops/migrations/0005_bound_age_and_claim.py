"""An age of 0 days silently left every order alone, and an enormous one stopped the sweep of all shops."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models

BOUND = """
UPDATE shops_shop SET max_age_days = least(coalesce(nullif(max_age_days, 0), 14), 3650),
    claim_hours = least(coalesce(nullif(claim_hours, 0), 8), 720)
WHERE max_age_days NOT BETWEEN 1 AND 3650 OR claim_hours NOT BETWEEN 1 AND 720
"""


class Migration(migrations.Migration):
    dependencies = [("shops", "0004_one_source_of_a_site")]

    operations = [
        migrations.RunSQL(BOUND, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="shop",
            name="max_age_days",
            field=models.PositiveIntegerField(
                default=14, validators=[MinValueValidator(1), MaxValueValidator(3650)]
            ),
        ),
        migrations.AlterField(
            model_name="shop",
            name="claim_hours",
            field=models.PositiveIntegerField(
                default=8, validators=[MinValueValidator(1), MaxValueValidator(720)]
            ),
        ),
    ]
