"""What is known in a simulated shop: of its orders and carts, of its people, and of what the engine has done there."""

from datetime import datetime

from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import Candidate, with_cause
from recoup.processes.engine.records import Answer, Enrolment, Facts, OfferFacts
from recoup.processes.memory_messages import Message
from recoup.segments.facts import NOBODY, Details, PersonFacts, known_by


class Knowledge:
    """Facts by order, cart and person, and the messages, answers and offers of each enrolment."""

    def __init__(self, start: datetime) -> None:
        self.clock = start
        self.graphs: dict[int, Graph] = {}
        self.messages: dict[tuple[int, int], Message] = {}
        self._facts: dict[tuple[int, int], Facts] = {}
        self.people: dict[int, PersonFacts] = {}
        self.details: dict[tuple[int, int], Details] = {}
        self._purchases: dict[int, dict[str, tuple[datetime, ...]]] = {}
        self._message_steps: dict[int, list[int]] = {}
        self._offers: dict[int, dict[int, OfferFacts]] = {}
        self._answers: dict[int, dict[int, Answer]] = {}

    def facts_of(self, enrolment: Enrolment) -> Facts:
        """Return everything that is known for an enrolment."""
        facts = self.known_of(enrolment)
        bought = self._purchases.get(enrolment.contact_id)
        if bought:
            facts = facts._replace(purchases=bought)
        if enrolment.id in self._answers:
            facts = facts._replace(answers=self._answers[enrolment.id])
        if offers := self._offers.get(enrolment.id):
            facts = facts._replace(offers={**facts.offers, **offers})
        steps = self._message_steps.get(enrolment.id)
        if not steps:
            return facts
        return facts._replace(messages={step: self.messages[enrolment.id, step].facts() for step in steps})

    def known_of(self, one: Enrolment | Candidate) -> Facts:
        """Return what conditions may ask about somebody."""
        subject = (one.subject_kind, one.subject_id)
        variables = one.variables if isinstance(one, Enrolment) else None
        facts = with_cause(self._facts[subject], variables)
        if not self.graphs[one.version_id].needs:
            return facts
        person = known_by(self.people.get(one.contact_id, NOBODY), self.clock)
        return facts._replace(details=self.details.get(subject), person=person)
