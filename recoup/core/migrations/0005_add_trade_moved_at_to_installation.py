from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_keep_calls_by_a_function"),
    ]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="trade_moved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
