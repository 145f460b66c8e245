from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0012_who_clicked_has_opened")]

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
