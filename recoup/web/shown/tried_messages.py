"""The messages of a process that was tried on past orders: by channel, by law, and those that were left out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.core.money import Money
from recoup.customers.models import Contact
from recoup.messaging.models import ChannelKind, Template
from recoup.messaging.past.deciding import PastMessage
from recoup.messaging.reasons import words as reason_words
from recoup.orders.models import Cart, Order
from recoup.processes.backtest.channels import ChannelNumbers, LeftOutRow
from recoup.processes.backtest.result import Result
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.models import BacktestRun
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.backtest_screens import ChannelRow, LeftOutLine, LeftOutLink
from recoup.web.listing import with_query
from recoup.web.shown.moving import titles_of
from recoup.web.shown.people import language_name, name_of
from recoup.web.words.texts import class_words, key_name


def _number(count: int) -> str:
    return humane.number(count, get_language() or "en")


def _largest(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def channel_rows(result: Result) -> list[ChannelRow]:
    """Return a row for each channel that was tried."""
    numbers = {one.channel: one for one in result.channels}
    known = [*numbers, *(channel for channel in result.passed_over if channel not in numbers)]
    return [
        _channel_row(numbers.get(channel) or ChannelNumbers(channel, 0, 0), result.passed_over)
        for channel in known
    ]


def _channel_row(one: ChannelNumbers, passed_over: dict[str, dict[str, int]]) -> ChannelRow:
    return ChannelRow(
        title=channel_name(one.channel),
        messages=_number(one.messages),
        people=_number(one.people),
        sms_parts=_number(one.parts) if one.parts else "",
        cost=costs_words(one.costs),
        passed_over=[
            (reason_words(reason), _number(count))
            for reason, count in _largest(passed_over.get(one.channel, {}))
        ],
    )


def channel_name(channel: str) -> str:
    """Return the name of a channel; its code for one of a later version."""
    return str(ChannelKind(channel).label) if channel in ChannelKind.values else channel


def costs_words(costs: dict[str, str]) -> str:
    """Return costs in their currencies."""
    language = get_language() or "en"
    return ", ".join(
        humane.money(Money(Decimal(cost), currency), language) for currency, cost in costs.items()
    )


def message_detail(one: PastMessage, *, is_out: bool) -> str:
    """Return over what a message goes, what that costs, what it is by law and in which language; or why it does not go."""
    passed = [
        _("%(channel)s: %(why)s") % {"channel": channel_name(channel), "why": reason_words(reason)}
        for channel, reason in one.passed_over
    ]
    if not is_out:
        why = [reason_words(one.reason)] if one.reason else []
        return " · ".join([*passed, *why])
    told = [*passed, channel_name(one.channel), class_words(one.bases[0].message_class)]
    if one.parts:
        counted = ngettext("%(count)s part", "%(count)s parts", one.parts) % {"count": one.parts}
        told.append(f"{counted}, {costs_words({one.currency: str(one.price)})}")
    if one.is_in_other_language:
        told.append(language_name(one.written_in))
    return " · ".join(told)


def class_rows(result: Result) -> list[tuple[str, str]]:
    """Return what the messages are by law."""
    return [(class_words(one), _number(count)) for one, count in _largest(result.classes)]


def language_rows(seat: Seat, result: Result) -> list[tuple[str, str]]:
    """Return which texts were missing in the language of how many readers, and what they got instead."""
    names = _text_names(seat, {one.template for one in result.languages})
    return [
        (
            _("“%(text)s” is missing in %(wanted)s; it would have gone in %(used)s")
            % {
                "text": names.get(one.template, one.template),
                "wanted": language_name(one.wanted),
                "used": language_name(one.used),
            },
            _number(one.count),
        )
        for one in result.languages
    ]


def _text_names(seat: Seat, keys: set[str]) -> dict[str, str]:
    found = Template.objects.filter(shop=seat.shop, key__in=keys).values_list("key", "name")
    return {key: key_name(key, name) for key, name in found}


def left_out_links(seat: Seat, run: BacktestRun, result: Result) -> list[LeftOutLink]:
    """Return the reasons for which messages were left out; each number leads to the messages that it counts."""
    url = place(seat, "backtest_left_out", run.process_id, run.pk)
    return [
        LeftOutLink(left_out_words(reason), _number(count), with_query(url, {"why": reason or "-"}))
        for reason, count in _largest(result.left_out)
    ]


def left_out_words(reason: str) -> str:
    """Return why messages were left out."""
    return reason_words(reason) if reason else _("Another reason")


def left_out_lines(seat: Seat, rows: Sequence[LeftOutRow], document: ProcessDocument) -> list[LeftOutLine]:
    """Return messages that were left out as lines of a list."""
    orders = Order.objects.filter(shop=seat.shop).in_bulk(_ids(rows, SubjectKind.ORDER))
    carts = Cart.objects.filter(shop=seat.shop).in_bulk(_ids(rows, SubjectKind.CART))
    subjects: list[Order | Cart] = [*orders.values(), *carts.values()]
    contacts = {one.contact_id for one in subjects if one.contact_id}
    people = Contact.objects.filter(shop=seat.shop).in_bulk([*contacts, *_ids(rows, SubjectKind.CONTACT)])
    steps = titles_of(document.as_json())
    lines = []
    for row in rows:
        order = orders.get(row.subject_id) if row.subject_kind == SubjectKind.ORDER else None
        cart = carts.get(row.subject_id) if row.subject_kind == SubjectKind.CART else None
        subject: Order | Cart | None = order or cart
        key = subject.contact_id if subject is not None else row.subject_id
        url = place(seat, "order", order.pk) if order is not None else place(seat, "customer", key or 0)
        lines.append(
            LeftOutLine(
                title=order.number if order is not None else _("Cart") if cart is not None else _("Customer"),
                url=url if people.get(key or 0) is not None or order is not None else "",
                person=name_of(people.get(key or 0)),
                step=steps.get(row.node, row.node),
                at=datetime.fromtimestamp(row.at, tz=UTC),
            )
        )
    return lines


def _ids(rows: Sequence[LeftOutRow], kind: SubjectKind) -> list[int]:
    return [row.subject_id for row in rows if row.subject_kind == kind]
