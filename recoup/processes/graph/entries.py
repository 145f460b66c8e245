"""The one table of entries: what lets somebody into a process, and what such a process may be about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.wording import gettext_noop

_ORDER, _CART, _CONTACT = SubjectKind.ORDER, SubjectKind.CART, SubjectKind.CONTACT
# The words by which a document says what it is about, where its entry leaves that open.
ABOUT = {"contact": _CONTACT, "order": _ORDER, "cart": _CART}


@dataclass(frozen=True, slots=True)
class EntryKind:
    """An entry. Of several subjects the document says which one by `about`; the first one is meant if it does not."""

    subjects: tuple[SubjectKind, ...]
    words: str
    others: str  # who else enters, said before a process is switched on (J8)
    untried: str = ""  # why it cannot be tried on the past
    looks_again: bool = False  # an order is asked again for its products when they are exchanged (J3)


ENTRIES: dict[str, EntryKind] = {
    "order.placed": EntryKind(
        (_ORDER,),
        gettext_noop("An order is placed"),
        gettext_noop("Everybody who places such an order from now on enters by themselves."),
        looks_again=True,
    ),
    "order.unpaid": EntryKind(
        (_ORDER,),  # a recovery case was opened for it
        gettext_noop("An order stays unpaid"),
        gettext_noop("Everybody whose order stays unpaid from now on enters by themselves."),
        looks_again=True,
    ),
    "cart.abandoned": EntryKind(
        (_CART,),
        gettext_noop("A cart is left"),
        gettext_noop("Everybody who leaves a cart from now on enters by themselves."),
    ),
    "payment.failed": EntryKind(
        (_ORDER,),
        gettext_noop("A payment fails"),
        gettext_noop("Everybody whose payment fails for such a cause from now on enters by themselves."),
    ),
    "order.paid": EntryKind(
        (_ORDER,),
        gettext_noop("An order is paid"),
        gettext_noop(
            "Everybody who pays an order from now on enters by themselves, also those who pay at once."
        ),
    ),
    "tag.set": EntryKind(
        (_CONTACT,),
        gettext_noop("A person is tagged"),
        gettext_noop("Everybody who is tagged so from now on enters by themselves, by whomever it is done."),
        gettext_noop("The past does not tell when somebody was tagged."),
    ),
    "process.ended": EntryKind(
        (_CONTACT, _ORDER, _CART),
        gettext_noop("Another process ends"),
        gettext_noop("Everybody who comes to the end of that process from now on enters by themselves."),
        gettext_noop("The past does not tell who would have come to the end of the other process."),
    ),
    "manual": EntryKind(
        (_CONTACT, _ORDER, _CART),
        gettext_noop("Only when somebody is put in"),
        gettext_noop(
            "Nobody enters by themselves: people are put in by hand, by a list or by another process."
        ),
        gettext_noop("The past does not tell whom somebody would have put in."),
    ),
}


def subject_of(entry: Mapping[str, Any]) -> SubjectKind:
    """Return what a process is about, from the entry of its raw document."""
    about = entry.get("about")
    return ABOUT[about] if about in ABOUT else ENTRIES[entry["on"]].subjects[0]
