"""Texts: what reminders say, a language a tab, with their problems, a preview and a test (D1, D12, D18)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.core.activity import Actor
from recoup.customers.models import Contact
from recoup.messaging import previews, templates
from recoup.messaging.classes import class_of_text
from recoup.messaging.models import ChannelKind, Template
from recoup.messaging.promotion import words_of_texts
from recoup.messaging.rendering.saving import Problem, TemplateRefused, check_template
from recoup.messaging.rendering.tokens import Context, fields_of
from recoup.messaging.rendering.words import field_label
from recoup.messaging.rules.book import book_of
from recoup.messaging.rules.deciding import content_of, offer_tokens
from recoup.messaging.rules.kinds import Content
from recoup.messaging.rules.reach import Saying, is_forbidden_everywhere
from recoup.messaging.templates import DraftText
from recoup.orders.models import Cart, Order
from recoup.processes.graph.texts_used import keys_of_texts
from recoup.processes.lawful import barred_by_text
from recoup.processes.models import Process
from recoup.processes.queries import processes_of
from recoup.processes.texts import draft_saying, running_users
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.settings import TextForm
from recoup.web.frames import framed_mail
from recoup.web.keeping_screens import TemplateRow
from recoup.web.listing import Address, with_query
from recoup.web.parts import Link
from recoup.web.screens import Action
from recoup.web.shown.previewed import chooser, subject_of
from recoup.web.views import short_texts
from recoup.web.views.settings import crumbs
from recoup.web.views.trials import send_and_tell
from recoup.web.words import blocks as block_words
from recoup.web.words import steps
from recoup.web.words.days import draft_warning
from recoup.web.words.reach import warnings_of
from recoup.web.words.texts import because_words, content_words, text_name, with_channel

_PLACES = {"subject": "subject", "html": "body", "text": "text"}


def _class_words(template: Template) -> str:
    return content_words(content_of(template.kind, template.draft))


def _why_advertising(template: Template) -> list[str]:
    """Return which words, in which language, make the draft advertising."""
    names = dict(settings.LANGUAGES)
    fields = [f"{{{{ {token} }}}}" for token in offer_tokens(template.draft)]
    reasons = [because_words(fields)] if fields else []
    for locale, words in words_of_texts(template.draft).items():
        reasons.append(because_words(words, language=str(names.get(locale, locale))))
    return reasons


@staff(Right.SEE_PROCESSES)
def texts(request: StaffRequest, seat: Seat) -> HttpResponse:
    """List the texts of the shop."""
    found = Template.objects.filter(shop=seat.shop).select_related("current_version").order_by("kind", "key")
    used = _users(seat)
    rows = []
    for one in found:
        drafts = templates.draft_texts(one)
        shown = (
            drafts.get(seat.user.language)
            or drafts.get(seat.shop.locale)
            or next(iter(drafts.values()), None)
        )
        rows.append(
            TemplateRow(
                name=with_channel(text_name(one), one.channel),
                url=reverse("web:text", args=[seat.shop.slug, one.key, seat.shop.locale]),
                subject=(shown.subject or shown.body[:80]) if shown else "",
                languages=[name for code, name in settings.LANGUAGES if code in drafts],
                message_class=_class_words(one),
                used_in=", ".join(used.get(one.key, ())),
                changed_at=one.current_version.published_at if one.current_version else None,
                problem="" if one.current_version else _("Not published"),
            )
        )
    new_url = place(seat, "text_new") if seat.may(Right.EDIT_PROCESSES) else ""
    return render(
        request, "web/settings/texts.html", {"crumb_links": crumbs(seat), "rows": rows, "new_url": new_url}
    )


def _users(seat: Seat) -> dict[str, list[str]]:
    """Return which processes send a text, by its key."""
    users: dict[str, list[str]] = {}
    for process in processes_of(seat.shop):
        nodes = process.current_version.doc["nodes"].values() if process.current_version is not None else ()
        for key in sorted({key for node in nodes if node["t"] == "send" for key in keys_of_texts(node)}):
            users.setdefault(key, []).append(steps.process_name(process))
    return users


def _template(seat: Seat, key: str, locale: str) -> Template:
    if locale not in dict(settings.LANGUAGES):
        raise Http404
    return get_object_or_404(Template.objects.filter(shop=seat.shop).select_related("shop"), key=key)


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def text(request: StaffRequest, seat: Seat, key: str, locale: str) -> HttpResponse:
    """Edit one text in one language. What is saved is a draft; nothing sent changes until it is published."""
    template, address = _template(seat, key, locale), Address(request)
    subject = subject_of(seat, template, address.get("as"))
    if template.channel == ChannelKind.SMS:
        return short_texts.edit(request, seat, template, locale, subject)
    drafts = templates.draft_texts(template)
    draft = drafts.get(locale)
    initial: dict[str, Any] = {"lock": template.draft_lock}
    if draft is not None:
        initial |= {
            "subject": draft.subject,
            "preheader": draft.preheader,
            "body": draft.body,
            "text": draft.text,
        }
    form = TextForm(request.POST or None, initial=initial)
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        typed = DraftText(
            **{name: form.cleaned_data[name] for name in ("subject", "body", "preheader", "text")}
        )
        if _add_problems(form, _problems(template, locale, typed)):
            status = 422
        else:
            try:
                templates.save_draft(
                    template,
                    {**drafts, locale: typed},
                    expected_lock=form.cleaned_data["lock"],
                    now=request.now,
                    actor=Actor("person", seat.user.pk),
                )
            except templates.TemplateChangedMeanwhile as conflict:
                theirs = templates.draft_texts(conflict.template).get(locale)
                _show_conflict(form, theirs)
                status = 409
            else:
                messages.success(request, _("Saved as a draft. Publish it to use it."))
                return redirect(_url(seat, "text", key, locale, subject))
    context = _context(seat, template, locale, form, subject)
    context["chooser"] = chooser(seat, template, subject, address.get("find").strip(), context["sample_url"])
    return render(request, "web/settings/text.html", context, status=status)


def _url(seat: Seat, name: str, key: str, locale: str, subject: Order | Cart | Contact | None = None) -> str:
    """Return an address of a text, as it is shown to somebody."""
    shown_as = {"as": subject.pk} if subject is not None else {}
    return with_query(place(seat, name, key, locale), shown_as)


def _problems(template: Template, locale: str, typed: DraftText) -> list[Problem]:
    source = templates.template_source(template, locale, typed)
    texts = {**template.draft, locale: asdict(typed)}
    return check_template(source, message_class=class_of_text(content_of(template.kind, texts)))


def _add_problems(form: forms.Form, problems: list[Problem]) -> bool:
    """Put every problem to its field with its line; tell whether one forbids saving."""
    for problem in problems:
        if problem.blocking:
            line = _("Line %(line)s: ") % {"line": problem.line} if problem.line else ""
            form.add_error(_PLACES.get(problem.place), f"{line}{problem.message}")
    return any(problem.blocking for problem in problems)


def _show_conflict(form: forms.Form, theirs: DraftText | None) -> None:
    form.add_error(
        None, _("Somebody else has saved this text since you opened it. Yours is still here, unsaved.")
    )
    if theirs is not None:
        form.add_error("subject", _("Theirs: %(text)s") % {"text": theirs.subject})
        form.add_error("body", format_html("<pre>{}</pre>", theirs.body[:4000]))


def _context(
    seat: Seat, template: Template, locale: str, form: forms.Form, subject: Order | Cart | Contact | None
) -> dict[str, Any]:
    slug = seat.shop.slug

    def url(name: str, language: str = locale) -> str:
        return _url(seat, name, template.key, language, subject)

    fields = fields_of(cast("Context", template.kind))
    publish = Action(
        _("Publish"),
        icon="send",
        url=url("text_publish"),
        is_post=True,
        tone="primary",
        fields=[("lock", str(template.draft_lock))],
    )
    return {
        "heading": text_name(template),
        "crumb_links": crumbs(seat, Link(_("Texts"), reverse("web:texts", args=[slug]))),
        "language_links": [
            Link(name, url("text", code), is_on=code == locale) for code, name in settings.LANGUAGES
        ],
        "form": form,
        "message_class": _class_words(template),
        "why_advertising": _why_advertising(template),
        "says_day": draft_warning(template.draft),
        "tokens": [
            ("{{ " + field.path + " }}", field_label(field.path, field.purpose), "") for field in fields
        ],
        "preview_url": url("text_preview"),
        "sample_url": _url(seat, "text", template.key, locale),
        "test_url": url("text_test"),
        "test_to": seat.user.email,
        "save_label": _("Save the draft"),
        "text_part": _plain(template, locale, subject),
        "actions": [publish],
    }


def _plain(template: Template, locale: str, subject: Order | Cart | Contact | None) -> str:
    try:
        return previews.preview(template, locale, subject=subject).text
    except (TemplateRefused, previews.PreviewFailed, KeyError):
        return ""


@staff(Right.SEE_PROCESSES)
def preview(request: StaffRequest, seat: Seat, key: str, locale: str) -> HttpResponse:
    """Answer the draft as a buyer would get it, for a sandboxed frame; its links lead nowhere."""
    template = _template(seat, key, locale)
    subject = subject_of(seat, template, request.GET.get("as", ""))
    try:
        shown = previews.preview(template, locale, subject=subject)
    except KeyError:
        return framed_mail(format_html("<p>{}</p>", _("There is no text in this language yet.")))
    except TemplateRefused:
        return framed_mail(format_html("<p>{}</p>", _("The text has problems; see the fields.")))
    except previews.PreviewFailed as failed:
        return framed_mail(format_html("<p>{}</p>", str(failed)))
    return framed_mail(shown.html)


@require_POST
@staff(Right.EDIT_PROCESSES)
def send_test(request: StaffRequest, seat: Seat, key: str, locale: str) -> HttpResponse:
    """Send the draft to an address of one's own; it counts nowhere (D18)."""
    template = _template(seat, key, locale)
    subject = subject_of(seat, template, request.GET.get("as", ""))
    to = request.POST.get("to", "")
    send_and_tell(
        request,
        template.channel,
        lambda: previews.send_test(template, locale, to, now=request.now, subject=subject),
    )
    return redirect(_url(seat, "text", key, locale, subject))


def _barred(users: Sequence[Process], template: Template, saying: Saying, *, now: datetime) -> str:
    """Return why a running process could write to nobody any more with the draft of a text; nothing if it could."""
    for user in users:
        if found := barred_by_text(user, template.key, saying, now=now):
            sentence = block_words.problem(found, {}, {template.key: text_name(template)})
            return f"{steps.process_name(user)}: {sentence}"
    return ""


@require_POST
@staff(Right.EDIT_PROCESSES)
def publish(request: StaffRequest, seat: Seat, key: str, locale: str) -> HttpResponse:
    """Publish the draft in all its languages; messages written before keep their text."""
    template = _template(seat, key, locale)
    lock = request.POST.get("lock", "")
    if template.channel == ChannelKind.SMS and (refused_in := short_texts.blocking(template)):
        languages = ", ".join(sorted(refused_in))
        messages.error(
            request, _("It cannot be published: look at %(languages)s.") % {"languages": languages}
        )
        return redirect("web:text", seat.shop.slug, key, locale)
    users, saying = running_users(template), draft_saying(template)
    if users and is_forbidden_everywhere(book_of(seat.shop.pk, now=request.now), saying):
        words = _(
            "The sending rules of this shop forbid %(content)s in every country, and %(processes)s sends it."
        )
        names = ", ".join(steps.process_name(one) for one in users)
        messages.error(request, words % {"content": Content(saying.content).label, "processes": names})
        return redirect("web:text", seat.shop.slug, key, locale)
    if barred := _barred(users, template, saying, now=request.now):
        messages.error(request, barred)
        return redirect("web:text", seat.shop.slug, key, locale)
    try:
        done = templates.publish(
            template,
            expected_lock=int(lock) if lock.isdigit() else -1,
            now=request.now,
            actor=Actor("person", seat.user.pk),
        )
    except templates.TemplateChangedMeanwhile:
        messages.error(
            request, _("Somebody else has saved this text since you opened it. Look at it, then publish.")
        )
    except templates.TemplateNotPublishable as refused:
        languages = ", ".join(sorted(refused.problems)) or refused.missing
        messages.error(
            request, _("It cannot be published: look at %(languages)s.") % {"languages": languages}
        )
    else:
        messages.success(request, _("Published. New messages use it from now on."))
        for warning in warnings_of(seat.shop, [saying], now=request.now) if users else ():
            messages.warning(request, warning)
        if done.missing_locales:
            names = ", ".join(done.missing_locales)
            messages.warning(
                request,
                _("No text in: %(names)s. These fall back to the shop's language.") % {"names": names},
            )
    return redirect("web:text", seat.shop.slug, key, locale)
