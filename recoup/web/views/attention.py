"""All that needs a person."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.core import attention as items
from recoup.core.models import AttentionItem
from recoup.core.paging import Keyset, count_rows, page_keys
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address
from recoup.web.shown.attention import attention_items
from recoup.web.words import attention as words


@staff(Right.SEE_ORDERS)
def attention(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show what is open, newest first."""
    address = Address(request)
    keyset = Keyset(table="core_attention", shop_id=seat.shop.pk, conditions=["r.settled_at IS NULL"])
    page = page_keys(keyset, cursor=address.get("c"))
    count = count_rows(keyset, most=listing.wants_exact(address))
    found = AttentionItem.objects.filter(shop_id=seat.shop.pk).in_bulk(page.rows)
    context = {
        "attention_items": attention_items(seat, [found[key] for key in page.rows if key in found]),
        "pager": listing.pager(address, page, count, _counted),
    }
    return render(request, "web/attention.html", context)


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s thing", "%(n)s things", number) % {"n": shown}


@require_POST
@staff(Right.SETTLE_ATTENTION)
def settle(request: StaffRequest, seat: Seat, item_id: int) -> HttpResponse:
    """Tick an item off; what goes by itself with its cause stays."""
    item = get_object_or_404(AttentionItem, pk=item_id, shop_id=seat.shop.pk)
    if not words.kind_of(item.kind).is_settled_by_hand:
        messages.warning(request, _("This goes by itself, once its cause is gone."))
    elif items.settle(item.kind, shop_id=seat.shop.pk, key=item.key, now=request.now, user_id=seat.user.pk):
        messages.success(request, _("Taken off the list."))
    return see_other(place(seat, "attention"))
