"""What a shop calls the things that documents name by key or number: written to a file, and looked for when one comes in."""

from collections.abc import Mapping

from recoup.catalog.queries import product_names
from recoup.processes.call_models import WebhookEndpoint
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.replacing import Named, names_in
from recoup.processes.models import Process
from recoup.shops.models import Membership, Shop, Source

LONGEST_NAME = 200
Names = Mapping[Named, Mapping[str, str]]


def own_names(shop: Shop) -> dict[Named, dict[str, str]]:
    """Return the names of the shop's processes, programs, colleagues and sources, by number.

    A colleague who gave no name has none here: a file may go anywhere, and nobody's address goes with it.
    """
    found = {
        Named.PROCESS: Process.objects.filter(shop=shop).values_list("pk", "name"),
        Named.PROGRAM: WebhookEndpoint.objects.filter(shop=shop).values_list("pk", "name"),
        Named.PERSON: Membership.objects.filter(shop=shop).values_list("user_id", "user__name"),
        Named.SOURCE: Source.objects.filter(shop=shop).values_list("pk", "name"),
    }
    return {kind: {str(key): str(name) for key, name in rows if name} for kind, rows in found.items()}


def names_of(shop: Shop, doc: Raw) -> dict[Named, dict[str, str]]:
    """Return the names of what a document names by number or reference; texts travel whole."""
    known = own_names(shop)
    named = names_in(doc)
    known[Named.PRODUCT] = product_names(shop, named[Named.PRODUCT])
    return {
        kind: {key: names[key][:LONGEST_NAME] for key in sorted(named[kind]) if key in names}
        for kind, names in known.items()
        if not named[kind].isdisjoint(names)
    }
