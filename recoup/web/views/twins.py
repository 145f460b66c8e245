"""Several unpaid orders of one person for the same products: which of each is kept, many at once, and undoing it."""

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.core.money import Money
from recoup.orders import twins as orders
from recoup.orders.desk import NotADuplicate
from recoup.orders.models import Order, TwinsKept
from recoup.orders.twins import Group
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address
from recoup.web.parts import Link, Pager
from recoup.web.screens import TwinRow
from recoup.web.shown.orders import order_url
from recoup.web.shown.people import clerk_names, name_of
from recoup.web.views.orders import MOST_AT_ONCE, told
from recoup.web.words import orders as words


@require_http_methods(["GET", "POST"])
@staff(Right.WORK_ORDERS)
def twins(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show which order of each group would be kept and why; keep one of each group that is picked."""
    if request.method == "POST":
        return _keep(request, seat)
    address = Address(request)
    of = _ids(address.get("rows")) if address.get("rows") else None
    groups, older = orders.find_groups(seat.shop, now=request.now, before=address.number("c"), of=of)
    run = orders.last_run(seat.shop, now=request.now)
    context = {
        "crumb_links": [Link(_("Orders"), place(seat, "orders")), Link(_("Possible duplicates"), "")],
        "rows": [_row(seat, group) for group in groups],
        "pager": Pager(_counted(len(groups)), older_url=address.url(c=str(older)) if older else ""),
        "is_part": of is not None,
        "all_url": address.path,
        "orders_url": place(seat, "orders"),
        "undo_url": place(seat, "order_twins_undo", run.pk) if run is not None else "",
        "made_at": run.made_at if run is not None else None,
        "undo_words": _undo_words(run) if run is not None else "",
    }
    return render(request, "web/order_twins.html", context)


def _ids(text: str) -> list[int]:
    return [int(key) for key in text.split(",") if key.isascii() and key.isdigit() and len(key) < 19][
        :MOST_AT_ONCE
    ]


def _counted(number: int) -> str:
    return ngettext("%(n)d group", "%(n)d groups", number) % {"n": number}


def _undo_words(run: TwinsKept) -> str:
    who = clerk_names([run.made_by]).get(run.made_by or 0, _("A colleague"))
    dropped = len(run.dropped)
    return ngettext(
        "%(who)s marked %(n)d order as a duplicate.",
        "%(who)s marked %(n)d orders as duplicates.",
        dropped,
    ) % {"who": who, "n": dropped}


def _row(seat: Seat, group: Group) -> TwinRow:
    kept, first = group.kept, group.orders[0]
    return TwinRow(
        id=group.last_id,
        person=name_of(first.contact, first.buyer.get("name", "")),
        goods=len(set(first.product_refs)),
        why=words.why_kept(group.why),
        kept_id=kept.pk,
        options=[
            (order.pk, _("%(number)s of %(day)s") % {"number": order.number, "day": _day(order)})
            for order in group.orders
        ],
        orders=[
            (
                Link(order.number, order_url(seat, order)),
                Money(order.total, order.currency),
                f"{words.status_label(order.status)}, {words.payment_label(order)}",
            )
            for order in group.orders
        ],
        ids=",".join(str(order.pk) for order in group.orders),
    )


def _day(order: Order) -> str:
    zone = timezone.get_current_timezone()
    return humane.day(order.placed_at, zone, get_language() or "en")


def _picked(posted: QueryDict) -> Iterator[tuple[int, list[int]]]:
    """Yield the order to keep and those that were shown beside it, of each group that is picked."""
    for group in posted.getlist("row")[:MOST_AT_ONCE]:
        shown = _ids(posted.get(f"of-{group}", ""))
        kept = _ids(posted.get(f"keep-{group}", ""))
        if len(kept) == 1 and kept[0] in shown:
            yield kept[0], [key for key in shown if key != kept[0]]


def _keep(request: StaffRequest, seat: Seat) -> HttpResponse:
    picked = list(_picked(request.POST))
    back = listing.with_query(place(seat, "order_twins"), Address(request).given)
    if not picked:
        messages.warning(request, _("Nothing was changed: no group was picked."))
        return see_other(back)
    run = orders.begin(seat.shop, actor=actor_of(seat), now=request.now)
    refused: list[str] = []
    dropped = 0
    for kept_id, others in picked:
        try:
            done = orders.keep_one(run, kept_id, others, actor=actor_of(seat), now=request.now)
        except NotADuplicate:
            kept = Order.objects.filter(shop=seat.shop, pk=kept_id).first()
            if kept is not None:
                refused.append(
                    _("%(number)s: it can not be kept any more; look at its group again.")
                    % {"number": kept.number}
                )
            continue
        dropped += len(done.dropped)
        refused += [f"{order.number}: {words.why_left(reason)}" for order, reason in done.left]
    if dropped:
        text = ngettext("%(n)d order marked as a duplicate.", "%(n)d orders marked as duplicates.", dropped)
        messages.success(request, text % {"n": dropped})
    if refused:
        messages.warning(request, told(refused))
    return see_other(back)


@require_POST
@staff(Right.WORK_ORDERS)
def undo(request: StaffRequest, seat: Seat, run_id: int) -> HttpResponse:
    """Make the orders again what they were, as far as nothing happened to them since."""
    run = get_object_or_404(TwinsKept, pk=run_id, shop=seat.shop)
    count, left = orders.undo(run, actor=actor_of(seat), now=request.now)
    if count:
        text = ngettext("%(n)d order is back.", "%(n)d orders are back.", count)
        messages.success(request, text % {"n": count})
    if left:
        messages.warning(
            request, told([f"{order.number}: {words.why_left(reason)}" for order, reason in left])
        )
    if not count and not left:
        messages.info(request, _("There is nothing to undo any more."))
    return see_other(place(seat, "order_twins"))
