"""Products and what they cost: the list, one product with its history, and a share of the price for those without."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.catalog.costs import fill_costs, set_cost
from recoup.catalog.listing import AT_A_LOSS, UNKNOWN, ProductFilter, count_products, list_products
from recoup.catalog.models import Product
from recoup.core import humane
from recoup.core.money import Money
from recoup.offers.settings import get_settings
from recoup.shops.access import Seat
from recoup.shops.models import Source
from recoup.web import listing
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.costs import CostForm, FillForm
from recoup.web.listing import Address
from recoup.web.parts import Filters, Link
from recoup.web.shown.costs import cost_rows
from recoup.web.shown.timeline import activity_events, timeline_of
from recoup.web.views.settings import crumbs

ASKED = "product"  # not `q`, which is what the search box of every page holds


@staff(Right.EDIT_PRODUCTS)
def costs(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show a page of products with what they cost."""
    return _list(request, seat, FillForm())


def _list(request: StaffRequest, seat: Seat, fill_form: FillForm, status: int = 200) -> HttpResponse:
    address = Address(request)
    address.path = place(seat, "costs")
    view = address.one_of("v", (UNKNOWN, AT_A_LOSS))
    chosen = ProductFilter(address.get(ASKED).strip(), view, address.number("source"))
    page = list_products(seat.shop, chosen, cursor=address.get("c"))
    count = count_products(seat.shop, chosen, most=listing.wants_exact(address))
    unknown = count_products(seat.shop, ProductFilter(view=UNKNOWN))
    is_filtered = address.has_any("v", ASKED, "source")
    context = {
        "crumb_links": crumbs(seat),
        "filters": _filters(seat, address, view, is_filtered=is_filtered),
        "rows": cost_rows(seat, page.rows),
        "pager": listing.pager(address, page, count, _counted),
        "query": chosen.text,
        "kept": [(key, value) for key, value in address.given.items() if key not in {ASKED, "c", "n"}],
        "back": request.GET.urlencode(),
        "is_filtered": is_filtered,
        "clear_url": address.path,
        "unknown": unknown.number,
        "unknown_words": listing.shown_count(unknown),
        "fill_form": fill_form,
        "fill_url": place(seat, "costs_fill"),
        "share": _share(seat),
        "import_url": place(seat, "import") + "?about=products" if seat.may(Right.MANAGE_INTAKE) else "",
        "settings_url": place(seat, "offer_settings") if seat.may(Right.MANAGE_SHOP) else "",
    }
    return render(request, "web/settings/costs.html", context, status=status)


def _share(seat: Seat) -> str:
    share = get_settings(seat.shop).default_cost
    return humane.percent(share / 100, get_language() or "en") if share is not None else ""


def _filters(seat: Seat, address: Address, view: str, *, is_filtered: bool) -> Filters:
    labels = {"": _("All"), UNKNOWN: _("Without a cost"), AT_A_LOSS: _("Sold at or below their cost")}
    views = [Link(label, address.url(v=code), view == code) for code, label in labels.items()]
    sources = Source.objects.filter(shop=seat.shop).order_by("name").values_list("pk", "name")
    names = [(str(pk), name) for pk, name in sources]
    menus = [listing.menu(address, "source", _("Source"), names)] if len(names) > 1 else []
    return Filters(views, menus, address.path if is_filtered else "")


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s product", "%(n)s products", number) % {"n": shown}


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PRODUCTS)
def cost(request: StaffRequest, seat: Seat, product_id: int) -> HttpResponse:
    """Show what a product costs with its history, or set it; from the list one comes back to the list."""
    rows = Product.objects.filter(shop=seat.shop).select_related("source")
    product = get_object_or_404(rows, pk=product_id)
    known = {"cost": product.cost}
    form = CostForm(request.POST or None, initial=known, currency=product.currency)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data["cost"]
        set_cost(product, given, actor=actor_of(seat), now=request.now)
        _say(request, product, given is not None and product.price is not None and given >= product.price)
        back = request.POST.get("back")
        return see_other(_back(seat, back) if back is not None else place(seat, "product_cost", product.pk))
    (row,) = cost_rows(seat, [product])
    told = product.cost_told
    context = {
        "heading": product.name,
        "lead": row.detail,
        "crumb_links": crumbs(seat, Link(_("Products and their cost"), place(seat, "costs"))),
        "form": form,
        "units": {"cost": product.currency},
        "row": row,
        "told": humane.money(Money(told, product.currency), get_language() or "en")
        if told is not None
        else "",
        "timeline_shown": timeline_of(activity_events(seat.shop, "product", product.pk)),
        "cancel_url": place(seat, "costs"),
    }
    return render(request, "web/settings/product_cost.html", context, status=422 if form.errors else 200)


def _say(request: StaffRequest, product: Product, is_loss: bool) -> None:
    if is_loss:
        words = _("Saved. “%(name)s” costs you as much as its price, or more: no offer is made on it.")
        messages.warning(request, words % {"name": product.name})
    else:
        messages.success(request, _("Saved: “%(name)s”.") % {"name": product.name})


def _back(seat: Seat, query: str) -> str:
    """Return the list as it was; what stands in the address is read again by the list itself."""
    url = place(seat, "costs")
    return f"{url}?{query[:1000]}" if query and not set(query) & set("\r\n\\#") else url


@require_POST
@staff(Right.EDIT_PRODUCTS)
def fill(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Set a share of the price as the cost of all products without one."""
    form = FillForm(request.POST)
    if not form.is_valid():
        return _list(request, seat, form, 422)
    filled = fill_costs(seat.shop, form.cleaned_data["percent"], actor=actor_of(seat), now=request.now)
    words = ngettext("%(n)d product has a cost now.", "%(n)d products have a cost now.", filled) % {
        "n": filled
    }
    messages.success(request, words if filled else _("Every product with a price has a cost already."))
    return see_other(place(seat, "costs"))
