"""The filled cart: the goods as they were left, what has changed since, and one button (C3-C7, C11; T54, T56, T57)."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from recoup.core import links
from recoup.core.links import LinkOrder
from recoup.core.ratelimit import is_allowed
from recoup.customers.normalise import email_key
from recoup.orders.models import Order
from recoup.shops.addresses import is_own_address, origin_of
from recoup.storefront.buying import (
    Agreed,
    CartChangedMeanwhile,
    NextStep,
    Person,
    Step,
    next_step,
    person_of,
    place_order,
)
from recoup.storefront.doors import buyers_page
from recoup.storefront.facts import all_facts, masked_facts
from recoup.storefront.filled import FilledCart, fill
from recoup.storefront.masking import masked_email, masked_name
from recoup.storefront.pages import page, see_other
from recoup.storefront.purposes import CART, PAY
from recoup.storefront.visits import Visit

_PROOF = "storefront.cart.person"
PROOF_LIFE = timedelta(hours=1)
# What the page's own forms send; anything else is refused and never read (T67).
_FIELDS = frozenset({"confirm", "email", "proof", "total", "terms", "terms_version"})
TRIES, TRIES_PER = 5, timedelta(minutes=15)  # to name the address: the masked one leaves few letters to guess


@buyers_page(CART)
def cart(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the filled cart; on POST go on to the furthest step that is valid. Nothing in the address is read."""
    filled = fill(visit.subject)
    step = next_step(visit.subject, filled)
    if request.method != "POST":
        return _show(visit, filled, step)
    if set(request.POST) - _FIELDS:
        problem = _(
            "This page asked for something that it does not know. Nothing was ordered; please try again."
        )
        return _show(visit, filled, step, status=422, problem=problem)
    if "confirm" in request.POST:
        return _confirm(request, visit, filled, step)
    return _go_on(request, visit, filled, step)


def _show(
    visit: Visit,
    filled: FilledCart,
    step: NextStep,
    *,
    status: int = 200,
    problem: str = "",
    email_problem: str = "",
    confirmed: Person | None = None,
) -> HttpResponse:
    person = person_of(visit.subject)
    context = {
        "action": visit.address,
        "cart": filled,
        "total": str(
            filled.total.amount
        ),  # as the form brings it back: no language writes its point otherwise
        "lines": [(line, _address_of(visit, line.wanted.url)) for line in filled.lines],
        "step": str(step.step),
        "order": step.order,
        "masked_name": masked_name(person.name),
        "masked_email": masked_email(person.email),
        "is_confirmed": confirmed is not None,
        "facts": all_facts(confirmed) if confirmed else masked_facts(person),
        "proof": _proof(visit) if confirmed else "",
        "terms_url": visit.shop.terms_url,
        "terms_version": visit.shop.terms_version,
        "problem": problem,
        "email_problem": email_problem,
        "now": visit.now,
    }
    leads_to = [origin_of(step.url)] if step.step is Step.FOLLOW else []
    return page(visit.shop, "cart.html", context, status=status, leads_to=leads_to)


def _address_of(visit: Visit, url: str) -> str:
    return url if is_own_address(visit.subject.source, url) else ""


def _confirm(request: HttpRequest, visit: Visit, filled: FilledCart, step: NextStep) -> HttpResponse:
    """Show the person's data to whoever names their address (C4); nothing is remembered of it."""
    person = person_of(visit.subject)
    if not is_allowed(f"cart-person:{visit.link.pk}", limit=TRIES, per=TRIES_PER):
        return page(visit.shop, "too_many.html", {}, status=429)
    given = email_key(request.POST.get("email", "")[:254])
    if not given or given != email_key(person.email):
        problem = _("This is not the address that the cart was left with.")
        return _show(visit, filled, step, status=422, email_problem=problem)
    return _show(visit, filled, step, confirmed=person)


def _go_on(request: HttpRequest, visit: Visit, filled: FilledCart, step: NextStep) -> HttpResponse:
    if step.step is Step.FOLLOW:
        return see_other(step.url)
    is_person = _is_proved(visit, request.POST.get("proof", ""))
    if step.step is Step.PAY_ORDER and step.order is not None:
        return _to_pay_page(visit, step.order, is_person=is_person)
    if step.step is not Step.PLACE:
        return _show(visit, filled, step, status=409)
    if "terms" not in request.POST:
        problem = _("Please accept the terms of sale first.")
        return _show(visit, filled, step, status=422, problem=problem)
    agreed = Agreed(_sum(request.POST.get("total", "")), request.POST.get("terms_version", ""))
    try:
        order = place_order(visit.subject, filled, agreed, now=visit.now)
    except CartChangedMeanwhile:
        problem = _("Something has changed since you opened this page. Please look again before you order.")
        return _show(visit, filled, step, status=409, problem=problem)
    return _to_pay_page(visit, order, is_person=is_person)


def _proof(visit: Visit) -> str:
    """Return what the form brings back of somebody who has just named their address: signed, for this link alone."""
    return signing.dumps(visit.link.pk, salt=_PROOF)


def _is_proved(visit: Visit, proof: str) -> bool:
    try:
        return bool(signing.loads(proof, salt=_PROOF, max_age=PROOF_LIFE) == visit.link.pk)
    except signing.BadSignature:
        return False


def _sum(text: str) -> Decimal:
    """Return what the buyer saw; it is only compared, never charged (R27)."""
    try:
        seen = Decimal(text[:40])
    except InvalidOperation:
        return Decimal(-1)
    return seen if seen.is_finite() else Decimal(-1)


def _to_pay_page(visit: Visit, order: Order, *, is_person: bool) -> HttpResponse:
    """Lead on to the order's pay page by a fresh link, which keeps the message that brought the buyer.

    It is the buyer's own, with what was offered to them, only once they have named their address: a cart that was passed on
    gives the goods alone.
    """
    contact_id = order.contact_id if is_person else None
    wish = LinkOrder(PAY, visit.shop.pk, "order", order.pk, contact_id, visit.link.message_id)
    (token,) = links.mint([wish], now=visit.now)
    return see_other(f"/{PAY}/{token}")
