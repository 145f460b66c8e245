"""A link that is too old: the page that says so, and a fresh one by mail to the address that we have, to no other (T49)."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse

from recoup.core.activity import Actor
from recoup.core.callers import client_address
from recoup.core.models import Link
from recoup.core.ratelimit import is_allowed
from recoup.messaging.actions import MessageOrder, send_by_hand
from recoup.orders.became import find_order_of
from recoup.orders.models import Cart, Order
from recoup.payments.sessions import why_not_payable
from recoup.storefront.pages import page
from recoup.storefront.purposes import RENEWABLE
from recoup.storefront.visits import Visit

ORDER_TEMPLATE, CART_TEMPLATE = "fresh_pay_link", "fresh_cart_link"
GOOD_FOR = timedelta(hours=12)  # a mail that could not leave for so long is not awaited any more
ASKS, ASKS_PER = 10, timedelta(hours=1)  # from one address
MAILS, MAILS_PER = 3, timedelta(hours=6)  # for one link


def old_link(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Answer a link that is too old: 410, and on POST the promise of a fresh one.

    The words are the same whether or not anything is sent, so that nobody learns whom we know.
    """
    purpose = visit.link.purpose
    context = {"action": visit.address, "can_renew": purpose in RENEWABLE, "is_cart": purpose == "cart"}
    if request.method != "POST" or "fresh" not in request.POST or purpose not in RENEWABLE:
        return page(visit.shop, "expired.html", context, status=410)
    if not is_allowed(f"fresh:{client_address(request)}", limit=ASKS, per=ASKS_PER):
        return page(visit.shop, "too_many.html", {}, status=429)
    if is_allowed(f"fresh-link:{visit.link.pk}", limit=MAILS, per=MAILS_PER):
        send_fresh_link(visit.link, visit.subject, now=visit.now)
    return page(visit.shop, "fresh.html", context)


def send_fresh_link(link: Link, subject: Order | Cart, *, now: datetime) -> bool:
    """Queue a mail with a fresh link to the order or cart, once a minute; tell whether there is anything to send.

    The filled cart of an order that is still owed leads to its payment, so that its fresh link is the one to pay; so does a
    cart that became such an order, whose buyer gets it.
    """
    if isinstance(subject, Cart):
        subject = find_order_of(subject) or subject
    contact = subject.contact
    if contact is None or contact.erased_at is not None or not _is_wanted(subject):
        return False
    is_order = isinstance(subject, Order)
    wish = MessageOrder(
        shop_id=subject.shop_id,
        contact_id=contact.pk,
        template_key=ORDER_TEMPLATE if is_order else CART_TEMPLATE,
        locale=subject.locale,
        due_at=now,
        not_after=now + GOOD_FOR,
        order_id=subject.pk if is_order else None,
        cart_id=None if is_order else subject.pk,
        is_asked_for=True,
        manual_key=f"fresh:{link.pk}:{now:%Y%m%d%H%M}",
    )
    send_by_hand(wish, actor=Actor("buyer", contact.pk), now=now)
    return True


def _is_wanted(subject: Order | Cart) -> bool:
    if isinstance(subject, Order):
        return not why_not_payable(subject)
    return subject.state in {Cart.State.OPEN, Cart.State.ABANDONED}
