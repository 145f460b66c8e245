"""What makes a process publishable: every way leads on, every ring ends, nobody who paid is reminded."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.happenings import PAYMENT_GOALS, SUBJECT_EVENTS
from recoup.processes.engine.nodes.base import NodeDocument, Surroundings
from recoup.processes.engine.nodes.enrol import EnrolDocument
from recoup.processes.engine.nodes.offer import OfferDocument
from recoup.processes.engine.nodes.send import SendDocument
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.engine.nodes.until import UntilDocument
from recoup.processes.engine.nodes.webhook import WebhookDocument
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.entries import ABOUT
from recoup.processes.graph.problems import InvalidProcess, Problem, closest
from recoup.processes.graph.reading import read_document
from recoup.processes.graph.replacing import Named, has_open, is_open
from recoup.processes.graph.ways import Ways
from recoup.segments.fields import FIELDS
from recoup.segments.tree import comparisons

_ANCHORS = {"placed_at": SubjectKind.ORDER, "last_activity_at": SubjectKind.CART}


class TextOffer(NamedTuple):
    """A published text: its channel, the languages of the shop's messages that it lacks, and what it is about."""

    channel: str
    missing: tuple[str, ...] = ()
    about: str = ""  # order, cart or contact; empty is not looked at
    forbidden: str = ""  # its content, where the shop's rules let nobody get that
    says_new_total: bool = False  # what is to be paid with an offer


Offers = Collection[str] | Mapping[str, TextOffer]


def load_process(
    raw: Any,
    templates: Offers | None = None,
    processes: Mapping[int, SubjectKind] | None = None,
    offer_templates: Collection[str] = (),
    endpoints: Collection[int] | None = None,
) -> ProcessDocument:
    """Read a document and refuse it unless it may be published.

    `templates` are the keys of the texts that exist, with what each offers if that is to be looked at, `processes` the
    other processes and what they are about; without them a text or a process is not looked up. `offer_templates` are the
    texts that speak of a discount or gift.

    :raises InvalidProcess: with every problem and its place.
    """
    document = read_document(raw)
    problems = find_problems(document, templates, processes, offer_templates, endpoints)
    if problems:
        raise InvalidProcess(problems)
    return document


def find_problems(
    document: ProcessDocument,
    templates: Offers | None = None,
    processes: Mapping[int, SubjectKind] | None = None,
    offer_templates: Collection[str] = (),
    endpoints: Collection[int] | None = None,
) -> list[Problem]:
    """Return everything that keeps a well-formed document from being published."""
    lost = list(_lost_targets(document))
    if lost:
        return lost  # nothing else can be said before the ways lead somewhere
    ways = Ways({name: tuple(node.ports.values()) for name, node in document.nodes.items()})
    return [
        *_wrong_entry(document),
        *_wrong_goals(document),
        *_wrong_ways(document, ways),
        *_wrong_blocks(document, ways),
        *_wrong_reminders(document, ways),
        *_unfit_texts(document, templates),
        *_unknown_processes(document, processes),
        *_texts_without_offer(document, offer_templates),
        *_texts_of_next_order(document, templates),
        *_unknown_endpoints(document, endpoints),
        *([] if processes is None else _left_open(document)),
    ]


def _lost_targets(document: ProcessDocument) -> Iterator[Problem]:
    targets = {"entry.first": document.entry.first}
    for name, node in document.nodes.items():
        targets |= {f"nodes.{name}.out.{port}": target for port, target in node.ports.items()}
    for path, target in targets.items():
        if target not in document.nodes:
            yield Problem(path, "unknown_target", {"target": target}, closest(target, document.nodes))


def _wrong_entry(document: ProcessDocument) -> Iterator[Problem]:
    entry = document.entry
    if _ANCHORS.get(entry.anchor, entry.subject) is not entry.subject:
        yield Problem("entry.anchor", "anchor_of_other_subject", {"anchor": entry.anchor})
    if entry.condition is None:
        return
    for comparison in comparisons(entry.condition):
        fact = FIELDS.get(comparison.f)
        if fact is None:
            yield _unknown_fact("entry.if", comparison.f)
        elif entry.subject not in fact.subjects:
            yield Problem("entry.if", "fact_of_other_subject", {"field": comparison.f})


def _wrong_goals(document: ProcessDocument) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, goal in enumerate(document.goals):
        path = f"goals.{number}.on"
        if goal.on in seen:
            yield Problem(path, "double_goal", {"goal": goal.on})
        if document.entry.subject not in SUBJECT_EVENTS[goal.on].subjects:
            yield Problem(path, "event_of_other_subject", {"event": goal.on})
        elif goal.on == document.entry.on:
            yield Problem(path, "goal_is_entry")
        seen.add(goal.on)


def _wrong_ways(document: ProcessDocument, ways: Ways) -> Iterator[Problem]:
    first = document.entry.first
    if not document.nodes[first].ports:
        yield Problem(f"nodes.{first}", "does_nothing")
    reached = ways.reached_from(first)
    ends = {name for name, node in document.nodes.items() if not node.ports}
    for name in document.nodes:
        if name not in reached:
            yield Problem(f"nodes.{name}", "unreachable")
        elif not ends & ways.reached_from(name):
            yield Problem(f"nodes.{name}", "dead_end")
    ring = _unlimited(document).find_ring()
    if ring:
        kinds = [(KINDS[document.nodes[name].t], document.nodes[name]) for name in ring]
        waits = any(kind.waits for kind, _ in kinds)
        code = "loop_not_bounded" if waits else "loop_without_wait"
        if any(kind.limited(node) for kind, node in kinds):
            code = "loop_after_rounds"
        yield Problem(f"nodes.{ring[0]}", code, {"blocks": ", ".join(ring)})


def _unlimited(document: ProcessDocument) -> Ways:
    """Return the ways that somebody may take again and again; rounds are counted over the whole stay, never anew."""
    return Ways(
        {
            name: tuple(
                target for port, target in node.ports.items() if port not in KINDS[node.t].limited(node)
            )
            for name, node in document.nodes.items()
        }
    )


def _wrong_blocks(document: ProcessDocument, ways: Ways) -> Iterator[Problem]:
    for name, node in document.nodes.items():
        around = Surroundings(name, document.nodes, document.entry.subject, ways.leads)
        for trouble in KINDS[node.t].check(node, around):
            path = f"nodes.{name}.{trouble.path}"
            if trouble.code == "unknown_fact":
                yield _unknown_fact(path, trouble.values["field"])
            else:
                yield Problem(path, trouble.code, trouble.values)


def _wrong_reminders(document: ProcessDocument, ways: Ways) -> Iterator[Problem]:
    goal = PAYMENT_GOALS.get(document.entry.subject)
    if goal is None:  # about a person: nothing is reminded of, see the check of `send`
        return
    reminders = {name for name, node in document.nodes.items() if _is_reminder(node)}
    if document.entry.on == goal:
        for name in sorted(reminders):
            yield Problem(f"nodes.{name}", "reminder_after_payment")
        return
    if reminders and goal not in {listed.on for listed in document.goals}:
        yield Problem("goals", "reminder_without_payment_goal", {"goal": goal})
    paid: set[str] = set()
    for node in document.nodes.values():
        if isinstance(node, UntilDocument) and node.on.e == goal:
            paid |= ways.reached_from(node.out.yes)
    for name in sorted(reminders & paid):
        yield Problem(f"nodes.{name}", "reminder_after_payment")


def _is_reminder(node: NodeDocument) -> bool:
    return isinstance(node, SendDocument) and node.purpose == "reminder"


def _unfit_texts(document: ProcessDocument, templates: Offers | None) -> Iterator[Problem]:
    """Find the texts that are not there, are for another channel or subject, or lack a language in which messages go out."""
    for name, node in document.nodes.items():
        if templates is None or not isinstance(node, SendDocument):
            continue
        for (channel, _key), (path, template) in zip(node.ways, _texts_of(name, node), strict=True):
            values: Mapping[str, str] = {"template": template}
            if template not in templates:
                yield Problem(path, "unknown_template", values, closest(template, templates))
                continue
            offer = templates[template] if isinstance(templates, Mapping) else None
            if offer is not None and offer.channel != channel:
                yield Problem(path, "text_of_other_channel", values)
            elif offer is not None and offer.about and ABOUT[offer.about] is not document.entry.subject:
                yield Problem(path, "text_of_other_subject", values)
            elif offer is not None and offer.forbidden:
                yield Problem(path, "text_forbidden", {**values, "content": offer.forbidden})
            elif offer is not None and offer.missing:
                yield Problem(path, "text_not_in_language", {**values, "languages": ", ".join(offer.missing)})


def _texts_of(name: str, node: SendDocument) -> Iterator[tuple[str, str]]:
    """Yield the text of every channel of a step with its place."""
    for number, (_channel, template) in enumerate(node.ways):
        part = f"otherwise.{number - 1}.template" if number else "template"
        yield f"nodes.{name}.{part}", template


def _unknown_processes(
    document: ProcessDocument, processes: Mapping[int, SubjectKind] | None
) -> Iterator[Problem]:
    """Find processes that are not there, or are about what is not known here. A process about people takes everybody."""
    if processes is None:
        return
    subject = document.entry.subject
    if document.entry.process is not None:  # whoever comes from there brings what that one is about
        there = processes.get(document.entry.process)
        yield from _wrong_process(
            "entry.process", document.entry.process, there, fits=subject in (there, SubjectKind.CONTACT)
        )
    for name, node in document.nodes.items():
        if isinstance(node, EnrolDocument):
            there = processes.get(node.process)
            yield from _wrong_process(
                f"nodes.{name}.process", node.process, there, fits=there in (subject, SubjectKind.CONTACT)
            )


def _unknown_endpoints(document: ProcessDocument, endpoints: Collection[int] | None) -> Iterator[Problem]:
    for name, node in document.nodes.items():
        if (
            endpoints is None
            or not isinstance(node, WebhookDocument)
            or is_open(Named.PROGRAM, node.endpoint)
        ):
            continue
        if node.endpoint not in endpoints:
            yield Problem(f"nodes.{name}.endpoint", "unknown_endpoint", {"endpoint": str(node.endpoint)})


def _wrong_process(path: str, number: int, there: SubjectKind | None, *, fits: bool) -> Iterator[Problem]:
    if is_open(Named.PROCESS, number):
        return
    if there is None:
        yield Problem(path, "unknown_process", {"process": str(number)})
    elif not fits:
        yield Problem(path, "process_of_other_subject", {"process": str(number)})


def _left_open(document: ProcessDocument) -> Iterator[Problem]:
    """Find where nothing of this shop was chosen yet for what a file named of another one."""
    doc = document.as_json(is_bare=True)
    if has_open(doc["entry"]):
        yield Problem("entry", "left_open")
    for name, node in doc["nodes"].items():
        if has_open(node):
            yield Problem(f"nodes.{name}", "left_open")


def _texts_without_offer(document: ProcessDocument, offer_templates: Collection[str]) -> Iterator[Problem]:
    """Find texts that speak of an offer at steps that can be reached without one having been granted."""
    speaking = [
        (name, path, template)
        for name, node in sorted(document.nodes.items())
        if isinstance(node, SendDocument)
        for path, template in _texts_of(name, node)
        if template in offer_templates
    ]
    if not speaking:
        return
    reached = Ways(
        {
            name: tuple(target for port, target in node.ports.items() if not _is_granted(node, port))
            for name, node in document.nodes.items()
        }
    ).reached_from(document.entry.first)
    for name, path, template in speaking:
        if name in reached:
            yield Problem(path, "offer_text_without_offer", {"template": template})


def _texts_of_next_order(document: ProcessDocument, templates: Offers | None) -> Iterator[Problem]:
    """Find texts that say what is to be paid with an offer where the last one is for a next order, of no known sum."""
    if not isinstance(templates, Mapping):
        return
    is_about_person = document.entry.subject is SubjectKind.CONTACT
    open_ones = {
        name: node
        for name, node in document.nodes.items()
        if isinstance(node, OfferDocument) and (is_about_person or node.next_order)
    }
    if not open_ones:
        return
    ways = Ways(
        {
            name: tuple(
                target
                for port, target in node.ports.items()
                if name in open_ones or not _is_granted(node, port)  # else a sum is known again
            )
            for name, node in document.nodes.items()
        }
    )
    reached = {place for node in open_ones.values() for place in ways.reached_from(node.out.granted)}
    for name, node in sorted(document.nodes.items()):
        for path, template in _texts_of(name, node) if isinstance(node, SendDocument) else ():
            found = templates.get(template)
            if name in reached and found is not None and found.says_new_total:
                yield Problem(path, "offer_text_of_next_order", {"template": template})


def _is_granted(node: NodeDocument, port: str) -> bool:
    """Tell whether a way is taken only with an offer in hand."""
    return isinstance(node, OfferDocument) and port == "granted" and node.out.refused is not None


def _unknown_fact(path: str, name: str) -> Problem:
    return Problem(path, "unknown_fact", {"field": name}, closest(name, FIELDS))
