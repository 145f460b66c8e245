"""Template words for sums, numbers and instants: `{% load humane %}`."""

from collections.abc import Iterable, Sized
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from recoup.core import humane
from recoup.core.money import Money

register = template.Library()


def _language() -> str:
    return get_language() or "en"


def _sum(value: Money | Decimal | int, currency: str) -> Money:
    return value if isinstance(value, Money) else Money(Decimal(value), currency)


@register.filter
def money(value: Money | Decimal | None, currency: str = "") -> str:
    """`{{ order.total|money:order.currency }}`, or `{{ total|money }}` of a Money."""
    if value is None or value == "":
        return humane.NO_VALUE
    return format_html('<span class="money">{}</span>', humane.money(_sum(value, currency), _language()))


@register.filter
def money_text(value: Money | Decimal | None, currency: str = "") -> str:
    """Give the same as `money`, as bare text: for a title, a subject, a plain mail."""
    return humane.NO_VALUE if value is None else humane.money(_sum(value, currency), _language())


@register.filter
def moneys(sums: Iterable[Money]) -> str:
    """`{{ paid_sums|moneys }}`: sums of several currencies, never added up."""
    shown = format_html_join(
        " · ", '<span class="money">{}</span>', ((humane.money(s, _language()),) for s in sums)
    )
    return shown or humane.NO_VALUE


@register.filter
def breakable(address: str) -> SafeString:
    """`{{ email|breakable }}`: a long address may go on in a new line before its @."""
    head, at, tail = address.partition("@")
    return format_html("{}<wbr>@{}", head, tail) if at else format_html("{}", address)


@register.filter
def number(value: Decimal | float | Sized | None) -> str:
    """`{{ count|number }}`: 36,942."""
    if value is None:
        return humane.NO_VALUE
    return humane.number(len(value) if isinstance(value, Sized) else value, _language())


@register.filter
def percent(share: Decimal | float | None, digits: int = 1) -> str:
    """`{{ 0.2097|percent:2 }}`: 20.97%. Of nothing: a dash."""
    return humane.percent(share, _language(), digits)


@register.filter
def duration(span: timedelta | None) -> str:
    """`{{ wait|duration }}`: 24 hours."""
    return humane.NO_VALUE if span is None else humane.duration(span, _language())


@register.filter
def minutes(value: int | None) -> str:
    """`{{ shop.unpaid_after_minutes|minutes }}`: 24 hours."""
    return duration(None if value is None else timedelta(minutes=value))


@register.filter
def exact(at: datetime | None) -> str:
    """`{{ at|exact }}`: 22 Nov 2026, 14:05, in the current time zone."""
    return humane.NO_VALUE if at is None else humane.exact(at, timezone.get_current_timezone(), _language())


@register.filter
def clock(at: datetime) -> str:
    """`{{ at|clock }}`: 14:05."""
    return humane.clock(at, timezone.get_current_timezone(), _language())


@register.filter
def day(at: datetime) -> str:
    """`{{ at|day }}`: 22 Nov 2026."""
    return humane.day(at, timezone.get_current_timezone(), _language())


@register.filter
def long_day(on: date) -> str:
    """`{{ checked|long_day }}`: 22 November 2026, within a sentence or at its end."""
    return humane.long_day(on, _language())


@register.simple_tag(takes_context=True)
def instant(context: Context, at: datetime | None) -> str:
    """`{% instant order.placed_at %}`: "2 h ago" with the exact time on hover. Reads `now` of the context."""
    return _time(context, at, humane.ago)


@register.simple_tag(takes_context=True)
def when(context: Context, at: datetime | None) -> str:
    """`{% when step.run_at %}`: "tomorrow 10:00" with the exact time on hover. Reads `now` of the context."""
    return _time(context, at, humane.upcoming)


def _time(context: Context, at: datetime | None, words: Any) -> SafeString:
    if at is None:
        return format_html('<span class="quiet">{}</span>', humane.NO_VALUE)
    zone, language = timezone.get_current_timezone(), _language()
    whole = humane.exact(at, zone, language)
    now = context.get("now")
    shown = words(at, now=now, zone=zone, language=language) if isinstance(now, datetime) else whole
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), whole, shown)
