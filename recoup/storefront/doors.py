"""The door of buyers' pages: one answer for every link that is none, and no way in but the link itself."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django_scopes import scope

from recoup.core import links
from recoup.core.callers import client_address
from recoup.core.clock import trade_now
from recoup.core.links import LinkExpired, LinkUnknown
from recoup.core.models import Link
from recoup.core.ratelimit import is_allowed
from recoup.customers.models import Contact
from recoup.messaging.tracking import is_machine, record_straight_visit, record_visit
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop
from recoup.storefront import fresh
from recoup.storefront.pages import page
from recoup.storefront.purposes import OUT
from recoup.storefront.visits import Visit, language_of

GUESSES = 30  # unknown links from one address
GUESSES_PER = timedelta(minutes=1)
_MOST_MERGES = 20
METHODS = ("GET", "HEAD", "POST")

View = Callable[[HttpRequest, Visit], HttpResponse]


def buyers_page(purpose: str) -> Callable[[View], Callable[[HttpRequest, str], HttpResponse]]:
    """Make a view of the pages behind links of one purpose.

    The link is looked up by its hash; whatever is not one of this purpose is 404 with one body, and 429 when one address
    tries too many (T46-T48). No cookie is read or set, so a foreign site cannot act for anybody: who has the link may act.
    """

    def wrap(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        @wraps(view)
        def answer(request: HttpRequest, token: str) -> HttpResponse:
            if request.method not in METHODS:
                return HttpResponse(status=405, headers={"Allow": ", ".join(METHODS)})
            try:
                return _answer(request, purpose, token, view)
            except LinkUnknown:
                return _unknown(request)

        return csrf_exempt(answer)

    return wrap


def _answer(request: HttpRequest, purpose: str, token: str, view: View) -> HttpResponse:
    now = trade_now()
    is_old = False
    try:
        link = links.resolve(purpose, token, now=now)
    except LinkExpired as expired:
        link, is_old = expired.link, purpose != OUT
    shop = Shop.objects.get(pk=link.shop_id)
    with scope(shop=shop):
        is_of_machine = is_machine(str(request.method), request.headers)
        if request.method != "POST":
            record_visit(link, at=now, is_machine=is_of_machine)
        visit = Visit(link, token, shop, _subject(link), now)
        if request.method != "POST" and link.message_id is None:
            contact_id = visit.contact.pk if visit.contact else None
            record_straight_visit(link, contact_id, at=now, is_machine=is_of_machine)
        with translation.override(language_of(visit.about.locale, shop)), timezone.override(_zone(shop)):
            return fresh.old_link(request, visit) if is_old else view(request, visit)


def _subject(link: Link) -> Order | Cart | Contact:
    found: Order | Cart | Contact | None = None
    if link.subject_kind == "order":
        found = Order.objects.select_related("source", "contact", "shop").filter(pk=link.subject_id).first()
    elif link.subject_kind == "cart":
        found = Cart.objects.select_related("source", "contact", "shop").filter(pk=link.subject_id).first()
    elif link.subject_kind == "contact":
        found = _person(link.subject_id)
    if found is None:
        raise LinkUnknown
    return found


def _person(contact_id: int) -> Contact | None:
    """Return a person; of one who was merged into another, the one who stayed."""
    found = Contact.objects.select_related("shop").filter(pk=contact_id).first()
    for _step in range(_MOST_MERGES):
        if found is None or found.merged_into_id is None:
            return found
        found = Contact.objects.select_related("shop").filter(pk=found.merged_into_id).first()
    return None


def _zone(shop: Shop) -> ZoneInfo:
    try:
        return ZoneInfo(shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _unknown(request: HttpRequest) -> HttpResponse:
    """Answer a link that is none: never made, revoked, or for another purpose; nothing tells which."""
    if not is_allowed(f"links:{client_address(request)}", limit=GUESSES, per=GUESSES_PER):
        response = page(None, "too_many.html", {}, status=429)
        response.headers["Retry-After"] = str(int(GUESSES_PER.total_seconds()))
        return response
    return page(None, "unknown.html", {}, status=404)
