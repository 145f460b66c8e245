from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0011_default_of_the_warm_up")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("reason", "source_silent"), ("state", "due")),
                fields=["order"],
                name="messaging_unheard",
            ),
        ),
    ]
