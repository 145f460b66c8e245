"""What a new process may begin with, as cards."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.processes.queries import processes_of
from recoup.processes.shipped import READY, shipped_process
from recoup.shops.models import Shop
from recoup.web.parts import Words
from recoup.web.words import ready, steps


@dataclass(frozen=True, slots=True)
class Card:
    """Something to begin with: `value` is what the form gets."""

    value: str
    name: Words
    use: Words
    icon: str
    parts: Words = ""  # what it is made of, in short


@dataclass(frozen=True, slots=True)
class Group:
    """Cards under a heading."""

    title: Words
    cards: Sequence[Card]


def gallery() -> list[Group]:
    """Return the ready processes by what they are for."""
    groups = []
    for title, keys in ready.GROUPS:
        cards = [_ready(key) for key in keys if key in READY]
        if cards:
            groups.append(Group(title, cards))
    return groups


def copies_of(shop: Shop) -> list[Card]:
    """Return an empty process and copies of the shop's own."""
    empty = Card("nothing", _("Empty"), _("You put the steps in yourself, one after the other."), "plus")
    own = [
        Card(
            f"process:{one.pk}",
            _("A copy of “%(name)s”") % {"name": steps.process_name(one)},
            _("As it is now, under a name of its own. People inside stay where they are."),
            "copy",
        )
        for one in processes_of(shop)
    ]
    return [empty, *own]


def groups_of(cards: Sequence[Card]) -> Group:
    """Return what does not come ready, under its heading."""
    return Group(_("Your own"), cards)


def _ready(key: str) -> Card:
    words = ready.READY[key]
    return Card(f"shipped:{key}", words.name, words.use, words.icon, _parts(key))


def _parts(key: str) -> str:
    """Return how many texts it sends and what it is checked by."""
    doc = shipped_process(key)
    mails = sum(node.t == "send" for node in doc.nodes.values())
    sent = ngettext("%(count)d text", "%(count)d texts", mails) % {"count": mails}
    checked = ngettext("%(count)d example", "%(count)d examples", len(doc.examples)) % {
        "count": len(doc.examples)
    }
    return f"{sent} · {checked}"
