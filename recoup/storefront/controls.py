"""The buyer's own controls in every mail: "I have paid", "pay later", "stop for this order", "why do I get this"."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from recoup.core import activity, attention
from recoup.core.activity import Actor
from recoup.core.ratelimit import is_allowed
from recoup.customers.queries import find_consent
from recoup.messaging.classes import CONSENT_PURPOSES
from recoup.messaging.models import ChannelKind, Message
from recoup.orders.holds import (
    LONGEST_PROMISE,
    HoldRefused,
    pause_reminders,
    promise_payment,
    resume_reminders,
)
from recoup.orders.models import Cart, Order
from recoup.orders.queries import OPEN_STATUSES, OWED_STATES
from recoup.payments import asking
from recoup.payments.sessions import find_open_session
from recoup.storefront.doors import buyers_page
from recoup.storefront.masking import masked_email, masked_phone
from recoup.storefront.pages import closed, page
from recoup.storefront.purposes import LATER, PAID, STOP, WHY
from recoup.storefront.standing import Stage, standing_of
from recoup.storefront.visits import Visit

log = structlog.get_logger(__name__)

SAYS_PAID = "orders.buyer_says_paid"
OFFERED_DAYS = (1, 3, 7)
MORNING = time(9)  # reminders go on in the morning after the promised day
ASKS_PER = timedelta(minutes=1)  # a foreign source is asked once in that time for one order

Asker = Callable[[Order], bool]
_askers: list[Asker] = []


def set_asker(asker: Asker) -> None:
    """Say who asks the source of an order; called once at start by the part above that can."""
    _askers[:] = [asker]


@buyers_page(PAID)
def paid(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take "I have paid": ask where the money is; if nobody knows of it, rest the reminders and tell the shop."""
    order = visit.order
    if request.method != "POST":
        return _show(visit, "paid.html", has_told=order.paused_at is not None)
    if _is_owed(order):
        _ask_everybody(order, now=visit.now)
        order.refresh_from_db()
    if _is_owed(order):
        _claim(order, visit)
        attention.ask(
            SAYS_PAID,
            shop_id=order.shop_id,
            key=str(order.pk),
            now=visit.now,
            subject=("order", order.pk),
            number=order.number,
        )
    return _show(visit, "paid.html", has_told=True)


def _is_owed(order: Order) -> bool:
    return order.status in OPEN_STATUSES and order.payment_state in OWED_STATES


def _ask_everybody(order: Order, *, now: datetime) -> None:
    """Ask the operator of an open session, and the order's source, at most once a minute."""
    if not is_allowed(f"says-paid:{order.pk}", limit=1, per=ASKS_PER):
        return
    session = find_open_session(order)
    try:
        if session is not None:
            asking.ask_attempt(session, now=now)
        for asker in _askers:
            asker(order)
    except Exception as error:  # noqa: BLE001 - whoever cannot be asked, the buyer's word is taken all the same
        log.warning("storefront.paid.not_asked", order_id=order.pk, error=repr(error))


def _claim(order: Order, visit: Visit) -> None:
    """Rest the reminders and leave a line in the order's history, once."""
    actor = Actor("buyer", order.contact_id)
    if order.paused_at is None:
        activity.record(
            "storefront.order.payment_claimed",
            shop_id=order.shop_id,
            subject=("order", order.pk),
            at=visit.now,
            actor=actor,
        )
    try:
        pause_reminders(order, actor=actor, now=visit.now, why="says_paid")
    except HoldRefused:  # paid at this moment
        return


@buyers_page(LATER)
def later(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take the day on which the buyer wants to pay; reminders rest until the morning after (E12)."""
    order = visit.order
    if request.method != "POST":
        return _show(visit, "later.html", days=_days(visit.now))
    chosen = _day(request.POST.get("day") or request.POST.get("other_day", ""))
    problem = _("Please choose a day.")
    if chosen is not None:
        morning_after = chosen + timedelta(days=1)
        until = datetime.combine(morning_after, MORNING, tzinfo=timezone.get_current_timezone())
        try:
            promise_payment(order, until, actor=Actor("buyer", order.contact_id), now=visit.now)
            return _show(visit, "later.html", promised=chosen)
        except HoldRefused as refused:
            if refused.reason == "not_owed":
                return _show(visit, "later.html", status=409)
            problem = _("Please choose a day within the next %(days)s days.") % {
                "days": LONGEST_PROMISE.days - 1
            }
    return _show(visit, "later.html", status=422, days=_days(visit.now), problem=problem)


def _days(now: datetime) -> list[date]:
    today = timezone.localdate(now)
    return [today + timedelta(days=count) for count in OFFERED_DAYS]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year < date.max.year else None


@buyers_page(STOP)
def stop(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Rest the reminders of this one order, or let them go on again."""
    order = visit.order
    if request.method != "POST":
        return _show(visit, "stop.html", has_stopped=order.paused_at is not None)
    actor = Actor("buyer", order.contact_id)
    if request.POST.get("do") not in {"stop", "go_on"}:
        return closed(HttpResponse(status=400))
    has_stopped = request.POST["do"] == "stop"
    try:
        if has_stopped:
            pause_reminders(order, actor=actor, now=visit.now, why="buyer_stopped")
        else:
            resume_reminders(order, actor=actor, now=visit.now)
    except HoldRefused:
        return _show(visit, "stop.html", status=409)
    return _show(visit, "stop.html", has_stopped=has_stopped)


@buyers_page(WHY)
def why(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Say why somebody got a message: facts alone."""
    if request.method == "POST":
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    about, contact = visit.about, visit.contact
    message = Message.objects.filter(shop_id=visit.shop.pk, pk=visit.link.message_id or 0).first()
    consent = None
    if contact is not None and not isinstance(about, Order):
        channel = message.channel if message else ChannelKind.EMAIL
        consent = find_consent(
            contact,
            purposes=CONSENT_PURPOSES,
            at=visit.now,
            channel=channel,
            address=message.recipient if message else "",
        )
    address = message.recipient if message else contact.email if contact else ""
    context = {
        "order": about if isinstance(about, Order) else None,
        "cart": about if isinstance(about, Cart) else None,
        "may_refuse": message is not None and message.message_class == Message.MessageClass.SOFT_OPT_IN,
        "address": masked_email(address) or masked_phone(address),
        "sent_at": message.handed_at if message else None,
        "consent": consent,
    }
    return page(visit.shop, "why.html", context)


def _show(visit: Visit, template: str, *, status: int = 200, **values: object) -> HttpResponse:
    standing = standing_of(visit.order)
    context = {
        "action": visit.address,
        "order": visit.order,
        "is_owed": _is_owed(visit.order),
        "is_paid": standing.stage in {Stage.PAID, Stage.NOTHING_DUE, Stage.CONFIRMING},
        **values,
    }
    return page(visit.shop, template, context, status=status)
