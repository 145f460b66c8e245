"""The sender over a past: what it would have said about a message, over which channel, and what that would have cost.

The same steps in the same order as a lane takes them: the way and its address, the text, the money, the last look.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from recoup.customers.clocks import clocks_of_person
from recoup.messaging.channels import channel as road_of
from recoup.messaging.mime.addresses import is_address
from recoup.messaging.models import ChannelKind, Message, SmsAccount
from recoup.messaging.past.people import NOBODY, Number, PastPeople, PastPerson
from recoup.messaging.past.people import Standing as Word
from recoup.messaging.past.purse import Purse, Stake
from recoup.messaging.past.rules import PastRules
from recoup.messaging.past.sent import Others
from recoup.messaging.past.texts import GUESSED, PastText, Reader, ShortTexts, letter_of
from recoup.messaging.quiet import Wanted, put_off, rests
from recoup.messaging.reasons import Reason
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.messaging.rendering.tokens import OFFER_TOKENS
from recoup.messaging.rules.deciding import Basis, Standing, basis_of, said_in
from recoup.messaging.rules.kinds import Content
from recoup.messaging.rules.ways import Way, ways_of
from recoup.messaging.sender.facts import CartFacts, Gate, OfferSight, OrderFacts, Sight
from recoup.messaging.sender.judge import counts, judge, person_refusal
from recoup.messaging.sender.limits import WEEK
from recoup.messaging.sender.passing import may_pass_on
from recoup.messaging.sender.records import Claimed
from recoup.messaging.sender.shop_facts import ShopFacts, reader_at
from recoup.messaging.sender.spending import day_of, ends_for_good

OWN = 0  # the source of what is tried
_SMS = ChannelKind.SMS.value
State = Message.State


class Seen(NamedTuple):
    """The order or cart that a message is about, as it stood at an instant."""

    order: OrderFacts | None = None
    cart: CartFacts | None = None
    paid_at: datetime | None = None
    due: Decimal | None = None


class Verdict(NamedTuple):
    """How a message ends now, or until when it waits."""

    state: str
    reason: str = ""
    until: datetime | None = None


@dataclass(slots=True)
class PastMessage:
    """A message that is only tried, on its way through its channels."""

    shop_id: int
    contact_id: int
    order_id: int | None
    cart_id: int | None
    purpose: str
    channel: str
    template_key: str
    otherwise: tuple[tuple[str, str], ...]
    due_at: datetime
    not_after: datetime
    offer_until: datetime | None = None
    """Until when the last offer that was made holds."""
    day_ends_at: datetime | None = None

    is_asked_for = False
    manual_key = None
    recipient: str = ""
    locale: str = ""
    ways: list[Way] = field(default_factory=list)  # that are left, the present one first
    bases: list[Basis] = field(default_factory=list)  # of these
    has_offer: bool = False  # the text of the present way hangs on one
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    reason: str = ""
    parts: int = 0
    price: Decimal = Decimal(0)
    currency: str = ""
    written_in: str = ""  # the language of the text that was taken
    is_text_guessed: bool = False  # it says what nobody kept as it was
    has_unknown_word: bool = False  # it hung on a consent of a time in which none was written down

    @property
    def is_in_other_language(self) -> bool:
        """Whether there is no text in the reader's language."""
        return _language(self.written_in) != _language(self.locale)


def _language(locale: str) -> str:
    return locale.partition("-")[0].partition("_")[0]


@dataclass(slots=True)
class PastSender:
    """Decides about the messages of one process to some people."""

    rules: PastRules
    people: PastPeople
    others: Others
    texts: Mapping[str, PastText]  # by key
    short_texts: ShortTexts
    purse: Purse | None
    rank: int = 0
    _recent: defaultdict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _recent_sms: defaultdict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _of_order: Counter[int] = field(default_factory=Counter)

    def queue(self, message: PastMessage, seen: Seen, now: datetime) -> datetime:
        """Fix class, language and address of a message as they are when it is queued; return when it is due."""
        person, about = self._person(message), self.people.about(message.order_id, message.cart_id)
        message.ways = ways_of(message)
        message.bases = [self._basis(message, way, seen, now) for way in message.ways]
        message.locale = about.locale or person.locale or self.rules.locale
        message.recipient = person.address(message.channel, about, now)
        if not rests(message, message.bases[0].message_class):
            return message.due_at
        wanted = Wanted(
            message.shop_id, message.contact_id, message.channel, message.due_at, message.not_after
        )
        quiet = self.rules.quiet.get(message.channel, ())
        country = person.country or self.rules.country
        later = put_off(wanted, quiet, self._zones(person), country=country, now=now) if quiet else None
        return later or message.due_at

    def decide(self, message: PastMessage, seen: Seen, now: datetime) -> Verdict:
        """Say what the sender would do with a message now."""
        found = self._over_the_way(message, seen, now)
        if self._may_pass_on(message, found, now):
            self._pass_on(message, found.reason, now)
            return Verdict(State.DUE, found.reason, now)
        message.reason = found.reason
        return found

    def _may_pass_on(self, message: PastMessage, found: Verdict, now: datetime) -> bool:
        if len(message.ways) < 2 or not may_pass_on(found.state, found.reason):
            return False
        return found.state != State.DUE or self._is_next_able(message, now)

    def _is_next_able(self, message: PastMessage, now: datetime) -> bool:
        """Tell whether the next channel could and may take what waits for room, as `sender.passing` does."""
        tried = replace(message, ways=[*message.ways], bases=[*message.bases], passed_over=[])
        self._pass_on(tried, "", now)
        text = self.texts.get(tried.template_key)
        if self.rules.accounts.get(tried.channel) is None or self._reach(tried) is not None:
            return False
        if text is None or text.choose(tried.locale, self.rules.locale) is None:
            return False
        shop = self._shop(tried, self._word(tried, now), now)
        return not person_refusal(self._claimed(tried, text.id, now), shop)

    def _over_the_way(self, message: PastMessage, seen: Seen, now: datetime) -> Verdict:
        person = self._person(message)
        if person.erased_at is not None:
            return Verdict(State.CANCELLED, Reason.ERASED)
        refusal = self._reach(message)
        if refusal is not None:
            return refusal
        text = self.texts.get(message.template_key)
        chosen = text.choose(message.locale, self.rules.locale) if text is not None else None
        if text is None or chosen is None:
            return Verdict(State.FAILED, Reason.NO_TEMPLATE)
        message.written_in = chosen[0]
        speaks_of_offer = bool(OFFER_TOKENS.intersection(chosen[1].tokens))
        message.has_offer = speaks_of_offer and message.offer_until is not None
        if speaks_of_offer and not message.has_offer:
            return Verdict(State.CANCELLED, Reason.OFFER_OVER)
        stake: Stake | None = None
        if message.channel == _SMS:
            bill = self._bill(message, chosen[1], seen, now)
            if isinstance(bill, Verdict):
                return bill
            stake = bill
        decided = self._look(message, text.id, seen, now)
        if stake is not None and decided.state != State.SENT and self.purse is not None:
            self.purse.give_back(stake)
        return decided

    def _reach(self, message: PastMessage) -> Verdict | None:
        """Return why a message cannot take this way at all. A shop that sends no mail yet is taken to do so by then."""
        account = self.rules.accounts.get(message.channel)
        if account is None and (len(message.ways) > 1 or message.channel != ChannelKind.EMAIL):
            return Verdict(State.CANCELLED, Reason.NO_CHANNEL)
        if not message.recipient:
            return Verdict(State.CANCELLED, Reason.NO_ADDRESS)
        if message.channel == ChannelKind.EMAIL:
            return None if is_address(message.recipient) else Verdict(State.FAILED, Reason.ADDRESS_BAD)
        assert account is not None
        refusal = road_of(account.adapter).refusal_of(account, message.recipient)
        return Verdict(State.CANCELLED, refusal) if refusal else None

    def _bill(
        self, message: PastMessage, text: CompiledTemplate, seen: Seen, now: datetime
    ) -> Stake | Verdict:
        """Write a short message and set aside what it costs."""
        account, purse = self.rules.accounts[_SMS], self.purse
        assert isinstance(account, SmsAccount)
        assert purse is not None
        letter = letter_of(message.recipient, "past", message.written_in, now)
        reader = Reader(message.contact_id, message.order_id, message.cart_id)
        written = self.short_texts.write(account, text, letter, reader, seen.due)
        if isinstance(written, tuple):
            return Verdict(*written)
        message.is_text_guessed = bool(GUESSED.intersection(text.tokens))
        message.parts, message.price, message.currency = written.parts, written.price, written.currency
        today, tomorrow = day_of(account, now)
        begins = datetime.combine(today, time(), tomorrow.tzinfo)
        others = self.others.to_number(message.contact_id, message.recipient, begins, now)
        taken = purse.take(message.recipient, written.price, now, others=others)
        if isinstance(taken, Stake):
            return taken
        if ends_for_good(tomorrow, message.not_after):
            return Verdict(State.CANCELLED, taken)
        return Verdict(State.DUE, taken, tomorrow.astimezone(UTC))

    def _look(self, message: PastMessage, template_id: int, seen: Seen, now: datetime) -> Verdict:
        """Take the sender's last look, at what was known at this instant."""
        claimed, sight = self._claimed(message, template_id, now), self._sight(message, seen, now)
        # As the sender writes down: what the rules of this instant make of it.
        message.bases[0] = replace(message.bases[0], message_class=claimed.message_class)
        word = self._word(message, now)
        decision = judge(claimed, sight, self._shop(message, word, now), stamp=None, now=now)
        message.has_unknown_word = not word.is_known and self._is_before_ledger(claimed, now)
        if decision.what == "wait":
            return Verdict(State.DUE, decision.reason, decision.until)
        if decision.what == "cancel":
            return Verdict(State.CANCELLED, decision.reason)
        if counts(claimed, sight):
            self._recent[message.contact_id].append(now)
            if message.channel == _SMS:
                self._recent_sms[message.contact_id].append(now)
        if message.order_id is not None:
            self._of_order[message.order_id] += 1
        return Verdict(State.SENT)

    def _pass_on(self, message: PastMessage, reason: str, now: datetime) -> None:
        """Let a message go on over its next channel, as `sender.passing` does."""
        message.passed_over.append((message.channel, reason))
        del message.ways[0], message.bases[0]
        way = message.ways[0]
        message.channel, message.template_key = way.channel, way.template_key
        message.parts, message.price, message.currency, message.is_text_guessed = 0, Decimal(0), "", False
        about = self.people.about(message.order_id, message.cart_id)
        message.recipient = self._person(message).address(way.channel, about, now)

    # What it looks at

    def _person(self, message: PastMessage) -> PastPerson:
        return self.people.persons.get(message.contact_id, NOBODY)

    def _zones(self, person: PastPerson) -> tuple[ZoneInfo, ...]:
        return clocks_of_person(
            person.zone, person.country, shop_zone=self.rules.zone, shop_country=self.rules.country
        ).quiet

    def _basis(self, message: PastMessage, way: Way, seen: Seen, now: datetime) -> Basis:
        text, person = self.texts.get(way.template_key), self._person(message)
        about = self.people.about(message.order_id, None)
        standing = Standing(
            version_id=text.version_id if text is not None else None,
            is_order=message.order_id is not None,
            is_paid=seen.paid_at is not None,
            paid_at=seen.paid_at,
            country=(about.country or person.country).upper(),
            phone=about.phone or person.phone,
        )
        contents = (
            {text.version_id: text.content} if text is not None and text.version_id and text.content else {}
        )
        content, book = said_in(standing, contents, now, way), self.rules.books.at(now)
        has_bought = content != Content.CONTRACT and book.has_ground and person.has_bought(now)
        return basis_of(standing, book, content, way, has_bought=has_bought)

    def _claimed(self, message: PastMessage, template_id: int, now: datetime) -> Claimed:
        basis, book = message.bases[0], self.rules.books.at(now)  # they may have changed since it was queued
        return Claimed(
            id=0,
            shop_id=message.shop_id,
            source_id=OWN,
            contact_id=message.contact_id,
            order_id=message.order_id,
            cart_id=message.cart_id,
            template_id=template_id,
            case_id=None,
            enrolment_id=None,
            step_no=None,
            manual_key=None,
            locale=message.locale,
            purpose=message.purpose,
            message_class=book.verdict(basis.country, basis.content, basis.relation, message.channel),
            is_asked_for=False,
            is_test=False,
            recipient=message.recipient,
            prio=1,
            due_at=message.due_at,
            not_after=message.not_after,
            attempt=0,
            message_ref="",
            channel=message.channel,
            content=basis.content,
            relation=basis.relation,
            country=basis.country,
            offer_id=OWN if message.has_offer else None,
            day_ends_at=message.day_ends_at,
        )

    def _sight(self, message: PastMessage, seen: Seen, now: datetime) -> Sight:
        contact_id, order = message.contact_id, seen.order
        recent = self._within_a_week(self._recent, contact_id, now)
        has_rows = contact_id in self.others.rows
        if has_rows or contact_id in self.others.recent:
            recent = sorted([*recent, *self.others.counted(contact_id, now)])
        if order is not None:
            order.reminders = self._of_order[order.id]
            if has_rows:
                order.reminders += self.others.about_order(contact_id, order.id, now)
                order.sent_by_hand = self.others.by_hand(contact_id, order.id, now)
        rivals = self.others.rivals(contact_id, self.rules.ranks, self.rank, now) if has_rows else ()
        offer = None
        if message.has_offer and message.offer_until is not None:
            offer = OfferSight("granted", message.offer_until)
        return Sight(None, Gate(contact_id, recent), order, seen.cart, "", rivals, offer=offer)

    def _word(self, message: PastMessage, now: datetime) -> Word:
        is_imported = self.people.about(message.order_id, message.cart_id).is_imported
        number = None if message.channel == "email" else Number(message.shop_id, message.recipient)
        return self._person(message).standing(message.channel, now, is_imported=is_imported, at_number=number)

    def _is_before_ledger(self, claimed: Claimed, now: datetime) -> bool:
        """Tell whether a message hangs on words of a time in which none were written down."""
        if claimed.message_class not in _HANGS_ON_WORDS:
            return False
        return self.rules.ledger_since is None or now < self.rules.ledger_since

    def _shop(self, message: PastMessage, word: Word, now: datetime) -> ShopFacts:
        """Return what the shop and the person of a message say about sending at this instant."""
        rules, contact_id, channel = self.rules, message.contact_id, message.channel
        person, only = self._person(message), {reader_at(channel, contact_id, message.recipient)}
        scopes = self.people.scopes(channel, message.recipient, now)
        is_sms = channel == _SMS
        sms = self._within_a_week(self._recent_sms, contact_id, now) if is_sms else []
        if is_sms and contact_id in self.others.rows:
            sms = [*sms, *self.others.counted(contact_id, now, channel=channel)]
        return ShopFacts(
            live_since=_LONG_AGO,
            is_silenced=False,
            caps=rules.caps,
            quiet_hours=rules.quiet.get(channel, ()),
            zone=rules.zone,
            states=_LIVE,
            sources_live_since={},
            erased=set(),
            zones={contact_id: person.zone},
            consenting=only if word.has_agreed else set(),
            objecting=only if word.objects else set(),
            suppressed={message.recipient: scopes} if scopes else {},
            wanting_offers=only if word.wants_offers else set(),
            refusing_carts=only if word.refuses_carts else set(),
            countries={contact_id: person.country},
            country=rules.country,
            channel_caps=rules.sms_caps if is_sms else None,
            channel_recent={contact_id: sms} if is_sms else {},
        )

    @staticmethod
    def _within_a_week(
        kept: defaultdict[int, list[datetime]], contact_id: int, now: datetime
    ) -> list[datetime]:
        return [at for at in kept.get(contact_id, ()) if at > now - WEEK]


_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_LIVE = {OWN: "live"}
_HANGS_ON_WORDS = (Message.MessageClass.NEEDS_CONSENT, Message.MessageClass.SOFT_OPT_IN)
