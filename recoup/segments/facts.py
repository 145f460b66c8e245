"""What conditions look at: tuples with names, cheap to build from a row and never changed.

Facts of a person keep their instants, so that a condition is answered as of any moment: late, or over the past.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, IntFlag
from typing import NamedTuple, Protocol


class Subject(IntEnum):
    """What a condition is about. The numbers are those of `processes.engine.codes.SubjectKind`."""

    ORDER = 1
    CART = 2
    PERSON = 3


class Need(IntFlag):
    """Facts that are read by one more statement, only where a condition asks for them."""

    DETAILS = 1  # of the order or cart
    PERSON = 2
    HISTORY = 4  # the orders of the person
    CONSENTS = 8
    SUPPRESSIONS = 16
    TAGS = 32
    VISITS = 64


class OrderFacts(NamedTuple):
    """An order as it is known. Instants are UTC; `_learnt_at` is when we heard of it."""

    placed_at: datetime
    total: Decimal
    total_due: Decimal
    currency: str
    method: str
    is_offline_method: bool
    cause: str  # of the recovery case; empty when there is none
    status: str
    status_at: datetime | None = None
    paid_at: datetime | None = None  # fully paid; a partial payment leaves it empty
    paid_learnt_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_learnt_at: datetime | None = None
    products: tuple[str, ...] = ()  # as the shop names them


class CartFacts(NamedTuple):
    """A cart as it is known."""

    last_activity_at: datetime
    total: Decimal
    currency: str
    item_count: int
    converted_at: datetime | None = None
    emptied_at: datetime | None = None
    products: tuple[str, ...] = ()


class ContactFacts(NamedTuple):
    """The person. An unknown zone falls back to their country's, then to the shop's; an unknown shop's zone to UTC.

    `customers.clocks` says which clocks of a country count; here are only their names.
    """

    zone: str
    locale: str
    shop_zone: str = "UTC"
    country: str = ""
    wait_zone: str = ""  # by which waits go where no zone is told
    end_zones: tuple[str, ...] = ()  # an offer ends when it ends on the last of these
    quiet_zones: tuple[str, ...] = ()  # a day is over when it is over on the first of these


class Details(NamedTuple):
    """More of an order or a cart, for conditions that ask. What the source never told is empty."""

    item_count: int
    source: str  # the key of the source, as text
    country: str = ""
    origin: str = ""
    has_discount: bool | None = None
    visited_at: datetime | None = None  # the last time that the person came to its page


class PastOrder(NamedTuple):
    """An order of a person, as their history needs it. Test orders are none."""

    placed_at: datetime
    known_at: datetime  # an imported one is taken as told at once
    kept: Decimal  # what was paid and not given back
    currency: str
    products: tuple[str, ...]
    settled_at: datetime | None  # when it was paid; a source's clock may be ahead: nothing is before we knew
    paid_at: datetime | None  # the same, but empty where it was given back or is disputed: it was not bought
    paid_known_at: datetime | None
    closed_at: datetime | None  # cancelled, false or replaced: nobody asks to pay it
    false_at: datetime | None
    is_payable: bool  # something is to be paid, and no money is reserved for it


class Consent(NamedTuple):
    """A word on a purpose in a channel."""

    purpose: str
    channel: str
    became_true_at: datetime
    learnt_at: datetime
    is_given: bool


class Suppressed(NamedTuple):
    """From when until when the e-mail address of a person gets nothing of a scope."""

    scope: str
    since: datetime
    lifted_at: datetime | None


class Tagged(NamedTuple):
    """A tag of a person by its key, and since when."""

    key: str
    added_at: datetime


class Visited(NamedTuple):
    """When a person came to where they pay or order, and since when that is known to be no machine."""

    at: datetime
    known_at: datetime


class PersonFacts(NamedTuple):
    """A person for conditions that ask; each part is filled in only where one does."""

    country: str = ""
    known_since: datetime | None = None
    has_email: bool = False
    has_phone: bool = False
    orders: tuple[PastOrder, ...] = ()
    consents: tuple[Consent, ...] = ()  # by when they became true, then by when they were written
    suppressed: tuple[Suppressed, ...] = ()
    tags: tuple[Tagged, ...] = ()
    visits: tuple[Visited, ...] = ()


def known_by(person: PersonFacts, instant: datetime) -> PersonFacts:
    """Return the facts of a person without what was learnt later than an instant."""
    orders = tuple(
        one
        if one.paid_known_at is None or one.paid_known_at <= instant
        else one._replace(settled_at=None, paid_at=None)
        for one in person.orders
        if one.known_at <= instant
    )
    consents = tuple(one for one in person.consents if one.learnt_at <= instant)
    tags = tuple(one for one in person.tags if one.added_at <= instant)
    visits = tuple(one for one in person.visits if one.known_at <= instant)
    return person._replace(orders=orders, consents=consents, tags=tags, visits=visits)


NOBODY = PersonFacts()
People = Mapping[int, PersonFacts]


class Known(Protocol):
    """Everything that a condition may look at; what is empty does not exist, or nobody asked for it."""

    @property
    def order(self) -> OrderFacts | None:
        """Return the order."""

    @property
    def cart(self) -> CartFacts | None:
        """Return the cart."""

    @property
    def contact(self) -> ContactFacts | None:
        """Return the person's language and zones."""

    @property
    def details(self) -> Details | None:
        """Return more of the order or cart."""

    @property
    def person(self) -> PersonFacts | None:
        """Return more of the person."""
