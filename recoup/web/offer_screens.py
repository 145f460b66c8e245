"""What the pages of offers take, as plain values; words are translated by who fills them."""

from dataclasses import dataclass
from datetime import datetime

from recoup.web.parts import Words


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer in the list."""

    url: str
    person: str
    what: str
    status: str
    status_label: Words
    until: datetime
    code: str
    order: str
    money: str  # what it takes off, or would
    why: Words = ""  # the reason of an end or a refusal


@dataclass(frozen=True, slots=True)
class EarnedRow:
    """What the offers of one process cost and brought."""

    name: Words
    granted: str
    used: str
    discounts: str
    costs: str
    money: str
    is_guessed: bool = False
