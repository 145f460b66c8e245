from django.db import migrations, models


class Migration(migrations.Migration):
    """Every purpose of a link fits. The visits of before are filled in after it, so that this takes no time."""

    dependencies = [("messaging", "0017_dated_rules")]

    operations = [migrations.AlterField("pagevisit", "page", models.CharField(max_length=24))]
