"""The texts of messages that are only tried: which language there is, and what a short one comes to for its reader."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from recoup.messaging.channels import channel
from recoup.messaging.context import BuiltContext, Subject, build_contexts
from recoup.messaging.handover import Letter, ShortMessage
from recoup.messaging.ports import Account, ParcelRefused
from recoup.messaging.reasons import Reason
from recoup.messaging.rendering.pool import RenderFailure, RenderItem, RenderPool, shared_pool
from recoup.messaging.rendering.samples import sample_context
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.messaging.rendering.tokens import OFFER_TOKENS, Context
from recoup.messaging.rules.deciding import contents_of
from recoup.messaging.sender.prepare import reason_of
from recoup.messaging.texts import Texts, current_texts

GUESSED = OFFER_TOKENS | {"order.status", "order.extras", "last_mail.sent_at"}
"""What is told as it is today, or made up: no past of it is kept."""


@dataclass(frozen=True, slots=True)
class PastText:
    """A text as it is published today."""

    id: int
    version_id: int | None
    texts: Texts | None
    content: str

    def choose(self, locale: str, of_shop: str) -> tuple[str, CompiledTemplate] | None:
        """Return the text in a language, as the sender chooses it."""
        return self.texts.choose(locale, of_shop) if self.texts is not None else None


class Reader(NamedTuple):
    """Who reads a text, and what it is about."""

    contact_id: int
    order_id: int | None
    cart_id: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A short message as it would go out."""

    parts: int
    price: Decimal
    currency: str


def read_texts(shop_id: int, keys: Collection[str]) -> dict[str, PastText]:
    """Read texts by their keys; what the shop has not got is missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, id, current_version_id FROM messaging_template WHERE shop_id = %s AND key = ANY(%s)",
            [shop_id, list(keys)],
        )
        rows = cursor.fetchall()
    texts = current_texts(row[1] for row in rows)
    contents = contents_of({row[2] for row in rows if row[2] is not None})
    return {
        key: PastText(template_id, version_id, texts.get(template_id), contents.get(version_id, ""))
        for key, template_id, version_id in rows
    }


@dataclass(slots=True)
class ShortTexts:
    """Writes the short messages of some people one by one: their contexts are read once for all of them."""

    shop_id: int
    readers: Collection[Reader]
    pool: RenderPool | None = None
    _contexts: dict[str, dict[Reader, BuiltContext]] = field(default_factory=dict)

    def write(
        self, account: Account, text: CompiledTemplate, letter: Letter, reader: Reader, due: Decimal | None
    ) -> Written | tuple[str, str]:
        """Return what a message comes to, or its state and reason if it cannot be written for this reader.

        :param due: what is to be paid at that instant; the rest is told as it is known today.
        """
        built = self._context(text, letter.locale, reader)
        if built is None:
            return "cancelled", Reason.ERASED
        values = _as_of(built.values, due, letter.locale, text)
        (outcome,) = (self.pool or shared_pool()).render(
            [RenderItem(text, values, letter.locale, built.zone)]
        )
        if isinstance(outcome, RenderFailure):
            return "failed", reason_of(outcome)
        try:  # a place for a link is as long as its token: the parts are counted as they will be
            parcel = channel(account.adapter).compose(account, letter._replace(text=outcome.text))
        except ParcelRefused as refused:
            return "failed", refused.reason
        assert isinstance(parcel, ShortMessage)
        return Written(parcel.parts, parcel.price * parcel.parts, parcel.currency)

    def _context(self, text: CompiledTemplate, locale: str, reader: Reader) -> BuiltContext | None:
        place = f"{text.key}:{locale}"
        if place not in self._contexts:
            numbered = dict(enumerate(self.readers))
            subjects = [
                Subject(key, one.contact_id, one.order_id, one.cart_id, locale, text)
                for key, one in numbered.items()
            ]
            built = build_contexts(self.shop_id, subjects)
            self._contexts[place] = {one: built[key] for key, one in numbered.items() if key in built}
        return self._contexts[place].get(reader)


def _as_of(
    values: Mapping[str, Any], due: Decimal | None, locale: str, text: CompiledTemplate
) -> Mapping[str, Any]:
    """Put in what was due at the instant, and a made-up offer where one is spoken of: none was really made."""
    found = dict(values)
    if due is not None and "order" in found:
        _, currency = found["order"]["due"]
        found["order"] = {**found["order"], "due": (str(due), currency)}
    if OFFER_TOKENS.intersection(text.tokens):
        found["offer"] = sample_context(Context.ORDER, locale).get("offer")
    return found


def letter_of(recipient: str, ref: str, locale: str, at: datetime) -> Letter:
    """Return the letter to somebody before it is written."""
    return Letter("past", recipient, "", ref, locale, at, "", b"", b"")
