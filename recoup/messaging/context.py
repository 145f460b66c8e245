"""What a text may say: contexts of orders, carts, people and the shop, built for a batch in a few statements."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import translation

from recoup.core import links
from recoup.core.links import LinkOrder
from recoup.messaging import context_rows as rows
from recoup.messaging.breakdown import Extra, extra_name
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.orders.models import Order

# The template's word for a link, and the purpose that its page is registered under.
PURPOSES: Mapping[str, str] = {
    "pay": "pay",
    "cart": "cart",
    "unsubscribe": "out",
    "paid_already": "paid",
    "pay_later": "later",
    "stop_order": "stop",
    "why": "why",
}
_DELIVERY = "order.delivery"
_LAST_MAIL = "last_mail.sent_at"
_OF_LINES = frozenset({"order.items", "order.extras"})
# A text is written with a place for each link's token, as long as a token, and filled in when the links are minted: so
# what is kept of a mail never had them.
_PLACES: Mapping[str, bytes] = {word: f"__{word}"[:22].ljust(22, "_").encode() for word in PURPOSES}
_ANY_PLACE = re.compile(b"|".join(re.escape(place) for place in _PLACES.values()))
BLANK = "•••"


class Subject(NamedTuple):
    """A message to write: who gets it, and about what."""

    key: int  # of the message; of anything else for a preview
    contact_id: int
    order_id: int | None
    cart_id: int | None  # without both it is about the person alone
    locale: str
    template: CompiledTemplate
    offer_id: int | None = None


@dataclass(frozen=True, slots=True)
class BuiltContext:
    """The context of one text."""

    values: dict[str, Any]
    zone: str
    stamp: str
    to_name: str


def build_contexts(shop_id: int, subjects: Sequence[Subject]) -> dict[int, BuiltContext]:
    """Return the contexts of subjects of one shop by their keys; what is gone is missing.

    Their links have places for tokens: `mint_links` makes these, `fill_links` puts them in.
    """
    needed = frozenset(token for subject in subjects for token in subject.template.tokens)
    shop = rows.read_shop(shop_id)
    people = rows.read_people(shop_id, [subject.contact_id for subject in subjects])
    order_ids = [subject.order_id for subject in subjects if subject.order_id is not None]
    orders = rows.read_orders(
        shop_id,
        order_ids,
        with_items=not needed.isdisjoint(_OF_LINES),
        with_delivery=_DELIVERY in needed,
    )
    carts = rows.read_carts(shop_id, [s.cart_id for s in subjects if s.cart_id is not None])
    offers = rows.read_offers(shop_id, [s.offer_id for s in subjects if s.offer_id is not None])
    last_mails = rows.read_last_mails([s.contact_id for s in subjects]) if _LAST_MAIL in needed else {}
    found = [
        (subject, _row_of(subject, orders, carts)) for subject in subjects if subject.contact_id in people
    ]
    present = [(subject, row) for subject, row in found if row is not None]
    return {
        subject.key: _build(
            subject,
            row,
            people[subject.contact_id],
            shop,
            last_mails.get(subject.contact_id),
            offers.get(subject.offer_id or 0),
        )
        for subject, row in present
    }


def _row_of(
    subject: Subject, orders: Mapping[int, rows.Row], carts: Mapping[int, rows.Row]
) -> rows.Row | None:
    if subject.order_id is not None:
        return orders.get(subject.order_id)
    return rows.NO_ROW if subject.cart_id is None else carts.get(subject.cart_id)


def _build(
    subject: Subject,
    row: rows.Row,
    person: rows.Person,
    shop: rows.ShopRow,
    last_mail_at: datetime | None,
    offer: rows.OfferRow | None,
) -> BuiltContext:
    about = row.values
    if "order.status" in subject.template.tokens:
        about = {**about, "status": _status_words(about["status"], subject.locale)}
    if "order.extras" in subject.template.tokens:
        about = {**about, "extras": _named(row.extras, about["total"][1], subject.locale)}
    first, _, last = person.name.strip().partition(" ")
    values: dict[str, Any] = {
        "customer": {
            "name": person.name,
            "first_name": first,
            "last_name": last.strip(),
            "email": person.email,
        },
        "shop": dict(shop.values),
        "last_mail": {"sent_at": last_mail_at},
        "links": {
            word: links.address(PURPOSES[word], _PLACES[word].decode()) for word in subject.template.links
        },
    }
    if row.kind:
        values[row.kind] = about
    if offer is not None:
        values["offer"] = offer.values(subject.locale)
    return BuiltContext(
        values=values,
        zone=shop.clock_of(person),
        stamp=row.stamp,
        to_name=person.name,
    )


def _status_words(status: str, locale: str) -> str:
    with translation.override(locale):
        return str(Order.Status(status).label)


def _named(extras: Sequence[Extra], currency: str, locale: str) -> list[dict[str, Any]]:
    with translation.override(locale):
        return [{"name": extra_name(kind), "total": (str(amount), currency)} for kind, amount in extras]


def mint_links(shop_id: int, subjects: Sequence[Subject], *, now: datetime) -> dict[int, dict[str, str]]:
    """Mint the links that each text uses, and the one to unsubscribe, with one insert; return tokens by the text's word."""
    wanted = [(s, word) for s in subjects for word in sorted({*s.template.links, "unsubscribe"})]
    tokens = links.mint([_link_order(shop_id, subject, PURPOSES[word]) for subject, word in wanted], now=now)
    made: dict[int, dict[str, str]] = {subject.key: {} for subject in subjects}
    for (subject, word), token in zip(wanted, tokens, strict=True):
        made[subject.key][word] = token
    return made


def link_filler(tokens: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """Return what puts the tokens into a written text."""
    by_place = {_PLACES[word]: token.encode() for word, token in tokens.items()}

    def token_of(found: re.Match[bytes]) -> bytes:
        place = found[0]
        return by_place.get(place, place)

    return lambda text: _ANY_PLACE.sub(token_of, text)


def blank_links(text: bytes) -> bytes:
    """Return a written text with dots where its tokens would be."""
    return _ANY_PLACE.sub(BLANK.encode(), text)


def unsubscribe_address(token: str) -> str:
    """Return the address that leaves by one click."""
    return links.address(PURPOSES["unsubscribe"], token)


def with_picture(html: bytes, token: str) -> bytes:
    """Return a mail with the picture whose loading tells that it was opened, named by a token that the mail has anyway."""
    address = links.public_address(f"/o/{token}.gif").encode()
    picture = b'\n<img src="%b" width="1" height="1" alt="" style="display:block;border:0">\n' % address
    body, end, rest = html.rpartition(b"</body>")
    return body + picture + end + rest if end else html + picture


def _link_order(shop_id: int, subject: Subject, purpose: str) -> LinkOrder:
    kind, subject_id = "contact", subject.contact_id
    if subject.order_id is not None:
        kind, subject_id = "order", subject.order_id
    elif subject.cart_id is not None:
        kind, subject_id = "cart", subject.cart_id
    return LinkOrder(purpose, shop_id, kind, subject_id, subject.contact_id, subject.key)
