"""What the pages that keep a shop running take, as plain values: settings, sources, imports, colleagues, texts, the wizard.

As in `screens`: a view fills them from queries, and words are translated by who fills them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django import forms

from recoup.web.parts import Link, Words
from recoup.web.screens import Action


@dataclass(frozen=True, slots=True)
class SettingsCard:
    """A part of the settings on their first page."""

    title: Words
    text: Words
    url: str
    icon: str
    state: str = ""  # ok, warning, failed, waiting
    state_label: Words = ""


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """When and how fast a channel sends."""

    channel: str
    title: Words
    quiet_form: forms.Form
    quiet_url: str
    pace_form: forms.BaseForm
    pace_url: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source of orders."""

    name: str
    kind: Words
    url: str
    state: str
    state_label: Words
    last_at: datetime | None
    today: int = 0


@dataclass(frozen=True, slots=True)
class OwnCancelling:
    """That a shop cancels its unpaid orders by itself: what it means, what to change, and the orders it happened to."""

    title: Words
    text: Words
    advice: Words
    orders: Sequence[Link] = ()
    tone: str = "neutral"


@dataclass(frozen=True, slots=True)
class IntakeRow:
    """A report that could not be applied."""

    id: int
    url: str
    source: str
    topic: str
    reason: Words
    at: datetime
    raw: str = ""
    retry_url: str = ""
    ignore_url: str = ""


@dataclass(frozen=True, slots=True)
class ColleagueRow:
    """A person who works in the shop, or an invitation."""

    name: str
    email: str
    role: Words
    is_invited: bool = False
    last_at: datetime | None = None
    actions: Sequence[Action] = ()


@dataclass(frozen=True, slots=True)
class CheckRow:
    """Something that was checked: SPF, DKIM, DMARC, a source, the public address."""

    title: Words
    state: str  # ok, warning, failed, unknown, waiting
    state_label: Words
    detail: Words = ""
    code: str = ""  # the record to put into DNS


@dataclass(frozen=True, slots=True)
class RuleCell:
    """What is in force for one relation, and what the product came with where that is something else."""

    label: Words
    shipped: Words = ""
    at: datetime | None = None
    planned: Sequence[str] = ()  # what changes here, and when


@dataclass(frozen=True, slots=True)
class RuleRow:
    """The rules for one kind of content, where they stand, and where they are changed."""

    content: Words
    cells: Sequence[RuleCell]
    source: Words
    url: str
    since: date | None = None  # from when the source is in force


@dataclass(frozen=True, slots=True)
class RuleCountry:
    """The rules of one country."""

    name: Words
    rows: Sequence[RuleRow]
    warning: str = ""  # what goes out there without consent to people who neither ordered nor bought


@dataclass(frozen=True, slots=True)
class RuleChange:
    """Who changed a rule, when, from what to what, and why."""

    at: datetime
    who: str
    relation: Words
    was: Words
    to: Words
    note: str = ""
    holds_from: datetime | None = None  # where it was to hold later than it was made
    withdraw_url: str = ""  # while it does not hold yet
    withdrawn: str = ""  # by whom


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """How long one payment method waits before an order is looked at."""

    method: Words
    wait: timedelta | None  # never looked at
    url: str = ""
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product, and what puts it on the list of those bought again and again or takes it off."""

    name: str
    detail: Words  # article number, source
    is_on: bool
    action: Action


@dataclass(frozen=True, slots=True)
class CostRow:
    """A product, what it costs, and what is left of its price."""

    id: int
    name: str
    detail: Words  # article number, source
    url: str
    price: Words
    currency: str
    cost: str  # as it is written into the field; empty where it is not known
    margin: Words
    is_guessed: bool  # reckoned with the share that the shop set
    is_loss: bool
    origin: Words
    at: datetime | None = None
    who: Words = ""


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A text that processes send."""

    name: Words
    url: str
    subject: str
    languages: Sequence[str]
    message_class: Words
    used_in: Words = ""
    changed_at: datetime | None = None
    problem: Words = ""


@dataclass(frozen=True, slots=True)
class WizardStep:
    """A step of the first-run wizard."""

    title: Words
    url: str
    state: str = "later"  # done, now, later


@dataclass(frozen=True, slots=True)
class PreviewChooser:
    """Who the draft is shown as, and who was found to show it as instead."""

    key: str  # what addresses name; empty for the made-up buyer
    who: str
    query: str
    hits: list[Link]
    asks_for: str


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """An address that processes may call."""

    name: str
    url: str
    is_active: bool
    waiting: int
    given_up: int
    trouble: Words
    change_url: str  # POST `do`: test, retry, off, on
