"""What a short text comes to before it is sent: parts and price of a typical order, with and without diacritics."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from recoup.core import links
from recoup.messaging.accounts import find_sms_account
from recoup.messaging.context import PURPOSES
from recoup.messaging.models import Template
from recoup.messaging.rendering.saving import Problem
from recoup.messaging.rendering.words import problem_message
from recoup.messaging.sms.letters import MOST_PARTS, Measure, measure, tidy

_LEAVE = {"token": "{{ links.unsubscribe }}"}
_TOKEN = "x" * 22  # as long as a link's token: the address is counted as it will be


@dataclass(frozen=True, slots=True)
class Price:
    """What one message costs in a country."""

    country: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Bill:
    """A written text, its parts, what they cost, and the same without diacritics."""

    text: str
    measure: Measure
    plain: str
    plain_measure: Measure
    is_plain: bool
    """The shop writes without diacritics: that is what is sent."""

    prices: Sequence[Price]

    @property
    def sent(self) -> Measure:
        """Return the measure of what is sent."""
        return self.plain_measure if self.is_plain else self.measure


def with_real_links(values: dict[str, Any]) -> dict[str, Any]:
    """Return a made-up context whose links are as long as real ones."""

    def address(word: str) -> str:
        return links.address(PURPOSES[word], _TOKEN)

    return {**values, "links": {word: address(word) for word in PURPOSES}}


def bill_of(template: Template, written: str) -> Bill:
    """Reckon what a written text comes to for the shop."""
    account = find_sms_account(template.shop_id)
    text, plain = tidy(written), tidy(written, is_without_diacritics=True)
    is_plain = account is not None and account.is_without_diacritics
    found, without = measure(text), measure(plain)
    parts = without.parts if is_plain else found.parts
    prices: list[Price] = []
    if account is not None:
        countries = sorted(account.allowed_countries(template.shop.country))
        prices = [Price(one, account.price_in(one) * parts, account.currency) for one in countries]
    return Bill(text, found, plain, without, is_plain, prices)


def problems_of(template: Template, source: str, bill: Bill) -> list[Problem]:
    """Return what the length of a text and its way to stop bring up; too long for sending forbids publishing."""
    problems = []
    sent = bill.sent
    if sent.parts > MOST_PARTS:
        problems.append(
            _problem("sms_too_long", is_blocking=True, parts=str(sent.parts), most=str(MOST_PARTS))
        )
    elif sent.parts > 1:
        problems.append(_problem("sms_parts", is_blocking=False, parts=str(sent.parts)))
    if sent.foreign:
        problems.append(_problem("sms_foreign", is_blocking=False, signs=sent.foreign[:20]))
    account = find_sms_account(template.shop_id)
    hears = account is not None and account.has_number
    if ("STOP" in source or "СТОП" in source) and "links.unsubscribe" not in source and not hears:
        problems.append(_problem("stop_unheard", is_blocking=True, **_LEAVE))
    return problems


def _problem(code: str, *, is_blocking: bool, **values: str) -> Problem:
    return Problem(0, code, problem_message(code, values), "text", is_blocking)
