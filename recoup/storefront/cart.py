"""The filled cart: the goods as they were left, what has changed since, and one button (C3-C7, C11; T54, T56, T57)."""

from decimal import Decimal, InvalidOperation

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from recoup.core import links
from recoup.core.links import LinkOrder
from recoup.core.money import Money
from recoup.customers.normalise import email_key
from recoup.orders.models import Order
from recoup.shops.addresses import is_own_address, origin_of
from recoup.storefront import changing
from recoup.storefront.buying import (
    Agreed,
    CartChangedMeanwhile,
    DeliveryGone,
    NextStep,
    Person,
    Step,
    as_brought,
    next_step,
    person_of,
    place_order,
)
from recoup.storefront.doors import buyers_page
from recoup.storefront.facts import all_facts, masked_facts
from recoup.storefront.filled import FilledCart, fill
from recoup.storefront.goods import goods_of
from recoup.storefront.masking import masked_email, masked_name
from recoup.storefront.pages import page, see_other
from recoup.storefront.proofs import is_proved, may_try, proof
from recoup.storefront.purposes import CART, PAY
from recoup.storefront.shop_codes import ShopCode, code_for
from recoup.storefront.standing import Stage, with_sums
from recoup.storefront.visits import Visit

# What the page's own forms send; anything else is refused and never read (T67).
_FIELDS = (
    frozenset({"confirm", "email", "proof", "total", "terms", "terms_version", "choose", "delivery_method"})
    | changing.FIELDS
)


@buyers_page(CART)
def cart(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the filled cart; on POST go on to the furthest step that is valid. Nothing in the address is read."""
    choice = request.POST.get("choose") or request.POST.get("delivery_method", "")
    filled = fill(visit.subject, choice=choice)
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
    typed: changing.Typed | None = None,
) -> HttpResponse:
    person, code = as_brought(filled, person_of(visit.subject)), code_for(visit, step)
    context = {
        "action": visit.address,
        "cart": filled,
        "total": str(
            filled.total.amount
        ),  # as the form brings it back: no language writes its point otherwise
        "choices": [
            (one.ref, one.title, Money(one.price, one.currency))
            for one in filled.brought.choices
            if one.price is not None
        ],
        "step": str(step.step),
        **_goods(visit, filled, step),
        "code": code,
        "masked_name": masked_name(person.name),
        "masked_email": masked_email(person.email),
        "can_order": not filled.brought.is_gone and (typed is not None or not filled.brought.is_point_gone),
        "is_confirmed": typed is not None,
        "facts": all_facts(person) if typed else masked_facts(person),
        "typed": typed,
        "proof": proof(visit) if typed else "",
        "terms_url": visit.shop.terms_url,
        "terms_version": visit.shop.terms_version,
        "problem": problem,
        "email_problem": email_problem,
        "now": visit.now,
    }
    leads_to = [origin_of(_further(step, code))] if step.step is Step.FOLLOW else []
    return page(visit.shop, "cart.html", context, status=status, leads_to=leads_to)


def _goods(visit: Visit, filled: FilledCart, step: NextStep) -> dict[str, object]:
    """Return the goods as they would be bought now; those of an order as they were ordered, with the sum it asks for."""
    if step.order is None:
        return {"lines": [(line, _address_of(visit, line.wanted.url)) for line in filled.lines]}
    is_paid = step.step is Step.PAID
    standing = with_sums(step.order, Stage.PAID if is_paid else Stage.OWED)
    ordered_sum = standing.together if is_paid else standing.due
    return {**goods_of(step.order), "standing": standing, "ordered_sum": ordered_sum}


def _further(step: NextStep, code: ShopCode | None) -> str:
    """Return where the shop takes the cart further: by the address that applies the code, if there is one."""
    return code.url if code is not None and code.url else step.url


def _address_of(visit: Visit, url: str) -> str:
    return url if is_own_address(visit.subject.source, url) else ""


def _confirm(request: HttpRequest, visit: Visit, filled: FilledCart, step: NextStep) -> HttpResponse:
    """Show the person's data to whoever names their address (C4); nothing is remembered of it."""
    person = person_of(visit.subject)
    if not may_try(visit):
        return page(visit.shop, "too_many.html", {}, status=429)
    given = email_key(request.POST.get("email", "")[:254])
    if not given or given != email_key(person.email):
        problem = _("This is not the address that the cart was left with.")
        return _show(visit, filled, step, status=422, email_problem=problem)
    return _show(visit, filled, step, typed=changing.filled_form(as_brought(filled, person)))


def _go_on(request: HttpRequest, visit: Visit, filled: FilledCart, step: NextStep) -> HttpResponse:
    if step.step is Step.FOLLOW:
        return see_other(_further(step, code_for(visit, step)))
    is_person = is_proved(visit, request.POST.get("proof", ""))
    if step.step is Step.PAY_ORDER and step.order is not None:
        return _to_pay_page(visit, step.order, is_person=is_person)
    if step.step is not Step.PLACE:
        return _show(visit, filled, step, status=409)
    if "choose" in request.POST:
        form = changing.filled_form(as_brought(filled, person_of(visit.subject))) if is_person else None
        return _show(visit, filled, step, typed=form)
    return _place(request, visit, filled, is_person=is_person)


def _place(request: HttpRequest, visit: Visit, filled: FilledCart, *, is_person: bool) -> HttpResponse:
    """Place the order, with what its person has corrected; or say what is missing, and keep what was typed."""
    person, typed, problem = _corrected(request, visit, filled, is_person=is_person)
    if not problem and "terms" not in request.POST:
        problem = _("Please accept the terms of sale first.")
    status = 422
    if not problem:
        agreed = Agreed(_sum(request.POST.get("total", "")), request.POST.get("terms_version", ""))
        try:
            order = place_order(visit.subject, filled, agreed, now=visit.now, person=person)
            return _to_pay_page(visit, order, is_person=is_person)
        except CartChangedMeanwhile:
            status = 409
            problem = _(
                "Something has changed since you opened this page. Please look again before you order."
            )
        except DeliveryGone:
            problem = _(
                "It cannot be delivered as before. Please choose another way or another pick-up point."
            )
    step = next_step(visit.subject, filled)
    return _show(visit, filled, step, status=status, problem=problem, typed=typed)


def _corrected(
    request: HttpRequest, visit: Visit, filled: FilledCart, *, is_person: bool
) -> tuple[Person | None, changing.Typed | None, str]:
    """Return the person with what they changed, the form as they left it, and what is wrong."""
    if "change" not in request.POST:
        return None, None, ""
    if not is_person:
        return None, None, _("An hour has passed. Please name your address again, then change your data.")
    known = as_brought(filled, person_of(visit.subject))
    person, typed = changing.read_form(known, request.POST.dict())
    return person, typed, _("Please look at your data.") if typed.problems else ""


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
