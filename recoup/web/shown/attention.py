"""What needs a person, as items that lead to where their cause can be dealt with."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.accounts.roles import Right
from recoup.core.models import AttentionItem
from recoup.customers.listing import ContactFilter, count_customers
from recoup.desk.queries import count_due
from recoup.messaging.queries import count_uncertain
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.listing import shown_count, with_query
from recoup.web.parts import Attention
from recoup.web.words import attention as words

DOUBLES = "doubles"  # the view of the customers list that shows who may be the same person
_PLACE_RIGHTS = {
    "intake": Right.MANAGE_INTAKE,
    "sources": Right.MANAGE_SHOP,
    "mail": Right.MANAGE_SHOP,
    "sms": Right.MANAGE_SHOP,
    "programs": Right.MANAGE_SHOP,
}


def attention_items(seat: Seat, items: Iterable[AttentionItem]) -> list[Attention]:
    """Return items in words."""
    may_settle = seat.may(Right.SETTLE_ATTENTION)
    return [_item(seat, item, may_settle) for item in items]


def _item(seat: Seat, item: AttentionItem, may_settle: bool) -> Attention:
    kind = words.kind_of(item.kind)
    url = _url(seat, item, kind)
    return Attention(
        title=words.filled(kind.title, item.details),
        url=url or place(seat, "attention"),
        icon=kind.icon,
        tone=kind.tone,
        detail=words.filled(kind.detail, item.details),
        at=item.opened_at,
        action=kind.action if url else "",
        settle_url=place(seat, "attention_settle", item.pk) if may_settle and kind.is_settled_by_hand else "",
    )


def _url(seat: Seat, item: AttentionItem, kind: words.Kind) -> str:
    """Return where the cause lies, as far as this person may go there."""
    if item.subject_kind == "order" and item.subject_id is not None:
        return place(seat, "order", item.subject_id)
    if kind.place and seat.may(_PLACE_RIGHTS[kind.place]):
        return with_query(place(seat, kind.place), {"v": kind.view})
    return ""


def uncertain_item(seat: Seat) -> list[Attention]:
    """Return the one item for all messages of which nobody knows whether they arrived."""
    if not seat.may(Right.SEE_PROCESSES):
        return []
    count = count_uncertain(seat.shop)
    if not count:
        return []
    title = ngettext(
        "Of %(n)d reminder nobody knows whether it arrived",
        "Of %(n)d reminders nobody knows whether they arrived",
        count,
    )
    kind = words.kind_of("messaging.uncertain")
    url = with_query(place(seat, "messages"), {"v": "uncertain"})
    return [Attention(title % {"n": count}, url, kind.icon, kind.tone, kind.detail, action=kind.action)]


def tasks_item(seat: Seat, now: datetime) -> list[Attention]:
    """Return the one item for all tasks that are overdue, for those who may do them."""
    if not seat.may(Right.WORK_TASKS):
        return []
    count = count_due(seat.shop, before=now)
    if not count.number:
        return []
    title = ngettext("%(n)s task is overdue", "%(n)s tasks are overdue", count.number)
    url = with_query(place(seat, "tasks"), {"v": "all", "due": "overdue"})
    return [Attention(title % {"n": shown_count(count)}, url, "list-checks", "due", action=_("Do them"))]


def doubles_item(seat: Seat) -> list[Attention]:
    """Return the one item for all customers who may be the same person as another, for those who may decide it."""
    if not seat.may(Right.EDIT_CUSTOMERS):
        return []
    count = count_customers(seat.shop, ContactFilter(may_be_doubles=True))
    if not count.number:
        return []
    title = ngettext(
        "%(n)s customer may be the same person as another",
        "%(n)s customers may be the same person as another",
        count.number,
    )
    kind = words.kind_of("customers.may_be_doubles")
    url = with_query(place(seat, "customers"), {"v": DOUBLES})
    return [
        Attention(
            title % {"n": shown_count(count)}, url, kind.icon, kind.tone, kind.detail, action=kind.action
        )
    ]
