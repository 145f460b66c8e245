"""Making mails without any lock: contexts and links for the batch, texts in the child, MIME, the copy that is kept."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from recoup.core import arrays
from recoup.messaging.channels import channel
from recoup.messaging.context import (
    BuiltContext,
    Subject,
    build_contexts,
    link_filler,
    mint_links,
    unsubscribe_address,
    with_picture,
)
from recoup.messaging.copies import Copy, make_copy
from recoup.messaging.handover import Letter
from recoup.messaging.models import Message
from recoup.messaging.ports import Account, ParcelRefused
from recoup.messaging.reasons import Reason
from recoup.messaging.rendering.pool import (
    Outcome,
    Rendered,
    RenderFailure,
    RenderItem,
    RenderPool,
    shared_pool,
)
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.messaging.rendering.tokens import OFFER_TOKENS
from recoup.messaging.sender import failpoints
from recoup.messaging.sender.claim import write_down_later
from recoup.messaging.sender.records import Claimed, End, Prepared
from recoup.messaging.sender.restating import restated
from recoup.messaging.texts import current_texts

_HELD_BY_FIELD = frozenset({"field_empty", "context_unreadable"})


@dataclass(frozen=True, slots=True)
class Batch:
    """What could be prepared, and the ends of what could not."""

    ready: list[Prepared] = field(default_factory=list)
    copies: dict[int, Copy] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A message that has a text, and what the text says of it."""

    message: Claimed
    version_id: int
    subject: Subject
    built: BuiltContext


class Draft:
    """Claimed messages of one shop whose texts are being written in the render child.

    Without an account (test mode) there are copies and no mails.
    """

    def __init__(
        self,
        messages: Sequence[Claimed],
        account: Account | None,
        *,
        shop_locale: str,
        now: datetime,
        pool: RenderPool | None = None,
        counts_opens: bool = False,
    ) -> None:
        """Read what the texts say, and let the child begin."""
        self._account, self._now, self._counts_opens = account, now, counts_opens
        self._road = channel(account.adapter) if account is not None else None
        self._batch = Batch()
        self._chosen = self._choose(messages, shop_locale)
        items = [
            RenderItem(one.subject.template, one.built.values, one.subject.locale, one.built.zone)
            for one in self._chosen
        ]
        self._outcomes: Future[list[Outcome]] | None = (pool or shared_pool()).start(items) if items else None

    def finish(self) -> Batch:
        """Wait for the texts, mint their links and make the mails."""
        batch, now = self._batch, self._now
        written = self._written()
        failpoints.reach("after_render")
        for one, mail in written:
            key = one.message.id
            batch.copies[key] = make_copy(key, one.version_id, one.subject.locale, one.subject.template, mail)
        if self._account is not None and written:
            with transaction.atomic():
                # The commit of the mark writes this one down, too, before anything leaves.
                write_down_later()
                tokens = mint_links(
                    written[0][0].message.shop_id, [one.subject for one, _ in written], now=now
                )
            failpoints.reach("after_links")
            for one, mail in written:
                self._build(self._account, one, mail, tokens[one.message.id])
        return batch

    def _choose(self, messages: Sequence[Claimed], shop_locale: str) -> list[_Chosen]:
        """Return the messages that have a text and somebody to get it; end the others."""
        texts = current_texts(message.template_id for message in messages if message.template_id is not None)
        wanted = []
        for message in restated(messages, texts, shop_locale, now=self._now):
            found = texts.get(message.template_id or 0)
            text = found.choose(message.locale, shop_locale) if found is not None else None
            reason = self._refusal_of(message, text)
            if reason:
                self._cancel(message, reason)
            elif found is None or text is None:
                self._fail(message, Reason.NO_TEMPLATE)
            else:
                wanted.append((message, found.version_id, _subject(message, *text)))
        if not wanted:
            return []
        built = build_contexts(messages[0].shop_id, [subject for _, _, subject in wanted])
        for message, _, _ in wanted:
            if message.id not in built:
                self._cancel(message, Reason.ERASED)
        return [_Chosen(*one, built[one[0].id]) for one in wanted if one[0].id in built]

    def _refusal_of(self, message: Claimed, text: tuple[str, CompiledTemplate] | None) -> str:
        """Return why a message never gets a text: its address is not reached by this channel, or its offer is over."""
        if not message.recipient:
            return Reason.NO_ADDRESS
        if self._road is not None and (reason := self._road.refusal_of(self._account, message.recipient)):
            return reason
        if text and message.offer_id is None and OFFER_TOKENS.intersection(text[1].tokens):
            return Reason.OFFER_OVER
        return ""

    def _written(self) -> list[tuple[_Chosen, Rendered]]:
        """Return what the child wrote; end what it could not."""
        outcomes = self._outcomes.result() if self._outcomes is not None else []
        written = []
        for one, outcome in zip(self._chosen, outcomes, strict=True):
            if isinstance(outcome, RenderFailure):
                self._fail(one.message, reason_of(outcome), f"{outcome.code}: {outcome.detail}")
            else:
                written.append((one, outcome))
        return written

    def _build(self, account: Account, one: _Chosen, mail: Rendered, tokens: Mapping[str, str]) -> None:
        message, fill = one.message, link_filler(tokens)
        html = fill(mail.html)
        if self._counts_opens:
            html = with_picture(html, tokens["unsubscribe"])
        letter = Letter(
            key=message.id,
            recipient=message.recipient,
            to_name=one.built.to_name,
            message_ref=message.message_ref,
            locale=one.subject.locale,
            at=self._now,
            subject=mail.subject,
            html=html,
            text=fill(mail.text),
            unsubscribe_link=unsubscribe_address(tokens["unsubscribe"]),
            handed_at=message.handed_at if message.is_resent else None,
        )
        assert self._road is not None
        try:
            parcel = self._road.compose(account, letter)
        except ParcelRefused as refused:
            self._fail(message, refused.reason, refused.detail)
            return
        self._batch.ready.append(Prepared(message, parcel, one.version_id, one.built.stamp))

    def _cancel(self, message: Claimed, reason: str) -> None:
        self._batch.ends.append(End(message.id, Message.State.CANCELLED, reason, at=self._now))

    def _fail(self, message: Claimed, reason: str, detail: str = "") -> None:
        self._batch.ends.append(End(message.id, Message.State.FAILED, reason, detail, at=self._now))


def _subject(message: Claimed, locale: str, template: CompiledTemplate) -> Subject:
    return Subject(
        message.id, message.contact_id, message.order_id, message.cart_id, locale, template, message.offer_id
    )


def reason_of(failure: RenderFailure) -> Reason:
    """Return why a text could not be written, in our words."""
    return Reason.TEXT_INCOMPLETE if failure.code in _HELD_BY_FIELD else Reason.TEXT_FAILED


def mark(messages: Sequence[Prepared], *, owner: int, lease: float) -> set[int]:
    """Mark messages as being handed over; return those that were still this owner's. The caller commits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH held AS (SELECT id FROM messaging_message WHERE id = ANY(%s) AND lease_owner = %s"
            " AND state = 'claimed' ORDER BY id FOR NO KEY UPDATE)"
            " UPDATE messaging_message m SET state = 'handing', lease_until = clock_timestamp() + make_interval(secs => %s),"
            " template_version_id = (p.r ->> 1)::bigint"
            " FROM held JOIN jsonb_array_elements(%s::jsonb) AS p (r) ON (p.r ->> 0)::bigint = held.id"
            " WHERE m.id = held.id RETURNING m.id",
            [
                sorted(one.message.id for one in messages),
                owner,
                lease,
                arrays.rows([(one.message.id, one.version_id) for one in messages]),
            ],
        )
        return {row[0] for row in cursor.fetchall()}
