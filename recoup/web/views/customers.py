"""Customers: everybody once, with their orders and what they agreed to."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.customers.listing import count_customers, list_customers
from recoup.customers.merging import MergeRefused, merge_contacts, tell_apart
from recoup.customers.models import Contact, MergeSuggestion
from recoup.customers.tagging import TagRefused, read_tags, tag_by_hand
from recoup.orders.models import Cart
from recoup.segments.models import Segment
from recoup.segments.queries import find_segment
from recoup.shops.access import Seat
from recoup.storefront.by_hand import LinkRefused, make_cart_link
from recoup.web import listing
from recoup.web.answers import actor_of, place, place_if, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address, with_query
from recoup.web.parts import Filters, Link
from recoup.web.shown.attention import DOUBLES
from recoup.web.shown.customer import chosen_customers, customer_page, customer_rows
from recoup.web.shown.doubles import doubles_dialogs
from recoup.web.shown.segments import segment_menu
from recoup.web.words.customers import cart_link_refusal, merge_refusal
from recoup.web.words.tags import tag_refusal


@staff(Right.SEE_CUSTOMERS)
def customers(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show a page of customers, those known last first."""
    address = Address(request)
    is_oldest = address.get("o") == "oldest"
    is_doubles = address.get("v") == DOUBLES
    saved = find_segment(seat.shop, address.number("seg"), Segment.About.PERSON)
    chosen = chosen_customers(address, seat, request.now)
    may_move = seat.may(Right.EDIT_PROCESSES)
    is_filtered = bool(chosen.text) or is_doubles or saved is not None
    page = list_customers(seat.shop, chosen, cursor=address.get("c"))
    count = count_customers(seat.shop, chosen, most=listing.wants_exact(address))
    context = {
        "filters": Filters(
            [
                Link(_("Everybody"), address.url(v=""), not is_doubles),
                Link(_("May be the same person"), address.url(v=DOUBLES), is_doubles),
            ],
            [*segment_menu(address, seat, Segment.About.PERSON, saved), *listing.text_menu(address)],
            address.path if is_filtered else "",
        ),
        "rows": customer_rows(seat, page.rows),
        "pager": listing.pager(address, page, count, _counted),
        "sort": {
            "known": {
                "url": address.url(o="" if is_oldest else "oldest"),
                "direction": "ascending" if is_oldest else "descending",
            },
        },
        "move_url": place(seat, "process_add_new") if may_move else "",
        "all_url": _move_all(address, seat) if may_move and is_filtered else "",
        "segments_url": place(seat, "segments"),
        "is_filtered": is_filtered,
        "clear_url": address.path,
        "import_url": place_if(seat, "import") if seat.may(Right.MANAGE_INTAKE) else "",
        "lead_shown": listing.is_first_visit(request, "customers"),
    }
    return render(request, "web/customers.html", context)


def _move_all(address: Address, seat: Seat) -> str:
    """Return where all that the filter shows are put into a process; of a segment alone, however many there are."""
    given = {key: address.get(key) for key in ("v", "q", "seg")}
    about = {} if given["seg"] and not (given["v"] or given["q"]) else {"about": "customers", "all": "1"}
    return with_query(place(seat, "process_add_new"), {**about, **given})


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s customer", "%(n)s customers", number) % {"n": shown}


@staff(Right.SEE_CUSTOMERS)
def customer(request: StaffRequest, seat: Seat, contact_id: int) -> HttpResponse:
    """Show a person; one who was merged leads to the one who stays."""
    return _show(request, seat, _get(seat, contact_id))


def _get(seat: Seat, contact_id: int) -> Contact:
    return get_object_or_404(Contact.objects.filter(shop=seat.shop), pk=contact_id)


def _show(request: StaffRequest, seat: Seat, contact: Contact, *, status: int = 200) -> HttpResponse:
    if contact.merged_into_id is not None:
        return see_other(place(seat, "customer", contact.merged_into_id))
    page = customer_page(seat, contact, request.now)
    context = {
        "customer": page,
        "crumb_links": [Link(_("Customers"), place(seat, "customers")), Link(page.card.name, "")],
        "dialogs": doubles_dialogs(seat, contact),
        "why_url": with_query(place(seat, "why"), {"contact": contact.pk})
        if seat.may(Right.SEE_PROCESSES)
        else "",
    }
    return render(request, "web/customer.html", context, status=status)


@require_POST
@staff(Right.EDIT_CUSTOMERS)
def tags(request: StaffRequest, seat: Seat, contact_id: int) -> HttpResponse:
    """Set tags on a person, or take one off."""
    contact = _get(seat, contact_id)
    try:
        add, remove = read_tags(request.POST.get("add", "")), read_tags(request.POST.get("remove", ""))
        if not add and not remove:
            raise TagRefused("empty")
    except TagRefused as refused:
        messages.warning(request, tag_refusal(refused.code))
        return _show(request, seat, contact, status=422)
    tag_by_hand(contact, add=add, remove=remove, actor=actor_of(seat), now=request.now)
    return see_other(place(seat, "customer", contact.pk))


@require_POST
@staff(Right.WORK_ORDERS)
def cart_link(request: StaffRequest, seat: Seat, cart_id: int) -> HttpResponse:
    """Make the link to a left cart that whoever talks with the buyer hands on; one that cannot be handed on is 409."""
    carts = Cart.objects.filter(shop=seat.shop, contact__isnull=False).select_related("contact")
    cart = get_object_or_404(carts, pk=cart_id)
    assert cart.contact is not None
    try:
        make_cart_link(cart, actor=actor_of(seat), now=request.now)
    except LinkRefused as refused:
        messages.warning(request, cart_link_refusal(refused.reason))
        return _show(request, seat, cart.contact, status=409)
    messages.success(request, _("The link to the cart stands on this page, to be copied."))
    return see_other(place(seat, "customer", cart.contact.pk))


def _suggestion(seat: Seat, contact: Contact, suggestion_id: int) -> MergeSuggestion:
    rows = MergeSuggestion.objects.filter(shop=seat.shop).select_related("first", "second")
    return get_object_or_404(rows.filter(Q(first=contact) | Q(second=contact)), pk=suggestion_id)


@require_POST
@staff(Right.EDIT_CUSTOMERS)
def merge(request: StaffRequest, seat: Seat, contact_id: int, suggestion_id: int) -> HttpResponse:
    """Merge two suggested customers into the chosen one; what was decided meanwhile is 409 with the reason."""
    contact = _get(seat, contact_id)
    one = _suggestion(seat, contact, suggestion_id)
    other = one.second if one.first_id == contact.pk else one.first
    kept, gone = (other, contact) if request.POST.get("kept") == "other" else (contact, other)
    try:
        if request.POST.get("other") != str(other.pk):  # merged with somebody else since the page was shown
            raise MergeRefused("decided")
        merge_contacts(kept, gone, actor=actor_of(seat), now=request.now)
    except MergeRefused as refused:
        messages.warning(request, merge_refusal(refused.reason))
        return _show(request, seat, _get(seat, contact_id), status=409)
    messages.success(request, _("Merged. Everything of both stands here now."))
    return see_other(place(seat, "customer", kept.pk))


@require_POST
@staff(Right.EDIT_CUSTOMERS)
def apart(request: StaffRequest, seat: Seat, contact_id: int, suggestion_id: int) -> HttpResponse:
    """Note that two suggested customers are two people."""
    contact = _get(seat, contact_id)
    one = _suggestion(seat, contact, suggestion_id)
    try:
        tell_apart(one, actor=actor_of(seat), now=request.now)
    except MergeRefused as refused:
        messages.warning(request, merge_refusal(refused.reason))
        return _show(request, seat, contact, status=409)
    messages.success(request, _("Noted. These two are not suggested again."))
    return see_other(place(seat, "customer", contact.pk))
