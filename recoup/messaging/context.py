"""What a text may say: contexts of orders, carts, people and the shop, built for a batch in a few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import translation

from recoup.core import links
from recoup.core.links import LinkOrder
from recoup.messaging import context_rows as rows
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
_LAST_MAIL = "last_mail.sent_at"
_SAMPLE_WORD = "preview"


class Subject(NamedTuple):
    """A message to write: who gets it, and about what."""

    key: int  # of the message; of anything else for a preview
    contact_id: int
    order_id: int | None
    cart_id: int | None
    locale: str
    template: CompiledTemplate


@dataclass(frozen=True, slots=True)
class BuiltContext:
    """The context of one text."""

    values: dict[str, Any]
    zone: str
    stamp: tuple[object, ...]
    to_name: str
    unsubscribe_link: str
    secrets: tuple[str, ...]  # the tokens in its links, for the kept copy


def build_contexts(
    shop_id: int, subjects: Sequence[Subject], *, now: datetime, is_sample: bool = False
) -> dict[int, BuiltContext]:
    """Return the contexts of subjects of one shop by their keys; what is gone is missing.

    Mints the links that each template uses, and the one to unsubscribe, with one insert; a preview (`is_sample`) gets
    addresses that lead nowhere.
    """
    needed = frozenset(token for subject in subjects for token in subject.template.tokens)
    shop = rows.read_shop(shop_id)
    people = rows.read_people(shop_id, [subject.contact_id for subject in subjects])
    order_ids = [subject.order_id for subject in subjects if subject.order_id is not None]
    orders = rows.read_orders(shop_id, order_ids, with_items="order.items" in needed)
    carts = rows.read_carts(shop_id, [s.cart_id for s in subjects if s.cart_id is not None])
    last_mails = rows.read_last_mails([s.contact_id for s in subjects]) if _LAST_MAIL in needed else {}
    found = [
        (
            subject,
            orders.get(subject.order_id) if subject.order_id is not None else carts.get(subject.cart_id or 0),
        )
        for subject in subjects
        if subject.contact_id in people
    ]
    present = [(subject, row) for subject, row in found if row is not None]
    made = _links(shop_id, [subject for subject, _ in present], now, is_sample=is_sample)
    return {
        subject.key: _build(
            subject,
            row,
            people[subject.contact_id],
            shop,
            made[subject.key],
            last_mails.get(subject.contact_id),
        )
        for subject, row in present
    }


def _build(
    subject: Subject,
    row: rows.Row,
    person: rows.Person,
    shop: rows.ShopRow,
    made: Mapping[str, tuple[str, str]],
    last_mail_at: datetime | None,
) -> BuiltContext:
    about = row.values
    if "order.status" in subject.template.tokens:
        about = {**about, "status": _status_words(about["status"], subject.locale)}
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
        "links": {word: address for word, (address, _) in made.items()},
        row.kind: about,
    }
    return BuiltContext(
        values=values,
        zone=person.zone or shop.zone,
        stamp=row.stamp,
        to_name=person.name,
        unsubscribe_link=made["unsubscribe"][0],
        secrets=tuple(token for _, token in made.values()),
    )


def _status_words(status: str, locale: str) -> str:
    with translation.override(locale):
        return str(Order.Status(status).label)


def _links(
    shop_id: int, subjects: Sequence[Subject], now: datetime, *, is_sample: bool
) -> dict[int, dict[str, tuple[str, str]]]:
    """Return address and token of each link by the template's word for it; unsubscribing is always possible."""
    made: dict[int, dict[str, tuple[str, str]]] = {subject.key: {} for subject in subjects}
    wanted = [(s, word) for s in subjects for word in sorted({*s.template.links, "unsubscribe"})]
    if is_sample:
        for subject, word in wanted:
            made[subject.key][word] = (links.address(PURPOSES[word], _SAMPLE_WORD), _SAMPLE_WORD)
        return made
    tokens = links.mint([_link_order(shop_id, subject, PURPOSES[word]) for subject, word in wanted], now=now)
    for (subject, word), token in zip(wanted, tokens, strict=True):
        made[subject.key][word] = (links.address(PURPOSES[word], token), token)
    return made


def _link_order(shop_id: int, subject: Subject, purpose: str) -> LinkOrder:
    is_order = subject.order_id is not None
    return LinkOrder(
        purpose,
        shop_id,
        "order" if is_order else "cart",
        subject.order_id if is_order else subject.cart_id or 0,  # type: ignore[arg-type]
        subject.contact_id,
        subject.key,
    )
