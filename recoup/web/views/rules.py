"""Sending rules: what a message is by law, country by country, with the source beside each, and how a shop changes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.models import User
from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.messaging.models import SendingRule
from recoup.messaging.rules.book import Cell, Class, RuleBook, book_of, history_of
from recoup.messaging.rules.changing import (
    AS_SHIPPED,
    AlreadyInForce,
    change_ground,
    change_rule,
    withdraw,
)
from recoup.messaging.rules.kinds import Content, Relation
from recoup.messaging.rules.law import CHECKED, COUNTRIES, LAW, OTHER
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff, zone_of
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
    history = history_of(seat.shop.pk)
    book, planned = history.at(request.now), _planned(seat, history.changes, request.now)
    context = {
        "crumb_links": crumbs(seat),
        "countries": [_country(seat, book, planned, country) for country in COUNTRIES],
        "relations": [Relation(relation).label for relation in Relation.values],
        "checked": CHECKED,
        "has_ground": book.has_ground,
        "ground_url": place(seat, "rules_ground"),
    }
    return render(request, "web/settings/rules.html", context)


_Planned = Mapping[Cell, Sequence[str]]


def _planned(seat: Seat, changes: Sequence[SendingRule], now: datetime) -> _Planned:
    """Return in words what changes at each place of the table, and when."""
    found: dict[Cell, list[str]] = {}
    zone = zone_of(seat.shop)
    for one in changes:
        if one.since > now and one.content != SendingRule.GROUND:
            day = humane.long_day(one.since.astimezone(zone).date(), get_language() or "en")
            words = _("From %(day)s: %(rule)s") % {"day": day, "rule": _to(one.verdict)}
            found.setdefault(Cell(one.country, one.content, one.relation), []).append(words)
    return found


def _to(verdict: str) -> str:
    return str(verdict_words(verdict)) if verdict else _("Recoup’s own rule")


def _country(seat: Seat, book: RuleBook, planned: _Planned, country: str) -> RuleCountry:
    rows = [_row(seat, book, planned, country, content) for content in Content.values]
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


def _row(seat: Seat, book: RuleBook, planned: _Planned, country: str, content: str) -> RuleRow:
    found = [book.rule(country, content, relation) for relation in Relation.values]
    return RuleRow(
        content=Content(content).label,
        cells=[
            RuleCell(
                label=verdict_words(rule.verdict),
                shipped=verdict_words(rule.shipped) if rule.is_own else "",
                at=rule.change.since if rule.change and rule.is_own else None,
                planned=planned.get(rule.cell, ()),
            )
            for rule in found
        ],
        source=found[0].source,
        url=place(seat, "rule", country or OTHERS, content),
        since=found[0].shipped_since,
    )


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def rule(request: StaffRequest, seat: Seat, country: str, content: str) -> HttpResponse:
    """Change what is in force in a country for one kind of content."""
    code = OTHER if country == OTHERS else country
    if (code, content) not in LAW:
        raise Http404
    book = book_of(seat.shop.pk, now=request.now)
    in_force = {relation: book.rule(code, content, relation) for relation in Relation.values}
    if request.method == "POST" and request.POST.get("do") == "reset":
        _change(request, seat, Cell(code, content, ""), dict.fromkeys(Relation.values, AS_SHIPPED))
        return see_other(place(seat, "rules"))
    zone = zone_of(seat.shop)
    today = request.now.astimezone(zone).date()
    form = RuleForm(request.POST or None, rules=in_force, zone=zone, today=today)
    if request.method == "POST" and form.is_valid():
        kept = {"note": form.cleaned_data["note"], "holds_from": form.cleaned_data["begins"]}
        _change(request, seat, Cell(code, content, ""), form.changed_rules(), **kept)
        return see_other(place(seat, "rules"))
    first = next(iter(in_force.values()))
    context: dict[str, Any] = {
        "heading": f"{country_name(code)}: {Content(content).label}",
        "lead": first.source,
        "since": first.shipped_since,
        "is_own": any(one.change is not None for one in in_force.values()),
        "crumb_links": crumbs(seat, Link(_("Sending rules"), reverse("web:rules", args=[seat.shop.slug]))),
        "form": form,
        "units": {},
        "cancel_url": place(seat, "rules"),
        "changes": _changes(request, seat, code, content),
        "checked": CHECKED,
    }
    return render(request, "web/settings/rule.html", context, status=422 if form.errors else 200)


def _change(
    request: StaffRequest,
    seat: Seat,
    at: Cell,
    verdicts: Mapping[str, str],
    *,
    note: str = "",
    holds_from: datetime | None = None,
) -> None:
    """Put other verdicts at the places of one content, and say what that means for messages that wait."""
    changed = [
        change_rule(
            seat.shop,
            at._replace(relation=relation),
            verdict,
            note=note,
            actor=actor_of(seat),
            now=request.now,
            holds_from=holds_from,
        )
        for relation, verdict in verdicts.items()
    ]
    said = _("Saved. Messages that were not handed over yet go by it too.")
    if holds_from is not None:
        said = _("Saved. It holds from that day on; until then nothing changes.")
    messages.success(request, said if any(changed) else _("Nothing had changed."))


@require_POST
@staff(Right.MANAGE_SHOP)
def withdraw_change(request: StaffRequest, seat: Seat, change_id: int) -> HttpResponse:
    """Take back a change that does not hold yet."""
    if not SendingRule.objects.filter(shop=seat.shop, pk=change_id).exists():
        raise Http404
    try:
        withdraw(seat.shop, change_id, actor=actor_of(seat), now=request.now)
        messages.success(request, _("Withdrawn. The rule before it stays in force."))
    except AlreadyInForce:
        messages.error(request, _("It is in force by now. Change the rule instead; both stay readable."))
    return see_other(place(seat, "rules"))


def _changes(request: StaffRequest, seat: Seat, country: str, content: str) -> Sequence[RuleChange]:
    found = list(
        SendingRule.objects.filter(shop=seat.shop, country=country, content=content).order_by("-id")[
            :_MOST_CHANGES
        ]
    )
    ids = {pk for one in found for pk in (one.changed_by, one.withdrawn_by) if pk is not None}
    names = dict(User.objects.filter(pk__in=ids).values_list("pk", "name"))
    return [
        RuleChange(
            at=one.changed_at,
            who=names.get(one.changed_by or 0) or _("Recoup"),
            relation=Relation(one.relation).label,
            was=verdict_words(one.was),
            to=_to(one.verdict),
            note=one.note,
            holds_from=one.holds_from,
            withdraw_url=place(seat, "rule_withdraw", one.pk)
            if one.since > request.now and one.withdrawn_at is None
            else "",
            withdrawn=_("withdrawn by %(who)s") % {"who": names.get(one.withdrawn_by or 0) or _("Recoup")}
            if one.withdrawn_at is not None
            else "",
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
    return see_other(place(seat, "rules"))
