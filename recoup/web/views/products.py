"""Products that are bought again and again: a newer paid order of them closes no older one (F2)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.catalog.actions import set_repeatable
from recoup.catalog.models import Product
from recoup.catalog.queries import ProductWhole, find_products, repeatable_products
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.keeping_screens import ProductRow
from recoup.web.listing import Address, with_query
from recoup.web.screens import Action
from recoup.web.views.settings import crumbs

ASKED = "product"  # not `q`, which is what the search box of every page holds
MOST_SHOWN = 200
MOST_FOUND = 50


@staff(Right.EDIT_PRODUCTS)
def products(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show what is on the list, and what a search finds to put there."""
    text = Address(request).get(ASKED).strip()
    found = find_products(seat.shop, text, most=MOST_FOUND) if text else []
    context = {
        "crumb_links": crumbs(seat),
        "rows": [_row(seat, one, text) for one in repeatable_products(seat.shop, most=MOST_SHOWN)],
        "found": [_row(seat, one, text) for one in found],
        "query": text,
        "has_more": len(found) == MOST_FOUND,
        "clear_url": place(seat, "products"),
        "has_products": bool(found) or Product.objects.filter(shop=seat.shop, is_deleted=False).exists(),
    }
    return render(request, "web/settings/products.html", context)


def _row(seat: Seat, product: ProductWhole, text: str) -> ProductRow:
    fields = [("on", "" if product.is_repeatable else "1"), (ASKED, text)]
    label = _("Take off the list") if product.is_repeatable else _("Put on the list")
    icon = "minus" if product.is_repeatable else "plus"
    url = place(seat, "product_switch", product.id)
    return ProductRow(
        name=product.name,
        detail=" · ".join(part for part in (product.sku, product.source) if part),
        is_on=product.is_repeatable,
        action=Action(label, icon, url, is_post=True, fields=fields),
    )


@require_POST
@staff(Right.EDIT_PRODUCTS)
def switch(request: StaffRequest, seat: Seat, product_id: int) -> HttpResponse:
    """Put a product on the list, or take it off."""
    product = get_object_or_404(Product.objects.filter(shop=seat.shop), pk=product_id)
    is_on = bool(request.POST.get("on"))
    set_repeatable(product, is_repeatable=is_on, actor=actor_of(seat), now=request.now)
    said = _("“%(name)s” is on the list.") if is_on else _("“%(name)s” is off the list.")
    messages.success(request, said % {"name": product.name})
    return see_other(with_query(place(seat, "products"), {ASKED: request.POST.get(ASKED, "")[:200]}))
