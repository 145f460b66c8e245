from django.db import migrations, models

# As `messaging.tracking` keeps them: two minutes of one page are one visit, and what messages led to is what they are about.
_BEFORE = """
    INSERT INTO messaging_pagevisit (shop_id, subject_kind, subject_id, contact_id, page, slot, at, source_id, noted_at)
    SELECT m.shop_id, CASE WHEN m.order_id IS NOT NULL THEN 1 WHEN m.cart_id IS NOT NULL THEN 2 ELSE 3 END,
        coalesce(m.order_id, m.cart_id, m.contact_id), m.contact_id, v.purpose,
        floor(extract(epoch FROM v.at) / 120), v.at, m.source_id, v.noted_at
    FROM messaging_messagevisit v JOIN messaging_message m ON m.id = v.message_id
    WHERE NOT v.is_machine AND v.noted_at IS NOT NULL AND v.purpose <> 'open' AND NOT m.is_test
    ORDER BY v.at
    ON CONFLICT (subject_kind, subject_id, page, slot) DO NOTHING
"""


class Migration(migrations.Migration):
    """Whoever followed a link before is known to have come, too."""

    dependencies = [("messaging", "0017_dated_rules")]

    operations = [
        migrations.AlterField("pagevisit", "page", models.CharField(max_length=24)),
        migrations.RunSQL(_BEFORE, migrations.RunSQL.noop),
    ]
