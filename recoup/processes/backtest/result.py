"""What came of a back-test: numbers that say what they are, samples to open, and what nobody can know."""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from recoup.messaging.reasons import Reason
from recoup.processes.backtest.channels import ChannelNumbers, ChannelTally, LeftOutRows, OtherLanguage
from recoup.processes.backtest.offers import plain_costs
from recoup.processes.backtest.shop import PastShop
from recoup.processes.backtest.telling import Told
from recoup.processes.engine.codes import Code, Flag
from recoup.processes.engine.records import Enrolment
from recoup.processes.memory import MemoryStore
from recoup.processes.memory_messages import Message

MOST_SAMPLES = 20
_OUT = (Code.SENT, Code.UNCERTAIN)

# What no facts can tell, and what was taken for it. Stored: a code is never used for something else.
UNKNOWN_REACTIONS = "reactions"  # opens, clicks and replies to messages that were never sent: taken as none
UNKNOWN_EFFECT = "effect"  # who would have paid because of a message
UNKNOWN_REMINDED = "reminded"  # people who really got messages meanwhile: some of them paid because of those
UNKNOWN_TOLD_AT_ONCE = "told_at_once"  # imported orders, of which nobody knows when we would have learnt what
UNKNOWN_GUESSED = (
    "guessed_opening"  # when the case of an order would have been opened, by the settings of today
)
UNKNOWN_OFFER_USE = "offer_use"  # who would have used an offer: taken as all who paid while it was in force
UNKNOWN_BUDGET = "budget"  # who would have got the last offers of a budget that was spent
UNKNOWN_START = "start"  # who would have been inside before the period began
UNKNOWN_TODAY = (
    "facts_of_today"  # what conditions ask for and of which no past is kept: the state of today is taken
)
UNKNOWN_CONSENT = "consent"  # said of older runs, which did not look at consents at all
UNKNOWN_LEDGER = "consent_ledger"  # messages that hung on consents of a time in which none were written down
UNKNOWN_SETTINGS = "settings"  # rules, limits, quiet hours, ranks, texts and prices: those of today
UNKNOWN_ERASED = "erased"  # messages to people whose data were erased since: taken as not reached
UNKNOWN_TEXT = "text"  # short messages with words of which no past is kept: their parts may have been others
UNKNOWN_MONEY = "money"  # who would have got the last messages of a day whose money was spent
UNKNOWN_NO_MAIL = "no_mail"  # mails of a shop that cannot send any yet
UNKNOWN_DISPLACED = "displaced"  # what would have become of those who would have left another process
UNKNOWN_PEOPLE = "unknown_people"  # orders of nobody
UNKNOWN_NO_CARTS = "no_carts"  # the shop reported none in the period


@dataclass(frozen=True, slots=True)
class BlockNumbers:
    """How often a block came to which outcome, by the number of its code."""

    node: str
    outcomes: dict[int, int]
    messages: dict[int, int]  # of a block that sends: how its messages ended
    by_day: dict[str, int]  # messages that would have gone, by the shop's day


@dataclass(frozen=True, slots=True)
class Sample:
    """One order or cart that was tried, for a person to open."""

    subject_kind: int
    subject_id: int
    messages: int
    first_at: str | None
    ended: int  # the code of its last line; 0 while it is under way
    paid_at: str | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that the facts cannot tell, and how many it is about; 0 is about everybody."""

    code: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """A whole back-test. People are counted once; orders are carts for a process about carts."""

    orders: int = 0  # of the period, of known people
    entered: int = 0
    people: int = 0  # of those that entered
    turned_away: dict[str, int] = field(default_factory=dict)  # by reason
    control: int = 0  # in the control group: nothing would have gone
    messages: int = 0
    written_to: int = 0  # people who would have got a message
    paid_before_first: int = 0  # people who had paid by themselves before any message
    written_after_paid: int = 0  # messages after a payment that we had not heard of
    paid_after: int = 0  # orders paid after a message; whether because of it is not known
    under_way: int = 0  # not over yet when the facts end
    skipped: dict[int, int] = field(default_factory=dict)  # messages by the code of their reason
    by_day: dict[str, int] = field(default_factory=dict)
    blocks: tuple[BlockNumbers, ...] = ()
    samples: tuple[Sample, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    errors: int = 0
    offers: int = 0  # that would have been made
    offer_costs: dict[str, str] = field(default_factory=dict)  # by currency, if every one were used
    channels: tuple[ChannelNumbers, ...] = ()
    classes: dict[str, int] = field(default_factory=dict)  # messages that would have gone, by law
    left_out: dict[str, int] = field(default_factory=dict)  # messages by the reason for which none went
    passed_over: dict[str, dict[str, int]] = field(default_factory=dict)  # channels that could not, by reason
    languages: tuple[OtherLanguage, ...] = ()
    rows: LeftOutRows = field(default_factory=dict)  # of what was left out; kept beside the result

    def as_json(self) -> dict[str, Any]:
        """Return plain values without the rows; keys of numbers become text."""
        plain: dict[str, Any] = asdict(replace(self, rows={}))
        del plain["rows"]
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Result":
        """Read what `as_json` gave, after it was kept as JSON."""
        return cls(
            **{
                **plain,
                "skipped": _numbered(plain["skipped"]),
                "blocks": tuple(
                    BlockNumbers(
                        one["node"], _numbered(one["outcomes"]), _numbered(one["messages"]), one["by_day"]
                    )
                    for one in plain["blocks"]
                ),
                "samples": tuple(Sample(**one) for one in plain["samples"]),
                "channels": tuple(ChannelNumbers(**one) for one in plain.get("channels", ())),
                "languages": tuple(OtherLanguage(**one) for one in plain.get("languages", ())),
                "unknown": tuple(Unknown(**one) for one in plain["unknown"]),
            }
        )


def _numbered(plain: dict[Any, int]) -> dict[int, int]:
    return {int(key): count for key, count in plain.items()}


@dataclass(slots=True)
class Tally:
    """Adds up pages; holds numbers and a few samples, never the orders."""

    zone: ZoneInfo
    orders: int = 0
    entered: int = 0
    people: int = 0
    control: int = 0
    messages: int = 0
    written_to: int = 0
    paid_before_first: int = 0
    written_after_paid: int = 0
    paid_after: int = 0
    under_way: int = 0
    errors: int = 0
    turned_away: Counter[str] = field(default_factory=Counter)
    skipped: Counter[int] = field(default_factory=Counter)
    by_day: Counter[date] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, int]] = field(default_factory=Counter)
    ends: Counter[tuple[str, int]] = field(default_factory=Counter)
    days: Counter[tuple[str, date]] = field(default_factory=Counter)
    guessed: int = 0
    offers: int = 0
    offer_costs: dict[str, Decimal] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    channels: ChannelTally = field(default_factory=ChannelTally)
    unknown_words: int = 0
    erased: int = 0
    guessed_texts: int = 0
    displaced: int = 0
    budgets_spent: int = 0  # offers that a budget did not carry

    def add(self, shop: PastShop, told: list[Told], turned_away: Counter[str], errors: int) -> None:
        """Add a page of people."""
        self.orders += len(told)
        self.errors += errors
        self.turned_away.update(one.refused for one in told if one.refused)
        self.turned_away.update(turned_away)
        self.guessed += sum(one.is_guessed for one in told if not one.refused)
        names = {version: _names(graph.node_map) for version, graph in shop.graphs.items()}
        last: dict[int, int] = {}
        for enrolment_id, step in shop.ledger:
            name = names[shop.enrolments[enrolment_id].version_id][step.node]
            self.outcomes[name, step.outcome] += 1
            last[enrolment_id] = step.outcome
        self._add_unknown(shop)
        self.channels.add(shop, shop.sending.messages)
        sent = self._add_messages(shop)
        self._add_people(shop, told, sent, last)

    def add_offers(self, granted: int, costs: dict[str, Decimal]) -> None:
        """Add the offers of a page and what they would cost if all were used."""
        self.offers += granted
        for currency, cost in costs.items():
            self.offer_costs[currency] = self.offer_costs.get(currency, Decimal(0)) + cost

    def _add_unknown(self, shop: PastShop) -> None:
        settled = [place for place, message in shop.messages.items() if message.settled_at is not None]
        known = [shop.sending.messages[place] for place in settled if place in shop.sending.messages]
        self.unknown_words += sum(one.has_unknown_word for one in known)
        self.erased += sum(one.reason == Reason.ERASED for one in known)
        self.guessed_texts += sum(one.is_text_guessed for one in known)
        self.displaced += shop.displaced

    def _add_messages(self, shop: MemoryStore) -> dict[int, list[datetime]]:
        sent: dict[int, list[datetime]] = {}
        for message in shop.messages.values():
            if message.settled_at is None:
                continue
            self.ends[message.effect.node_id, message.outcome] += 1
            if message.outcome not in _OUT or message.sent_at is None:
                self.skipped[message.outcome] += 1
                continue
            sent.setdefault(message.enrolment_id, []).append(message.sent_at)
            self._add_sent(message, message.sent_at)
        return sent

    def _add_sent(self, message: Message, sent_at: datetime) -> None:
        day = sent_at.astimezone(self.zone).date()
        self.messages += 1
        self.by_day[day] += 1
        self.days[message.effect.node_id, day] += 1

    def _add_people(
        self, shop: MemoryStore, told: list[Told], sent: dict[int, list[datetime]], last: dict[int, int]
    ) -> None:
        payments = {one.subject_id: one.paid_at for one in told}
        people, written_to, paid_first = set(), set(), set()
        for enrolment in shop.enrolments.values():
            people.add(enrolment.contact_id)
            is_control = bool(enrolment.flags & Flag.HOLDOUT)
            instants, paid_at = sorted(sent.get(enrolment.id, ())), payments.get(enrolment.subject_id)
            self.entered += 1
            self.control += is_control
            self.under_way += enrolment.run_at is not None
            if instants:
                written_to.add(enrolment.contact_id)
            if paid_at is not None:
                self.written_after_paid += sum(at > paid_at for at in instants)
                self.paid_after += bool(instants) and instants[0] <= paid_at
                if not is_control and (not instants or paid_at < instants[0]):
                    paid_first.add(enrolment.contact_id)
            ended = 0 if enrolment.run_at is not None else last.get(enrolment.id, 0)
            self._add_sample(enrolment, instants, paid_at, ended)
        self.people += len(people)
        self.written_to += len(written_to)
        self.paid_before_first += len(paid_first - written_to)

    def _add_sample(
        self, enrolment: Enrolment, instants: list[datetime], paid_at: datetime | None, ended: int
    ) -> None:
        if len(self.samples) < MOST_SAMPLES:
            self.samples.append(
                Sample(
                    enrolment.subject_kind,
                    enrolment.subject_id,
                    len(instants),
                    instants[0].isoformat() if instants else None,
                    ended,
                    paid_at.isoformat() if paid_at is not None else None,
                )
            )

    def result(self, nodes: list[str], unknown: list[Unknown]) -> Result:
        """Return what was added up; the blocks in the order of the names given."""
        return Result(
            orders=self.orders,
            entered=self.entered,
            people=self.people,
            turned_away=dict(sorted(self.turned_away.items())),
            control=self.control,
            messages=self.messages,
            written_to=self.written_to,
            paid_before_first=self.paid_before_first,
            written_after_paid=self.written_after_paid,
            paid_after=self.paid_after,
            under_way=self.under_way,
            skipped=dict(sorted(self.skipped.items())),
            by_day=_by_day(self.by_day),
            blocks=tuple(self._block(node) for node in nodes),
            samples=tuple(self.samples),
            unknown=tuple(unknown),
            errors=self.errors,
            offers=self.offers,
            offer_costs=plain_costs(self.offer_costs),
            channels=self.channels.numbers(),
            classes=dict(sorted(self.channels.classes.items())),
            left_out=dict(sorted(self.channels.left_out.items())),
            passed_over=_by_channel(self.channels.passed_over),
            languages=self.channels.other_languages(),
            rows=dict(sorted(self.channels.rows.items())),
        )

    def _block(self, node: str) -> BlockNumbers:
        return BlockNumbers(
            node,
            {code: count for (name, code), count in sorted(self.outcomes.items()) if name == node},
            {code: count for (name, code), count in sorted(self.ends.items()) if name == node},
            _by_day(Counter({day: count for (name, day), count in self.days.items() if name == node})),
        )


def _names(node_map: Any) -> dict[int, str]:
    return {number: name for name, number in node_map.items()}


def _by_channel(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (channel, reason), count in sorted(counts.items()):
        found.setdefault(channel, {})[reason] = count
    return found


def _by_day(counts: Counter[date]) -> dict[str, int]:
    return {day.isoformat(): count for day, count in sorted(counts.items())}
