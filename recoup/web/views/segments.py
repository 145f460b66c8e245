"""Segments: named conditions over customers, orders and carts, with the rows that meet them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.core.paging import Count
from recoup.processes.models import Process
from recoup.processes.segments_used import SegmentUsed, delete_unused_segment, places_of
from recoup.segments.actions import NameTaken, save_segment
from recoup.segments.models import Segment
from recoup.segments.queries import count_of, page_of
from recoup.segments.tree import ConditionRefused
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.blocks.base import Around
from recoup.web.forms.segments import SegmentForm
from recoup.web.listing import Address
from recoup.web.parts import Link
from recoup.web.shown.segments import ABOUT, place_links, segment_rows, words_of
from recoup.web.words.steps import process_name, word

PREVIEW = 10


@dataclass(frozen=True, slots=True)
class Saved:
    """A segment in the list of them."""

    name: str
    url: str
    about: str
    words: str
    count: str  # empty: nobody has counted yet, or it takes too long
    counted_at: datetime | None


@staff(Right.SEE_CUSTOMERS)
def segments(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show the segments of the shop with how many rows each had when they were counted last."""
    into = Process.objects.filter(shop=seat.shop, pk=Address(request).number("process") or 0).first()
    if not seat.may(Right.EDIT_PROCESSES):
        into = None

    def leads_to(one: Segment) -> str:
        if into is None:
            return place(seat, "segment", one.pk)
        return listing.with_query(place(seat, "process_add_new"), {"seg": one.pk, "process": into.pk})

    rows = [
        Saved(
            one.name,
            leads_to(one),
            one.get_about_display(),
            words_of(seat.shop, one.about, one.condition),
            listing.shown_count(Count(one.rows, is_capped=one.is_capped)) if one.rows is not None else "",
            one.rows_at,
        )
        for one in Segment.objects.filter(shop=seat.shop).order_by("name", "id")
    ]
    context = {
        "crumb_links": [Link(_("Customers"), place(seat, "customers")), Link(_("Segments"), "")],
        "rows": rows,
        "into": process_name(into) if into is not None else "",
        "kinds": [
            Link(_("Of customers"), place(seat, "segment_new", "customers"), icon="users-round"),
            Link(_("Of orders"), place(seat, "segment_new", "orders"), icon="receipt-text"),
            Link(_("Of carts"), place(seat, "segment_new", "carts"), icon="shopping-cart"),
        ]
        if seat.may(Right.EDIT_CUSTOMERS)
        else [],
    }
    return render(request, "web/segments.html", context)


def _get(seat: Seat, segment_id: int) -> Segment:
    return get_object_or_404(Segment.objects.filter(shop=seat.shop), pk=segment_id)


def _counted(about: int, number: int, shown: str) -> str:
    if about == Segment.About.PERSON:
        return ngettext("%(n)s customer", "%(n)s customers", number) % {"n": shown}
    if about == Segment.About.ORDER:
        return ngettext("%(n)s order", "%(n)s orders", number) % {"n": shown}
    return ngettext("%(n)s cart", "%(n)s carts", number) % {"n": shown}


@staff(Right.SEE_CUSTOMERS)
def segment(request: StaffRequest, seat: Seat, segment_id: int) -> HttpResponse:
    """Show a segment: its condition in words, how many rows meet it now, and the rows, paged by key."""
    return _page(request, seat, _get(seat, segment_id))


def _page(request: StaffRequest, seat: Seat, one: Segment, *, status: int = 200) -> HttpResponse:
    address = Address(request)
    asked = (seat.shop, one.about, one.condition)
    page = page_of(*asked, now=request.now, cursor=address.get("c"))
    count = count_of(*asked, now=request.now, most=listing.wants_exact(address))
    lists = {Segment.About.PERSON: ("customers", {}), Segment.About.ORDER: ("orders", {"v": "all"})}
    name, extra = lists.get(Segment.About(one.about), ("", {}))
    may_edit = seat.may(Right.EDIT_CUSTOMERS)
    uses = place_links(seat, places_of(one)) if seat.may(Right.SEE_PROCESSES) else []
    context = {
        "crumb_links": [*_crumbs(seat), Link(one.name, "")],
        "segment": one,
        "words": words_of(*asked),
        "rows": segment_rows(seat, one.about, page.rows),
        "pager": listing.pager(
            address, page, count, lambda number, shown: _counted(one.about, number, shown)
        ),
        "is_about_people": one.about == Segment.About.PERSON,
        "list_url": listing.with_query(place(seat, name), {**extra, "seg": one.pk}) if name else "",
        "add_url": listing.with_query(place(seat, "process_add_new"), {"seg": one.pk})
        if seat.may(Right.EDIT_PROCESSES)
        else "",
        "edit_url": place(seat, "segment_edit", one.pk) if may_edit else "",
        "delete_url": place(seat, "segment_delete", one.pk) if may_edit else "",
        "uses": uses,
        "is_refused": status == 409,
    }
    return render(request, "web/segment.html", context, status=status)


def _crumbs(seat: Seat) -> list[Link]:
    return [Link(_("Customers"), place(seat, "customers")), Link(_("Segments"), place(seat, "segments"))]


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_CUSTOMERS)
def new(request: StaffRequest, seat: Seat, about: str) -> HttpResponse:
    """Make a segment."""
    if about not in ABOUT:
        raise Http404
    return _answer(request, seat, {"name": "", "about": int(ABOUT[about])}, None)


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_CUSTOMERS)
def edit(request: StaffRequest, seat: Seat, segment_id: int) -> HttpResponse:
    """Change a segment."""
    one = _get(seat, segment_id)
    raw = {"name": one.name, "about": one.about, "condition": one.condition}
    return _answer(request, seat, raw, one)


def _answer(request: StaffRequest, seat: Seat, raw: dict[str, Any], one: Segment | None) -> HttpResponse:
    around = Around(seat.shop, {})
    if request.method != "POST":
        return _show(request, seat, SegmentForm(raw=raw, around=around), one)
    asks = any(name.endswith("_q") and str(value).strip() for name, value in request.POST.items())
    if "again" in request.POST or asks:
        return _show(request, seat, SegmentForm(request.POST, raw=raw, around=around, again=True), one)
    form = SegmentForm(request.POST, raw=raw, around=around)
    if not form.is_valid():
        return _show(request, seat, form, one, status=422)
    condition = form.condition_to_raw()
    if "look" in request.POST:
        return _show(request, seat, form, one, looked=condition)
    try:
        kept = save_segment(
            seat.shop,
            name=form.cleaned_data["name"].strip(),
            about=raw["about"],
            condition=condition,
            actor=actor_of(seat),
            now=request.now,
            segment=one,
        )
    except NameTaken:
        form.add_error("name", _("Another segment has this name."))
    except ConditionRefused as refused:
        for _where, code, values in refused.faults:
            form.add_error(None, word(f"process.problem.{code}").format_map(values))
    else:
        messages.success(request, _("Saved. It always shows who and what meets it now."))
        return see_other(place(seat, "segment", kept.pk))
    return _show(request, seat, form, one, status=422)


def _show(
    request: StaffRequest,
    seat: Seat,
    form: SegmentForm,
    one: Segment | None,
    *,
    status: int = 200,
    looked: Any = None,
) -> HttpResponse:
    about = form.condition_subject()
    preview, counted = [], ""
    if looked is not None:
        page = page_of(seat.shop, about, looked, now=request.now, size=PREVIEW)
        count = count_of(seat.shop, about, looked, now=request.now)
        preview = segment_rows(seat, about, page.rows)
        counted = _counted(about, count.number, listing.shown_count(count))
    context = {
        "crumb_links": [*_crumbs(seat), Link(one.name if one is not None else _("New segment"), "")],
        "title": one.name if one is not None else _("New segment"),
        "form": form,
        "form_url": request.get_full_path(),
        "back_url": place(seat, "segment", one.pk) if one is not None else place(seat, "segments"),
        "is_looked_at": looked is not None,
        "counted": counted,
        "preview": preview,
        "is_about_people": about == Segment.About.PERSON,
    }
    return render(request, "web/segment_form.html", context, status=status)


@require_POST
@staff(Right.EDIT_CUSTOMERS)
def delete(request: StaffRequest, seat: Seat, segment_id: int) -> HttpResponse:
    """Delete a segment; the customers, orders and carts in it stay. One that processes name is not deleted."""
    one = _get(seat, segment_id)
    try:
        delete_unused_segment(one, actor=actor_of(seat), now=request.now)
    except SegmentUsed:
        return _page(request, seat, one, status=409)
    messages.success(request, _("The segment is gone. Nobody and nothing in it was touched."))
    return see_other(place(seat, "segments"))
