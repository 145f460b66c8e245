from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("processes", "0010_add_looks_ahead"),
        ("messaging", "0007_index_messages_by_reference"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE messaging_messagesource s SET priority = p.priority FROM processes_process p"
            " WHERE p.message_source_id = s.id AND s.priority <> p.priority",
            migrations.RunSQL.noop,
        )
    ]
