"""What a back-test says of its messages: over which channel, what they cost, what they are by law, which were left out."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from recoup.messaging.past.deciding import PastMessage
from recoup.processes.backtest.offers import plain_costs
from recoup.processes.engine.codes import Code
from recoup.processes.memory import MemoryStore
from recoup.processes.memory_messages import Message

MOST_ROWS = 10_000  # of a reason that are kept to be opened; a number beyond says so
_OUT = (Code.SENT, Code.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class ChannelNumbers:
    """What would have gone over a channel. Costs are those of its messages, by currency."""

    channel: str
    messages: int
    people: int
    parts: int = 0
    costs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OtherLanguage:
    """Messages whose text was not there in the reader's language; `used` is the one that was taken."""

    template: str
    wanted: str
    used: str
    count: int


class LeftOutRow(NamedTuple):
    """A message that was left out: about which order, cart or person, at which block, and when, in seconds."""

    subject_kind: int
    subject_id: int
    node: str
    at: int


LeftOutRows = Mapping[str, list[LeftOutRow]]  # by reason


@dataclass(slots=True)
class ChannelTally:
    """Adds up the messages of pages."""

    messages: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    costs: defaultdict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    classes: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[tuple[str, str]] = field(default_factory=Counter)
    languages: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    rows: defaultdict[str, list[LeftOutRow]] = field(default_factory=lambda: defaultdict(list))

    def add(self, shop: MemoryStore, told: Mapping[tuple[int, int], PastMessage]) -> None:
        """Add the messages of a page of people, each of whom is on no other page."""
        people: defaultdict[str, set[int]] = defaultdict(set)
        for place, message in shop.messages.items():
            known = told.get(place)
            if known is None or message.settled_at is None:
                continue
            self.passed_over.update(known.passed_over)
            if message.outcome in _OUT:
                people[known.channel].add(known.contact_id)
                self._add_sent(known)
            else:
                self._add_left_out(shop, message, known)
        self.people.update({channel: len(them) for channel, them in people.items()})

    def _add_sent(self, known: PastMessage) -> None:
        self.messages[known.channel] += 1
        self.classes[known.bases[0].message_class] += 1
        if known.parts:
            self.parts[known.channel] += known.parts
            costs = self.costs[known.channel]
            costs[known.currency] = costs.get(known.currency, Decimal(0)) + known.price
        if known.is_in_other_language:
            self.languages[known.template_key, known.locale, known.written_in] += 1

    def _add_left_out(self, shop: MemoryStore, message: Message, known: PastMessage) -> None:
        reason = known.reason or ("stopped" if message.outcome == Code.SKIPPED_STOPPED else "")
        self.left_out[reason] += 1
        rows = self.rows[reason]
        if len(rows) < MOST_ROWS and message.settled_at is not None:
            enrolment = shop.enrolments[message.enrolment_id]
            at = int(message.settled_at.timestamp())
            rows.append(LeftOutRow(enrolment.subject_kind, enrolment.subject_id, message.effect.node_id, at))

    def numbers(self) -> tuple[ChannelNumbers, ...]:
        """Return what went over each channel, the one with the most messages first."""
        return tuple(
            ChannelNumbers(
                channel, count, self.people[channel], self.parts[channel], plain_costs(self.costs[channel])
            )
            for channel, count in sorted(self.messages.items(), key=lambda pair: (-pair[1], pair[0]))
        )

    def other_languages(self) -> tuple[OtherLanguage, ...]:
        """Return which texts were missing in which languages."""
        return tuple(OtherLanguage(*key, count) for key, count in sorted(self.languages.items()))
