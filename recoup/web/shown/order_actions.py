"""What may be done with an order: buttons, moves of its status, and the dialogs that they open."""

import secrets

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.accounts.roles import Right
from recoup.messaging.models import Template
from recoup.orders.models import CancelReason, Order
from recoup.orders.queries import OPEN_STATUSES, OWED_STATES
from recoup.orders.status import allowed_moves
from recoup.shops.access import Seat
from recoup.web import parts
from recoup.web.answers import place
from recoup.web.screens import Action
from recoup.web.shown.money import money_actions, money_dialogs
from recoup.web.shown.order import Standing
from recoup.web.statuses import mark_of
from recoup.web.words import orders as words
from recoup.web.words.texts import text_name

PAY_LINK = "order_reminder_1"
OWN_REASON = "other"
_ASKS = {Order.Status.CANCELLED: "cancel-order", Order.Status.AWAITING_PAYMENT: "promise-payment"}


def order_moves(seat: Seat, order: Order) -> list[parts.Move]:
    """Return the statuses that this person may choose now."""
    if not seat.may(Right.WORK_ORDERS):
        return []
    is_owed = order.payment_state in OWED_STATES
    return [
        parts.Move(
            to,
            words.status_label(to) + ("…" if to == Order.Status.CANCELLED else ""),
            mark_of("order", to).icon,
            "failed" if to == Order.Status.CANCELLED else mark_of("order", to).tone,
            words.move_help(to),
            _ASKS.get(Order.Status(to), "") if to != Order.Status.AWAITING_PAYMENT or is_owed else "",
        )
        for to in allowed_moves(order)
    ]


def may_send_link(seat: Seat, order: Order) -> bool:
    """Tell whether a pay link may be sent by hand: something is owed, and there is an address."""
    if not seat.may(Right.SEND_MESSAGES) or order.payment_state not in OWED_STATES:
        return False
    if order.status not in OPEN_STATUSES or order.contact is None:
        return False
    return bool(order.buyer.get("email") or order.contact.email)


def order_actions(seat: Seat, standing: Standing) -> list[Action]:
    """Return the buttons beside the person, the main one first."""
    order = standing.order
    if not seat.may(Right.WORK_ORDERS) or not standing.is_workable:
        return money_actions(seat, order)
    found = []
    if standing.clerk:
        word = _("Release") if standing.is_mine else _("Release from %(who)s") % {"who": standing.clerk}
        found.append(Action(word, "undo-2", place(seat, "order_release", order.pk), is_post=True))
    else:
        taking = place(seat, "order_take", order.pk)
        found.append(Action(_("Take this order"), "user-check", taking, is_post=True, tone="primary"))
    if may_send_link(seat, order):
        found.append(Action(_("Send the pay link…"), "send", opens="send-link"))
    if standing.pay_link is None:
        making = place(seat, "order_pay_link", order.pk)
        found.append(Action(_("Make a pay link to copy"), "link", making, is_post=True))
    if order.contact_id is not None:
        found.append(Action(_("Make an offer…"), "badge-percent", place(seat, "order_offer", order.pk)))
    found.append(Action(_("Promised to pay…"), "calendar-clock", opens="promise-payment"))
    if order.paused_at is not None or order.promised_at is not None:
        going_on = place(seat, "order_resume", order.pk)
        found.append(Action(_("Let reminders go on"), "circle-play", going_on, is_post=True))
    else:
        pausing = place(seat, "order_pause", order.pk)
        found.append(Action(_("Pause reminders"), "circle-pause", pausing, is_post=True))
    if _keepable(standing):
        found.append(Action(_("Mark as duplicate…"), "layers", opens="mark-duplicate"))
    found += money_actions(seat, order)
    found.append(Action(_("Cancel order…"), "circle-x", opens="cancel-order", tone="ghost"))
    return found


def order_dialogs(seat: Seat, standing: Standing) -> list[parts.Confirm]:
    """Return the dialogs that the buttons and moves open."""
    order = standing.order
    found = money_dialogs(seat, order)
    if not seat.may(Right.WORK_ORDERS):
        return found
    moves = allowed_moves(order)
    if Order.Status.CANCELLED in moves:
        found.append(_cancel(seat, standing))
    if standing.is_workable:
        found.append(_promise(seat, standing))
        if may_send_link(seat, order):
            found.append(_send_link(seat, standing))
        if _keepable(standing):
            found.append(_duplicate(seat, standing))
    return found


def _cancel(seat: Seat, standing: Standing) -> parts.Confirm:
    order, stops = standing.order, standing.stops
    reasons = CancelReason.objects.filter(is_archived=False).order_by("position", "pk")
    options = [(str(reason.pk), reason.label) for reason in reasons]
    fields = []
    if options:
        fields.append(
            parts.Choice(
                "reason", _("Reason"), [*options, (OWN_REASON, _("Another reason"))], is_required=True
            )
        )
    fields.append(
        parts.Choice(
            "note",
            _("In your own words"),
            help=_("Needed for another reason. Seen by your colleagues only.")
            if options
            else _("Seen by your colleagues only."),
            is_required=not options,
        )
    )
    stopped = ngettext(
        "%(n)d planned reminder is stopped.", "%(n)d planned reminders are stopped.", stops
    ) % {"n": stops}
    button = ngettext(
        "Cancel order and stop %(n)d message", "Cancel order and stop %(n)d messages", stops
    ) % {"n": stops}
    return parts.Confirm(
        id="cancel-order",
        title=_("Cancel order %(number)s?") % {"number": order.number},
        url=place(seat, "order_cancel", order.pk),
        button=button if stops else _("Cancel order"),
        effects=[
            *([stopped] if stops else []),
            _("The pay page tells the customer that the order is cancelled."),
            _("The order stays in the list, with the reason."),
        ],
        fields=fields,
        hidden=[("version", str(order.lock_version))],
        tone="error",
    )


def _promise(seat: Seat, standing: Standing) -> parts.Confirm:
    order = standing.order
    return parts.Confirm(
        id="promise-payment",
        title=_("The customer has promised to pay"),
        url=place(seat, "order_promise", order.pk),
        button=_("Set to Awaiting payment"),
        effects=[
            _("The order is Awaiting payment."),
            _(
                "With a day, its reminders rest until the morning after; then the next one goes out, unless paid."
            ),
        ],
        fields=[parts.Choice("day", _("Promised day"), kind="date")],
        hidden=[("version", str(order.lock_version))],
    )


def _send_link(seat: Seat, standing: Standing) -> parts.Confirm:
    order = standing.order
    to = order.buyer.get("email") or (order.contact.email if order.contact else "")
    template = Template.objects.filter(key=PAY_LINK).first()
    return parts.Confirm(
        id="send-link",
        title=_("Send the pay link now?"),
        url=place(seat, "order_send_link", order.pk),
        button=_("Send the pay link"),
        effects=[
            _("“%(text)s” goes to %(address)s, in the language of the order.")
            % {"text": text_name(template) if template else _("First reminder"), "address": to},
            _("It counts as a reminder: the same text is not sent again by itself."),
            _("It is called off if the payment arrives first."),
        ],
        hidden=[("key", secrets.token_hex(16))],
    )


def _keepable(standing: Standing) -> list[Order]:
    """Return the living orders of the person for which this one may be a duplicate."""
    ended = {Order.Status.CANCELLED, Order.Status.FALSE}
    return [one for one in standing.siblings if one.status not in ended]


def _duplicate(seat: Seat, standing: Standing) -> parts.Confirm:
    order, goods = standing.order, set(standing.order.product_refs)
    options = []
    for one in sorted(_keepable(standing), key=lambda kept: set(kept.product_refs) != goods):
        same = _(", the same goods") if goods and goods == set(one.product_refs) else ""
        options.append((str(one.pk), f"{one.number}: {words.status_label(one.status)}{same}"))
    return parts.Confirm(
        id="mark-duplicate",
        title=_("Mark order %(number)s as a duplicate?") % {"number": order.number},
        url=place(seat, "order_duplicate", order.pk),
        button=_("Mark as duplicate"),
        effects=[
            _("It becomes False: it leaves the lists and the numbers, and its reminders stop."),
            _("It stays kept; a payment on it brings it back."),
        ],
        fields=[parts.Choice("kept", _("Order that is kept"), options, is_required=True)],
    )
