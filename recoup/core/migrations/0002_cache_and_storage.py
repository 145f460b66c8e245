"""Make the cache table of sign-in limits, and tune the tables that are written and emptied all day."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE core_cache (
                cache_key varchar(255) NOT NULL PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
            CREATE INDEX core_cache_expires ON core_cache (expires);
            INSERT INTO core_installation (id, instance_id, place, silenced_reason, trade_offset, is_demo, public_url)
                VALUES (1, gen_random_uuid(), '', '', interval '0', false, '');
            ALTER TABLE core_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
            ALTER TABLE core_rate_bucket SET (fillfactor = 70);
            """,
            "DROP TABLE core_cache; DELETE FROM core_installation;",
        )
    ]
