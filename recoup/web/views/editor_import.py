"""The file of a process, and a process from a file: its texts and products are mapped, its examples run (J10)."""

from collections.abc import Iterator

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.catalog.models import Product
from recoup.messaging.carrying import CarriedText, NoFreeKey, is_same
from recoup.messaging.carrying import take_in as take_in_text
from recoup.messaging.models import Template
from recoup.messaging.templates import TemplateNotPublishable
from recoup.processes import drafts
from recoup.processes.drafts import NameRefused
from recoup.processes.examples import run_examples
from recoup.processes.files import ProcessFile, read_file, write_file
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.replacing import replace_names
from recoup.processes.models import Process
from recoup.processes.texts import template_keys
from recoup.shops.access import Seat
from recoup.shops.models import Shop
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.blocks.fields import product_names
from recoup.web.forms.processes import FROM_FILE, Asked, MappingForm, ProcessFileForm
from recoup.web.parts import Link, Words
from recoup.web.shown.editor import products_of
from recoup.web.shown.examples import ExampleList, told
from recoup.web.views.editor import get_process
from recoup.web.views.editor_forms import name_refused
from recoup.web.words import blocks as block_words
from recoup.web.words.texts import text_name

MOST_PRODUCTS = 200


class _TextRefused(Exception):
    """A text of the file may not be published: which one, and why."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name, self.why = name, why


@staff(Right.EDIT_PROCESSES)
def export(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:  # noqa: ARG001 - the shape of a view
    """Give a process with its texts and examples as one file."""
    process = get_process(seat, process_id)
    doc = drafts.draft_of(process).doc
    answer = HttpResponse(write_file(seat.shop, doc), content_type="application/json")
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
            read_file(content)
        except UnicodeDecodeError:
            form.add_error("file", _("This is not a process file."))
        except InvalidProcess as refused:
            for problem in refused.problems[:10]:
                form.add_error("file", f"{problem.path}: {block_words.problem(problem, {}, {})}".lstrip(": "))
        else:
            return _map(request, seat, content, is_first=True)
    context = {"crumb_links": _crumbs(seat), "form": form, "step": "file"}
    return render(request, "web/process_import.html", context, status=422 if form.errors else 200)


def _crumbs(seat: Seat) -> list[Link]:
    return [Link(_("Processes"), place(seat, "processes")), Link(_("Import a process"), "")]


def _map(request: StaffRequest, seat: Seat, content: str, *, is_first: bool) -> HttpResponse:
    try:
        file = read_file(content)
    except InvalidProcess:
        messages.warning(request, _("This is not a process file."))
        return see_other(place(seat, "process_import"))
    examples = _examples(seat.shop, file)
    form = MappingForm(
        None if is_first else request.POST,
        asked=list(_asked(seat.shop, file)),
        is_confirmed=examples is None or examples.hold,
        initial={"name": file.document.name, "content": content},
    )
    if not is_first and form.is_valid():
        try:
            made = _make(request, seat, file, form)
        except NameRefused as refused:
            form.add_error("name", name_refused(refused.code))
        except _TextRefused as refused:
            form.add_error(refused.name, refused.why)
        else:
            messages.success(request, _("It is taken in and does not run. Look at it, then publish it."))
            return see_other(place(seat, "process_edit", made.pk))
    context = {"crumb_links": _crumbs(seat), "form": form, "step": "map", "examples": examples}
    return render(request, "web/process_import.html", context, status=422 if form.errors else 200)


def _examples(shop: Shop, file: ProcessFile) -> ExampleList | None:
    if not file.document.examples:
        return None
    names = {one.key: text_name(one) for one in Template.objects.filter(shop=shop)}
    names |= {key: text.name for key, text in file.texts.items()}
    return told(run_examples(file.document), names)


def _asked(shop: Shop, file: ProcessFile) -> Iterator[Asked]:
    """Yield what has to be settled: texts of the file that differ from ours, texts and products that are not here."""
    doc = file.document.as_json()
    known = template_keys(shop)
    texts = list(Template.objects.filter(shop=shop, current_version__isnull=False).order_by("key"))
    for key, channel in sorted(_channels_of_texts(doc).items()):
        carried = file.texts.get(key)
        own: list[tuple[str, Words]] = [(one.key, text_name(one)) for one in texts if one.channel == channel]
        if carried is not None and not is_same(shop, key, carried):
            yield Asked("text", key, _text_choices(key, own), carried.name)
        elif carried is None and key not in known:
            yield Asked("text", key, [("", _("keep it as it is, and settle it later")), *own])
    named = products_of(doc)
    missing = sorted(named - set(product_names(shop, named)))
    if missing:
        products = Product.objects.filter(shop=shop, is_deleted=False).order_by("name", "id")
        goods: list[tuple[str, Words]] = [(one.ref, one.name) for one in products[:MOST_PRODUCTS]]
        for ref in missing:
            yield Asked("product", ref, [("", _("keep it as it is, and settle it later")), *goods])


def _channels_of_texts(doc: Raw) -> dict[str, str]:
    """Return the texts that a document sends with the channel that each goes out by: no other kind of text will do."""
    sends = [node for node in doc["nodes"].values() if node["t"] == "send"]
    ways = [way for node in sends for way in (node, *node.get("otherwise", ()))]
    return {str(way["template"]): str(way.get("channel", "email")) for way in ways}


def _text_choices(key: str, own: list[tuple[str, Words]]) -> list[tuple[str, Words]]:
    """Return what can be done about a text that came with the file; one that is here already is never written over."""
    if mine := dict(own).get(key):
        others = [one for one in own if one[0] != key]
        return [
            (key, _("use yours as it is: “%(name)s”") % {"name": mine}),
            (FROM_FILE, _("take the one from the file too, as a second text")),
            *others,
        ]
    return [(FROM_FILE, _("take it from the file")), *own]


def _make(request: StaffRequest, seat: Seat, file: ProcessFile, form: MappingForm) -> Process:
    """Make the texts that are taken from the file, then the process: all of it, or nothing."""
    with transaction.atomic():
        texts = form.mapped("text")
        for name, field in form.taken().items():
            texts[name] = _take_in_text(request, seat, name, file.texts[name], field)
        mapped: Raw = replace_names(file.document.as_json(), texts, form.mapped("product"))
        return drafts.create_process(
            seat.shop, name=form.cleaned_data["name"], start=mapped, actor=actor_of(seat), now=request.now
        )


def _take_in_text(request: StaffRequest, seat: Seat, key: str, carried: CarriedText, field: str) -> str:
    actor, now = actor_of(seat), request.now
    # Without the shop's own language it waits as a draft for a translation; the process shows it as a problem until then.
    is_complete = seat.shop.locale in carried.words
    try:
        return take_in_text(seat.shop, key, carried, actor=actor, now=now, is_published=is_complete).key
    except TemplateNotPublishable as refused:
        lines = [
            _("%(language)s, line %(line)d: %(problem)s")
            % {"language": locale, "line": problem.line, "problem": problem.message}
            for locale, problems in refused.problems.items()
            for problem in problems
            if problem.blocking
        ]
        raise _TextRefused(field, " ".join(lines[:5])) from refused
    except NoFreeKey as refused:
        raise _TextRefused(
            field, _("You have too many texts of this name. Choose one of yours.")
        ) from refused
