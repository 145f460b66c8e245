from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0013_version_learnt_at")]

    operations = [
        migrations.AddField(
            model_name="order", name="reminder_ask_at", field=models.DateTimeField(null=True)
        ),
    ]
