"""Triggers on the table of cases that write the changes of its numbers."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION analytics_tally_cases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A statement that changed nothing counted (a lock, a message counter) inserts nothing: its sums are zero.
    INSERT INTO analytics_casetally (shop_id, figure, kind, currency, at, value, is_folded)
    SELECT c.shop_id, f.figure, c.kind, c.currency,
           date_bin('15 minutes', f.at, TIMESTAMPTZ '2000-01-01 00:00+00'), sum(c.sign * f.value), false
    FROM (%s) c
    CROSS JOIN LATERAL (VALUES
        ('open', c.opened_at, 1::numeric),
        ('open', c.closed_at, -1),
        ('waiting', c.opened_at, c.amount),
        ('waiting', c.closed_at, -c.amount),
        ('messaged', CASE WHEN c.messages_sent > 0 AND c.outcome NOT IN ('false', 'duplicate') THEN c.opened_at END, 1),
        ('recovered', CASE WHEN c.outcome = 'recovered' THEN c.opened_at END, 1),
        ('money', c.recovered_at, c.recovered_amount - c.refunded_amount)
    ) AS f (figure, at, value)
    WHERE f.at IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(c.sign * f.value) <> 0;
    RETURN NULL;
END $$;
"""
"""One function for each event: it sees only the rows that its event names."""

EVENTS = {
    "insert": ("NEW TABLE AS new_rows", "SELECT 1 AS sign, n.* FROM new_rows n"),
    "delete": ("OLD TABLE AS old_rows", "SELECT -1 AS sign, o.* FROM old_rows o"),
    "update": (
        "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1 AS sign, n.* FROM new_rows n",
    ),
}

UP = "".join(
    FORWARD.replace("analytics_tally_cases", f"analytics_tally_{event}").replace("%s", rows)
    + f"""
CREATE TRIGGER analytics_tally_{event} AFTER {event.upper()} ON recovery_recoverycase
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION analytics_tally_{event}();
"""
    for event, (tables, rows) in EVENTS.items()
)
DOWN = "".join(
    f"DROP TRIGGER analytics_tally_{event} ON recovery_recoverycase; DROP FUNCTION analytics_tally_{event}();"
    for event in EVENTS
)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial"), ("recovery", "0002_money_given_back")]

    operations = [migrations.RunSQL(UP, DOWN)]
