from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0007_tags"),
    ]

    operations = [
        migrations.AddField(
            model_name="consentevent",
            name="number_hash",
            field=models.BinaryField(max_length=32, null=True),
        ),
    ]
