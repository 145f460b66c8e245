"""Trying a process on past orders: asking for it, watching it, reading what came of it."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from recoup.accounts.roles import Right
from recoup.core.paging import Count
from recoup.processes import drafts
from recoup.processes.backtest.result import Result
from recoup.processes.backtest.runs import (
    CannotBeTried,
    NothingToTry,
    PeriodRefused,
    document_of,
    request_run,
    rows_left_out,
)
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.models import BacktestRun, Process
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import place, see_other
from recoup.web.doors import StaffRequest, staff, zone_of
from recoup.web.forms.backtests import DRAFT, VERSION, BacktestForm
from recoup.web.listing import Address
from recoup.web.parts import Link, Pager
from recoup.web.shown import backtests as shown
from recoup.web.shown import editor as shown_editor
from recoup.web.shown import tried_messages
from recoup.web.views.editor import get_process
from recoup.web.words import steps

SHOWN_RUNS = 10


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def start(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Ask on which past orders a process is to be tried, and have the worker try it."""
    one = get_process(seat, process_id)
    choices, problems = _choices(one), list[Link]()
    form = BacktestForm(
        request.POST or None,
        now=request.now,
        zone=zone_of(seat.shop),
        choices=choices,
        initial={"what": DRAFT if request.GET.get("what") == DRAFT else VERSION},
    )
    if request.method == "POST" and form.is_valid():
        period = form.told()
        try:
            run = request_run(
                one,
                since=period.start,
                until=period.end,
                now=request.now,
                user_id=seat.user.pk,
                is_of_draft=form.is_of_draft(),
            )
        except NothingToTry:
            form.add_error(None, _("There is nothing to try yet: put steps into this process first."))
        except InvalidProcess as error:
            doc = drafts.draft_of(one).doc
            outline = shown_editor.outline_of(
                seat, one, shown_editor.shape_of(seat.shop, doc), error.problems
            )
            problems = list(outline.summary)
        except CannotBeTried as error:
            form.add_error(None, _(str(error)))
        except PeriodRefused:
            form.add_error("first", _("These days cannot be tried."))
        else:
            return see_other(place(seat, "backtest", one.pk, run.pk))
    kept = BacktestRun.objects.filter(shop=seat.shop, process=one).select_related("version")
    runs = list(kept.defer("result", "left_out", "doc", "version__doc").order_by("-id")[:SHOWN_RUNS])
    context = {
        "crumb_links": _crumbs(seat, one),
        "form": form,
        "only": next(iter(choices.values())) if len(choices) == 1 else "",
        "problems": problems,
        "edit_url": place(seat, "process_edit", one.pk),
        "runs": shown.run_rows(seat, runs),
    }
    return render(request, "web/backtest_start.html", context, status=422 if form.errors or problems else 200)


def _choices(process: Process) -> dict[str, str]:
    """Return what of a process can be tried."""
    found = {}
    if process.current_version is not None:
        found[VERSION] = shown.version_words(process.current_version)
    if drafts.draft_of(process).is_stored:
        found[DRAFT] = _("Your draft")
    return found


@staff(Right.EDIT_PROCESSES)
def backtest(request: StaffRequest, seat: Seat, process_id: int, backtest_id: int) -> HttpResponse:
    """Show how far a run is, and what came of it."""
    runs = BacktestRun.objects.filter(shop=seat.shop, process_id=process_id)
    run = get_object_or_404(runs.select_related("process", "version").defer("left_out"), pk=backtest_id)
    context = {
        "crumb_links": [
            *_crumbs(seat, run.process)[:-1],
            Link(_("Tried on past orders"), place(seat, "backtest_new", process_id)),
            Link(shown.period_words(run), ""),
        ],
        "state": run.state,
        "period": shown.period_words(run),
        "version": run.version.number if run.version is not None else "",
        "asked_at": run.created_at,
        "again_url": place(seat, "backtest_new", process_id),
        "trouble": shown.trouble_words(run) if run.state == BacktestRun.State.FAILED else "",
        "progress_value": run.done,
        "progress_whole": max(run.whole, 1),
        "progress_done": _("%(done)s of %(whole)s") % {"done": run.done, "whole": run.whole}
        if run.whole
        else "",
        "result": shown.result_page(seat, run) if run.state == BacktestRun.State.DONE else None,
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
        "rows": tried_messages.left_out_lines(seat, page.rows, document_of(run)),
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
