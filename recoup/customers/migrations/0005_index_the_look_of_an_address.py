from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0004_fill_the_look_of_an_address")]

    operations = [
        AddIndexConcurrently(
            model_name="contactidentity",
            index=models.Index(
                condition=models.Q(("look", ""), _negated=True),
                fields=["shop", "look"],
                name="customers_identity_look",
            ),
        ),
    ]
