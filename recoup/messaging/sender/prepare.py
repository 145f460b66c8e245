"""Making mails without any lock: contexts and links for the batch, texts in the child, MIME, the copy that is kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from recoup.messaging.channels import channel
from recoup.messaging.context import (
    BuiltContext,
    Subject,
    build_contexts,
    link_filler,
    mint_links,
    unsubscribe_address,
)
from recoup.messaging.copies import Copy, make_copy
from recoup.messaging.handover import Letter
from recoup.messaging.models import Message
from recoup.messaging.ports import Account, Channel, ParcelRefused
from recoup.messaging.reasons import Reason
from recoup.messaging.rendering.pool import Rendered, RenderFailure, RenderItem, RenderPool, shared_pool
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.messaging.rendering.tokens import OFFER_TOKENS
from recoup.messaging.sender import failpoints
from recoup.messaging.sender.claim import write_down_later
from recoup.messaging.sender.records import Claimed, End, Prepared
from recoup.messaging.texts import Texts, current_texts

_HELD_BY_FIELD = frozenset({"field_empty", "context_unreadable"})


@dataclass(frozen=True, slots=True)
class Batch:
    """What could be prepared, and the ends of what could not."""

    ready: list[Prepared]
    copies: dict[int, Copy]
    ends: list[End]


@dataclass(frozen=True, slots=True)
class _Written:
    message: Claimed
    version_id: int
    subject: Subject
    built: BuiltContext
    mail: Rendered


def prepare(
    messages: Sequence[Claimed],
    account: Account | None,
    *,
    shop_locale: str,
    now: datetime,
    pool: RenderPool | None = None,
) -> Batch:
    """Write the texts of claimed messages of one shop. Without an account (test mode) there are copies and no mails."""
    batch = Batch([], {}, [])
    road = channel(account.adapter) if account is not None else None
    if road is not None:
        messages = [
            message for message in messages if not _is_out_of_reach(message, account, road, batch, now)
        ]
    written = _write(messages, batch, shop_locale, now, pool or shared_pool())
    failpoints.reach("after_render")
    for one in written:
        key = one.message.id
        batch.copies[key] = make_copy(key, one.version_id, one.subject.locale, one.subject.template, one.mail)
    if account is not None and road is not None and written:
        with transaction.atomic():
            # The commit of the mark writes this one down, too, before anything leaves.
            write_down_later()
            tokens = mint_links(messages[0].shop_id, [one.subject for one in written], now=now)
        failpoints.reach("after_links")
        for one in written:
            _build(one, account, road, tokens[one.message.id], batch, now)
    return batch


def _is_out_of_reach(
    message: Claimed, account: Account | None, road: Channel, batch: Batch, now: datetime
) -> bool:
    """End a message whose address this channel never reaches; tell whether it is so."""
    reason = road.refusal_of(account, message.recipient) if message.recipient else Reason.NO_ADDRESS
    if reason:
        batch.ends.append(End(message.id, Message.State.CANCELLED, reason, at=now))
    return bool(reason)


def _fail(batch: Batch, message: Claimed, reason: str, now: datetime, detail: str = "") -> None:
    batch.ends.append(End(message.id, Message.State.FAILED, reason, detail, at=now))


def _write(
    messages: Sequence[Claimed], batch: Batch, shop_locale: str, now: datetime, pool: RenderPool
) -> list[_Written]:
    texts = current_texts(message.template_id for message in messages if message.template_id is not None)
    subjects, chosen = [], {}
    for message in messages:
        found = texts.get(message.template_id or 0)
        text = found.choose(message.locale, shop_locale) if found is not None else None
        if found is None or text is None:
            _fail(batch, message, Reason.NO_TEMPLATE, now)
            continue
        if not message.recipient:  # in test mode nobody has looked yet
            batch.ends.append(End(message.id, Message.State.CANCELLED, Reason.NO_ADDRESS, at=now))
            continue
        if message.offer_id is None and OFFER_TOKENS.intersection(text[1].tokens):
            batch.ends.append(End(message.id, Message.State.CANCELLED, Reason.OFFER_OVER, at=now))
            continue
        subjects.append(_subject(message, text[0], text[1]))
        chosen[message.id] = (message, found)
    if not subjects:
        return []
    built = build_contexts(messages[0].shop_id, subjects)
    return _render(subjects, built, chosen, batch, now, pool)


def _subject(message: Claimed, locale: str, template: CompiledTemplate) -> Subject:
    return Subject(
        message.id, message.contact_id, message.order_id, message.cart_id, locale, template, message.offer_id
    )


def _render(
    subjects: Sequence[Subject],
    built: dict[int, BuiltContext],
    chosen: dict[int, tuple[Claimed, Texts]],
    batch: Batch,
    now: datetime,
    pool: RenderPool,
) -> list[_Written]:
    for subject in subjects:
        if subject.key not in built:
            batch.ends.append(End(subject.key, Message.State.CANCELLED, Reason.ERASED, at=now))
    present = [subject for subject in subjects if subject.key in built]
    outcomes = pool.render(
        [RenderItem(s.template, built[s.key].values, s.locale, built[s.key].zone) for s in present]
    )
    written = []
    for subject, outcome in zip(present, outcomes, strict=True):
        message, texts = chosen[subject.key]
        if isinstance(outcome, RenderFailure):
            _fail(batch, message, reason_of(outcome), now, f"{outcome.code}: {outcome.detail}")
        else:
            written.append(_Written(message, texts.version_id, subject, built[subject.key], outcome))
    return written


def reason_of(failure: RenderFailure) -> Reason:
    """Return why a text could not be written, in our words."""
    return Reason.TEXT_INCOMPLETE if failure.code in _HELD_BY_FIELD else Reason.TEXT_FAILED


def _build(
    one: _Written, account: Account, road: Channel, tokens: Mapping[str, str], batch: Batch, now: datetime
) -> None:
    message = one.message
    fill = link_filler(tokens)
    letter = Letter(
        key=message.id,
        recipient=message.recipient,
        to_name=one.built.to_name,
        message_ref=message.message_ref,
        locale=one.subject.locale,
        at=now,
        subject=one.mail.subject,
        html=fill(one.mail.html),
        text=fill(one.mail.text),
        unsubscribe_link=unsubscribe_address(tokens["unsubscribe"]),
        handed_at=message.handed_at if message.is_resent else None,
    )
    try:
        parcel = road.compose(account, letter)
    except ParcelRefused as refused:
        _fail(batch, message, refused.reason, now, refused.detail)
        return
    batch.ready.append(Prepared(message, parcel, one.version_id, one.built.stamp))


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
                json.dumps([(one.message.id, one.version_id) for one in messages]),
            ],
        )
        return {row[0] for row in cursor.fetchall()}
