from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0005_bound_age_and_claim")]

    operations = [
        migrations.AddField(
            model_name="shop",
            name="counts_opens",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
