"""The pay page of an order (C1, C2, C9, C10, A7, A13)."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core import links
from recoup.core.links import LinkOrder
from recoup.core.ratelimit import is_allowed
from recoup.customers.normalise import email_key
from recoup.orders.models import Order
from recoup.payments import asking, sessions
from recoup.payments.adapters import operator
from recoup.payments.models import OperatorAccount
from recoup.payments.sessions import NotPayable, Opening, SessionNotOpened, SessionUnknown
from recoup.payments.ways import Way
from recoup.shops.addresses import origin_of
from recoup.storefront import changing
from recoup.storefront.again import Where, find_again, log_shown, note_again
from recoup.storefront.buying import correct_person, may_correct, person_of, placed_instead
from recoup.storefront.codes import TooManyGuesses, read_code
from recoup.storefront.doors import buyers_page
from recoup.storefront.facts import Facts, all_facts, masked_facts
from recoup.storefront.goods import goods_of
from recoup.storefront.pages import page, see_other
from recoup.storefront.price import Price, PriceChanged, agreement, changed_words, has_changed, price_of
from recoup.storefront.proofs import is_proved, may_try, proof
from recoup.storefront.purposes import CART, PAY
from recoup.storefront.standing import Stage, Standing, standing_of
from recoup.storefront.visits import Visit
from recoup.storefront.words import method_name, method_note

# What the page's own forms send; anything else is refused and never read (T67).
_FIELDS = (
    frozenset(
        {"way", "quote", "continue", "instead", "check", "code", "confirm", "show", "email", "proof", "again"}
    )
    | changing.FIELDS
)
LOOKS = 6  # times that the page looks again by itself after the buyer came back
LOOK_AFTER = 5  # seconds
ASK_AFTER = 5  # seconds between two asks of the operator by one order's buyer
OPENINGS, OPENINGS_PER = 30, timedelta(minutes=1)  # calls to the operator by one order's buyer


@buyers_page(PAY)
def pay(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what is to be paid, or how it stands; on POST go on to where it is paid."""
    visit.order  # noqa: B018 - refuses a link about a cart
    if request.method != "POST":
        return _show(request, visit, standing_of(visit.order))
    if set(request.POST) - _FIELDS:
        problem = _(
            "This page asked for something that it does not know. Nothing was taken; please try again."
        )
        return _show(request, visit, standing_of(visit.order), status=422, problem=problem)
    if "check" in request.POST:
        return _check(visit)
    if "code" in request.POST:
        return _take_code(request, visit)
    deeds = {"confirm": _confirm, "show": _confirm, "again": _order_again, "change": _change_person}
    deed = next((deed for field, deed in deeds.items() if field in request.POST), _go_on)
    return deed(request, visit)


def _show(
    request: HttpRequest,
    visit: Visit,
    standing: Standing,
    *,
    status: int = 200,
    problem: str = "",
    at_fields: Mapping[str, str] | None = None,
    typed: changing.Typed | None = None,
) -> HttpResponse:
    looks = _looks(request)
    again = find_again(standing)
    if again is not None:
        log_shown(standing.order, again)
    context = {
        "standing": standing,
        "price": price_of(visit, standing),
        **(at_fields or {}),
        "is_confirmed": typed is not None,
        "facts": _facts(visit.order, is_confirmed=typed is not None),
        "typed": typed,
        "may_correct": typed is not None and may_correct(visit.order),
        "proof": proof(visit) if typed else "",
        **goods_of(standing.order),
        "again": again,
        "instead": _to_pay_instead(standing),
        "cart": again.filled if again else None,
        "again_lines": [(line, "") for line in again.filled.lines] if again else [],
        "ways": _labelled(standing),
        "session_method": method_name(standing.session.method) if standing.session else "",
        "problem": problem,
        "action": visit.address,
        "has_come_back": looks > 0,
        "now": visit.now,
    }
    leads_to = {origin_of(again.url)} if again and again.url else _origins(standing)
    stage = Stage.NOT_NOW if again and again.is_silent else standing.stage
    response = page(visit.shop, f"pay/{stage}.html", context, status=status, leads_to=leads_to)
    waits = standing.stage in {Stage.OPENED, Stage.CHECKING, Stage.CONFIRMING}
    if waits and 0 < looks <= LOOKS and status == 200:
        response.headers["Refresh"] = f"{LOOK_AFTER}; url={visit.address}?back={looks + 1}"
    return response


def _facts(order: Order, *, is_confirmed: bool) -> Facts:
    """Return what the page says of delivery and invoice; nothing of an order that tells neither."""
    person = person_of(order)
    masked = masked_facts(person)
    return all_facts(person) if is_confirmed and masked else masked


def _looks(request: HttpRequest) -> int:
    """Return how often the page was shown since the buyer came back; nothing else in the address is read (T74)."""
    text = request.GET.get("back", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0


def _labelled(standing: Standing) -> list[dict[str, object]]:
    ways = standing.ways.ways
    several = len({way.account.pk for way in ways}) > 1
    return [
        {
            "code": way.code,
            "name": f"{method_name(way.method)} · {way.account.name}" if several else method_name(way.method),
            "note": method_note(way.method),
            "is_chosen": way == standing.chosen,
        }
        for way in ways
    ]


def _origins(standing: Standing) -> set[str]:
    """Return where the page's form may end: at the source of the order, or at the operators offered."""
    if standing.ways.follow_url:
        return {origin_of(standing.ways.follow_url)}
    accounts: set[OperatorAccount] = {way.account for way in standing.ways.ways}
    if standing.session is not None and standing.session.operator_account is not None:
        accounts.add(standing.session.operator_account)
    return {origin for account in accounts for origin in operator(account.kind).page_origins(account)}


def _go_on(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Follow the order's own pay link, or open one session and go to it (R27).

    The sum is reckoned anew; if it is not the one that the page showed, nothing is opened and both are shown (T67).
    """
    standing = standing_of(visit.order)
    quoted = request.POST.get("quote")
    price = price_of(visit, standing)
    if standing.can_pay and has_changed(price, quoted) and not request.POST.get("instead"):
        return _show(request, visit, standing, status=409, problem=changed_words(price, quoted))
    if standing.stage is Stage.OPENED and request.POST.get("instead"):
        return _change(request, visit, standing)
    if standing.session is not None:
        return _continue(request, visit, standing, price)
    if standing.can_pay and standing.ways.follow_url:
        return see_other(standing.ways.follow_url)
    if not standing.can_pay:
        return _show(request, visit, standing, status=409)
    return _begin(request, visit, standing, price)


def _order_again(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Lead to where the same goods are ordered again: the filled cart of this order, or the shop's own checkout.

    Where that was done here already, lead to the payment of what was ordered then.
    """
    standing = standing_of(visit.order)
    if instead := _to_pay_instead(standing):
        contact_id = visit.link.contact_id if visit.link.contact_id == instead.contact_id else None
        wish = LinkOrder(PAY, visit.shop.pk, "order", instead.pk, contact_id, visit.link.message_id)
        (token,) = links.mint([wish], now=visit.now)
        return see_other(f"/{PAY}/{token}")
    again = find_again(standing)
    if again is None or again.where is None:
        return _show(request, visit, standing, status=409)
    note_again(visit, again)
    if again.where is Where.SHOP:
        return see_other(again.url)
    wish = LinkOrder(
        CART, visit.shop.pk, "order", visit.order.pk, visit.link.contact_id, visit.link.message_id
    )
    (token,) = links.mint([wish], now=visit.now)
    return see_other(f"/{CART}/{token}")


def _to_pay_instead(standing: Standing) -> Order | None:
    """Return what the buyer ordered here instead of an order that was dropped for it, while it is still to be paid."""
    instead = placed_instead(standing.order) if standing.stage is Stage.REPLACED else None
    return None if instead is None or sessions.why_not_payable(instead) else instead


def _begin(request: HttpRequest, visit: Visit, standing: Standing, price: Price) -> HttpResponse:
    """Open a session by the way that was chosen."""
    way = standing.ways.find(request.POST.get("way", ""))
    if way is None:
        problem = _("Please choose how you would like to pay.")
        return _show(request, visit, standing, status=422, problem=problem)
    return _open(request, visit, way, price)


def _continue(request: HttpRequest, visit: Visit, standing: Standing, price: Price) -> HttpResponse:
    """Go on with the session that is open, or repeat the call whose answer was lost."""
    session = standing.session
    if session is None or session.operator_account is None:
        return _show(request, visit, standing, status=409)
    return _open(request, visit, Way(session.operator_account, session.method), price)


def _open(request: HttpRequest, visit: Visit, way: Way, price: Price) -> HttpResponse:
    if not is_allowed(f"pay-open:{visit.order.pk}", limit=OPENINGS, per=OPENINGS_PER):
        return page(visit.shop, "too_many.html", {}, status=429)
    opening = Opening(
        way=way,
        return_url=f"{settings.PUBLIC_URL}{visit.address}?back=1",
        notify_url=settings.PUBLIC_URL + reverse("hooks:operator", args=[way.account.key]),
        locale=get_language() or "en",
        description=_("Order %(number)s, %(shop)s") % {"number": visit.order.number, "shop": visit.shop.name},
        message_id=visit.link.message_id,
        expected=price.to_pay.amount,
        agree=agreement(price, now=visit.now),
    )
    try:
        attempt = sessions.open_session(visit.order, opening, now=visit.now)
    except NotPayable:
        return _show(request, visit, _anew(visit), status=409)
    except PriceChanged:
        standing = _anew(visit)
        problem = changed_words(price_of(visit, standing), price.quote)
        return _show(request, visit, standing, status=409, problem=problem)
    except SessionUnknown:
        return see_other(f"{visit.address}?back=1")
    except SessionNotOpened as error:
        return _show(request, visit, _anew(visit), status=503, problem=_not_opened(error, way))
    return see_other(attempt.redirect_url)


def _not_opened(error: SessionNotOpened, way: Way) -> str:
    if error.reason == "silenced":
        return _("This copy of the shop takes no payments. Nothing was taken.")
    if error.reason == "unavailable":
        return _(
            "The bank's page does not answer now. Nothing was taken. Try again in a minute or choose another way."
        )
    return _(
        "Paying by “%(method)s” is not possible for this order. Nothing was taken. Please choose another way."
    ) % {"method": method_name(way.method)}


def _change(request: HttpRequest, visit: Visit, standing: Standing) -> HttpResponse:
    """End the open session, so that another way can be chosen; one order, one session (C10)."""
    assert standing.session is not None
    try:
        sessions.close_session(standing.session, now=visit.now)
    except SessionUnknown:
        problem = _(
            "The payment that you began cannot be ended at this moment. Please finish it, or try again in a minute."
        )
        return _show(request, visit, _anew(visit), status=409, problem=problem)
    except NotPayable:
        return _show(request, visit, _anew(visit), status=409)
    return see_other(visit.address)


def _take_code(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take a code that its person typed: from then on the page is theirs; or say why not."""
    try:
        found = read_code(request, visit, request.POST["code"][:200])
    except TooManyGuesses:
        return page(visit.shop, "too_many.html", {}, status=429)
    if isinstance(found, str):
        return _show(request, visit, standing_of(visit.order), status=409, at_fields={"code_problem": found})
    return _to_own_page(visit)


def _confirm(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the order's buyer their data, or make the page theirs, once they have named their address; remember nothing."""
    if not may_try(visit):
        return page(visit.shop, "too_many.html", {}, status=429)
    given = email_key(request.POST.get("email", "")[:254])
    is_to_show = "show" in request.POST
    if not given or given != email_key(person_of(visit.order).email):
        problem = _("This is not the address that the order was placed with.")
        problems = {"person_problem" if is_to_show else "email_problem": problem}
        return _show(request, visit, standing_of(visit.order), status=422, at_fields=problems)
    if is_to_show:
        form = changing.filled_form(person_of(visit.order))
        return _show(request, visit, standing_of(visit.order), typed=form)
    return _to_own_page(visit)


def _change_person(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take what the buyer of an order that was placed here corrects; the shop that knows others is to be asked."""
    standing = standing_of(visit.order)
    if not may_correct(visit.order):
        return _show(request, visit, standing, status=409)
    if not is_proved(visit, request.POST.get("proof", "")):
        problem = _("An hour has passed. Please name your address again, then change your data.")
        return _show(request, visit, standing, status=422, problem=problem)
    person, typed = changing.read_form(person_of(visit.order), request.POST.dict())
    if typed.problems:
        problem = _("Please look at your data.")
        return _show(request, visit, standing, status=422, problem=problem, typed=typed)
    correct_person(visit.order, person, now=visit.now)
    return _show(request, visit, _anew(visit), typed=changing.filled_form(person_of(visit.order)))


def _to_own_page(visit: Visit) -> HttpResponse:
    """Lead on by a link that is the buyer's own and keeps the message that brought them."""
    order = visit.order
    wish = LinkOrder(PAY, visit.shop.pk, "order", order.pk, order.contact_id, visit.link.message_id)
    (token,) = links.mint([wish], now=visit.now)
    return see_other(f"/{PAY}/{token}")


def _check(visit: Visit) -> HttpResponse:
    """Ask the operator where the session stands, at most every few seconds, and show the page again."""
    session = sessions.find_open_session(visit.order)
    every = timedelta(seconds=ASK_AFTER)
    if session is not None and is_allowed(f"pay-check:{visit.order.pk}", limit=1, per=every):
        asking.ask_attempt(session, now=visit.now)
    return see_other(f"{visit.address}?back=1")


def _anew(visit: Visit) -> Standing:
    visit.order.refresh_from_db()
    return standing_of(visit.order)
