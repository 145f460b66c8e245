"""The closed catalogue of what a template may say about an order, a cart, a person and the shop."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Kind(StrEnum):
    """What a field holds, and so how it is written out."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    MOMENT = "moment"
    LINK = "link"
    LIST = "list"


class Context(StrEnum):
    """What a template is about."""

    ORDER = "order"
    CART = "cart"
    CUSTOMER = "customer"


_EVERYWHERE = frozenset(Context)
_ORDER = frozenset({Context.ORDER})
_CART = frozenset({Context.CART})
_BASKET = frozenset({Context.ORDER, Context.CART})


@dataclass(frozen=True, slots=True)
class Field:
    """One documented token."""

    path: str
    kind: Kind
    contexts: frozenset[Context]
    is_optional: bool = False
    """May be empty for some people, so that it needs a fallback."""

    purpose: str = ""
    """Of a link: the purpose to mint it for."""


def _fields(prefix: str, contexts: frozenset[Context], **kinds: str) -> list[Field]:
    """Return the fields of one object; a question mark after the kind marks an optional field."""
    return [
        Field(f"{prefix}.{name}", Kind(kind.rstrip("?")), contexts, is_optional=kind.endswith("?"))
        for name, kind in kinds.items()
    ]


def _links(contexts: frozenset[Context], **purposes: str) -> list[Field]:
    return [
        Field(path.replace("__", "."), Kind.LINK, contexts, purpose=purpose)
        for path, purpose in purposes.items()
    ]


_ITEM = {
    "name": "text",
    "variant": "text?",
    "quantity": "number",
    "price": "money",
    "total": "money",
    "link": "link?",
    "image": "link?",
}

_FIELDS = [
    *_fields("customer", _EVERYWHERE, first_name="text?", last_name="text?", name="text?", email="text"),
    *_fields("order", _ORDER, number="text", status="text", total="money", due="money", placed_at="moment"),
    *_fields("order", _ORDER, payment_method="text?", delivery="text?", items="list"),
    *_fields("order.items", _ORDER, **_ITEM),
    *_fields("order", _ORDER, extras="list"),
    *_fields("order.extras", _ORDER, name="text", total="money"),
    *_fields("cart", _CART, total="money", updated_at="moment", items="list"),
    *_fields("cart.items", _CART, **_ITEM),
    *_fields(
        "shop", _EVERYWHERE, name="text", phone="text?", address="text?", email="text?", website="link?"
    ),
    *_fields("offer", _EVERYWHERE, code="text", discount="text", expires_at="moment", description="text?"),
    *_fields("offer", _BASKET, new_total="money"),
    *_fields("last_mail", _EVERYWHERE, sent_at="moment?"),
    *_links(_ORDER, order__pay_link="pay", links__pay="pay", links__paid_already="paid_already"),
    *_links(_ORDER, links__pay_later="pay_later", links__stop_order="stop_order"),
    *_links(_CART, cart__link="cart"),
    *_links(_BASKET, links__cart="cart"),
    *_links(_EVERYWHERE, links__unsubscribe="unsubscribe", links__why="why"),
]

CATALOGUE: Mapping[str, Field] = {field.path: field for field in _FIELDS}
# A text that says any of these holds an offer: it is advertising, and goes out only while the offer is in force.
OFFER_TOKENS = frozenset(path for path in CATALOGUE if path.startswith("offer."))
NEW_TOTAL = "offer.new_total"  # not known of an offer for a next order
ROOTS = frozenset(path.split(".")[0] for path in CATALOGUE)


def fields_of(context: Context) -> list[Field]:
    """Return what a template of this context may use, in the order in which the editor lists it."""
    return [field for field in CATALOGUE.values() if context in field.contexts]


def is_object(path: str) -> bool:
    """Tell whether the path is an object with fields and no field itself: `customer`, `links`."""
    return path in ROOTS


def suggest(path: str, context: Context) -> str:
    """Return the token that was probably meant, or nothing."""
    allowed = [field.path for field in fields_of(context)]
    close = get_close_matches(path, allowed, n=1, cutoff=0.75)
    if close:
        return close[0]
    parent, _, name = path.rpartition(".")
    siblings = {allowed_path.rpartition(".")[2]: allowed_path for allowed_path in allowed}
    same_parent = [p for p in allowed if p.rpartition(".")[0] == parent]
    near = get_close_matches(name, [p.rpartition(".")[2] for p in same_parent], n=1, cutoff=0.5)
    if near:
        return f"{parent}.{near[0]}"
    elsewhere = get_close_matches(name, list(siblings), n=1, cutoff=0.8)
    return siblings[elsewhere[0]] if elsewhere else ""
