"""Keep the back-tests that people ask for, their progress and their results."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("processes", "0004_add_drafts"),
        ("shops", "0002_import_runs"),
    ]

    operations = [
        migrations.CreateModel(
            name="BacktestRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("done", models.IntegerField(default=0)),
                ("whole", models.IntegerField(default=0)),
                ("result", models.JSONField(null=True)),
                ("trouble", models.CharField(blank=True, default="", max_length=40)),
                ("made_by", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField()),
                ("turns", models.SmallIntegerField(default=0)),
                ("beat_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "process",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="processes.process",
                    ),
                ),
                (
                    "shop",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="shops.shop",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="processes.processversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["shop", "process", "-id"], name="processes_backtestrun_list"),
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=["id"],
                        name="processes_backtestrun_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=("process", "version", "since", "until"),
                        name="processes_backtestrun_one_at_a_time",
                    )
                ],
            },
        ),
    ]
