"""What was decided about the offers of enrolments, for the versions that make any: read by one more statement."""

from collections.abc import Sequence

from django.db import connection

from recoup.messaging.models import Template
from recoup.processes.engine.batch import Due
from recoup.processes.engine.codes import Code, Wake
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.records import OfferFacts
from recoup.shops.models import Shop

_DECIDED = """
    SELECT enrolment_id, step_no, state, reason, decided_at, coalesce(node, 0), least(valid_until, ended_at)
    FROM offers_offer
    WHERE enrolment_id = ANY(%s) AND state <> 'asked'
"""
_REFUSALS = {
    "floor": Code.SKIPPED_FLOOR,
    "no_cost": Code.SKIPPED_FLOOR,
    "budget": Code.SKIPPED_BUDGET,
    "abandoner": Code.SKIPPED_ABANDONER,
    "origin": Code.OFFER_ORIGIN,
    "has_offer": Code.OFFER_ANOTHER,
    "other_offer": Code.OFFER_ANOTHER,
    "no_answer": Code.FAILED_COUPON,
    "coupons_off": Code.FAILED_COUPON,
    "shop_refused": Code.FAILED_COUPON,
    "differs": Code.FAILED_COUPON,
    "product_gone": Code.FAILED_COUPON,
    "goods_unknown": Code.FAILED_COUPON,
    "expired": Code.FAILED_COUPON,  # before the shop had made it
}


def makes_offers(graph: Graph) -> bool:
    """Tell whether a version has a block that makes offers."""
    return bool(graph.event_mask & Wake.OFFER_DECIDED.value)


def offer_outcome(state: str, reason: str) -> int:
    """Return the ledger's code of a decision; what became of a granted offer later changes nothing of it."""
    if state != "refused":
        return int(Code.OFFER_GRANTED)
    return int(_REFUSALS.get(reason, Code.OFFER_UNFIT))


def with_offers(due: Sequence[Due]) -> list[Due]:
    """Add what was decided to the facts of the enrolments whose versions make offers."""
    asking = [one.enrolment.id for one in due if makes_offers(one.graph)]
    if not asking:
        return list(due)
    found: dict[int, dict[int, OfferFacts]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_DECIDED, [asking])
        for enrolment_id, step_no, state, reason, decided_at, node, end in cursor.fetchall():
            outcome = offer_outcome(state, reason)
            ends_at = end if outcome == Code.OFFER_GRANTED else None
            found.setdefault(enrolment_id, {})[step_no] = OfferFacts(outcome, decided_at, node, ends_at)
    return [
        one._replace(facts=one.facts._replace(offers=found[one.enrolment.id]))
        if one.enrolment.id in found
        else one
        for one in due
    ]


def offer_texts(shop: Shop) -> set[str]:
    """Return the keys of the texts that speak of an offer."""
    found = Template.objects.filter(shop=shop, current_version__has_offer=True)
    return set(found.values_list("key", flat=True))
