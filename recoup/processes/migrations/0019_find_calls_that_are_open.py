from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # calls are many, and engines write them down meanwhile

    dependencies = [
        ("processes", "0018_keep_what_was_left_out"),
        ("shops", "0003_languages_of_messages"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="webhookcall",
            index=models.Index(
                condition=models.Q(("state", "done"), _negated=True),
                fields=["shop", "endpoint", "-id"],
                name="processes_call_open",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="webhookcall",
            name="processes_call_endpoint",
        ),
    ]
