"""What is known in a simulated shop: of its orders and carts, of its people, and of what the engine has done there."""

from datetime import datetime

from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import Candidate, with_cause
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.records import Answer, Enrolment, Facts, OfferFacts, PageVisit
from recoup.processes.memory_messages import Message
from recoup.processes.worlds import Coming, Purchase
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
        self._visits: dict[tuple[int, int], tuple[PageVisit, ...]] = {}
        self._message_steps: dict[int, list[int]] = {}
        self._offers: dict[int, dict[int, OfferFacts]] = {}
        self._answers: dict[int, dict[int, Answer]] = {}

    def facts_of(self, enrolment: Enrolment) -> Facts:
        """Return everything that is known for an enrolment."""
        facts = self.known_of(enrolment)
        bought = self._purchases.get(enrolment.contact_id)
        if bought:
            facts = facts._replace(purchases=bought)
        if came := self._visits.get((enrolment.subject_kind, enrolment.subject_id)):
            facts = facts._replace(visits=tuple(one for one in came if one.at >= enrolment.entered_at))
        if enrolment.id in self._answers:
            facts = facts._replace(answers=self._answers[enrolment.id])
        if offers := self._offers.get(enrolment.id):
            facts = facts._replace(offers={**facts.offers, **offers})
        steps = self._message_steps.get(enrolment.id)
        if not steps:
            return facts
        return facts._replace(messages={step: self.messages[enrolment.id, step].facts() for step in steps})

    def note_purchase(self, purchase: Purchase) -> None:
        """Remember what somebody has bought."""
        at = min(purchase.became_true_at, purchase.at)
        bought = self._purchases.setdefault(purchase.contact_id, {})
        for product in purchase.products:
            bought[product] = tuple(sorted((*bought.get(product, ()), at)))

    def note_coming(self, coming: Coming) -> set[tuple[int, int]]:
        """Remember that somebody came to a page; return about whom and what processes may wait for it."""
        visit = PageVisit(coming.came_at or coming.at, coming.page)
        places = {
            (coming.subject_kind, coming.subject_id),
            (int(SubjectKind.CONTACT), coming.contact_id),
        }
        for place in places:
            self._visits[place] = tuple(sorted((*self._visits.get(place, ()), visit)))
        return places

    def note_offer(self, enrolment_id: int, effect: OfferEffect, code: int) -> None:
        """Remember what was decided about an offer."""
        ends_at = effect.valid_until if code == Code.OFFER_GRANTED else None
        decided = OfferFacts(code, None, effect.node, ends_at)
        self._offers.setdefault(enrolment_id, {})[effect.step_no] = decided

    def sent(self) -> list[Message]:
        """Return the messages that went out, in the order of their hand-over."""
        gone = [message for message in self.messages.values() if message.sent_at is not None]
        return sorted(gone, key=lambda message: (message.sent_at or self.clock, message.enrolment_id))

    def known_of(self, one: Enrolment | Candidate) -> Facts:
        """Return what conditions may ask about somebody."""
        subject = (one.subject_kind, one.subject_id)
        variables = one.variables if isinstance(one, Enrolment) else None
        facts = with_cause(self._facts[subject], variables)
        if not self.graphs[one.version_id].needs:
            return facts
        person = known_by(self.people.get(one.contact_id, NOBODY), self.clock)
        return facts._replace(details=self.details.get(subject), person=person)
