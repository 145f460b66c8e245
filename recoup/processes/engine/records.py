"""What the engine reads and returns: tuples with names, cheap to build from a row and never changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from recoup.segments.facts import CartFacts, ContactFacts, Details, OrderFacts, PersonFacts


class MessageFacts(NamedTuple):
    """A message of the enrolment, from queueing to what the person did with it.

    `settled_at` is empty until the message has ended; `outcome` is then one of `Code` (sent, skipped, failed,
    uncertain). `sent_at` is the real hand-over, also of an uncertain one. Visits of machines are not counted.
    """

    node: int
    outcome: int = 0
    settled_at: datetime | None = None
    sent_at: datetime | None = None
    opened_at: datetime | None = None
    clicked_at: datetime | None = None


NO_MESSAGES: Mapping[int, MessageFacts] = {}


class OfferFacts(NamedTuple):
    """What was decided about an offer: `outcome` is one of `Code`; `at` is set if that came later than the step."""

    outcome: int
    at: datetime | None = None
    node: int = 0
    ends_at: datetime | None = None  # of a granted one: when it ends, or ended before its time


NO_OFFERS: Mapping[int, OfferFacts] = {}
Purchases = Mapping[str, tuple[datetime, ...]]
NO_PURCHASES: Purchases = {}


class PageVisit(NamedTuple):
    """The person came to a page of ours: by a link of whichever message, or straight. Machines do not count."""

    at: datetime
    page: str  # the purpose of the link: `pay`, `cart`, `out`, ...


class Answer(NamedTuple):
    """What came of something that a block asked people or a server for; `code` is one of `Code`."""

    node: int
    code: int
    at: datetime


Answers = Mapping[int, Answer]  # by step
NO_ANSWERS: Answers = {}


class Swap(NamedTuple):
    """The goods of an order were exchanged: what it held before, when that became true, and when we learnt it."""

    at: datetime
    learnt_at: datetime
    was: tuple[str, ...]


class Facts(NamedTuple):
    """Everything that the store reads for one enrolment. What stands here is known, and nothing else is.

    `messages` is keyed by step number. `promised_at` is until when payment was promised, `claimed_until` when a person's
    claim ends; `held_since` is set while a person holds the reminders without an end. `purchases` holds, for each product
    that the person has paid for and not given back, the instants, earliest first; it is read for versions that ask for it
    alone, and so are `details`, `person` and `visits`: those since the person entered, earliest first.
    """

    order: OrderFacts | None = None
    cart: CartFacts | None = None
    contact: ContactFacts | None = None
    messages: Mapping[int, MessageFacts] = NO_MESSAGES
    superseded_at: datetime | None = None
    case_closed_at: datetime | None = None
    promised_at: datetime | None = None
    claimed_until: datetime | None = None
    held_since: datetime | None = None
    purchases: Purchases = NO_PURCHASES
    details: Details | None = None
    person: PersonFacts | None = None
    answers: Answers = NO_ANSWERS  # read for those alone who stand in a block that waits for one
    offers: Mapping[int, OfferFacts] = NO_OFFERS  # by step number; read for versions that make offers alone
    visits: tuple[PageVisit, ...] = ()
    swaps: tuple[
        Swap, ...
    ] = ()  # of the order, as they were learnt; read where the reason to be there is gone

    @property
    def paused_until(self) -> datetime | None:
        """Return until when reminders rest: the later of the promise and the claim."""
        if self.promised_at is None or self.claimed_until is None:
            return self.promised_at or self.claimed_until
        return max(self.promised_at, self.claimed_until)


class Enrolment(NamedTuple):
    """One order, cart or person on its way through one version of a process.

    `node_at` is the logical instant of reaching `node`. `due_at` is the deadline of the node, empty right
    after reaching it. `run_at` is when to look next and never later than useful: an active enrolment always
    has one.
    """

    id: int
    shop_id: int
    process_id: int
    version_id: int
    contact_id: int
    case_id: int | None
    subject_kind: int
    subject_id: int
    state: int
    node: int
    step_no: int
    entered_at: datetime
    node_at: datetime
    anchor_shift: timedelta | None
    due_at: datetime | None
    run_at: datetime | None
    wait_mask: int
    prio: int
    last_message_step: int | None
    attempt: int
    flags: int
    variables: (
        Mapping[str, int] | None
    )  # rounds of bounded waits: {"7": 2} by node number; `CHAIN`, `CAUSE`, `ASKED`, ends


class Step(NamedTuple):
    """A line of the decision ledger. `at` is logical; the store adds when it was really done."""

    step_no: int
    node: int
    outcome: int
    at: datetime
    arm: int | None = None


class SendEffect(NamedTuple):
    """A message to queue. Its class, text and address are decided by `messaging`."""

    step_no: int
    node: int
    node_id: str
    channel: str
    template: str
    purpose: str  # "reminder" is guarded by the subject still being open, "thanks" is not
    planned_at: datetime
    not_after: datetime
    is_suppressed: bool
    otherwise: tuple[tuple[str, str], ...] = ()  # other channels to try in this order, with their texts
    day_ends_at: datetime | None = None  # what it says is true of this day alone, and false from then on

    @property
    def at(self) -> datetime:
        """Return when the message is due."""
        return self.planned_at


class CallOff(NamedTuple):
    """What a block has begun is not wanted any more. `step_no` is the last line before that."""

    step_no: int
    node: int
    at: datetime
    is_suppressed: bool = False


class Effect(Protocol):
    """What the world must do about a step. Its class is a tuple with names, which stands beside its kind of block; how a
    batch of them is carried out stands in `processes.effects`, outside the engine.
    """

    @property
    def step_no(self) -> int:
        """Return the line of the ledger that asks for it."""

    @property
    def node(self) -> int:
        """Return the number of the block."""

    @property
    def at(self) -> datetime:
        """Return the logical instant at which it is wanted."""

    @property
    def is_suppressed(self) -> bool:
        """Tell whether it is only written down: the person belongs to the control group."""


class Outcome(NamedTuple):
    """What one advance decided: written by the store in one transaction, or not at all."""

    enrolment: Enrolment
    steps: tuple[Step, ...]
    effects: tuple[Effect, ...]
