"""What may be done with the money of an order: giving back too much, freeing a payment that nobody can tell of."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.core.money import Money
from recoup.orders.models import Order
from recoup.payments import told
from recoup.payments.adapters import OperatorUnknown, operator
from recoup.payments.models import Attempt
from recoup.payments.ports import OperatorUnavailable
from recoup.payments.queries import CAPTURED
from recoup.payments.refunds import refundable
from recoup.payments.sessions import find_open_session
from recoup.shops.access import Seat
from recoup.web import parts
from recoup.web.answers import place
from recoup.web.screens import Action
from recoup.web.words import payments as words

GIVE_BACK, FREE = "give-back", "free-payment"


def returnable(order: Order) -> list[Attempt]:
    """Return the payments that can be given back: of an order paid too much, or cancelled; the newest first."""
    is_too_much = order.captured - order.refunded > order.total - order.discount_given
    if not is_too_much and order.status not in {Order.Status.CANCELLED, Order.Status.FALSE}:
        return []
    attempts = Attempt.objects.filter(shop_id=order.shop_id, order=order, state__in=CAPTURED)
    rows = attempts.select_related("operator_account", "order").order_by("-settled_at", "-id")
    return [attempt for attempt in rows if _gives_back(attempt) and refundable(attempt) > 0]


def _gives_back(attempt: Attempt) -> bool:
    account = attempt.operator_account
    try:
        return account is not None and operator(account.kind).abilities(account).refunds
    except (OperatorUnknown, OperatorUnavailable):
        return False


def stuck_session(order: Order) -> Attempt | None:
    """Return the session that keeps an order from being paid and that only a person can judge."""
    session = find_open_session(order)
    if session is None:
        return None
    is_stuck = session.next_ask_at is None or session.failure_code == told.AMOUNT_DIFFERS
    return session if is_stuck else None


def money_actions(seat: Seat, order: Order) -> list[Action]:
    """Return the buttons about money; most orders have none."""
    if not seat.may(Right.SETTLE_ATTENTION):
        return []
    found = []
    if returnable(order):
        found.append(Action(_("Give a payment back…"), "undo-2", opens=GIVE_BACK))
    if stuck_session(order) is not None:
        found.append(Action(_("Let it be paid again…"), "credit-card", opens=FREE))
    return found


def money_dialogs(seat: Seat, order: Order) -> list[parts.Confirm]:
    """Return the dialogs that those buttons open."""
    if not seat.may(Right.SETTLE_ATTENTION):
        return []
    found = []
    if attempts := returnable(order):
        found.append(_give_back(seat, order, attempts))
    session = stuck_session(order)
    if session is not None:
        found.append(_free(seat, order, session))
    return found


def _give_back(seat: Seat, order: Order, attempts: list[Attempt]) -> parts.Confirm:
    options = [(str(attempt.pk), _named(attempt)) for attempt in attempts]
    return parts.Confirm(
        id=GIVE_BACK,
        title=_("Give a payment of order %(number)s back?") % {"number": order.number},
        url=place(seat, "order_give_back", order.pk),
        button=_("Give back the whole payment"),
        effects=[
            _("The operator returns the money to where it came from."),
            _("It is done once, however often the button is pressed."),
        ],
        fields=[parts.Choice("attempt", _("Payment"), options, is_required=True)],
        tone="error",
    )


def _free(seat: Seat, order: Order, session: Attempt) -> parts.Confirm:
    return parts.Confirm(
        id=FREE,
        title=_("Let order %(number)s be paid again?") % {"number": order.number},
        url=place(seat, "order_free", order.pk),
        button=_("I have looked: let it be paid again"),
        effects=[
            _("Look at the operator first: %(payment)s.") % {"payment": _named(session)},
            _("If that payment succeeds later, the order is shown as paid twice."),
        ],
        hidden=[("attempt", str(session.pk))],
    )


def _named(attempt: Attempt) -> str:
    """Return what a payment is called: its method, its sum, what is left of it."""
    sum_ = Money(refundable(attempt) or attempt.amount, attempt.currency)
    return f"{words.method(attempt.method)}, {humane.money(sum_, get_language() or 'en')}, {attempt.ref}"
