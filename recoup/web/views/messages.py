"""Messages: every one that left, waits or was held back, and why; and what a person decides about them."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, cast

from django.contrib import messages as notices
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.analytics.figures import count_rows_of, rows_of
from recoup.core.paging import Page
from recoup.messaging.actions import NotFailed, NotUncertain, retry_failed, settle_uncertain
from recoup.messaging.dayness import DayOver, is_day_over
from recoup.messaging.models import Message
from recoup.messaging.queries import (
    count_messages,
    get_message_story,
    list_messages,
    read_text,
    with_subjects,
)
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.frames import framed_mail
from recoup.web.listing import Address
from recoup.web.parts import Link
from recoup.web.screens import Action
from recoup.web.shown.figures import asked_figure, figure_filters
from recoup.web.shown.messages import (
    FILTER_KEYS,
    chosen_messages,
    message_filters,
    message_page,
    message_rows,
)

Verdict = Literal["delivered", "not_delivered", "send_again"]
_VERDICTS: dict[str, Verdict] = {
    "delivered": "delivered",
    "not_delivered": "not_delivered",
    "send_again": "send_again",
}


@staff(Right.SEE_PROCESSES)
def messages(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show a page of messages as the address asks for them."""
    address, most = Address(request), listing.wants_exact(Address(request))
    number = asked_figure(address, "message")
    if number is not None:
        page = with_subjects(
            seat.shop, cast("Page[Message]", rows_of(seat.shop, number, cursor=address.get("c")))
        )
        count = count_rows_of(seat.shop, number, most=most)
        filters = figure_filters(address, number)
    else:
        chosen = chosen_messages(address)
        page = list_messages(seat.shop, chosen, cursor=address.get("c"))
        count = count_messages(seat.shop, chosen, most=most)
        filters = message_filters(address, request.now)
    context = {
        "filters": filters,
        "rows": message_rows(seat, page.rows),
        "pager": listing.pager(address, page, count, _counted),
        "is_filtered": number is not None or address.has_any(*FILTER_KEYS),
        "clear_url": address.path,
        "lead_shown": listing.is_first_visit(request, "messages"),
        "templates_url": place(seat, "texts") if seat.may(Right.EDIT_PROCESSES) else "",
    }
    return render(request, "web/messages.html", context)


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s message", "%(n)s messages", number) % {"n": shown}


def _get(seat: Seat, message_id: int) -> Message:
    rows = Message.objects.filter(shop=seat.shop).select_related("contact", "order", "template", "source")
    return get_object_or_404(rows, pk=message_id)


@staff(Right.SEE_PROCESSES)
def message(request: StaffRequest, seat: Seat, message_id: int) -> HttpResponse:
    """Show a message: what it said, what the server answered, what became of it."""
    return _show(request, seat, _get(seat, message_id))


def _show(request: StaffRequest, seat: Seat, shown: Message, *, status: int = 200) -> HttpResponse:
    page = message_page(seat, get_message_story(shown), _actions(seat, shown, request.now))
    context = {
        "message": page,
        "crumb_links": [Link(_("Messages"), place(seat, "messages")), Link(page.subject, "")],
        "dialogs": [],
    }
    return render(request, "web/message.html", context, status=status)


def _actions(seat: Seat, shown: Message, now: datetime) -> list[Action]:
    """Return what a person may decide: about an uncertain message three things, a failed one may be tried again.

    What says "today" is not sent once its day is over.
    """
    found = []
    if seat.may(Right.SEND_MESSAGES) and shown.state == Message.State.UNCERTAIN:
        url = place(seat, "message_settle", shown.pk)
        words = [("delivered", _("It arrived"), "mail-check"), ("not_delivered", _("It did not"), "mail-x")]
        if not is_day_over(shown, now):
            words.append(("send_again", _("Send again"), "send"))
        found = [
            Action(label, icon, url, is_post=True, fields=[("verdict", verdict)])
            for verdict, label, icon in words
        ]
    elif (
        seat.may(Right.SEND_MESSAGES) and shown.state == Message.State.FAILED and not is_day_over(shown, now)
    ):
        url = place(seat, "message_retry", shown.pk)
        found = [Action(_("Try again"), "rotate-ccw", url, is_post=True, tone="primary")]
    if shown.order_id is not None and shown.state != Message.State.UNCERTAIN:
        found.append(Action(_("Open the order"), "package", place(seat, "order", shown.order_id)))
    return found


@staff(Right.SEE_PROCESSES)
def message_frame(_request: StaffRequest, seat: Seat, message_id: int) -> HttpResponse:
    """Return the mail itself, for the frame: its own policy, no scripts, its links lead nowhere."""
    text = read_text(_get(seat, message_id))
    if text is None:
        raise Http404
    return framed_mail(text.html)


def _decide(
    request: StaffRequest, seat: Seat, message_id: int, act: Callable[[Message], str]
) -> HttpResponse:
    try:
        said = act(_get(seat, message_id))
    except (NotUncertain, NotFailed):
        notices.warning(request, _("Somebody else has decided already, or the answer came. Look again."))
        return _show(request, seat, _get(seat, message_id), status=409)
    except DayOver:
        words = _(
            "What it says was true on its day alone, and that day is over. Write to the person anew instead."
        )
        notices.warning(request, words)
        return _show(request, seat, _get(seat, message_id), status=409)
    notices.success(request, said)
    return see_other(place(seat, "message", message_id))


@require_POST
@staff(Right.SEND_MESSAGES)
def settle(request: StaffRequest, seat: Seat, message_id: int) -> HttpResponse:
    """Decide what became of an uncertain message."""
    verdict = _VERDICTS.get(request.POST.get("verdict", ""))

    def act(shown: Message) -> str:
        if verdict is None:
            raise NotUncertain(shown.pk)
        settle_uncertain(shown, verdict, now=request.now, actor=actor_of(seat))
        words = {"delivered": _("Kept as sent."), "not_delivered": _("Kept as failed.")}
        return words.get(verdict, _("It is on its way again, after every check."))

    return _decide(request, seat, message_id, act)


@require_POST
@staff(Right.SEND_MESSAGES)
def retry(request: StaffRequest, seat: Seat, message_id: int) -> HttpResponse:
    """Try a failed message again."""

    def act(shown: Message) -> str:
        retry_failed(shown, now=request.now, actor=actor_of(seat))
        return _("It is tried again, after every check.")

    return _decide(request, seat, message_id, act)
