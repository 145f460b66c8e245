from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("processes", "0019_find_calls_that_are_open")]

    operations = [
        migrations.AddField(
            model_name="bulkadd",
            name="last_key",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="bulkadd",
            name="next_at",
            field=models.DateTimeField(null=True),
        ),
    ]
