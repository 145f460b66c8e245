"""Texts of short messages: plain, counted in parts, with what a message costs; and new texts of one's own."""

from dataclasses import asdict
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.core.activity import Actor
from recoup.customers.models import Contact
from recoup.messaging import previews, templates
from recoup.messaging.classes import class_of_text
from recoup.messaging.models import Template
from recoup.messaging.rendering.saving import Problem, TemplateRefused, check_template
from recoup.messaging.rendering.tokens import Context, fields_of
from recoup.messaging.rendering.words import field_label
from recoup.messaging.rules.deciding import content_of
from recoup.messaging.sms.drafts import Bill, bill_of, problems_of
from recoup.messaging.templates import DraftText
from recoup.orders.models import Cart, Order
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.sms import NewTextForm, ShortTextForm
from recoup.web.parts import Link
from recoup.web.screens import Action
from recoup.web.views.settings import crumbs
from recoup.web.words.texts import text_name


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def new(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Make an empty text."""
    form = NewTextForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = _add(seat, form.cleaned_data)
        return redirect(place(seat, "text", made.key, seat.shop.locale))
    context = {
        "heading": _("New text"),
        "crumb_links": crumbs(seat, Link(_("Texts"), reverse("web:texts", args=[seat.shop.slug]))),
        "form": form,
        "units": {},
        "save_label": _("Write it"),
        "cancel_url": reverse("web:texts", args=[seat.shop.slug]),
    }
    return render(request, "web/settings/form.html", context, status=422 if form.errors else 200)


def _add(seat: Seat, typed: dict[str, str]) -> Template:
    """Add a text under a key made from its name; the index decides whether the key is free."""
    stem = slugify(typed["name"])[:50].replace("-", "_") or typed["channel"]
    number = 1
    while True:
        key = stem if number == 1 else f"{stem}_{number}"
        try:
            with transaction.atomic():
                return templates.add_template(
                    seat.shop, key=key, name=typed["name"], kind=typed["kind"], channel=typed["channel"]
                )
        except IntegrityError:
            number += 1


def edit(
    request: StaffRequest, seat: Seat, template: Template, locale: str, subject: Order | Cart | Contact | None
) -> HttpResponse:
    """Edit one short text in one language. What is saved is a draft; nothing sent changes until it is published."""
    drafts = templates.draft_texts(template)
    draft = drafts.get(locale)
    form = ShortTextForm(
        request.POST or None, initial={"lock": template.draft_lock, "body": draft.body if draft else ""}
    )
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        typed = DraftText(subject="", body=form.cleaned_data["body"])
        source = templates.template_source(template, locale, typed)
        texts = {**template.draft, locale: asdict(typed)}
        found = check_template(source, message_class=class_of_text(content_of(template.kind, texts)))
        for problem in found:
            if problem.blocking:
                line = _("Line %(line)s: ") % {"line": problem.line} if problem.line else ""
                form.add_error("body", f"{line}{problem.message}")
        if form.errors:
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
            except templates.TemplateChangedMeanwhile:
                form.add_error(
                    None,
                    _("Somebody else has saved this text since you opened it. Yours is still here, unsaved."),
                )
                status = 409
            else:
                messages.success(request, _("Saved as a draft. Publish it to use it."))
                return redirect(place(seat, "text", template.key, locale))
    context = _context(seat, template, locale, form, subject)
    return render(request, "web/settings/short_text.html", context, status=status)


def blocking(template: Template) -> list[str]:
    """Return the languages whose text is too long, or whose STOP nobody would hear."""
    return [
        locale
        for locale in templates.draft_texts(template)
        if any(problem.blocking for problem in _length(template, locale, None)[1])
    ]


def _length(
    template: Template, locale: str, subject: Order | Cart | Contact | None
) -> tuple[Bill | None, list[Problem]]:
    draft = templates.draft_texts(template).get(locale)
    if draft is None:
        return None, []
    try:
        written = previews.preview(template, locale, subject=subject).text
    except (TemplateRefused, previews.PreviewFailed, KeyError):
        return None, []
    bill = bill_of(template, written)
    return bill, problems_of(template, draft.body, bill)


def _context(
    seat: Seat, template: Template, locale: str, form: ShortTextForm, subject: Order | Cart | Contact | None
) -> dict[str, Any]:
    bill, problems = _length(template, locale, subject)
    fields = fields_of(cast("Context", template.kind))
    return {
        "heading": text_name(template),
        "crumb_links": crumbs(seat, Link(_("Texts"), reverse("web:texts", args=[seat.shop.slug]))),
        "language_links": [
            Link(name, place(seat, "text", template.key, code), is_on=code == locale)
            for code, name in settings.LANGUAGES
        ],
        "form": form,
        "tokens": [
            ("{{ " + field.path + " }}", field_label(field.path, field.purpose), "") for field in fields
        ],
        "bill": bill,
        "problems": problems,
        "test_url": place(seat, "text_test", template.key, locale),
        "test_to": seat.shop.phone,
        "actions": [
            Action(
                _("Publish"),
                icon="send",
                url=place(seat, "text_publish", template.key, locale),
                is_post=True,
                tone="primary",
                fields=[("lock", str(template.draft_lock))],
            )
        ],
    }
