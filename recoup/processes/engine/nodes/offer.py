"""Offer: a personal discount, free delivery or a gift; goes on by one way if it was granted, by another if not.

Whether it is granted hangs on what only the shop's rows tell (margin floor, budget, what the person has had). So the block
asks, waits for the decision, which is made in the same transaction unless the shop has to make a coupon, and goes on.

A ladder of sizes is tried like the ways of a split: chance that stays the same for each person draws one of them, and a line
of the ledger says which. The size 0 offers nothing, so it goes on by the way of those who get none.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from recoup.processes.engine.bucket import BUCKETS, bucket
from recoup.processes.engine.codes import Code, Wake
from recoup.processes.engine.compiled import STAY, CompiledNode, Move
from recoup.processes.engine.nodes.base import (
    ForwardSpan,
    Kind,
    NodeDocument,
    NodeId,
    Strict,
    Summary,
    Workshop,
    no_trouble,
    refuse,
)
from recoup.processes.engine.records import Facts
from recoup.processes.engine.times import last_after, parse_span
from recoup.processes.engine.wording import gettext_noop

# So long the shop has to make its coupon; then nothing is offered.
LONGEST_ASKING = timedelta(hours=12)
MASK = Wake.OFFER_DECIDED.value
_PLACES = 2
MOST_SIZES = 6

Amount = Annotated[Decimal, Field(max_digits=14, decimal_places=4, allow_inf_nan=False)]
Share = Annotated[Decimal, Field(max_digits=6, decimal_places=2, allow_inf_nan=False)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=200)]


# Among the variables while the block waits: the step that it asked at, as a move to another version takes numbers too.
ASKED = "asked"


def end_key(node: int) -> str:
    """Return under which name an enrolment keeps when an offer would have ended that was only written down."""
    return f"offer_{node}"


class OfferEffect(NamedTuple):
    """An offer to be decided about. `step_no` is the line that will say how; `terms` and `budget` are plain values."""

    step_no: int
    node: int
    node_id: str
    at: datetime
    terms: dict[str, Any]
    valid_until: datetime
    budget: dict[str, str] | None
    is_suppressed: bool
    is_for_person: bool = False  # for whatever they order next, whatever the process is about


class Budget(Strict):
    """How much all offers of this block may cost in a period."""

    amount: Amount
    currency: Currency
    period: Literal["ever", "day", "week", "month"] = "month"

    @model_validator(mode="after")
    def _is_something(self) -> "Budget":
        if self.amount <= 0:
            raise refuse("offer_budget")
        return self


class OfferPorts(Strict):
    """`refused` is taken when nothing was granted; by default that is the same way."""

    granted: NodeId
    refused: NodeId | None = None


class OfferDocument(NodeDocument):
    """What is offered, for what, and until when. `percent` of a gift is given instead when none is left.

    `sizes` are per cents or amounts that are tried against each other in the place of the one. Their place in the list is
    what the ledger keeps.

    `next_order`: for whatever the person orders next. In a process about people every offer is for that.
    """

    t: Literal["offer"]
    kind: Literal["percent", "amount", "delivery", "gift"] = "percent"
    percent: Share = Decimal(0)
    amount: Amount = Decimal(0)
    sizes: Annotated[list[Amount], Field(max_length=MOST_SIZES)] = Field(default_factory=list)
    currency: Currency | None = None
    gift: Ref | None = None
    products: Annotated[list[Ref], Field(max_length=50)] = Field(default_factory=list)
    min_sum: Amount | None = None
    valid: ForwardSpan
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    with_coupon: bool = False
    with_offers: bool = False
    next_order: bool = False
    budget: Budget | None = None
    out: OfferPorts

    @model_validator(mode="after")
    def _promises_something(self) -> "OfferDocument":
        is_share = self.kind == "percent" or (self.kind == "gift" and bool(self.percent))
        if not 0 <= self.percent <= 100 or (is_share and self.percent == 0 and not self.sizes):
            raise refuse("offer_percent", percent=str(self.percent))
        if (self.kind == "amount" and not self.sizes) != (self.amount > 0) or self.amount < 0:
            raise refuse("offer_amount", amount=str(self.amount))
        if self.sizes and not self._is_ladder():
            raise refuse("offer_sizes")
        if (self.kind == "gift") != (self.gift is not None):
            raise refuse("offer_gift")
        is_sum = self.amount > 0 or (self.kind == "amount" and bool(self.sizes))
        if (is_sum or self.min_sum is not None) and self.currency is None:
            raise refuse("offer_currency")
        if self.min_sum is not None and self.min_sum <= 0:
            raise refuse("offer_min_sum")
        if self.budget is not None and self.currency not in (None, self.budget.currency):
            raise refuse("offer_currencies")
        return self

    def _is_ladder(self) -> bool:
        """Tell whether the sizes rise from nothing or more, fit their kind and stand in the place of the one size."""
        is_alone = self.kind in ("percent", "amount") and not self.percent and not self.amount
        is_rising = all(first < second for first, second in pairwise(self.sizes))
        most = 100 if self.kind == "percent" else max(self.sizes)
        return (
            is_alone and is_rising and len(self.sizes) > 1 and self.sizes[0] >= 0 and self.sizes[-1] <= most
        )

    def terms(self, size: Decimal | None = None) -> dict[str, Any]:
        """Return the promise as plain values, as offers keep it; of a ladder that of one of its sizes."""
        plain: dict[str, Any] = {"kind": self.kind}
        plain |= {name: str(value) for name in ("percent", "amount") if (value := getattr(self, name))}
        if size is not None:
            plain[self.kind] = str(size)
        if self.min_sum is not None:
            plain["min_sum"] = str(self.min_sum)
        names = ("currency", "gift", "description", "with_coupon", "with_offers", "products")
        return plain | {name: value for name in names if (value := getattr(self, name))}


def _build(document: OfferDocument, shop: Workshop) -> CompiledNode:
    granted = shop.node_map[document.out.granted]
    refused = shop.node_map[document.out.refused or document.out.granted]
    span, number, salt = parse_span(document.valid), shop.number, shop.salt
    # Without a ladder there is one rung, and nothing is drawn.
    rungs = [document.terms(size) if size else None for size in document.sizes] or [document.terms()]
    budget = document.budget.model_dump(mode="json") if document.budget is not None else None

    def run(move: Move, facts: Facts, now: datetime) -> int:
        if move.due_at is not None:
            return _decided(move, facts, now, granted, refused)
        planned, is_holdout, rung = move.at, move.is_holdout, 0
        if len(rungs) > 1:
            rung = bucket(salt, number, move.contact_id) * len(rungs) // BUCKETS
            move.log(Code.SPLIT, rung)
        terms = rungs[rung]
        if terms is None:
            return refused
        step_no = move.log(Code.SUPPRESSED) if is_holdout else move.step_no + 1
        valid_until = last_after(max(planned, now), span, facts.contact)
        move.effects.append(
            OfferEffect(
                step_no,
                number,
                shop.node_id,
                planned,
                terms,
                valid_until,
                budget,
                is_holdout,
                document.next_order,
            )
        )
        if is_holdout:
            # There is no offer to ask when it ends, and the control group waits for that like everybody.
            ends = {end_key(shop.number): int(valid_until.timestamp())}
            move.variables = {**(move.variables or {}), **ends}
            return granted
        move.variables = {**(move.variables or {}), ASKED: step_no}
        move.node_at = planned
        move.due_at = move.run_at = max(planned, now) + LONGEST_ASKING
        return STAY

    return CompiledNode(run, MASK)


def _decided(move: Move, facts: Facts, now: datetime, granted: int, refused: int) -> int:
    """Go on as was decided; as refused if nobody decided in time."""
    variables = dict(move.variables or {})
    found = facts.offers.get(variables.pop(ASKED, move.step_no + 1))
    due = move.due_at or now
    if found is None:
        if now < due:
            move.run_at = due
            return STAY
        move.variables = variables or None
        move.at = due
        move.log(Code.FAILED_COUPON)
        return refused
    move.variables = variables or None
    if found.at is not None:
        move.at = max(found.at, move.node_at)
    move.log(found.outcome)
    return granted if found.outcome == Code.OFFER_GRANTED else refused


def _summarise(document: OfferDocument) -> Summary:
    values = {
        "percent": f"{document.percent.normalize():f}",
        "amount": f"{document.amount.normalize():f}",
        "currency": document.currency or "",
        "gift": document.gift or "",
        "span": document.valid,
        "products": list(document.products),
        "match": "any",
        "detail": document.description,
    }
    if document.sizes:
        values["sizes"] = " · ".join(f"{size.normalize():f}" for size in document.sizes)
    kind = f"{document.kind}.sizes" if document.sizes else document.kind
    return Summary(f"process.node.offer.{kind}{'.next' if document.next_order else ''}", values)


KIND = Kind(
    OfferDocument,
    _build,
    no_trouble,
    _summarise,
    soon=gettext_noop("A personal offer"),
    words={
        "offer.percent": gettext_noop("Offer {percent}% for {span}"),
        "offer.amount": gettext_noop("Offer {amount} {currency} off for {span}"),
        "offer.delivery": gettext_noop("Offer free delivery for {span}"),
        "offer.gift": gettext_noop("Offer a gift for {span}"),
        "offer.percent.sizes": gettext_noop("Offer one of {sizes}% by chance, for {span}"),
        "offer.amount.sizes": gettext_noop("Offer one of {sizes} {currency} by chance, for {span}"),
        "offer.percent.sizes.next": gettext_noop(
            "Offer one of {sizes}% off their next order by chance, for {span}"
        ),
        "offer.amount.sizes.next": gettext_noop(
            "Offer one of {sizes} {currency} off their next order by chance, for {span}"
        ),
        "offer.percent.next": gettext_noop("Offer {percent}% off their next order, for {span}"),
        "offer.amount.next": gettext_noop("Offer {amount} {currency} off their next order, for {span}"),
        "offer.delivery.next": gettext_noop("Offer free delivery of their next order, for {span}"),
        "offer.gift.next": gettext_noop("Offer a gift with their next order, for {span}"),
    },
    texts={
        "offer_percent": gettext_noop("{percent} is no discount: more than 0 and at most 100 per cent."),
        "offer_amount": gettext_noop("Say how much is taken off, and only for a discount that is an amount."),
        "offer_sizes": gettext_noop(
            "Sizes that are tried are two to six, rise from 0 or more, and stand in the place of the one per cent or amount."
        ),
        "offer_gift": gettext_noop("Say which product is the gift, and only for a gift."),
        "offer_currency": gettext_noop("An amount needs its currency."),
        "offer_currencies": gettext_noop("The budget is in the same currency as the offer."),
        "offer_min_sum": gettext_noop("The least sum is more than nothing."),
        "offer_budget": gettext_noop("A budget is more than nothing; leave it out if there is no limit."),
        "offer_text_of_next_order": gettext_noop(
            "The text {template} says what the order costs with the offer, and nobody knows that of a next order."
        ),
        "offer_text_without_offer": gettext_noop(
            "The text {template} speaks of an offer, and this step can be reached without one."
        ),
    },
)
