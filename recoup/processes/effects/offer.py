"""Offers are decided by `offers` in the step's own transaction; the decision becomes news that wakes the enrolment."""

from datetime import datetime
from decimal import Decimal

from recoup.offers.granting import Wish, grant_offers
from recoup.offers.terms import BudgetLimit, Period, Terms
from recoup.processes.effects.base import Asked, Carrier
from recoup.processes.engine.codes import Flag, SubjectKind
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.records import Enrolment

_ORDER, _CART, _CONTACT = int(SubjectKind.ORDER), int(SubjectKind.CART), int(SubjectKind.CONTACT)
_TEST = int(Flag.TEST)


def budget_key(process_id: int, node: str) -> str:
    """Return under which name the budget of a block is kept; it survives new versions."""
    return f"process:{process_id}:{node}"


def _carry_out(asked: Asked, now: datetime) -> None:
    grant_offers([_wish(enrolment, effect) for enrolment, effect in asked], now=now)


def _wish(enrolment: Enrolment, effect: OfferEffect) -> Wish:
    limit = effect.budget
    return Wish(
        shop_id=enrolment.shop_id,
        contact_id=enrolment.contact_id,
        terms=Terms.from_json(effect.terms),
        valid_until=effect.valid_until,
        order_id=enrolment.subject_id if enrolment.subject_kind == _ORDER else None,
        cart_id=enrolment.subject_id if enrolment.subject_kind == _CART else None,
        budget=None
        if limit is None
        else BudgetLimit(Decimal(limit["amount"]), limit["currency"], Period(limit.get("period", "month"))),
        budget_key=budget_key(enrolment.process_id, effect.node_id),
        process_id=enrolment.process_id,
        enrolment_id=enrolment.id,
        step_no=effect.step_no,
        node=effect.node,
        is_test=bool(enrolment.flags & _TEST),
        is_for_person=effect.is_for_person or enrolment.subject_kind == _CONTACT,
    )


CARRIER = Carrier(_carry_out)
