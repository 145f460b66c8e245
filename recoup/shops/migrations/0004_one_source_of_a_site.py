"""A platform is a source of a shop once. Where it was connected twice before, the newest keeps the place."""

from typing import Any

from django.db import migrations, models

from recoup.shops.addresses import site_of


def name_sites(apps: Any, _schema: Any) -> None:
    """Fill the new column."""
    source_model = apps.get_model("shops", "Source")
    taken: set[tuple[int, str, str]] = set()
    for source in source_model.objects.exclude(base_url="").order_by("-id"):
        place = (source.shop_id, source.kind, site_of(source.base_url))
        if place not in taken:
            taken.add(place)
            source.site = place[2]
            source.save(update_fields=["site"])


class Migration(migrations.Migration):
    dependencies = [("shops", "0003_languages_of_messages")]

    operations = [
        migrations.AddField(
            model_name="source",
            name="site",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.RunPython(name_sites, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.UniqueConstraint(
                condition=models.Q(("site", ""), _negated=True),
                fields=("shop", "kind", "site"),
                name="shops_source_one_of_a_site",
            ),
        ),
    ]
