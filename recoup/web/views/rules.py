"""Sending rules: what a message is by law, country by country, with the source beside each, and how a shop changes them."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.models import User
from recoup.accounts.roles import Right
from recoup.messaging.models import SendingRule
from recoup.messaging.rules.book import Cell, Class, RuleBook, book_of
from recoup.messaging.rules.changing import change_ground, change_rule
from recoup.messaging.rules.kinds import Content, Relation
from recoup.messaging.rules.law import CHECKED, COUNTRIES, LAW, OTHER
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.rules import RuleForm
from recoup.web.keeping_screens import RuleCell, RuleChange, RuleCountry, RuleRow
from recoup.web.parts import Link
from recoup.web.views.settings import crumbs
from recoup.web.words.reach import country_name
from recoup.web.words.texts import verdict_words

OTHERS = "other"  # in an address
_MOST_CHANGES = 20


@staff(Right.MANAGE_SHOP)
def rules(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show the whole table that is in force."""
    book = book_of(seat.shop.pk)
    context = {
        "crumb_links": crumbs(seat),
        "countries": [_country(seat, book, country) for country in COUNTRIES],
        "relations": [Relation(relation).label for relation in Relation.values],
        "checked": CHECKED,
        "has_ground": book.has_ground,
        "ground_url": place(seat, "rules_ground"),
    }
    return render(request, "web/settings/rules.html", context)


def _country(seat: Seat, book: RuleBook, country: str) -> RuleCountry:
    rows = [_row(seat, book, country, content) for content in Content.values]
    return RuleCountry(name=country_name(country), rows=rows, warning=_warning(book, country))


def _warning(book: RuleBook, country: str) -> str:
    """Say what strangers get there without consent; mails alone, for any other channel needs it everywhere."""
    free = (Class.SOFT_OPT_IN, Class.CONTRACT)
    found = [
        Content(content).label
        for content in (Content.CART, Content.ADVERTISING)
        if book.verdict(country, content, Relation.NEITHER) in free
    ]
    if not found:
        return ""
    return _(
        "By mail, this goes out here without anybody's consent, until the person refuses: %(contents)s. SMS need consent all"
        " the same. Change it if you write only to people who agreed."
    ) % {"contents": "; ".join(str(one) for one in found)}


def _row(seat: Seat, book: RuleBook, country: str, content: str) -> RuleRow:
    found = [book.rule(country, content, relation) for relation in Relation.values]
    return RuleRow(
        content=Content(content).label,
        cells=[
            RuleCell(
                label=verdict_words(rule.verdict),
                shipped=verdict_words(rule.shipped) if rule.is_own else "",
                at=rule.change.changed_at if rule.change and rule.is_own else None,
            )
            for rule in found
        ],
        source=LAW[country, content].source,
        url=place(seat, "rule", country or OTHERS, content),
    )


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def rule(request: StaffRequest, seat: Seat, country: str, content: str) -> HttpResponse:
    """Change what is in force in a country for one kind of content."""
    code = OTHER if country == OTHERS else country
    if (code, content) not in LAW:
        raise Http404
    book = book_of(seat.shop.pk)
    in_force = {relation: book.rule(code, content, relation) for relation in Relation.values}
    form = RuleForm(request.POST or None, rules=in_force)
    if request.method == "POST" and form.is_valid():
        changed = [
            change_rule(
                seat.shop,
                Cell(code, content, relation),
                form.cleaned_data[relation],
                note=form.cleaned_data["note"],
                actor=actor_of(seat),
                now=request.now,
            )
            for relation in Relation.values
        ]
        said = _("Saved. Messages that were not handed over yet go by it too.")
        messages.success(request, said if any(changed) else _("Nothing had changed."))
        return HttpResponse(status=303, headers={"Location": place(seat, "rules")})
    context: dict[str, Any] = {
        "heading": f"{country_name(code)}: {Content(content).label}",
        "lead": LAW[code, content].source,
        "crumb_links": crumbs(seat, Link(_("Sending rules"), reverse("web:rules", args=[seat.shop.slug]))),
        "form": form,
        "units": {},
        "cancel_url": place(seat, "rules"),
        "changes": _changes(seat, code, content),
        "checked": CHECKED,
    }
    return render(request, "web/settings/rule.html", context, status=422 if form.errors else 200)


def _changes(seat: Seat, country: str, content: str) -> Sequence[RuleChange]:
    found = list(
        SendingRule.objects.filter(shop=seat.shop, country=country, content=content).order_by("-id")[
            :_MOST_CHANGES
        ]
    )
    names = dict(User.objects.filter(pk__in={one.changed_by for one in found}).values_list("pk", "name"))
    return [
        RuleChange(
            at=one.changed_at,
            who=names.get(one.changed_by or 0) or _("Recoup"),
            relation=Relation(one.relation).label,
            was=verdict_words(one.was),
            to=verdict_words(one.verdict),
            note=one.note,
        )
        for one in found
    ]


@require_POST
@staff(Right.MANAGE_SHOP)
def ground(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Say whether buyers are told at the checkout that they may refuse advertising for similar goods."""
    change_ground(
        seat.shop, is_told=request.POST.get("is_told") == "1", actor=actor_of(seat), now=request.now
    )
    messages.success(request, _("Saved. It holds for messages from now on."))
    return HttpResponse(status=303, headers={"Location": place(seat, "rules")})
