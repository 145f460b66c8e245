"""News that is kept and not applied yet, by the names that an order or a cart goes by outside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from recoup.messaging.reasons import Reason
from recoup.messaging.sender.facts import CartFacts, OrderFacts

# A call that nobody could read may be a payment. It holds its source's reminders, but not for ever.
UNREADABLE_HOLDS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class WaitingNews:
    """What waits to be applied: names by source, sources with an unreadable call, the same of operators."""

    named: dict[int, set[str]] = field(default_factory=dict)
    unreadable: set[int] = field(default_factory=set)
    named_by_operators: set[str] = field(default_factory=set)


def names_of(subject: OrderFacts | CartFacts) -> tuple[int, set[str]]:
    """Return the source and everything that news about the subject may call it: itself, attempts, siblings."""
    if isinstance(subject, CartFacts):
        return subject.source_id, {subject.ref, subject.order_ref} - {""}
    names = {subject.ref, subject.number, subject.cart_ref, *subject.sibling_refs, *subject.attempt_refs}
    return subject.source_id, names - {""}


def waiting_news(shop_id: int, subjects: Sequence[OrderFacts | CartFacts], now: datetime) -> WaitingNews:
    """Read the unapplied news of the subjects' sources and of the shop's operators."""
    news = WaitingNews()
    if not subjects:
        return news
    sources, names = set(), set()
    for subject in subjects:
        source_id, own = names_of(subject)
        sources.add(source_id)
        names |= own
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT source_kind, source_id, peek_failed, ARRAY(SELECT jsonb_array_elements_text(subject_refs))
            FROM core_inbox
            WHERE state = 'new'
                AND ((source_kind = 'shop' AND source_id = ANY(%s))
                    OR (source_kind = 'operator' AND source_id IN
                        (SELECT id FROM payments_operatoraccount WHERE shop_id = %s)))
                AND (subject_refs ?| %s OR (peek_failed AND received_at > %s))
            """,
            [sorted(sources), shop_id, sorted(names), now - UNREADABLE_HOLDS],
        )
        for kind, source_id, has_failed, refs in cursor.fetchall():
            if has_failed:
                news.unreadable.update({source_id} if kind == "shop" else sources)
            elif kind == "shop":
                news.named.setdefault(source_id, set()).update(refs)
            else:
                news.named_by_operators.update(refs)
    return news


def hold_of(names: tuple[int, set[str]], news: WaitingNews) -> str:
    """Return why a message must wait for news, or nothing."""
    source_id, own = names
    if own & news.named.get(source_id, set()) or own & news.named_by_operators:
        return Reason.PAYMENT_NEWS
    return Reason.INTAKE_UNREADABLE if source_id in news.unreadable else ""
