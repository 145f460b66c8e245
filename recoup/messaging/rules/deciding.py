"""The class of messages that are about to be queued: read what it depends on in one statement, look it up in the table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import phonenumbers
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core import arrays
from recoup.messaging.classes import content_of_kind
from recoup.messaging.models import Template, TemplateVersion
from recoup.messaging.promotion import words_of_texts
from recoup.messaging.rendering.sources import LIQUID
from recoup.messaging.rendering.tokens import OFFER_TOKENS
from recoup.messaging.rules.book import RuleBook, books_of
from recoup.messaging.rules.kinds import Content, Relation

# What is said about an order so long after it was paid carries out no contract any more: it invites to buy again.
SERVICE_TIME = timedelta(days=30)
_MOST_VERSIONS = 2_000
_contents: dict[int, str] = {}
_PLAIN_LITERAL = re.compile(r"(?<!\[)(?:\"[^\"]*\"|'[^']*')")  # no name between brackets: order["due"]
_OFFER = re.compile(r"\boffer\b")


class Asked(Protocol):
    """What is known of a message before it is queued."""

    @property
    def shop_id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def template_key(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def order_id(self) -> int | None: ...
    @property
    def cart_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Basis:
    """The class of a message and what it was computed from."""

    message_class: str
    content: str
    relation: str
    country: str


class Standing(NamedTuple):
    """What the class of a message hangs on besides its words, as it stands at an instant."""

    version_id: int | None
    is_order: bool
    is_paid: bool
    paid_at: datetime | None
    country: str
    phone: str


_FACTS = """
    SELECT t.current_version_id, w.order_id IS NOT NULL,
        coalesce(o.payment_state IN ('paid', 'authorized', 'partly_refunded', 'refunded', 'nothing_due'), false), o.paid_at,
        upper(coalesce(nullif(o.buyer->>'country', ''), c.country, '')),
        coalesce(nullif(o.buyer->>'phone', ''), c.phone, '')
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
        WITH ORDINALITY AS w (shop_id, contact_id, order_id, template_key, place)
    LEFT JOIN messaging_template t ON t.shop_id = w.shop_id AND t.key = w.template_key
    LEFT JOIN orders_order o ON o.id = w.order_id AND o.shop_id = w.shop_id
    LEFT JOIN customers_contact c ON c.id = w.contact_id AND c.shop_id = w.shop_id
    ORDER BY w.place
"""
# Asked for those alone whose message is no contract: reminders of orders, which are most, need no look at other orders.
_BUYERS = """
    SELECT DISTINCT w.shop_id, w.contact_id FROM unnest(%s::bigint[], %s::bigint[]) AS w (shop_id, contact_id)
    WHERE EXISTS (SELECT FROM orders_order b WHERE b.shop_id = w.shop_id AND b.contact_id = w.contact_id
        AND b.payment_state IN ('paid', 'partly_refunded') AND b.total > 0 AND NOT b.is_test)
"""


def bases_of(asked: Sequence[Asked], *, now: datetime, versions: Sequence[int] | None = None) -> list[Basis]:
    """Return the class of each message, in their order: by the published texts, or by the versions that are given."""
    books = books_of({one.shop_id for one in asked}, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            _FACTS,
            [
                arrays.numbers(one.shop_id for one in asked),
                arrays.numbers(one.contact_id for one in asked),
                arrays.numbers(one.order_id for one in asked),
                arrays.texts(one.template_key for one in asked),
            ],
        )
        rows = [Standing(*row) for row in cursor.fetchall()]
    if versions is not None:
        rows = [row._replace(version_id=version) for row, version in zip(rows, versions, strict=True)]
    contents = contents_of({row.version_id for row in rows if row.version_id is not None})
    said = [said_in(row, contents, now, one) for one, row in zip(asked, rows, strict=True)]
    buyers = _buyers(
        {
            (one.shop_id, one.contact_id)
            for one, content in zip(asked, said, strict=True)
            if content != Content.CONTRACT and books[one.shop_id].has_ground
        }
    )
    return [
        basis_of(row, books[one.shop_id], content, one, has_bought=(one.shop_id, one.contact_id) in buyers)
        for one, row, content in zip(asked, rows, said, strict=True)
    ]


def said_in(row: Standing, contents: Mapping[int, str], now: datetime, asked: Asked) -> str:
    """Return what a message says about its subject as that stands now."""
    content = contents.get(row.version_id or 0) or content_of_kind(kind_of(asked))
    if asked.order_id is None and asked.cart_id is None:
        return Content.ADVERTISING
    if content == Content.CONTRACT and row.paid_at is not None and row.paid_at < now - SERVICE_TIME:
        return Content.ADVERTISING
    return content


def _buyers(people: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those who have bought something, as shop and contact."""
    if not people:
        return set()
    wanted = sorted(people)
    with connection.cursor() as cursor:
        cursor.execute(
            _BUYERS,
            [arrays.numbers(shop for shop, _ in wanted), arrays.numbers(contact for _, contact in wanted)],
        )
        return {(shop, contact) for shop, contact in cursor.fetchall()}


def basis_of(row: Standing, book: RuleBook, content: str, asked: Asked, *, has_bought: bool) -> Basis:
    """Return the class of a message: the one place where it is computed, of what is queued and of what is only tried."""
    relation = relation_of(
        content,
        is_about_order=row.is_order and (content == Content.CONTRACT or not row.is_paid),
        has_bought=has_bought,
        has_ground=book.has_ground,
    )
    country = row.country[:2] or country_of_phone(row.phone)
    return Basis(book.verdict(country, content, relation, asked.channel), content, relation, country)


def kind_of(asked: Asked) -> str:
    """Return the kind of text that a message takes: what it is about."""
    if asked.order_id is not None:
        return Template.Kind.ORDER
    return Template.Kind.CUSTOMER if asked.cart_id is None else Template.Kind.CART


def relation_of(content: str, *, is_about_order: bool, has_bought: bool, has_ground: bool) -> str:
    """Return what the reader is to the shop. An unpaid order is no purchase (D16)."""
    if content == Content.CONTRACT:
        return Relation.ORDER if is_about_order else Relation.NEITHER
    if has_bought and has_ground:
        return Relation.CUSTOMER
    return Relation.ORDER if is_about_order else Relation.NEITHER


@lru_cache(maxsize=4096)
def country_of_phone(phone: str) -> str:
    """Return the country of a number in E.164; nothing where it does not say one."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or ""
    except phonenumbers.NumberParseException:
        return ""
    return region if len(region) == 2 else ""  # 001: a satellite, a free call of no country


def contents_of(version_ids: set[int]) -> dict[int, str]:
    """Return what published texts are about. A version never changes, so it is read once."""
    unknown = version_ids - _contents.keys()
    if unknown:
        if len(_contents) > _MOST_VERSIONS:
            _contents.clear()
        with scopes_disabled():  # the keys were read beside the shop that they belong to
            rows = TemplateVersion.objects.filter(pk__in=unknown).values_list("pk", "template__kind", "texts")
            _contents.update({pk: content_of(kind, texts) for pk, kind, texts in rows})
    return {pk: _contents[pk] for pk in version_ids if pk in _contents}


def forget_contents() -> None:
    """Forget what was read; for tests, whose databases begin again with the same ids."""
    _contents.clear()


def content_of(kind: str, texts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what a text is about, by its words in all its languages: one of them that advertises makes all advertising."""
    if offer_tokens(texts) or words_of_texts(texts):
        return Content.ADVERTISING
    return content_of_kind(kind)


def offer_tokens(texts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the fields of an offer that a text prints, in any of its languages."""
    return sorted({token for text in texts.values() for token in _offer_fields(text)})


def _offer_fields(text: Mapping[str, Any]) -> set[str]:
    """Return the fields of an offer in one text: of a version as it was compiled; of a draft as far as words tell.

    A draft that reaches an offer under another name, or by brackets, names it at least once; that alone is told then.
    """
    if compiled := text.get("compiled"):
        return {*OFFER_TOKENS.intersection(compiled["tokens"])}
    written = "\n".join(str(text.get(part) or "") for part in ("subject", "preheader", "body", "text"))
    liquid = "\n".join(_PLAIN_LITERAL.sub("", one) for one in LIQUID.findall(written))
    fields = {token for token in OFFER_TOKENS if re.search(rf"\b{re.escape(token)}\b", liquid)}
    return fields or ({"offer"} if _OFFER.search(liquid) else set())
