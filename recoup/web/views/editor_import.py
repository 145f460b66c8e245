"""The file of a process, and a process from a file: what it names is mapped, its examples run (J10)."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.catalog.queries import product_names, products_called
from recoup.messaging.carrying import CarriedText, NoFreeKey, is_same
from recoup.messaging.carrying import take_in as take_in_text
from recoup.messaging.models import Template
from recoup.messaging.shipped import KEYS, READY_KEYS
from recoup.messaging.templates import TemplateNotPublishable
from recoup.processes import drafts
from recoup.processes.drafts import NameRefused
from recoup.processes.examples import run_examples
from recoup.processes.files import ProcessFile, read_file, write_file
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.replacing import NUMBERED, Named, left_open, names_in, replace_names
from recoup.processes.models import Process
from recoup.processes.naming import LONGEST_NAME, own_names
from recoup.processes.texts import template_keys
from recoup.shops.access import Seat
from recoup.shops.models import Membership, Shop
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.processes import FROM_FILE, Asked, MappingForm, ProcessFileForm
from recoup.web.parts import Link, Words
from recoup.web.shown.examples import ExampleList, told
from recoup.web.views.editor import get_process
from recoup.web.views.editor_forms import asks_again, name_refused
from recoup.web.words import blocks as block_words
from recoup.web.words.steps import process_name
from recoup.web.words.texts import text_name


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
    is_again = asks_again(request.POST)
    form = MappingForm(
        None if is_first else request.POST,
        shop=seat.shop,
        asked=list(_asked(seat.shop, file)),
        is_confirmed=examples is None or examples.hold,
        initial={"name": file.document.name, "content": content},
        again=is_again,
    )
    if not (is_first or is_again) and form.is_valid():
        try:
            made = _make(request, seat, file, form)
        except NameRefused as refused:
            form.add_error("name", name_refused(refused.code))
        except _TextRefused as refused:
            form.add_error(refused.name, refused.why)
        else:
            messages.success(request, _("It is taken in and does not run. Look at it, then publish it."))
            return see_other(place(seat, "process_edit", made.pk))
    context = {
        "crumb_links": _crumbs(seat),
        "form": form,
        "step": "map",
        "examples": examples,
        "problems": len(file.problems),
    }
    return render(request, "web/process_import.html", context, status=422 if form.errors else 200)


def _examples(shop: Shop, file: ProcessFile) -> ExampleList | None:
    if not file.document.examples or file.problems:
        return None  # what cannot be carried out cannot be played through
    names = {one.key: text_name(one) for one in Template.objects.filter(shop=shop)}
    names |= {key: text.name for key, text in file.texts.items()}
    return told(run_examples(file.document), names)


def _asked(shop: Shop, file: ProcessFile) -> Iterator[Asked]:
    """Yield what has to be settled: texts that are not here or differ, and whatever else the file names.

    A number means nothing in another shop, even where one of ours has it: what is proposed has the same name.
    """
    doc = file.document.as_json()
    named = names_in(doc)
    yield from _asked_texts(shop, file, _channels_of_texts(doc))
    yield from _asked_products(shop, file, named[Named.PRODUCT])
    for kind, own in own_names(shop).items():
        choices: list[tuple[str, Words]] = [("", _("leave it open for now"))]
        choices += sorted(_labels(shop, kind, own).items(), key=lambda one: str(one[1]).casefold())
        for key in sorted(named[kind], key=lambda key: (len(key), key)):
            called = file.names.get(kind, {}).get(key, "")
            label = called or _("number %(number)s") % {"number": key}
            yield Asked(kind, key, label, choices, _only_one(called, own))


def _labels(shop: Shop, kind: Named, own: Mapping[str, str]) -> Mapping[str, str]:
    """Return how this shop's own things are shown: colleagues without a name by their address."""
    if kind is Named.PERSON:
        rows = Membership.objects.filter(shop=shop).select_related("user")
        return {str(one.user_id): str(one.user) for one in rows}
    return {key: process_name(None, name) if kind is Named.PROCESS else name for key, name in own.items()}


def _only_one(called: str, own: Mapping[str, str]) -> str:
    """Return the only one of this shop that is called so, or nothing."""
    alike = [key for key, name in own.items() if called and name.casefold() == called.casefold()]
    return alike[0] if len(alike) == 1 else ""


def _asked_products(shop: Shop, file: ProcessFile, refs: Set[str]) -> Iterator[Asked]:
    """Yield the products that are not here under their reference, or are another product by their name."""
    own = product_names(shop, refs)
    names = file.names.get(Named.PRODUCT, {})
    asked = [
        ref
        for ref in sorted(refs)
        if not (ref in own and ref in names and own[ref][:LONGEST_NAME] == names[ref])
    ]
    alike = products_called(shop, [names[ref] for ref in asked if ref in names])
    for ref in asked:
        found = alike.get(names.get(ref, ""), [])
        yield Asked(Named.PRODUCT, ref, names.get(ref, ref), chosen=found[0] if len(found) == 1 else "")


def _asked_texts(shop: Shop, file: ProcessFile, channels: Mapping[str, str]) -> Iterator[Asked]:
    known = template_keys(shop)
    texts = list(Template.objects.filter(shop=shop, current_version__isnull=False).order_by("key"))
    for key, channel in sorted(channels.items()):
        carried = file.texts.get(key)
        own: list[tuple[str, Words]] = [(one.key, text_name(one)) for one in texts if one.channel == channel]
        if carried is not None and not is_same(shop, key, carried):
            choices = _text_choices(key, own)
            yield Asked(Named.TEXT, key, carried.name, choices, choices[0][0])
        elif carried is None and key not in known:
            yield Asked(Named.TEXT, key, key, [("", _("keep it as it is, and settle it later")), *own])
        elif carried is None and key not in (*KEYS, *READY_KEYS):  # ours of that key may say something else
            yield Asked(Named.TEXT, key, key, own, key)


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
        chosen = {kind: form.mapped(kind) for kind in Named}
        for name, field in form.taken().items():
            chosen[Named.TEXT][name] = _take_in_text(request, seat, name, file.texts[name], field)
        asked = {(one.kind, one.name) for one in form.asked.values()}

        def rename(kind: Named, value: Any) -> Any:
            key = str(value)
            if found := chosen[kind].get(key):
                return int(found) if kind in NUMBERED else found
            if kind is Named.TEXT or (kind, key) not in asked:
                return value
            return left_open(kind, file.names.get(kind, {}).get(key, key))

        mapped: Raw = replace_names(file.document.as_json(), rename)
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
