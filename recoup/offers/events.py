"""News of offers."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OfferDecided:
    """What a step of a process asked for was granted or refused, or has ended before its time: whoever waits looks again."""

    shop_id: int
    offer_id: int
    enrolment_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OfferGranted:
    """A person may use an offer from now on."""

    shop_id: int
    offer_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OfferRedeemed:
    """An order was paid with an offer."""

    shop_id: int
    offer_id: int
    order_id: int
    at: datetime
