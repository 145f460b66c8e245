"""The list of recovery cases, and the rows that numbers of reports open."""

from dataclasses import dataclass
from typing import cast

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.accounts.roles import Right
from recoup.analytics.figures import count_rows_of, rows_of
from recoup.analytics.process_figures import CaseNumber, ProcessCases, count_process_cases, list_process_cases
from recoup.analytics.queries import home_tiles
from recoup.core.paging import Count, Page
from recoup.processes.models import Process
from recoup.recovery.models import RecoveryCase
from recoup.recovery.queries import count_cases, list_cases
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address
from recoup.web.parts import FilterMenu, Filters, Link
from recoup.web.shown.cases import FILTER_KEYS, case_filters, case_rows, chosen_cases
from recoup.web.shown.figures import asked_figure, figure_filters
from recoup.web.shown.processes import block_title
from recoup.web.shown.tiles import tile_of
from recoup.web.words import steps

_TILES = ("recovered_30_days", "money_waiting", "rate_30_days", "unpaid_now")


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the list shows and how it came about."""

    page: Page[RecoveryCase]
    count: Count
    filters: Filters
    is_filtered: bool
    all_movable: bool = False


@staff(Right.SEE_ORDERS)
def recovery(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show a page of cases: as filters ask for them, or the rows that a number counts."""
    address = Address(request)
    shown = _number_rows(address, seat) or _process_rows(address, seat) or _filtered(address, seat, request)
    may_move = seat.may(Right.EDIT_PROCESSES)
    is_plain = not shown.is_filtered and not address.get("c")
    numbers = {one.key: one for one in home_tiles(seat.shop, now=request.now)} if is_plain else {}
    first = Process.objects.filter(shop=seat.shop, key="unpaid_order").first()
    context = {
        "tab_links": recovery_tabs(seat, "recovery"),
        "tiles": [tile_of(seat, numbers[key]) for key in _TILES if key in numbers],
        "filters": shown.filters,
        "rows": case_rows(shown.page.rows, seat, request.now),
        "pager": listing.pager(address, shown.page, shown.count, _counted),
        "sort": _sorting(address),
        "is_filtered": shown.is_filtered,
        "clear_url": listing.with_query(address.path, {"v": "all"}),
        "lead_shown": listing.is_first_visit(request, "recovery"),
        "move_url": place(seat, "process_add_new") if may_move else "",
        "all_url": _move_all(address, seat) if may_move and shown.all_movable else "",
        "process_url": place(seat, "process", first.pk) if first and seat.may(Right.SEE_PROCESSES) else "",
    }
    return render(request, "web/recovery.html", context)


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s case", "%(n)s cases", number) % {"n": shown}


def recovery_tabs(seat: Seat, current: str) -> list[Link]:
    """Return the two halves of recovery."""
    found = [Link(_("Cases"), place(seat, "recovery"), current == "recovery")]
    if seat.may(Right.SEE_REPORTS):
        found.append(Link(_("Report"), place(seat, "report"), current == "report"))
    return found


def _number_rows(address: Address, seat: Seat) -> _Shown | None:
    rows = asked_figure(address, "case")
    if rows is None:
        return None
    page = cast("Page[RecoveryCase]", rows_of(seat.shop, rows, cursor=address.get("c")))
    count = count_rows_of(seat.shop, rows, most=listing.wants_exact(address))
    return _Shown(page, count, figure_filters(address, rows), is_filtered=True)


def _process_rows(address: Address, seat: Seat) -> _Shown | None:
    wanted: CaseNumber = "won" if address.get("won") else "inside"
    key = address.number("won" if wanted == "won" else "process")
    process = Process.objects.filter(shop=seat.shop, pk=key).first() if key is not None else None
    if process is None:
        return None
    chosen = ProcessCases(
        process.pk, wanted, address.get("block"), address.instant("start"), address.instant("end")
    )
    page = list_process_cases(seat.shop, chosen, cursor=address.get("c"))
    count = count_process_cases(seat.shop, chosen, most=listing.wants_exact(address))
    word = _("Won back by") if wanted == "won" else _("Waiting in")
    menus = [FilterMenu(word, [], steps.process_name(process), address.path)]
    if chosen.block:
        menus.append(FilterMenu(_("Step"), [], block_title(process, chosen.block), address.url(block="")))
    return _Shown(page, count, Filters([Link(_("All"), address.path)], menus, address.path), is_filtered=True)


def _filtered(address: Address, seat: Seat, request: StaffRequest) -> _Shown:
    chosen = chosen_cases(address)
    page = list_cases(seat.shop, chosen, cursor=address.get("c"))
    count = count_cases(seat.shop, chosen, most=listing.wants_exact(address))
    filters = case_filters(address, request.now)
    is_filtered = address.has_any(*FILTER_KEYS)
    return _Shown(page, count, filters, is_filtered=is_filtered, all_movable=is_filtered)


def _move_all(address: Address, seat: Seat) -> str:
    given = {key: address.get(key) for key in FILTER_KEYS}
    return listing.with_query(place(seat, "process_add_new"), {"about": "cases", "all": "1", **given})


def _sorting(address: Address) -> dict[str, dict[str, str]]:
    """Return the heads that sort: by opening both ways, by amount the largest of the open ones first."""
    order = address.get("o")
    if asked_figure(address, "case") is not None or address.has_any("process", "won"):
        return {"opened": {"url": "", "direction": "descending"}, "amount": {"url": "", "direction": ""}}
    can_be_largest = not address.has_any("v", "outcome")
    is_largest = order == "largest" and can_be_largest
    opened = "ascending" if order == "oldest" else "" if is_largest else "descending"
    return {
        "opened": {"url": address.url(o="oldest" if opened == "descending" else ""), "direction": opened},
        "amount": {
            "url": address.url(o="" if is_largest else "largest") if can_be_largest else "",
            "direction": "descending" if is_largest else "",
        },
    }
