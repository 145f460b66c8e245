"""New processes: from nothing, from a ready one, from a copy, from a file; and the file of one (J1, J10, J11)."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.catalog.models import Product
from recoup.messaging.models import Template
from recoup.processes import drafts
from recoup.processes.drafts import NameRefused
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.reading import read_json
from recoup.processes.graph.replacing import replace_names
from recoup.processes.graph.validation import load_process
from recoup.processes.queries import processes_of
from recoup.processes.shipped import SHIPPED, shipped_process
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.blocks.fields import product_names
from recoup.web.forms.processes import MappingForm, NewProcessForm, ProcessFileForm
from recoup.web.parts import Link, Words
from recoup.web.shown.editor import products_of
from recoup.web.views.editor import get_process
from recoup.web.views.editor_forms import name_refused
from recoup.web.words import blocks as block_words
from recoup.web.words import steps
from recoup.web.words.texts import text_name

MOST_PRODUCTS = 200


def _crumbs(seat: Seat, here: str) -> list[Link]:
    return [Link(_("Processes"), place(seat, "processes")), Link(here, "")]


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def new(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Make a process that is not published yet."""
    form = NewProcessForm(request.POST or None, starts=_starts(seat))
    if request.method == "POST" and form.is_valid():
        start = _start(seat, form.cleaned_data["start"])
        try:
            made = drafts.create_process(
                seat.shop, name=form.cleaned_data["name"], start=start, actor=actor_of(seat), now=request.now
            )
        except NameRefused as refused:
            form.add_error("name", name_refused(refused.code))
        else:
            return see_other(place(seat, "process_edit", made.pk))
    context = {
        "crumb_links": _crumbs(seat, _("New process")),
        "form": form,
        "import_url": place(seat, "process_import"),
    }
    return render(request, "web/process_new.html", context, status=422 if form.errors else 200)


def _starts(seat: Seat) -> list[tuple[str, Words]]:
    ready = {
        "unpaid_order": _("Ready: reminders of an order that stays unpaid"),
        "abandoned_cart": _("Ready: reminders of a cart that was left"),
    }
    own = [
        (f"process:{one.pk}", _("A copy of “%(name)s”") % {"name": steps.process_name(one)})
        for one in processes_of(seat.shop)
    ]
    return [
        ("nothing", _("Nothing: put the steps in yourself")),
        *((f"shipped:{key}", ready.get(key, key)) for key in SHIPPED),
        *own,
    ]


def _start(seat: Seat, chosen: str) -> Raw | None:
    kind, _colon, key = chosen.partition(":")
    if kind == "shipped":
        return shipped_process(key).as_json()
    return drafts.draft_of(get_process(seat, int(key))).doc if kind == "process" else None


@staff(Right.EDIT_PROCESSES)
def export(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:  # noqa: ARG001 - the shape of a view
    """Give a process as one file."""
    process = get_process(seat, process_id)
    doc = drafts.draft_of(process).doc
    answer = HttpResponse(json.dumps(doc, ensure_ascii=False, indent=2), content_type="application/json")
    name = slugify(doc["name"]) or f"process-{process.pk}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return answer


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def take_in(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Take a file in: what the shop does not have is mapped first, and nothing of it runs."""
    if "content" in request.POST:
        return _map(request, seat, request.POST["content"], is_first=False)
    form = ProcessFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            content = form.cleaned_data["file"].decode()
            load_process(read_json(content))
        except UnicodeDecodeError:
            form.add_error("file", _("This is not a process file."))
        except InvalidProcess as refused:
            for problem in refused.problems[:10]:
                form.add_error("file", f"{problem.path}: {block_words.problem(problem, {}, {})}".lstrip(": "))
        else:
            return _map(request, seat, content, is_first=True)
    context = {"crumb_links": _crumbs(seat, _("Import a process")), "form": form, "step": "file"}
    return render(request, "web/process_import.html", context, status=422 if form.errors else 200)


def _map(request: StaffRequest, seat: Seat, content: str, *, is_first: bool) -> HttpResponse:
    try:
        document = load_process(read_json(content))
    except InvalidProcess:
        messages.warning(request, _("This is not a process file."))
        return see_other(place(seat, "process_import"))
    doc = document.as_json()
    form = _mapping_form(None if is_first else request.POST, seat, doc, content)
    if not is_first and form.is_valid():
        mapped = replace_names(doc, form.mapped("text"), form.mapped("product"))
        try:
            made = drafts.create_process(
                seat.shop, name=form.cleaned_data["name"], start=mapped, actor=actor_of(seat), now=request.now
            )
        except NameRefused as refused:
            form.add_error("name", name_refused(refused.code))
        else:
            messages.success(request, _("It is taken in and does not run. Look at it, then publish it."))
            return see_other(place(seat, "process_edit", made.pk))
    context = {"crumb_links": _crumbs(seat, _("Import a process")), "form": form, "step": "map"}
    return render(request, "web/process_import.html", context, status=422 if form.errors else 200)


def _mapping_form(data: Any, seat: Seat, doc: Raw, content: str) -> MappingForm:
    texts = drafts.missing_texts(doc, drafts.template_keys(seat.shop))
    named = products_of(doc)
    products = sorted(named - set(product_names(seat.shop, named)))
    own_texts = Template.objects.filter(shop=seat.shop, current_version__isnull=False).order_by("key")
    own_products = Product.objects.filter(shop=seat.shop, is_deleted=False).order_by("name", "id")
    own: dict[str, list[tuple[str, Words]]] = {
        "text": [(one.key, text_name(one)) for one in own_texts],
        "product": [(one.ref, one.name) for one in own_products[: MOST_PRODUCTS if products else 0]],
    }
    initial = {"name": doc["name"], "content": content}
    return MappingForm(data, texts=texts, products=products, own=own, initial=initial)
