from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # the ledger is the largest table: nobody waits for its index

    dependencies = [("processes", "0013_add_bulk_adds")]

    operations = [
        AddIndexConcurrently(
            model_name="steplog",
            index=BrinIndex(fields=["done_at"], name="processes_step_log_done", pages_per_range=32),
        ),
    ]
