from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # enrolments are many, and engines write them meanwhile

    dependencies = [("processes", "0021_take_tests_out_of_groups")]

    operations = [
        AddIndexConcurrently(
            model_name="enrolment",
            index=models.Index(
                condition=models.Q(("state", 3)),
                fields=["process", "id"],
                name="processes_enrolment_aside",
            ),
        ),
    ]
