from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("processes", "0015_tell_when_payloads_were_emptied")]

    operations = [
        AddIndexConcurrently(
            model_name="webhookcall",
            index=models.Index(
                condition=models.Q(("emptied_at__isnull", True), ("state__in", ["done", "dead"])),
                fields=["answered_at"],
                name="processes_call_to_empty",
            ),
        ),
    ]
