from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0008_the_number_of_a_consent"),
    ]

    operations = [
        migrations.AddField(
            model_name="consentevent",
            name="told_at",
            field=models.DateTimeField(null=True),
        ),
    ]
