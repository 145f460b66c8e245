from django.db import migrations


class Migration(migrations.Migration):
    """Clicks of before were never written down as what they are, too: an opening."""

    dependencies = [("messaging", "0011_default_of_the_warm_up")]

    operations = [
        migrations.RunSQL(
            "UPDATE messaging_message SET opened_at = clicked_at WHERE opened_at IS NULL AND clicked_at IS NOT NULL",
            migrations.RunSQL.noop,
        )
    ]
