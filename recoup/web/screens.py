"""What the pages of the daily work show, as plain values: each template names in its head which of these it takes.

A view fills them from queries; nothing here touches the database, and words are translated by who fills them. What the
pages that keep a shop running take stands in `keeping_screens`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recoup.core.money import Money
from recoup.web.parts import Event, Link, Move, NextStep, Tile, Timeline, Words


@dataclass(frozen=True, slots=True)
class Action:
    """A button of a page: a link, a POST (`is_post`), or what opens the dialog `opens`."""

    label: Words
    icon: str = ""
    url: str = ""
    opens: str = ""
    is_post: bool = False
    tone: str = ""  # primary, error, ghost, or a quiet grey
    fields: Sequence[tuple[str, str]] = ()  # hidden fields of the POST


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row of the order list."""

    id: int
    number: str
    url: str
    person: str
    placed_at: datetime
    total: Money
    status: str
    status_label: Words
    payment: str
    payment_label: Words
    method: Words = ""
    clerk: str = ""  # who works on it
    shop: str = ""


@dataclass(frozen=True, slots=True)
class TwinRow:
    """Several unpaid orders of one person for the same products, as a row: which is kept, and all of them."""

    id: int
    person: str
    goods: int  # how many products; none told is 0
    why: Words
    kept_id: int
    options: Sequence[tuple[int, Words]]
    orders: Sequence[tuple[Link, Money, Words]]
    ids: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of an order or a cart."""

    name: str
    quantity: str
    total: Money
    detail: Words = ""  # variant, article number
    url: str = ""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt to pay, its reason in words."""

    at: datetime
    state: str
    state_label: Words
    amount: Money
    method: Words = ""
    reason: Words = ""


@dataclass(frozen=True, slots=True)
class OrderLink:
    """Another order of the same person."""

    number: str
    url: str
    total: Money
    placed_at: datetime
    status: str
    status_label: Words
    note: Words = ""  # "same goods, two minutes later"


@dataclass(frozen=True, slots=True)
class PersonCard:
    """The person beside an order, a case or a message."""

    name: str
    url: str
    email: str = ""
    phone: str = ""
    language: Words = ""
    since: Words = ""  # "Customer since March 2024"
    paid_orders: int = 0
    paid_sums: Sequence[Money] = ()
    warning: Words = ""  # "No mail: unsubscribed on 3 Nov"


@dataclass(frozen=True, slots=True)
class HandedLink:
    """A link of a buyer that staff hand on, and what it is in a few sentences."""

    title: Words
    url: str
    words: Sequence[Words]


@dataclass(frozen=True, slots=True)
class OrderPage:
    """An order: what it is, what happened, who it is and what comes next."""

    number: str
    status: str
    status_label: Words
    status_url: str  # POST `status`
    payment: str
    payment_label: Words
    placed_at: datetime
    lines: Sequence[OrderLine]
    sums: Sequence[tuple[Words, Money]]  # goods, delivery, discount
    total: Money
    person: PersonCard
    timeline: Timeline
    paid: Money | None = None
    moves: Sequence[Move] = ()
    facts: Sequence[tuple[Words, Words]] = ()
    delivery: Sequence[tuple[Words, Words]] = ()  # how it reaches the buyer, and to whom it is invoiced
    attempts: Sequence[AttemptRow] = ()
    next_step: NextStep | None = None
    actions: Sequence[Action] = ()  # the first is the main one
    siblings: Sequence[OrderLink] = ()
    note_url: str = ""  # POST `note`
    pay_link: HandedLink | None = None
    tasks: Sequence["TaskRow"] = ()  # to do about it


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A row of the list of tasks, or a task beside an order or a customer."""

    title: str
    url: str
    person: str
    about: Words
    due_at: datetime
    who: Words
    state: str
    state_label: Words
    is_urgent: bool = False
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A task: what, about whom, and what came of it."""

    row: TaskRow
    note: str = ""
    result: str = ""
    facts: Sequence[tuple[Words, Words]] = ()
    order_url: str = ""
    customer_url: str = ""
    phone: str = ""
    process_url: str = ""
    close_url: str = ""  # POST `do`, `result`; empty for who may not, or once it has ended
    hand_on_url: str = ""  # POST `to`


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A row of the recovery list."""

    id: int
    order: str
    url: str
    person: str
    amount: Money
    cause: Words
    opened_at: datetime
    outcome: str
    outcome_label: Words
    messages: int = 0
    next_words: Words = ""  # "Second reminder tomorrow 10:00"


@dataclass(frozen=True, slots=True)
class CameBack:
    """Money that came back, on Home."""

    order: str
    url: str
    person: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class CountLink:
    """A number and the rows that it counts."""

    value: Words
    url: str = ""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A line of the recovery report: one shop (or all) in one currency."""

    label: Words
    currency: str
    cases: CountLink
    messaged: CountLink
    recovered: CountLink
    rate: CountLink  # "20.97%", "–" for 0 of 0; of the cases that got a reminder
    money: CountLink
    still_open: CountLink
    messages: CountLink = CountLink("")  # how many reminders those cases got

    @property
    def counts(self) -> list[CountLink]:
        """Return the cells of the line in their order."""
        return [
            self.cases,
            self.messaged,
            self.messages,
            self.recovered,
            self.rate,
            self.money,
            self.still_open,
        ]


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """A promise that the report shows with its number: messages after we knew of the payment."""

    label: Words
    count: CountLink
    detail: Words
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A row of the customer list."""

    id: int
    name: str
    url: str
    email: str
    phone: str
    paid_orders: int
    paid_sums: Sequence[Money]
    last_at: datetime | None = None
    open_sums: Sequence[Money] = ()
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A way to reach a person, and whether we may."""

    kind: Words  # E-mail, Phone
    value: str
    consent: str  # ok, warning, failed: the look of the badge
    consent_label: Words  # "Reminders of orders only", "Unsubscribed on 3 Nov"


@dataclass(frozen=True, slots=True)
class Double:
    """Somebody who may be the same person, and what may be decided about it."""

    name: str
    url: str
    reach: str  # their e-mail or phone
    why: Words
    actions: Sequence[Action] = ()


@dataclass(frozen=True, slots=True)
class TagShown:
    """A tag of a person, and who set it when."""

    name: str
    since: Words


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """A person and all that is between them and the shop."""

    card: PersonCard
    contacts: Sequence[ContactRow]
    orders: Sequence[OrderRow]
    timeline: Timeline
    facts: Sequence[tuple[Words, Words]] = ()
    doubles: Sequence[Double] = ()  # people who may be the same person
    actions: Sequence[Action] = ()
    next_step: NextStep | None = None
    tags: Sequence[TagShown] = ()
    tags_url: str = ""  # where a tag is set or taken off; empty for who may not
    tasks: Sequence[TaskRow] = ()  # to do about the person and their orders
    cart_link: HandedLink | None = None  # to the cart that they left last


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A row of the process list."""

    name: Words
    url: str
    trigger: Words
    status: str
    status_label: Words
    waiting: CountLink
    sent: CountLink
    recovered: CountLink
    rate: Words
    action: Action | None = None  # switch on, pause
    idle: Words = ""  # why its reminders cannot happen


@dataclass(frozen=True, slots=True)
class ProcessPage:
    """A process: its picture, its numbers, what it decided lately."""

    name: Words
    status: str
    status_label: Words
    description: Words
    tiles: Sequence[Tile]
    facts: Sequence[tuple[Words, Words]] = ()
    versions: Sequence[Event] = ()
    ways: Sequence[Action] = ()  # to what else is told of it and may be tried
    actions: Sequence[Action] = ()
    idle: Words = ""  # why its reminders cannot happen
    idle_url: str = ""  # where that can be changed


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A row of the message list."""

    id: int
    subject: str
    url: str
    person: str
    status: str
    status_label: Words
    at: datetime
    order: str = ""
    source: Words = ""  # "Unpaid order, first reminder"
    reason: Words = ""  # why it was skipped or failed


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One message: what it said, where it stands."""

    subject: str
    status: str
    status_label: Words
    preview_url: str  # an address of its own, shown in a sandboxed frame
    text: str
    facts: Sequence[tuple[Words, Words]]
    timeline: Timeline
    person: PersonCard
    actions: Sequence[Action] = ()
    question: Words = ""  # what an uncertain message asks a person to decide


@dataclass(frozen=True, slots=True)
class SearchGroup:
    """What a search found, by kind."""

    title: Words
    icon: str
    hits: Sequence[Link]  # `count` holds the line under the hit
