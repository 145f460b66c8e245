from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_since_when_an_order_is_due")]

    operations = [
        migrations.AddField(
            model_name="order", name="reminder_ask_at", field=models.DateTimeField(null=True)
        ),
    ]
