from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0019_ranges_grow_with_their_payers")]

    operations = [migrations.AddField("pagevisit", "last_at", models.DateTimeField(null=True))]
