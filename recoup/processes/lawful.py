"""Whom a process can meet, and what the sending rules make of its messages to them: looked at before it is published.

It meets the shop's own country, the people of the orders or carts of the last 90 days, those who are inside and those who
have the tags that it begins with. Questions about their country and their word on consent are answered as they would be on
the way, others may be answered either way; so a message behind "agreed to offers by e-mail?" meets those who agreed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recoup.customers.models import ContactTag
from recoup.customers.tagging import tag_key
from recoup.messaging.models import Message
from recoup.messaging.rules.book import Rule, RuleBook, book_of
from recoup.messaging.rules.reach import (
    Reader,
    Saying,
    has_anybody_agreed,
    is_left_out,
    readers_of,
    relation_to,
)
from recoup.processes.engine.codes import ACTIVE_STATES
from recoup.processes.engine.nodes.condition import IfDocument
from recoup.processes.engine.nodes.send import SendDocument
from recoup.processes.engine.records import Facts
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.problems import Problem
from recoup.processes.graph.reading import read_document
from recoup.processes.models import Enrolment, Process
from recoup.processes.texts import sayings_of
from recoup.segments.facts import Consent, Details, PersonFacts
from recoup.segments.to_python import compile_test
from recoup.segments.tree import All, AnyOf, Compare, Not, Tree

# Of fewer people it says nothing yet that none of them has agreed: a shop that begins asks the next one.
ENOUGH = 20
_MOST_INSIDE = 5_000
_OF_COUNTRY = frozenset({"order.country", "contact.country"})
_KNOWN = _OF_COUNTRY | {"contact.offers_by_email", "contact.offers_by_sms", "contact.cart_reminders"}
_BARS = (Message.MessageClass.FORBIDDEN, Message.MessageClass.NEEDS_CONSENT)


@dataclass(frozen=True, slots=True)
class Met:
    """People of one country under one rule: how many there are, and how many of them it would hold back."""

    country: str
    rule: Rule
    verdict: str
    people: int
    held: int


@dataclass(frozen=True, slots=True)
class Way:
    """A text of a step over one of its channels, and whom it meets; `path` is its place in the document."""

    node: str
    path: str
    template: str
    saying: Saying
    met: tuple[Met, ...]

    @property
    def people(self) -> int:
        """How many people it meets."""
        return sum(one.people for one in self.met)

    @property
    def most(self) -> Met:
        """Those of whom there are most; the shop's own country where nobody is there yet."""
        return max(self.met, key=lambda one: (one.held, one.people, one.country != ""))


def ways_met(
    process: Process,
    document: ProcessDocument,
    *,
    now: datetime,
    instead: Mapping[str, Saying] | None = None,
) -> list[Way]:
    """Return every text that a document sends with those whom it meets; `instead` says what some texts are to say."""
    shop, found = process.shop, []
    texts = {name: list(node.ways) for name, node in document.nodes.items() if isinstance(node, SendDocument)}
    sayings = {**sayings_of(shop, {key for ways in texts.values() for _, key in ways}), **(instead or {})}
    book, inside = book_of(shop.pk, now=now), _more_people(process, document)
    readers = {
        kind: readers_of(shop.pk, kind, now=now, also=inside)
        for kind in {one.kind for one in sayings.values()}
    }
    at_home = Reader(shop.country.upper(), shop.country.upper(), has_bought=False, words=frozenset())
    # Who has bought may come as well, where that makes them somebody else to the rules.
    to_come = [at_home, at_home._replace(has_bought=True)] if book.has_ground else [at_home]
    reached_at_home = _walk(document, _facts_of(at_home, now), now, _OF_COUNTRY)  # they may agree or not
    reached: dict[tuple[str, frozenset[Any]], set[str]] = {}
    for node, ways in texts.items():
        for number, (channel, key) in enumerate(ways):
            if key not in sayings:  # not there or not published: told otherwise
                continue
            saying = sayings[key]._replace(channel=channel)
            present = Counter(
                {
                    one: people
                    for one, people in readers[saying.kind].items()
                    if node in _reached(document, one, now, reached)
                }
            )
            here = to_come if node in reached_at_home else []
            part = f"otherwise.{number - 1}.template" if number else "template"
            is_paid = document.entry.on == "order.paid"
            met = _met(book, saying, present, here, is_paid=is_paid)
            found.append(Way(node, f"nodes.{node}.{part}", key, saying, tuple(met)))
    return found


def _met(
    book: RuleBook, saying: Saying, readers: Counter[Reader], to_come: Sequence[Reader], *, is_paid: bool
) -> Iterator[Met]:
    groups: dict[tuple[str, str, str], tuple[Rule, int, int]] = {}
    for reader, people in [*readers.items(), *((one, 0) for one in to_come)]:
        relation = relation_to(reader, book, saying, is_paid=is_paid)
        rule = book.deciding(reader.country, saying.content, relation)
        verdict = book.verdict(reader.country, saying.content, relation, saying.channel)
        _, before, held = groups.get((reader.country, verdict, rule.cell.relation), (rule, 0, 0))
        held += people * is_left_out(reader, verdict, saying)
        groups[reader.country, verdict, rule.cell.relation] = rule, before + people, held
    for (country, verdict, _), (rule, people, held) in groups.items():
        yield Met(country, rule, verdict, people, held)


def unlawful(process: Process, ways: Sequence[Way]) -> list[Problem]:
    """Return the steps whose message nobody may get whom they can meet, over any of their channels."""
    problems, by_node = [], {way.node: [one for one in ways if one.node == way.node] for way in ways}
    for of_step in by_node.values():
        codes = [_bar(process, way) for way in of_step]
        if all(codes):
            problems.append(_problem(of_step[0], codes[0]))
    return problems


def barred_by_text(process: Process, key: str, saying: Saying, *, now: datetime) -> Problem | None:
    """Return what would bar a step of a running process if a text of it said something else; not what bars it already."""
    version = process.current_version
    if version is None:
        return None
    document = read_document(version.doc)
    barred = {one.path for one in unlawful(process, ways_met(process, document, now=now))}
    then = ways_met(process, document, now=now, instead={key: saying})
    sends = {way.node for way in then if way.template == key}
    return next(
        (
            one
            for one in unlawful(process, then)
            if one.path not in barred and one.path.split(".")[1] in sends
        ),
        None,
    )


def _bar(process: Process, way: Way) -> str:
    """Return the code of what keeps a text from everybody whom it meets; nothing if somebody may get it."""
    verdicts = {one.verdict for one in way.met}
    if verdicts == {Message.MessageClass.FORBIDDEN}:
        return "text_barred"
    if not verdicts.issubset(_BARS) or way.people < ENOUGH or any(one.held < one.people for one in way.met):
        return ""
    saying = way.saying
    return "" if has_anybody_agreed(process.shop_id, saying.content, saying.channel) else "text_nobody_agreed"


def _problem(way: Way, code: str) -> Problem:
    most = way.most
    values = {
        "template": way.template,
        "content": way.saying.content,
        "country": most.country,
        "rule": f"{most.rule.cell.country}.{most.rule.cell.content}" if not most.rule.is_own else "",
        "since": most.rule.since.isoformat(),
        "people": str(way.people),
    }
    return Problem(way.path, code, values)


def _more_people(process: Process, document: ProcessDocument) -> list[int]:
    """Return the people inside and those who have the tags that the process begins with: the newest."""
    active = Enrolment.objects.filter(
        shop_id=process.shop_id, process=process, state__in=[int(one) for one in ACTIVE_STATES]
    )
    found = set(active.order_by("-id").values_list("contact_id", flat=True)[:_MOST_INSIDE])
    if document.entry.tags:
        tagged = ContactTag.objects.filter(
            shop_id=process.shop_id, tag__key__in=[tag_key(tag) for tag in document.entry.tags]
        )
        found |= set(tagged.order_by("-id").values_list("contact_id", flat=True)[:_MOST_INSIDE])
    return sorted(found)


def _reached(
    document: ProcessDocument,
    reader: Reader,
    now: datetime,
    known: dict[tuple[str, frozenset[Any]], set[str]],
) -> set[str]:
    """Return the blocks to which the ways of somebody can lead."""
    if (reader.told, reader.words) not in known:
        known[reader.told, reader.words] = _walk(document, _facts_of(reader, now), now)
    return known[reader.told, reader.words]


def _walk(document: ProcessDocument, facts: Facts, now: datetime, known: frozenset[str] = _KNOWN) -> set[str]:
    entry = document.entry
    if entry.condition is not None and _answer(entry.condition, facts, now, known) is False:
        return set()
    reached, open_ends = {entry.first}, [entry.first]
    while open_ends:
        node = document.nodes[open_ends.pop()]
        targets = list(node.ports.values())
        if isinstance(node, IfDocument):
            answer = _answer(node.condition, facts, now, known)
            targets = [
                port for port, side in ((node.out.yes, True), (node.out.no, False)) if answer in (side, None)
            ]
        for target in targets:
            if target not in reached:
                reached.add(target)
                open_ends.append(target)
    return reached


def _answer(condition: Tree, facts: Facts, now: datetime, known: frozenset[str]) -> bool | None:
    """Answer a condition with what is known of somebody; nothing where it hangs on something else."""
    match condition:
        case Compare():
            return compile_test(condition)(facts, now) if condition.f in known else None
        case Not():
            inner = _answer(condition.negated, facts, now, known)
            return None if inner is None else not inner
        case All():
            return _joined([_answer(part, facts, now, known) for part in condition.all], decided=False)
        case AnyOf():
            return _joined([_answer(part, facts, now, known) for part in condition.any], decided=True)


def _joined(answers: Sequence[bool | None], *, decided: bool) -> bool | None:
    if decided in answers:
        return decided
    return None if None in answers else not decided


def _facts_of(reader: Reader, now: datetime) -> Facts:
    consents = tuple(Consent(one.purpose, one.channel, now, now, one.is_given) for one in reader.words)
    return Facts(
        details=Details(0, "", country=reader.told),
        person=PersonFacts(country=reader.told, consents=consents),
    )
