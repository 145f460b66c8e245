"""Lines of an order's history are written once (E7): the database refuses to change who, when, and from what to what.

Their words alone (`reason`, `details`) can be blanked, so that a person can be erased.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION orders_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a line of % is never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER orders_statuschange_is_kept BEFORE UPDATE OF order_id, from_status, to_status, actor_kind, actor_id, at
    ON orders_statuschange
    FOR EACH ROW EXECUTE FUNCTION orders_refuse_change();
CREATE TRIGGER orders_orderfact_is_kept BEFORE UPDATE OF order_id, kind, became_true_at, learnt_at ON orders_orderfact
    FOR EACH ROW EXECUTE FUNCTION orders_refuse_change();
"""
DROP = """
DROP TRIGGER orders_orderfact_is_kept ON orders_orderfact;
DROP TRIGGER orders_statuschange_is_kept ON orders_statuschange;
DROP FUNCTION orders_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0006_alter_cancelreason_options_alter_cartfact_options")]

    operations = [migrations.RunSQL(GUARD, DROP)]
