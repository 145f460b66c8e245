from django.db import migrations

import recoup.core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("offers", "0007_offers_to_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="offer",
            name="budget_limit",
            field=recoup.core.fields.AmountField(decimal_places=4, max_digits=16, null=True),
        ),
    ]
