"""Refuse to change or delete a published version, and tune the table of enrolments."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("processes", "0001_initial"), ("messaging", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION processes_version_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM processes_process WHERE id = OLD.process_id) THEN
                    RETURN OLD;  -- the whole process (a shop) is being removed
                END IF;
                RAISE EXCEPTION 'a published version of a process never changes' USING ERRCODE = 'check_violation';
            END $$;
            CREATE TRIGGER processes_version_immutable BEFORE UPDATE OR DELETE ON processes_processversion
                FOR EACH ROW EXECUTE FUNCTION processes_version_is_immutable();
            ALTER TABLE processes_enrolment SET (
                fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
            ALTER TABLE messaging_message SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
            """,
            """
            DROP TRIGGER processes_version_immutable ON processes_processversion;
            DROP FUNCTION processes_version_is_immutable();
            """,
        )
    ]
