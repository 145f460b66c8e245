from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("processes", "0014_find_who_went_through")]

    operations = [
        migrations.AddField(
            model_name="webhookcall",
            name="emptied_at",
            field=models.DateTimeField(null=True),
        ),
    ]
