"""Import of a file: upload, say what its columns mean, try it, then import it. Nobody is written to because of it."""

import csv
import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.core.clock import real_now
from recoup.integrations.csvfile import products
from recoup.integrations.csvfile.importing import FIRST_NAME, file_source, request_import
from recoup.integrations.csvfile.plan import Plan, PlanIncomplete, plan_from_json, propose, unknown_states
from recoup.integrations.csvfile.reading import FileRefused, Form, rows
from recoup.shops.access import Seat
from recoup.shops.models import FILE_KIND, ImportRefusal, ImportRun, Source
from recoup.shops.reasons import words as reason_words
from recoup.web.csv_cells import plain_cell
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.imports import EncodingForm, FileForm, PlanForm
from recoup.web.keeping_screens import CheckRow
from recoup.web.parts import Link
from recoup.web.views.settings import crumbs, note

UPLOADED = "import_file"  # in the session: where the file lies until it is known what it means
KEPT = timedelta(days=7)  # files are deleted then: they are full of people
SHOWN_REFUSALS = 50
SAMPLES = 3


def _show(request: StaffRequest, seat: Seat, step: str, status: int = 200, **more: Any) -> HttpResponse:
    sources = Link(_("Sources of orders"), reverse("web:sources", args=[seat.shop.slug]))
    context = {
        "crumb_links": crumbs(seat, sources) if seat.may(Right.MANAGE_SHOP) else crumbs(seat),
        "step": step,
        **more,
    }
    return render(request, "web/settings/import.html", context, status=status)


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_INTAKE)
def upload(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Take a file in."""
    if "encoding" in request.POST and not request.FILES:
        return _choose_encoding(request, seat)
    named = (
        Source.objects.filter(shop=seat.shop, kind=FILE_KIND).order_by("id").values_list("name", flat=True)
    )
    form = FileForm(
        request.POST or None,
        request.FILES or None,
        initial={"about": request.GET.get("about", ""), "system": named.first() or FIRST_NAME},
    )
    if request.method == "POST" and form.is_valid():
        path = _keep(form.cleaned_data["file"])
        about = form.cleaned_data["about"]
        request.session[UPLOADED] = {
            "shop": seat.shop.pk,
            "path": str(path),
            "about": about,
            "system": form.cleaned_data["system"],
        }
        refused = _why_refused(path, seat, about=about)
        if not refused:
            return redirect("web:import_columns", seat.shop.slug)
        if refused == "encoding_unsure":
            return _ask_encoding(request, seat, EncodingForm(None, path=path), path)
        shutil.rmtree(path.parent)
        form.add_error("file", reason_words(refused))
    status = 422 if form.errors else 200
    return _show(request, seat, "file", status, form=form, step_label=_("Continue"))


def _why_refused(path: Path, seat: Seat, encoding: str = "", about: str = "") -> str:
    try:
        propose(path, seat.shop, encoding=encoding, about=about)
    except FileRefused as refused:
        return str(refused)
    return ""


def _choose_encoding(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Read the file that was uploaded already by the letters that a person chose."""
    path = _uploaded(request, seat)
    if path is None:
        messages.warning(request, reason_words("file_gone"))
        return redirect("web:import", seat.shop.slug)
    form = EncodingForm(request.POST, path=path)
    if form.is_valid():
        encoding = form.cleaned_data["encoding"]
        refused = _why_refused(path, seat, encoding, request.session[UPLOADED].get("about", ""))
        if not refused:
            request.session[UPLOADED] = {**request.session[UPLOADED], "encoding": encoding}
            return redirect("web:import_columns", seat.shop.slug)
        form.add_error("encoding", reason_words(refused))
    return _ask_encoding(request, seat, form, path)


def _ask_encoding(request: StaffRequest, seat: Seat, form: EncodingForm, path: Path) -> HttpResponse:
    more = {"form": form, "kept_name": path.name, "other_url": request.path, "step_label": _("Continue")}
    return _show(request, seat, "encoding", 422, **more)


def _keep(file: Any) -> Path:
    """Keep an uploaded file where the worker reads it, and delete those that have had their time."""
    folder = Path(settings.MEDIA_ROOT) / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    oldest = (real_now() - KEPT).timestamp()
    for old in folder.iterdir():
        if old.stat().st_mtime < oldest:
            shutil.rmtree(old, ignore_errors=True)
    place = folder / uuid4().hex
    place.mkdir(mode=0o700)
    path = place / get_valid_filename(file.name or "orders.csv")[-120:]
    with path.open("xb") as kept:
        for block in file.chunks():
            kept.write(block)
    return path


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_INTAKE)
def columns(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Ask what the columns mean, as far as the file does not say it; then try it."""
    path = _uploaded(request, seat)
    if path is None:
        messages.warning(request, reason_words("file_gone"))
        return redirect("web:import", seat.shop.slug)
    try:
        kept = request.session[UPLOADED]
        plan = propose(path, seat.shop, encoding=kept.get("encoding", ""), about=kept.get("about", ""))
    except FileRefused as refused:  # whoever comes here without saying how the file is written
        messages.warning(request, reason_words(str(refused)))
        return redirect("web:import", seat.shop.slug)
    status_column = request.POST.get("column_status", plan.columns.get("status", ""))
    words_of = plan
    if status_column in plan.header and status_column:
        words_of = replace(plan, columns={**plan.columns, "status": status_column})
    form = PlanForm(request.POST or None, plan=plan, unknown=unknown_states(path, words_of))
    if request.method == "POST" and form.is_valid() and form.asks_more():
        form.add_error(None, _("Say what the words of this column mean."))
    elif request.method == "POST" and form.is_valid():
        try:
            source = file_source(seat.shop, kept.get("system", ""), now=request.now)
            run = request_import(
                source, path, form.told(), now=request.now, is_dry_run=True, user_id=seat.user.pk
            )
        except PlanIncomplete as incomplete:
            for reason in incomplete.reasons:
                form.add_error(None, reason_words(reason))
        else:
            return redirect("web:import_run", seat.shop.slug, run.pk)
    status = 422 if form.errors else 200
    heads = _columns(path, plan)
    return _show(request, seat, "columns", status, columns=heads, form=form, step_label=_("Try it"))


def _uploaded(request: StaffRequest, seat: Seat) -> Path | None:
    kept = request.session.get(UPLOADED) or {}
    path = Path(kept.get("path", "/"))
    return path if kept.get("shop") == seat.shop.pk and path.is_file() else None


def _columns(path: Path, plan: Plan) -> list[tuple[str, str]]:
    """Return every column with its first values."""
    first = [
        row for _no, row in islice(rows(path, Form(plan.encoding, plan.delimiter, plan.header)), SAMPLES)
    ]
    return [
        (name, " · ".join(row[place][:60] for row in first if place < len(row) and row[place]))
        for place, name in enumerate(plan.header)
        if name
    ]


@staff(Right.MANAGE_INTAKE)
def run(request: StaffRequest, seat: Seat, run_id: int) -> HttpResponse:
    """Show how far an import is, and what came of it."""
    one = _get(seat, run_id)
    if one.state in {ImportRun.State.WAITING, ImportRun.State.RUNNING}:
        done = _("%(rows)s lines read") % {"rows": one.rows}
        whole: dict[str, Any] = {
            "progress_value": one.rows,
            "progress_whole": max(_lines(one), 1),
            "progress_done": done,
        }
        return _show(request, seat, "running", **whole)
    if one.state == ImportRun.State.FAILED:
        report = [CheckRow(one.file_name, "failed", _("Not imported"), reason_words(one.trouble))]
        return _show(request, seat, "done", report=report)
    slug, is_products = seat.shop.slug, _is_products(one)
    refused = ImportRefusal.objects.filter(shop=seat.shop, run=one).order_by("row_no")[:SHOWN_REFUSALS]
    new = _("Orders that would be new") if one.is_dry_run else _("Orders that are new")
    known, orders_url = _("Known before"), reverse("web:orders", args=[slug]) + "?v=all"
    if is_products:
        new = _("Products that would be new") if one.is_dry_run else _("Products that are new")
        known, orders_url = _("Products that get the cost of the file"), reverse("web:costs", args=[slug])
    shown: dict[str, Any] = {
        "counts": [(new, one.created), (known, one.known), (_("Refused"), one.refused)],
        "report": [_refusal(row, is_products=is_products) for row in refused],
        "errors_url": reverse("web:import_refused", args=[slug, one.pk]) if one.refused else "",
        "orders_url": orders_url,
        "orders_label": _("Look at the products") if is_products else _("Look at the orders"),
    }
    if one.is_dry_run:
        shown |= {
            "start_url": reverse("web:import_start", args=[slug, one.pk]),
            "can_start": one.created + one.known,
        }
    return _show(request, seat, "dry_run" if one.is_dry_run else "done", **shown)


def _get(seat: Seat, run_id: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.filter(shop=seat.shop), pk=run_id)


def _lines(one: ImportRun) -> int:
    """Return how many lines the file has, as far as a quick look tells."""
    try:
        with Path(one.file_path).open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return one.rows


def _is_products(one: ImportRun) -> bool:
    return bool(one.plan.get("about") == products.ABOUT)


def _refusal(row: ImportRefusal, *, is_products: bool) -> CheckRow:
    title = _("Line %(line)s: %(product)s") % {"line": row.row_no, "product": row.ref or "–"}
    if is_products:
        return CheckRow(title, "failed", _("Refused"), reason_words(row.reason))
    title = _("Line %(line)s: order %(order)s") % {"line": row.row_no, "order": row.ref or "–"}
    return CheckRow(title, "failed", _("Refused"), reason_words(row.reason))


@require_POST
@staff(Right.MANAGE_INTAKE)
def start(request: StaffRequest, seat: Seat, run_id: int) -> HttpResponse:
    """Import what was tried; pressing twice imports once."""
    tried = _get(seat, run_id)
    path = Path(tried.file_path)
    if not tried.is_dry_run or tried.state != ImportRun.State.DONE:
        raise Http404
    if not path.is_file():
        messages.error(request, reason_words("file_gone"))
        return redirect("web:import", seat.shop.slug)
    plan = plan_from_json(tried.plan)
    begun = request_import(tried.source, path, plan, now=request.now, user_id=seat.user.pk)
    request.session.pop(UPLOADED, None)
    note(seat, request, "shops.import.started", file=tried.file_name, run=begun.pk)
    return redirect("web:import_run", seat.shop.slug, begun.pk)


@staff(Right.MANAGE_INTAKE)
def refused(request: StaffRequest, seat: Seat, run_id: int) -> HttpResponse:  # noqa: ARG001 - shape of a view
    """Download the lines that could not be used, with the reason of each."""
    one = _get(seat, run_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="refused-{one.pk}.csv"'
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow([_("Line"), _("Product") if _is_products(one) else _("Order"), _("Reason")])
    for row in ImportRefusal.objects.filter(shop=seat.shop, run=one).order_by("row_no").iterator():
        writer.writerow([row.row_no, plain_cell(row.ref), plain_cell(reason_words(row.reason))])
    return response
