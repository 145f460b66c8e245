"""Made-up contexts for previews, test sends and the trial that every template must pass before it is saved."""

from typing import Any

from recoup.messaging.rendering.tokens import CATALOGUE, Context, Kind

Sample = dict[str, Any]

_PEOPLE = {
    "en": (
        "Anna",
        "Taylor",
        "Ceramic mug",
        "Linen apron",
        "blue",
        "Bank transfer",
        "Courier",
        "Awaiting payment",
        "The Little Pottery",
    ),
    "pl": (
        "Anna",
        "Kowalska",
        "Kubek ceramiczny",
        "Lniany fartuch",
        "niebieski",
        "Przelew",
        "Kurier",
        "Oczekuje na płatność",
        "Mała Garncarnia",
    ),
    "de": (
        "Anna",
        "Schäfer",
        "Keramikbecher",
        "Leinenschürze",
        "blau",
        "Überweisung",
        "Paketdienst",
        "Zahlung offen",
        "Kleine Töpferei",
    ),
    "ru": (
        "Анна",
        "Соколова",
        "Керамическая кружка",
        "Льняной фартук",
        "синий",
        "Банковский перевод",
        "Курьер",
        "Ожидает оплаты",
        "Малая гончарня",
    ),
}
_OFFERS = {
    "en": "Only for you, for two days",
    "pl": "Tylko dla Pani, przez dwa dni",
    "de": "Nur für Sie, zwei Tage lang",
    "ru": "Только для вас, два дня",
}
_CURRENCIES = {"pl": "PLN", "de": "EUR", "ru": "EUR", "en": "EUR"}


def sample_context(context: Context, locale: str) -> Sample:
    """Return a context in which every field is filled, in the language asked for or else in English."""
    language = locale[:2] if locale[:2] in _PEOPLE else "en"
    first, last, mug, apron, colour, method, delivery, status, shop = _PEOPLE[language]
    currency = _CURRENCIES[language]
    items = [
        _item(mug, "", 2, "49.00", "98.00", currency),
        _item(apron, colour, 1, "129.00", "129.00", currency),
    ]
    sample: Sample = {
        "customer": {
            "first_name": first,
            "last_name": last,
            "name": f"{first} {last}",
            "email": "anna@example.com",
        },
        "shop": {
            "name": shop,
            "phone": "+48 600 100 200",
            "address": "1 Market Square\n00-001 Example",
            "email": "hello@example.com",
            "website": "https://shop.example.com/",
        },
        "last_mail": {"sent_at": "2026-11-19T09:30:00+00:00"},
        "links": {
            field.purpose: f"https://shop.example.com/sample/{field.purpose}"
            for field in CATALOGUE.values()
            if field.purpose
        },
    }
    if context is Context.ORDER:
        sample["order"] = {
            "number": "1042",
            "status": status,
            "total": ["242.00", currency],
            "due": ["242.00", currency],
            "placed_at": "2026-11-18T08:15:00+00:00",
            "payment_method": method,
            "delivery": delivery,
            "items": items,
            "extras": [{"name": delivery, "total": ["15.00", currency]}],
        }
    if context is Context.CART:
        sample["cart"] = {
            "total": ["227.00", currency],
            "updated_at": "2026-11-18T08:15:00+00:00",
            "items": items,
        }
    sample["offer"] = {
        "code": "CDFG-3467-XYHJ",
        "discount": {"en": "10%", "pl": "10%"}.get(language, "10\N{NO-BREAK SPACE}%"),
        "expires_at": "2026-11-22T18:30:00+00:00",
        "description": _OFFERS[language],
    }
    if context in (Context.ORDER, Context.CART):
        sample["offer"]["new_total"] = ["217.80" if context is Context.ORDER else "204.30", currency]
    return sample


def sparse_context(context: Context, locale: str) -> Sample:
    """Return the same with every field empty that may be empty."""
    sample = sample_context(context, locale)
    for field in CATALOGUE.values():
        root, *rest = field.path.split(".")
        if not field.is_optional or field.kind is Kind.LIST or root not in sample:
            continue
        holders = sample[root][rest[0]] if len(rest) == 2 else [sample[root]]
        for holder in holders:
            holder[rest[-1]] = None
    return sample


def _item(name: str, variant: str, quantity: int, price: str, total: str, currency: str) -> Sample:
    return {
        "name": name,
        "variant": variant,
        "quantity": quantity,
        "price": [price, currency],
        "total": [total, currency],
        "link": "https://shop.example.com/mug",
        "image": "https://shop.example.com/mug.jpg",
    }
