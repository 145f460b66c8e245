from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("processes", "0017_add_up_who_went_through")]

    operations = [
        migrations.AddField(
            model_name="backtestrun",
            name="left_out",
            field=models.JSONField(null=True),
        ),
    ]
