"""How the demo's buyers have their orders brought, and who of them wants an invoice: the same for a person every time."""

import random
from dataclasses import dataclass
from decimal import Decimal

from recoup.shops.snapshots import (
    DeliverySnapshot,
    InvoiceSnapshot,
    LineSnapshot,
    PersonSnapshot,
    PointSnapshot,
)

FREE_FROM = Decimal(200)
ONLINE = frozenset({"warsztat-mydlo"})
WANTS_INVOICE = 0.15  # how many Polish buyers do


@dataclass(frozen=True, slots=True)
class Way:
    """A way of delivery of the demo shop; with points it is collected."""

    method: str
    title: str
    price: Decimal
    has_points: bool = False


WAYS = {
    "pl": (
        Way("inpost_locker", "InPost Paczkomat 24/7", Decimal("12.99"), has_points=True),
        Way("orlen_paczka", "ORLEN Paczka", Decimal("9.99"), has_points=True),
        Way("inpost_courier", "Kurier InPost", Decimal("16.99")),
    ),
    "de": (
        Way("dhl_packstation", "DHL Packstation", Decimal("24.90"), has_points=True),
        Way("dhl", "DHL Paket", Decimal("29.90")),
    ),
    "ru": (Way("post", "Почта, до двери", Decimal("39.00")),),
    "en": (Way("royal_mail", "Royal Mail Tracked", Decimal("34.90")),),
}
_WEIGHTS = {"pl": (7, 2, 3), "de": (2, 3), "ru": (1,), "en": (1,)}
# By method and town, written as the carriers write their points.
POINTS = {
    ("inpost_locker", "Kraków"): PointSnapshot("KRA214M", "przy sklepie Lewiatan", "ul. Królewska 65, 30-081 Kraków"),
    ("inpost_locker", "Poznań"): PointSnapshot("POZ118M", "przy stacji Circle K", "ul. Garbary 78, 61-758 Poznań"),
    ("inpost_locker", "Warszawa"): PointSnapshot("WAW305M", "przy sklepie Carrefour", "ul. Puławska 38, 02-512 Warszawa"),
    ("inpost_locker", "Gdańsk"): PointSnapshot("GDA092M", "przy sklepie Netto", "ul. Kartuska 210, 80-122 Gdańsk"),
    ("inpost_locker", "Wrocław"): PointSnapshot("WRO143M", "przy sklepie Biedronka", "ul. Krucza 44, 53-411 Wrocław"),
    ("orlen_paczka", "Kraków"): PointSnapshot("160482", "Stacja ORLEN", "ul. Armii Krajowej 10, 30-150 Kraków"),
    ("orlen_paczka", "Poznań"): PointSnapshot("171355", "Kiosk Ruch", "ul. Dąbrowskiego 42, 60-842 Poznań"),
    ("orlen_paczka", "Warszawa"): PointSnapshot("104917", "Stacja ORLEN", "ul. Wawelska 78, 02-034 Warszawa"),
    ("orlen_paczka", "Gdańsk"): PointSnapshot("182640", "Kiosk Ruch", "ul. Grunwaldzka 82, 80-244 Gdańsk"),
    ("orlen_paczka", "Wrocław"): PointSnapshot("193028", "Stacja ORLEN", "ul. Ślężna 120, 53-111 Wrocław"),
    ("dhl_packstation", "Berlin"): PointSnapshot("Packstation 145", "", "Oranienstraße 20, 10999 Berlin"),
    ("dhl_packstation", "Köln"): PointSnapshot("Packstation 208", "", "Venloer Straße 310, 50823 Köln"),
    ("dhl_packstation", "Leipzig"): PointSnapshot("Packstation 117", "", "Karl-Liebknecht-Straße 8, 04107 Leipzig"),
}  # fmt: skip
COMPANIES = ("Studio Jogi Balans", "Pensjonat Pod Lipą", "Salon Urody Magnolia", "Kwiaciarnia Jaśmin")


def brought(
    person: PersonSnapshot, lines: tuple[LineSnapshot, ...]
) -> tuple[DeliverySnapshot | None, Decimal | None]:
    """Return how somebody has such goods brought, and what it costs them; what is online is not brought."""
    if all(line.product_ref in ONLINE for line in lines):
        return None, None
    dice = random.Random(f"delivery {person.email}")  # noqa: S311 - a demo, not a secret
    ways = WAYS[person.locale]
    way = dice.choices(ways, weights=_WEIGHTS[person.locale])[0]
    point = POINTS[way.method, person.address["city"]] if way.has_points else PointSnapshot()
    goods = sum((line.total for line in lines), Decimal(0))
    delivery = DeliverySnapshot(
        method=way.method,
        title=way.title,
        point=point,
        name=person.name,
        address={} if way.has_points else dict(person.address),
    )
    return delivery, Decimal(0) if goods >= FREE_FROM else way.price


def invoiced(person: PersonSnapshot) -> InvoiceSnapshot | None:
    """Return to whom the orders of somebody are invoiced, if they want an invoice."""
    dice = random.Random(f"invoice {person.email}")  # noqa: S311 - a demo, not a secret
    if person.locale != "pl" or dice.random() >= WANTS_INVOICE:
        return None
    return InvoiceSnapshot(is_wanted=True, company=dice.choice(COMPANIES), tax_id=_nip(dice))


def _nip(dice: random.Random) -> str:
    """Return a Polish tax number whose check digit is right."""
    while True:
        digits = [dice.randint(1, 9), *(dice.randint(0, 9) for _ in range(8))]
        check = (
            sum(weight * digit for weight, digit in zip((6, 5, 7, 2, 3, 4, 5, 6, 7), digits, strict=True))
            % 11
        )
        if check < 10:
            return "".join(str(digit) for digit in (*digits, check))
