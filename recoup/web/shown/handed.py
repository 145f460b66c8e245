"""Links of buyers that staff hand on, on the phone or at the counter: to pay an order, to the cart that somebody left."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.core.links import Retold
from recoup.core.money import Money
from recoup.customers.models import Contact
from recoup.orders.actions import amount_due
from recoup.orders.models import Cart, Order
from recoup.shops.access import Seat
from recoup.storefront.by_hand import cart_address, find_cart_link, pay_address, why_no_cart_link
from recoup.web.answers import place
from recoup.web.screens import Action, HandedLink

_MOST_CARTS = 5  # an empty one may be newer than the one that was left


def pay_link_of(order: Order, link: Retold | None) -> HandedLink | None:
    """Return the link to pay an order that was made, what it opens and until when."""
    if link is None:
        return None
    due = _sum(Money(amount_due(order), order.currency))
    opens = _("Opens the payment of this order, now %(sum)s, until %(when)s.")
    return HandedLink(
        _("Pay link"), pay_address(link), [opens % {"sum": due, "when": _until(link)}, *_notes()]
    )


def cart_link_of(
    seat: Seat, contact: Contact, now: datetime
) -> tuple[HandedLink, None] | tuple[None, Action | None]:
    """Return the link to the cart that a person left last, or the button that makes it; neither where there is no cart."""
    cart = _last_cart(contact) if seat.may(Right.WORK_ORDERS) else None
    if cart is None:
        return None, None
    link = find_cart_link(cart, now=now)
    if link is None:
        making = place(seat, "cart_link", cart.pk)
        return None, Action(_("Make a link to the left cart"), "link", making, is_post=True)
    opens = _("Opens the cart of %(sum)s as it was left, until %(when)s.")
    shown = opens % {"sum": _sum(Money(cart.total, cart.currency)), "when": _until(link)}
    return HandedLink(_("Link to the left cart"), cart_address(link), [shown, *_notes()]), None


def _last_cart(contact: Contact) -> Cart | None:
    rows = Cart.objects.filter(shop_id=contact.shop_id, contact=contact).select_related("contact")
    rows = rows.filter(state__in=[Cart.State.OPEN, Cart.State.ABANDONED]).order_by("-last_activity_at", "-id")
    return next((cart for cart in rows[:_MOST_CARTS] if not why_no_cart_link(cart)), None)


def _notes() -> list[str]:
    return [
        _("It is for a talk with the customer and counts as no reminder."),
        _("Whoever has it sees name and address masked, and opening it counts as a visit of the customer."),
    ]


def _until(link: Retold) -> str:
    return humane.exact(link.expires_at, timezone.get_current_timezone(), get_language() or "en")


def _sum(money: Money) -> str:
    return humane.money(money, get_language() or "en")
