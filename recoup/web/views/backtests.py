"""Trying a process on past orders: asking for it, watching it, reading what came of it."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from recoup.accounts.roles import Right
from recoup.core.paging import Count
from recoup.processes.backtest.result import Result
from recoup.processes.backtest.runs import (
    CannotBeTried,
    NothingToTry,
    PeriodRefused,
    request_run,
    rows_left_out,
)
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.models import BacktestRun, Process, ProcessVersion
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import place, see_other
from recoup.web.doors import StaffRequest, staff, zone_of
from recoup.web.forms.backtests import BacktestForm
from recoup.web.listing import Address
from recoup.web.parts import Link, Pager
from recoup.web.shown import backtests as shown
from recoup.web.shown import tried_messages
from recoup.web.words import steps

SHOWN_RUNS = 10


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def start(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Ask on which past orders a process is to be tried, and have the worker try it."""
    one = get_object_or_404(Process.objects.filter(shop=seat.shop), pk=process_id)
    form = BacktestForm(request.POST or None, now=request.now, zone=zone_of(seat.shop))
    if request.method == "POST" and form.is_valid():
        period = form.told()
        try:
            run = request_run(
                one, since=period.start, until=period.end, now=request.now, user_id=seat.user.pk
            )
        except NothingToTry:
            form.add_error(None, _("Publish this process first: there is nothing to try yet."))
        except CannotBeTried as error:
            form.add_error(None, _(str(error)))
        except PeriodRefused:
            form.add_error("first", _("These days cannot be tried."))
        else:
            return see_other(place(seat, "backtest", one.pk, run.pk))
    kept = BacktestRun.objects.filter(shop=seat.shop, process=one).defer("result", "left_out")
    runs = list(kept.order_by("-id")[:SHOWN_RUNS])
    context = {"crumb_links": _crumbs(seat, one), "form": form, "runs": shown.run_rows(seat, runs)}
    return render(request, "web/backtest_start.html", context, status=422 if form.errors else 200)


@staff(Right.EDIT_PROCESSES)
def backtest(request: StaffRequest, seat: Seat, process_id: int, backtest_id: int) -> HttpResponse:
    """Show how far a run is, and what came of it."""
    runs = BacktestRun.objects.filter(shop=seat.shop, process_id=process_id).select_related("process")
    run = get_object_or_404(runs.defer("left_out"), pk=backtest_id)
    version = get_object_or_404(ProcessVersion.objects.filter(shop=seat.shop), pk=run.version_id)
    context = {
        "crumb_links": [
            *_crumbs(seat, run.process)[:-1],
            Link(_("Tried on past orders"), place(seat, "backtest_new", process_id)),
            Link(shown.period_words(run), ""),
        ],
        "state": run.state,
        "period": shown.period_words(run),
        "version": version.number,
        "again_url": place(seat, "backtest_new", process_id),
        "trouble": shown.trouble_words(run) if run.state == BacktestRun.State.FAILED else "",
        "progress_value": run.done,
        "progress_whole": max(run.whole, 1),
        "progress_done": _("%(done)s of %(whole)s") % {"done": run.done, "whole": run.whole}
        if run.whole
        else "",
        "result": shown.result_page(seat, run, version) if run.state == BacktestRun.State.DONE else None,
    }
    return render(request, "web/backtest.html", context)


@require_safe
@staff(Right.EDIT_PROCESSES)
def left_out(request: StaffRequest, seat: Seat, process_id: int, backtest_id: int) -> HttpResponse:
    """List the messages of a run that were left out for a reason."""
    runs = BacktestRun.objects.filter(shop=seat.shop, process_id=process_id).select_related(
        "process", "version"
    )
    run, address = get_object_or_404(runs, pk=backtest_id), Address(request)
    asked = address.get("why")
    reason = "" if asked == "-" else asked
    result = Result.from_json(run.result) if run.result else Result()
    page, kept = rows_left_out(run, reason, cursor=address.get("c"))
    count = Count(kept, is_capped=result.left_out.get(reason, 0) > kept)
    context = {
        "crumb_links": [
            *_crumbs(seat, run.process)[:-1],
            Link(_("Tried on past orders"), place(seat, "backtest", process_id, run.pk)),
            Link(_("Left out"), ""),
        ],
        "title": tried_messages.left_out_words(reason),
        "period": shown.period_words(run),
        "rows": tried_messages.left_out_lines(
            seat, page.rows, ProcessDocument.model_validate(run.version.doc)
        ),
        "pager": Pager(
            _counted(count.number, listing.shown_count(count)),
            address.url(c=page.newer) if page.newer else "",
            address.url(c=page.older) if page.older else "",
        ),
    }
    return render(request, "web/backtest_left_out.html", context)


def _counted(number: int, shown_number: str) -> str:
    return ngettext("%(n)s message", "%(n)s messages", number) % {"n": shown_number}


def _crumbs(seat: Seat, process: Process) -> list[Link]:
    return [
        Link(_("Processes"), place(seat, "processes")),
        Link(steps.process_name(process), place(seat, "process", process.pk)),
        Link(_("Tried on past orders"), ""),
    ]
