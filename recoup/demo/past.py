"""Who ordered what in the demo's past: drawn by a fixed seed, so that every demo looks alike."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zlib import crc32

from recoup.core.search import normalise
from recoup.demo.deliveries import brought, invoiced
from recoup.demo.people import CODES, CONSENT_WORDS, COUNTRIES, DOMAINS, GOODS, NAMES, STREETS, ZONES, Good
from recoup.shops.snapshots import (
    CartSnapshot,
    FailureClass,
    LineSnapshot,
    OrderSnapshot,
    PersonSnapshot,
    ShopState,
)

SEED = 2026
# Shares of orders as small shops see them: most pay at once, a few later by themselves.
PAID_AT_ONCE, PAID_LATER = 0.66, 0.06
LANGUAGES = ("pl",) * 12 + ("de",) * 3 + ("ru",) * 2 + ("en",)
_OFTEN = (
    ("insufficient_funds", FailureClass.SOFT),
    ("authentication_required", FailureClass.AUTH),
    ("abandoned", FailureClass.USER),
)
FAILURES = {
    "card": (*_OFTEN, ("expired_card", FailureClass.HARD)),
    "blik": _OFTEN,
    "transfer": (("abandoned", FailureClass.USER),),
}
AGREES = 0.7  # how many of those who leave a cart have agreed to be reminded of it
COMES_AGAIN = 0.3  # how many orders are of somebody who has ordered before
METHODS = (("card", "Karta", False), ("blik", "BLIK", False), ("transfer", "Przelew tradycyjny", True))
# Orders by hour of the day: people buy in the evening.
HOURS = (0, 7, 8, 9, 10, 11, 12, 12, 13, 14, 15, 16, 17, 18, 18, 19, 19, 20, 20, 20, 21, 21, 21, 22, 22, 23)


@dataclass(frozen=True, slots=True)
class Plan:
    """An order of the past, and what its buyer does by themselves."""

    snapshot: OrderSnapshot
    pays_at: datetime | None
    fails_at: datetime | None
    failure: tuple[str, FailureClass]


def plans(begin: datetime, *, days: int) -> list[Plan]:
    """Return the orders of so many days from `begin`, oldest first."""
    return _drawn(random.Random(SEED), begin, days=days, number=2000)  # noqa: S311 - a demo, not a secret


def older_plans(begin: datetime, *, days: int) -> list[Plan]:
    """Return the orders of the weeks before that: only those that were not paid at once, which is what counts now."""
    dice = random.Random(SEED - 1)  # noqa: S311 - a demo, not a secret
    return [plan for plan in _drawn(dice, begin, days=days, number=100) if _is_late(plan)]


def _is_late(plan: Plan) -> bool:
    return plan.pays_at is None or plan.pays_at - plan.snapshot.placed_at > timedelta(hours=41)


def _drawn(dice: random.Random, begin: datetime, *, days: int, number: int) -> list[Plan]:
    found: list[Plan] = []
    known: list[PersonSnapshot] = []
    for day in range(days):
        for _ in range(dice.randint(11, 19)):
            number += 1
            placed_at = begin + timedelta(
                days=day, hours=dice.choice(HOURS), minutes=dice.randint(0, 59), seconds=dice.randint(0, 59)
            )
            found.append(_plan(dice, f"L-{number}", placed_at, _somebody(dice, known)))
            if dice.random() < 0.04:  # the browser hangs, and the same person orders the same again
                number += 1
                found.append(_again(dice, found[-1], f"L-{number}"))
    return sorted(found, key=lambda plan: plan.snapshot.placed_at)


def _plan(dice: random.Random, number: str, placed_at: datetime, person: PersonSnapshot) -> Plan:
    goods = dice.sample(GOODS, k=dice.choice((1, 1, 1, 2, 2, 3)))
    code, title, is_offline = dice.choices(METHODS, weights=(5, 4, 2))[0]
    lines = tuple(_line(good) for good in goods)
    delivery, price = brought(person, lines)
    person = _with_consent(person, placed_at)
    snapshot = OrderSnapshot(
        ref=number,
        number=number,
        state=ShopState.ON_HOLD if is_offline else ShopState.PENDING,
        currency="PLN",
        total=sum((line.total for line in lines), price or Decimal(0)),
        placed_at=placed_at,
        version_at=placed_at,
        person=person,
        lines=lines,
        shipping_total=price,
        delivery=delivery,
        invoice=invoiced(person),
        method=code,
        method_title=title,
        is_offline_method=is_offline,
        locale=person.locale,
    )
    fate = dice.random()
    pays_at = fails_at = None
    if fate < PAID_AT_ONCE:
        pays_at = placed_at + (
            timedelta(hours=dice.randint(8, 40)) if is_offline else timedelta(minutes=dice.randint(1, 25))
        )
    elif fate < PAID_AT_ONCE + PAID_LATER:
        pays_at = placed_at + timedelta(hours=dice.randint(2, 70))
    elif not is_offline and dice.random() < 0.6:
        fails_at = placed_at + timedelta(minutes=dice.randint(1, 10))
    return Plan(snapshot, pays_at, fails_at, dice.choice(FAILURES[code]))


def _with_consent(person: PersonSnapshot, at: datetime) -> PersonSnapshot:
    """Let two of three of those who order agree to offers by mail, the same ones each time."""
    if crc32(person.email.encode()) % 3 == 0:
        return person
    words = CONSENT_WORDS[person.locale]
    return replace(person, marketing_consent=True, marketing_consent_at=at, marketing_consent_text=words)


def carts(begin: datetime, *, days: int) -> list[CartSnapshot]:
    """Return the carts that were left in so many days, oldest first: of people who agreed to reminders, or did not."""
    dice = random.Random(SEED + 1)  # noqa: S311 - a demo, not a secret
    found: list[CartSnapshot] = []
    known: list[PersonSnapshot] = []
    for day in range(days):
        for _ in range(dice.randint(1, 3)):
            at = begin + timedelta(days=day, hours=dice.choice(HOURS), minutes=dice.randint(0, 59))
            person = _somebody(dice, known)
            goods = dice.sample(GOODS, k=dice.choice((1, 2, 2)))
            if dice.random() < AGREES:
                person = replace(
                    person,
                    marketing_consent=True,
                    marketing_consent_at=at,
                    marketing_consent_text=CONSENT_WORDS[person.locale],
                )
            lines = tuple(_line(good) for good in goods)
            delivery, price = brought(person, lines)
            found.append(
                CartSnapshot(
                    ref=f"K-{len(found) + 501}",
                    currency="PLN",
                    total=sum((line.total for line in lines), price or Decimal(0)),
                    version_at=at,
                    person=person,
                    lines=lines,
                    shipping_total=price,
                    delivery=delivery,
                    invoice=invoiced(person),
                    locale=person.locale,
                )
            )
    return sorted(found, key=lambda cart: cart.version_at)


def placed_again(old: OrderSnapshot, number: str, *, at: datetime) -> OrderSnapshot:
    """Return an order of the same person for the same products, which waits for its payment by card."""
    return OrderSnapshot(
        ref=number, number=number, state=ShopState.PENDING, currency=old.currency, total=old.total, placed_at=at,
        version_at=at, person=old.person, lines=old.lines, method="card", method_title="Karta", locale=old.locale,
        shipping_total=old.shipping_total, delivery=old.delivery, invoice=old.invoice,
    )  # fmt: skip


def _again(dice: random.Random, plan: Plan, number: str) -> Plan:
    at = plan.snapshot.placed_at + timedelta(minutes=dice.randint(3, 50))
    snapshot = placed_again(plan.snapshot, number, at=at)
    return Plan(snapshot, at + timedelta(minutes=6) if dice.random() < 0.7 else None, None, plan.failure)


def _somebody(dice: random.Random, known: list[PersonSnapshot]) -> PersonSnapshot:
    """Return one who has ordered before, or somebody new."""
    if known and dice.random() < COMES_AGAIN:
        return dice.choice(known)
    known.append(_person(dice, dice.choice(LANGUAGES), {person.email for person in known}))
    return known[-1]


def _person(dice: random.Random, language: str, taken: set[str]) -> PersonSnapshot:
    names = NAMES[language]
    is_she = dice.random() < 0.8
    first = dice.choice(names.her if is_she else names.his)
    last = dice.choice(names.her_last if is_she else names.his_last)
    local, domain = f"{_ascii(first)}.{_ascii(last)}", dice.choice(DOMAINS[language])
    email = f"{local}@{domain}"
    if email in taken:  # two people may share a name; their addresses differ
        email = f"{local}{dice.randint(70, 99)}@{domain}"
    street, postcode, city = dice.choice(STREETS[language])
    return PersonSnapshot(
        email=email,
        name=f"{first} {last}",
        country=COUNTRIES[language],
        locale=language,
        time_zone=ZONES[language],
        address={"street": street, "postcode": postcode, "city": city},
    )


def _ascii(word: str) -> str:
    return "".join(CODES.get(sign, sign) for sign in normalise(word))


def _line(good: Good) -> LineSnapshot:
    return LineSnapshot(
        product_ref=good.ref, name=good.name, quantity=Decimal(1), unit_price=good.price, total=good.price
    )
