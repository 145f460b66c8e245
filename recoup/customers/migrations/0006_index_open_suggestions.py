from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0005_index_the_look_of_an_address")]

    operations = [
        AddIndexConcurrently(
            model_name="mergesuggestion",
            index=models.Index(
                condition=models.Q(("state", "open")),
                fields=["shop", "first", "second"],
                name="customers_suggestion_open",
            ),
        ),
    ]
