from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0006_short_messages_and_rules")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("channel", "email"), _negated=True),
                fields=["shop", "message_ref"],
                name="messaging_message_by_ref",
            ),
        ),
    ]
