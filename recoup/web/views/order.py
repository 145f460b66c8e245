"""The page of an order and everything that a person does there, each with its line of history (E3-E16, C12)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import wraps

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.messaging.actions import MessageOrder, send_by_hand
from recoup.orders import desk, holds
from recoup.orders.desk import NotADuplicate, OrderClaimed
from recoup.orders.holds import HoldRefused
from recoup.orders.models import CancelReason, Order
from recoup.orders.status import MoveNotAllowed, OrderChangedMeanwhile, change_status
from recoup.payments import refunds
from recoup.payments.refunds import RefundNotPossible, RefundUnknown, refundable
from recoup.payments.sessions import release_session
from recoup.recovery.models import RecoveryCase
from recoup.shops.access import Seat
from recoup.storefront.by_hand import LinkRefused, make_pay_link
from recoup.web import parts
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import with_query
from recoup.web.screens import OrderPage
from recoup.web.shown.money import returnable, stuck_session
from recoup.web.shown.order import order_page, standing_of
from recoup.web.shown.order_actions import (
    OWN_REASON,
    PAY_LINK,
    may_send_link,
    order_actions,
    order_dialogs,
    order_moves,
)
from recoup.web.shown.people import clerk_names
from recoup.web.shown.timeline import order_timeline
from recoup.web.words import orders as words
from recoup.web.words.payments import refund_refusal

_LINK_LIVES = timedelta(days=1)  # a link sent by hand that cannot leave for so long is not sent any more
_GOES_ON_AT = time(9)  # on the morning after the promised day
_REFUSALS = (
    OrderChangedMeanwhile,
    OrderClaimed,
    MoveNotAllowed,
    HoldRefused,
    NotADuplicate,
    RefundNotPossible,
    RefundUnknown,
    LinkRefused,
)


@staff(Right.SEE_ORDERS)
def order(request: StaffRequest, seat: Seat, order_id: int) -> HttpResponse:
    """Show an order."""
    return _show(request, seat, _get(seat, order_id))


def _get(seat: Seat, order_id: int) -> Order:
    rows = Order.objects.filter(shop=seat.shop).select_related("contact", "source", "shop")
    return get_object_or_404(rows, pk=order_id)


def _show(request: StaffRequest, seat: Seat, shown: Order, *, status: int = 200) -> HttpResponse:
    standing = standing_of(seat, shown, request.now)
    page = order_page(seat, standing, order_actions(seat, standing))
    may_work = seat.may(Right.WORK_ORDERS)
    context = {
        "order": _with_moves(page, seat, shown, place(seat, "order_note", shown.pk) if may_work else ""),
        "crumb_links": [parts.Link(_("Orders"), place(seat, "orders")), parts.Link(shown.number, "")],
        "dialogs": order_dialogs(seat, standing),
        "why_url": with_query(place(seat, "why"), {"order": shown.pk})
        if seat.may(Right.SEE_PROCESSES)
        else "",
    }
    return render(request, "web/order.html", context, status=status)


def _with_moves(page: OrderPage, seat: Seat, shown: Order, note_url: str) -> OrderPage:
    """Complete the page with what this person may change."""
    return replace(page, moves=order_moves(seat, shown), note_url=note_url)


Act = Callable[[StaffRequest, Seat, Order], str]


def _acting(right: Right) -> Callable[[Act], Callable[..., HttpResponse]]:
    """Make a view of something done to an order; it returns what to say. What was refused is 409 with the reason."""

    def decorate(act: Act) -> Callable[..., HttpResponse]:
        @require_POST
        @staff(right)
        @wraps(act)
        def view(request: StaffRequest, seat: Seat, order_id: int) -> HttpResponse:
            shown = _get(seat, order_id)
            try:
                said = act(request, seat, shown)
            except _REFUSALS as error:
                shown = _get(seat, order_id)
                messages.warning(request, _refusal(error, seat, shown))
                return _show(request, seat, shown, status=409)
            if said:
                messages.success(request, said)
            return see_other(place(seat, "order", shown.pk))

        return view

    return decorate


def _refusal(error: Exception, seat: Seat, shown: Order) -> str:
    if isinstance(error, OrderClaimed):
        who = clerk_names([error.clerk_id]).get(error.clerk_id, _("A colleague"))
        return _("%(who)s has taken this order. Nothing was changed.") % {"who": who}
    if isinstance(error, OrderChangedMeanwhile):
        return _what_the_other_did(seat, shown)
    if isinstance(error, HoldRefused | LinkRefused):
        say = words.hold_refusal if isinstance(error, HoldRefused) else words.link_refusal
        return say(error.reason)
    if isinstance(error, NotADuplicate):
        return _("Choose another order of the same person that is neither False nor Cancelled.")
    if isinstance(error, RefundNotPossible | RefundUnknown):
        return refund_refusal(error.reason if isinstance(error, RefundNotPossible) else "unknown")
    return words.move_refusal(str(error))


def _what_the_other_did(seat: Seat, shown: Order) -> str:
    last = next(
        (one for one in order_timeline(seat, shown).events if one.kind in ("status", "decision")), None
    )
    did = f"{last.actor}: {last.title}. " if last is not None else ""
    return did + _(
        "That happened after you opened this page, so nothing of yours was saved. Look again, then choose."
    )


def _version(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None


@_acting(Right.WORK_ORDERS)
def set_status(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Move the status; In work takes the order (E5, E8)."""
    to, version = request.POST.get("status", ""), _version(request.GET.get("version"))
    if to not in Order.Status.values:
        raise MoveNotAllowed("no_such_move")
    if to == Order.Status.IN_WORK:
        desk.claim_order(shown, actor=actor_of(seat), now=request.now, expected_version=version)
    else:
        change_status(shown, to, actor=actor_of(seat), now=request.now, expected_version=version)
    return _("Status: %(status)s.") % {"status": words.status_label(to)}


@_acting(Right.WORK_ORDERS)
def cancel(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Cancel an order for a reason of the list, or one's own (E11)."""
    change_status(
        shown,
        Order.Status.CANCELLED,
        actor=actor_of(seat),
        now=request.now,
        reason=_cancel_reason(request.POST.get("reason", ""), request.POST.get("note", "").strip()[:500]),
        expected_version=_version(request.POST.get("version")),
    )
    return _("Order cancelled. Its reminders are stopped.")


def _cancel_reason(chosen: str, note: str) -> str:
    if not chosen.isdecimal() or chosen == OWN_REASON:
        return note
    reason = CancelReason.objects.filter(pk=int(chosen), is_archived=False).first()
    if reason is None:
        return note
    return f"{reason.label}: {note}" if note else reason.label


@_acting(Right.WORK_ORDERS)
def take(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Take an order to work."""
    desk.claim_order(shown, actor=actor_of(seat), now=request.now)
    return _("It is yours. Reminders rest while you work on it.")


@_acting(Right.WORK_ORDERS)
def release(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Give an order back."""
    desk.release_order(shown, actor=actor_of(seat), now=request.now)
    return _("Released. Its reminders go on.")


@_acting(Right.WORK_ORDERS)
def promise(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Note that the buyer has confirmed, and the day that they promised, if any (E12)."""
    actor, version = actor_of(seat), _version(request.POST.get("version"))
    text = request.POST.get("day", "").strip()
    until = _morning_after(text) if text else None
    if text and until is None:
        raise HoldRefused("in_the_past")
    if until is not None and until <= request.now:
        raise HoldRefused("in_the_past")
    if until is not None and until > request.now + holds.LONGEST_PROMISE:
        raise HoldRefused("too_late")
    change_status(
        shown, Order.Status.AWAITING_PAYMENT, actor=actor, now=request.now, expected_version=version
    )
    if until is None:
        return _("Status: %(status)s.") % {"status": words.status_label(Order.Status.AWAITING_PAYMENT)}
    holds.promise_payment(shown, until, actor=actor, now=request.now)
    return _("Reminders rest until the morning after the promised day.")


def _morning_after(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), _GOES_ON_AT))
    except (ValueError, OverflowError):
        return None


@_acting(Right.WORK_ORDERS)
def pause(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Hold the reminders of an order."""
    holds.pause_reminders(shown, actor=actor_of(seat), now=request.now)
    return _("Reminders of this order rest until you let them go on.")


@_acting(Right.WORK_ORDERS)
def resume(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Let the reminders of an order go on."""
    holds.resume_reminders(shown, actor=actor_of(seat), now=request.now)
    return _("Reminders of this order go on.")


@_acting(Right.WORK_ORDERS)
def duplicate(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Mark an order False in favour of another one of the same person (F3, F4)."""
    key = request.POST.get("kept", "")
    kept = Order.objects.filter(shop=seat.shop, pk=int(key)).first() if key.isdecimal() else None
    if kept is None:
        raise NotADuplicate
    desk.mark_duplicate(shown, kept, actor=actor_of(seat), now=request.now)
    return _("Marked as a duplicate of %(number)s.") % {"number": kept.number}


@_acting(Right.WORK_ORDERS)
def note(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Keep a note for colleagues."""
    kept = desk.add_note(shown, request.POST.get("note", ""), author_id=seat.user.pk, now=request.now)
    return _("Note kept.") if kept else ""


@_acting(Right.SEND_MESSAGES)
def send_link(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Send the pay link by hand, once for a dialog (C12)."""
    key = request.POST.get("key", "")[:64]
    if not key or not may_send_link(seat, shown) or shown.contact_id is None:
        raise HoldRefused("not_owed")
    open_case = RecoveryCase.objects.filter(order=shown, closed_at=None).first()
    send_by_hand(
        MessageOrder(
            shop_id=seat.shop.pk,
            contact_id=shown.contact_id,
            template_key=PAY_LINK,
            locale="",
            due_at=request.now,
            not_after=request.now + _LINK_LIVES,
            case_id=open_case.pk if open_case else None,
            order_id=shown.pk,
            manual_key=key,
        ),
        actor=actor_of(seat),
        now=request.now,
    )
    return _("The pay link is on its way.")


@_acting(Right.WORK_ORDERS)
def pay_link(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Make the link to pay that whoever talks with the buyer hands on; the page tells it for as long as it is valid."""
    make_pay_link(shown, actor=actor_of(seat), now=request.now)
    return _("The pay link stands on this page, to be copied.")


@_acting(Right.SETTLE_ATTENTION)
def give_back(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Give a whole payment back through its operator (R29)."""
    chosen = request.POST.get("attempt", "")
    attempt = next((one for one in returnable(shown) if str(one.pk) == chosen), None)
    if attempt is None:
        raise RefundNotPossible("nothing_left")
    refunds.give_back(attempt, refundable(attempt), actor=actor_of(seat), now=request.now)
    return _("The payment was given back.")


@_acting(Right.SETTLE_ATTENTION)
def free(request: StaffRequest, seat: Seat, shown: Order) -> str:
    """Let an order be paid again although a payment of it never got an answer."""
    session = stuck_session(shown)
    if session is None or str(session.pk) != request.POST.get("attempt", ""):
        raise RefundNotPossible("nothing_held")
    release_session(session, user_id=seat.user.pk, now=request.now)
    return _("The order can be paid again.")
