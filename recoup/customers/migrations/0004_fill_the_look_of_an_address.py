import unicodedata
from typing import Any

from django.db import migrations

BATCH = 1000
LOOK_ALIKES = str.maketrans("ıаеорсухіјѕԁɡһӏνοα", "iaeopcyxijsdghlvoa")


def look_of(address: str) -> str:
    """As `normalise.email_look` was when this migration was written; the address is normalised already."""
    local, _, domain = address.partition("@")
    local = local.split("+", 1)[0]
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    folded = unicodedata.normalize("NFKD", f"{local}@{domain}".casefold()).translate(LOOK_ALIKES)
    return "".join(sign for sign in folded if not unicodedata.combining(sign))


def fill(apps: Any, _editor: Any) -> None:
    """Give every known address its look, a batch at a time; safe to run again."""
    identities = apps.get_model("customers", "ContactIdentity").objects
    last = 0
    while batch := list(identities.filter(kind="email", look="", id__gt=last).order_by("id")[:BATCH]):
        for identity in batch:
            identity.look = look_of(identity.value)
        identities.bulk_update(batch, ["look"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0003_look_of_an_address")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
