from django.db import migrations


class Migration(migrations.Migration):
    """Whoever is in a process in test mode keeps nobody from a live one of the group; from now on they have keys of their own."""

    dependencies = [("processes", "0020_keep_the_pace_of_bulk_adds")]

    operations = [
        migrations.RunSQL(
            "UPDATE processes_enrolment SET group_key = NULL WHERE group_key IS NOT NULL AND flags & 2 <> 0",
            migrations.RunSQL.noop,
        )
    ]
