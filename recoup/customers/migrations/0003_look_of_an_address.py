from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_alter_contactidentity_contact")]

    operations = [
        migrations.AddField(
            model_name="contactidentity",
            name="look",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
