"""What a process brought, who is left alone so that this can be told, and the ways of its splits beside each other."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.analytics.arms import Split, split_effect, splits_of
from recoup.analytics.brought import SHOP_WINDOW
from recoup.analytics.credited import credited_to
from recoup.analytics.effect_rows import (
    Person,
    Who,
    count_on_way,
    count_people,
    list_on_way,
    list_people,
)
from recoup.analytics.effects import BEGINNING, FAR, Scope, effect_of, profit_of, window_of
from recoup.core.paging import Count, Page
from recoup.processes.drafts import DraftChanged
from recoup.processes.graph.editing import EditRefused
from recoup.processes.holdout import (
    Stretch,
    set_share,
    set_shop_share,
    shop_share,
    stretches_of,
    stretches_of_shop,
)
from recoup.processes.models import Process
from recoup.processes.winning import NoSuchWay, NothingLeft, prepare_way
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.effects import ShareForm, ShopShareForm
from recoup.web.listing import Address
from recoup.web.parts import FilterMenu, Filters, Link
from recoup.web.shown import effects as shown
from recoup.web.words import effects as words
from recoup.web.words import steps


def _get(seat: Seat, process_id: int) -> Process:
    rows = Process.objects.filter(shop=seat.shop).select_related("current_version", "shop")
    return get_object_or_404(rows, pk=process_id)


@staff(Right.SEE_PROCESSES)
def result(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Show what a process brought, in the time since its share was set."""
    one, address = _get(seat, process_id), Address(request)
    scope = _scope_of(seat, one, address)
    return _show(request, seat, one, scope, ShareForm(initial={"share": one.holdout_bp / 100}))


def _show(
    request: StaffRequest, seat: Seat, one: Process, scope: Scope, form: ShareForm, *, status: int = 200
) -> HttpResponse:
    start, end = scope.judged_period(request.now)
    effect = effect_of(scope, now=request.now)
    is_present = scope.stretch.until is None
    splits = [split_effect(split, now=request.now) for split in splits_of(one)] if is_present else []
    credited = credited_to(one, start=start, end=end)
    context = {
        "crumb_links": _crumbs(seat, one),
        "name": steps.process_name(one),
        "lead": shown.lead_words(scope, request.now),
        "effect": shown.effect_page(
            seat,
            effect,
            now=request.now,
            credited=credited,
            splits=splits,
            profit=profit_of(effect, now=request.now),
        ),
        "currencies": [money.currency for money in effect.money],
        "stretches": _stretch_links(place(seat, "process_result", one.pk), stretches_of(one), scope.stretch),
        "form": form if seat.may(Right.EDIT_PROCESSES) else None,
        "form_url": place(seat, "process_left_alone", one.pk),
        "share": words.share_words(one.holdout_bp),
    }
    return render(request, "web/process_result.html", context, status=status)


def _crumbs(seat: Seat, one: Process, *more: Link) -> list[Link]:
    return [
        Link(_("Processes"), place(seat, "processes")),
        Link(steps.process_name(one), place(seat, "process", one.pk)),
        *(more or [Link(_("What it brought"), "")]),
    ]


def _scope_of(seat: Seat, one: Process | None, address: Address) -> Scope:
    """Return whom an address asks for: the stretch that it names, else the present one, cut to its period."""
    stretches = stretches_of(one) if one is not None else stretches_of_shop(seat.shop)
    after = address.number("stretch")
    stretch = next((each for each in stretches if each.after == after), stretches[0])
    window = window_of(one) if one is not None else SHOP_WINDOW
    start, end = address.instant("start"), address.instant("end")
    return Scope(seat.shop, one, stretch, window, start or BEGINNING, end or FAR)


def _stretch_links(url: str, stretches: list[Stretch], chosen: Stretch) -> list[Link]:
    if len(stretches) == 1:
        return []
    return [
        Link(shown.stretch_words(one), listing.with_query(url, {"stretch": str(one.after)}), one == chosen)
        for one in stretches
    ]


@require_POST
@staff(Right.EDIT_PROCESSES)
def left_alone(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Leave another share of the people of a process alone."""
    one, form = _get(seat, process_id), ShareForm(request.POST)
    if not form.is_valid():
        return _show(request, seat, one, _scope_of(seat, one, Address(request)), form, status=422)
    changed = set_share(one, form.share_bp, actor=actor_of(seat), now=request.now)
    _tell_changed(request, changed=changed)
    return see_other(place(seat, "process_result", one.pk))


def _tell_changed(request: StaffRequest, *, changed: bool) -> None:
    if changed:
        messages.success(
            request,
            _("Saved. It holds for people who come in from now on; their results are counted apart."),
        )


@require_POST
@staff(Right.EDIT_PROCESSES)
def take_way(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Prepare a draft in which everybody takes one way of a split; a person publishes it."""
    one = _get(seat, process_id)
    block, way = request.POST.get("block", ""), request.POST.get("way", "")
    try:
        prepare_way(one, block, way, actor=actor_of(seat), now=request.now)
    except NothingLeft:
        messages.warning(
            request,
            _("That way this process does nothing, so no draft was made. Stop it, or add another step."),
        )
        return see_other(place(seat, "process_result", one.pk))
    except (NoSuchWay, DraftChanged, EditRefused):
        messages.warning(
            request, _("The draft has changed meanwhile. Look at it, then choose the way there.")
        )
    else:
        messages.success(request, _("The draft is ready. Nothing changes before you publish it."))
    return see_other(place(seat, "process_edit", one.pk))


@staff(Right.SEE_PROCESSES)
def people(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Show the people whom a number of a process counts."""
    one, address = _get(seat, process_id), Address(request)
    back = Link(_("What it brought"), place(seat, "process_result", one.pk))
    split = next((each for each in splits_of(one) if each.block == address.get("split")), None)
    if split is not None:
        return _show_way(request, seat, address, split, _crumbs(seat, one, back, Link(_("People"), "")))
    scope = _scope_of(seat, one, address)
    return _show_people(request, seat, address, scope, _crumbs(seat, one, back, Link(_("People"), "")))


def _show_way(
    request: StaffRequest, seat: Seat, address: Address, split: Split, crumbs: list[Link]
) -> HttpResponse:
    arm, has_paid = address.number("way"), bool(address.get("paid"))
    if arm is None or arm >= len(split.arms):
        raise Http404
    page = list_on_way(split, arm, has_paid=has_paid, now=request.now, cursor=address.get("c"))
    count = count_on_way(split, arm, has_paid=has_paid, now=request.now, most=listing.wants_exact(address))
    word = _("Way %(name)s, paid") if has_paid else _("Way %(name)s")
    return _rows(request, seat, address, page, count, word % {"name": words.way_name(split, arm)}, crumbs)


def _show_people(
    request: StaffRequest, seat: Seat, address: Address, scope: Scope, crumbs: list[Link]
) -> HttpResponse:
    try:
        who = Who(address.get("who", Who.TREATED))
    except ValueError:
        raise Http404 from None
    page = list_people(scope, who, now=request.now, cursor=address.get("c"))
    count = count_people(scope, who, now=request.now, most=listing.wants_exact(address))
    return _rows(request, seat, address, page, count, _who_words(who), crumbs)


def _who_words(who: Who) -> str:
    return {
        Who.TREATED: _("Written to"),
        Who.TREATED_PAID: _("Written to, paid"),
        Who.ALONE: _("Left alone"),
        Who.ALONE_PAID: _("Left alone, paid"),
        Who.TREATED_YOUNG: _("Came in lately"),
        Who.ALONE_YOUNG: _("Left alone, came in lately"),
        Who.PAID_BEFORE: _("Had paid before"),
        Who.BY_HAND: _("Left alone, written to by a colleague"),
    }[who]


def _rows(
    request: StaffRequest,
    seat: Seat,
    address: Address,
    page: Page[Person],
    count: Count,
    word: str,
    crumbs: list[Link],
) -> HttpResponse:
    context = {
        "crumb_links": crumbs,
        "filters": Filters([], [FilterMenu(_("Shown"), [], word, "")]),
        "rows": shown.person_rows(seat, page.rows),
        "pager": listing.pager(address, page, count, _counted),
    }
    return render(request, "web/process_people.html", context)


def _counted(number: int, text: str) -> str:
    return ngettext("%(n)s person", "%(n)s people", number) % {"n": text}


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def shop_left_alone(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show and change the share of people that the whole shop leaves alone, and what all processes together bring."""
    share = shop_share(seat.shop)
    form = ShopShareForm(request.POST or None, initial={"share": share / 100})
    if request.method == "POST" and form.is_valid():
        changed = set_shop_share(seat.shop, form.share_bp, actor=actor_of(seat), now=request.now)
        _tell_changed(request, changed=changed)
        return see_other(place(seat, "shop_left_alone"))
    scope = _scope_of(seat, None, Address(request))
    effect = effect_of(scope, now=request.now)
    context = {
        "crumb_links": [Link(_("Settings"), place(seat, "settings"))],
        "lead": shown.lead_words(scope, request.now),
        "effect": shown.effect_page(seat, effect, now=request.now),
        "currencies": [money.currency for money in effect.money],
        "stretches": _stretch_links(
            place(seat, "shop_left_alone"), stretches_of_shop(seat.shop), scope.stretch
        ),
        "form": form,
        "has_result": effect.has_control,
    }
    return render(request, "web/settings/left_alone.html", context, status=422 if form.errors else 200)


@staff(Right.EDIT_PROCESSES)
def shop_people(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show the people whom a number of the whole shop counts."""
    address = Address(request)
    crumbs = [
        Link(_("Settings"), place(seat, "settings")),
        Link(_("Left alone by everything"), place(seat, "shop_left_alone")),
        Link(_("People"), ""),
    ]
    return _show_people(request, seat, address, _scope_of(seat, None, address), crumbs)
