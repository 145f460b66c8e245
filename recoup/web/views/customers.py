"""Customers: everybody once, with their orders and what they agreed to."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.accounts.roles import Right
from recoup.customers.listing import ContactFilter, count_customers, list_customers
from recoup.customers.models import Contact
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import place, place_if, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address
from recoup.web.parts import Filters, Link
from recoup.web.shown.customer import customer_page, customer_rows


@staff(Right.SEE_CUSTOMERS)
def customers(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show a page of customers, those known last first."""
    address = Address(request)
    is_oldest = address.get("o") == "oldest"
    chosen = ContactFilter(text=address.get("q"), is_oldest_first=is_oldest)
    page = list_customers(seat.shop, chosen, cursor=address.get("c"))
    count = count_customers(seat.shop, chosen, most=listing.wants_exact(address))
    context = {
        "filters": Filters(
            [Link(_("Everybody"), address.path, not chosen.text)],
            listing.text_menu(address),
            address.path if chosen.text else "",
        ),
        "rows": customer_rows(seat, page.rows),
        "pager": listing.pager(address, page, count, _counted),
        "sort": {
            "known": {
                "url": address.url(o="" if is_oldest else "oldest"),
                "direction": "ascending" if is_oldest else "descending",
            },
        },
        "is_filtered": bool(chosen.text),
        "clear_url": address.path,
        "import_url": place_if(seat, "import") if seat.may(Right.MANAGE_INTAKE) else "",
        "lead_shown": listing.is_first_visit(request, "customers"),
    }
    return render(request, "web/customers.html", context)


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s customer", "%(n)s customers", number) % {"n": shown}


@staff(Right.SEE_CUSTOMERS)
def customer(request: StaffRequest, seat: Seat, contact_id: int) -> HttpResponse:
    """Show a person; one who was merged leads to the one who stays."""
    contact = get_object_or_404(Contact.objects.filter(shop=seat.shop), pk=contact_id)
    if contact.merged_into_id is not None:
        return see_other(place(seat, "customer", contact.merged_into_id))
    page = customer_page(seat, contact, request.now)
    context = {
        "customer": page,
        "crumb_links": [Link(_("Customers"), place(seat, "customers")), Link(page.card.name, "")],
        "dialogs": [],
    }
    return render(request, "web/customer.html", context)
