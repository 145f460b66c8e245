"""The parts that staff pages are made of: `{% load ui %}`. docs/components.md shows each in use."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select, Textarea
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core.assets import asset_url
from recoup.core.templatetags.assets import icon
from recoup.web import parts, shell
from recoup.web.picture import Node, picture_of
from recoup.web.screens import Action, HandedLink
from recoup.web.sparkline import Sparkline, sparkline_of
from recoup.web.statuses import mark_of

register = template.Library()
_FOLDER = "web/components/"


@register.simple_tag
def badge(kind: str, code: str, label: str) -> SafeString:
    """`{% badge "order" order.status order.get_status_display %}`: a status as icon, word and hue."""
    mark = mark_of(kind, code)
    return format_html('<span class="badge tone-{}">{}{}</span>', mark.tone, icon(mark.icon), label)


@register.simple_tag
def tag(label: str, tone: str = "neutral", mark: str = "") -> SafeString:
    """`{% tag _("Test mode") "due" "flag" %}`: a badge that is not a state."""
    return format_html('<span class="badge tone-{}">{}{}</span>', tone, icon(mark) if mark else "", label)


@register.filter
def initials(name: str) -> str:
    """`{{ person.name|initials }}`: AK."""
    return shell.initials(name)


@register.inclusion_tag(_FOLDER + "tile.html")
def tile(shown: parts.Tile) -> dict[str, Any]:
    """`{% tile tile %}`: one number of Home."""
    return {"tile": shown, "spark": sparkline_of(shown.series)}


@register.inclusion_tag(_FOLDER + "sparkline.html")
def sparkline(series: Sequence[float]) -> dict[str, Sparkline | None]:
    """`{% sparkline row.by_day %}`: a line without axes, a picture only."""
    return {"spark": sparkline_of(series)}


@register.inclusion_tag(_FOLDER + "action.html", takes_context=True)
def action(context: Context, shown: Action, css: str = "") -> dict[str, Any]:
    """`{% action action %}`: a button that leads, posts or opens a dialog."""
    return {"action": shown, "css": css, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag(_FOLDER + "filters.html")
def filter_bar(filters: parts.Filters) -> dict[str, Any]:
    """`{% filter_bar filters %}`: views and menus as chips, all plain links."""
    return {"filters": filters}


@register.inclusion_tag(_FOLDER + "pager.html")
def pager(shown: parts.Pager) -> dict[str, parts.Pager]:
    """`{% pager pager %}`: how many rows, Newer, Older."""
    return {"pager": shown}


@register.inclusion_tag(_FOLDER + "sort_head.html")
def sort_head(label: str, url: str, direction: str = "", css: str = "") -> dict[str, str]:
    """`{% sort_head _("Placed") sort.placed.url sort.placed.direction "sum" %}`: a head that sorts."""
    return {"label": label, "url": url, "direction": direction, "css": css}


@register.inclusion_tag(_FOLDER + "tabs.html")
def tabs(links: Sequence[parts.Link], label: str) -> dict[str, Any]:
    """`{% tabs links _("Parts of the settings") %}`: tabs that are links."""
    return {"links": links, "label": label}


@register.inclusion_tag(_FOLDER + "crumbs.html")
def crumbs(links: Sequence[parts.Link]) -> dict[str, Any]:
    """`{% crumbs links %}`: the way back, only where there is depth."""
    return {"links": links}


@register.inclusion_tag(_FOLDER + "timeline.html", takes_context=True)
def timeline(context: Context, shown: parts.Timeline) -> dict[str, Any]:
    """`{% timeline timeline %}`: what happened, newest first."""
    return {"timeline": shown, "now": context.get("now")}


@register.inclusion_tag(_FOLDER + "next_step.html")
def next_step(step: parts.NextStep) -> dict[str, parts.NextStep]:
    """`{% next_step step %}`: what the system will do next, and when."""
    return {"step": step}


@register.inclusion_tag(_FOLDER + "empty.html")
def empty(mark: str, title: str, text: str = "", action: str = "", url: str = "") -> dict[str, str]:
    """`{% empty "package" title text action url %}`: what would be here and how to get the first one."""
    return {"icon_name": mark, "title": title, "text": text, "action": action, "url": url}


@register.inclusion_tag(_FOLDER + "status_menu.html", takes_context=True)
def status_menu(
    context: Context, kind: str, code: str, label: str, moves: Sequence[parts.Move], url: str
) -> dict[str, Any]:
    """`{% status_menu "order" order.status label moves url %}`: a status that opens its allowed moves.

    POSTs `status` to the address; a move with `asks` opens that dialog instead.
    """
    return {
        "mark": mark_of(kind, code),
        "label": label,
        "moves": moves,
        "url": url,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag(_FOLDER + "confirm.html", takes_context=True)
def confirm(context: Context, dialog: parts.Confirm) -> dict[str, Any]:
    """`{% confirm dialog %}`: the dialog itself; a button with `data-opens="its-id"` opens it."""
    return {"dialog": dialog, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag(_FOLDER + "attention.html", takes_context=True)
def attention(context: Context, items: Sequence[parts.Attention]) -> dict[str, Any]:
    """`{% attention items %}`: what a person must look at."""
    return {"items": items, "now": context.get("now"), "csrf_token": context.get("csrf_token")}


@register.inclusion_tag(_FOLDER + "chart.html")
def chart(shown: parts.Chart, is_table_open: bool = False) -> dict[str, Any]:
    """`{% chart chart %}`: the chart and, under it, its table."""
    titles = list(shown.titles or shown.labels)
    urls = list(shown.urls) or [""] * len(titles)
    columns = zip(*(series.shown for series in shown.series), strict=True)
    return {
        "chart": shown,
        "drawn": json.dumps(_drawn(shown, titles), ensure_ascii=False),
        "rows": list(zip(titles, urls, columns, strict=True)),
        "is_table_open": is_table_open,
        "is_empty": not any(value for series in shown.series for value in series.values),
    }


def _drawn(shown: parts.Chart, titles: list[str]) -> dict[str, Any]:
    return {
        "labels": list(shown.labels),
        "titles": titles,
        "locale": get_language() or "en",
        "currency": shown.currency,
        "summary": str(shown.summary),
        "series": [
            {
                "name": str(series.name),
                "tone": series.tone,
                "kind": series.kind,
                "values": list(series.values),
                "shown": list(series.shown),
            }
            for series in shown.series
        ],
    }


@register.inclusion_tag(_FOLDER + "progress.html")
def progress(value: int, whole: int, label: str, done: str = "") -> dict[str, Any]:
    """`{% progress 120 400 _("Importing orders") "120 of 400" %}`."""
    return {"value": value, "whole": whole, "label": label, "done": done}


@register.inclusion_tag(_FOLDER + "code.html")
def code(text: str, name: str) -> dict[str, str]:
    """`{% code snippet "webhook-example" %}`: a block with a copy button; the name is its id."""
    return {"text": text, "name": name}


@register.inclusion_tag(_FOLDER + "handed_link.html")
def handed_link(link: HandedLink) -> dict[str, HandedLink]:
    """`{% handed_link order.pay_link %}`: a link of a buyer to be copied, and what it is; one on a page."""
    return {"link": link}


@register.inclusion_tag(_FOLDER + "picture.html")
def picture(nodes: Sequence[Node], label: str) -> dict[str, Any]:
    """`{% picture nodes _("Picture of the process") %}`: the graph, and its outline in words."""
    return {"picture": picture_of(nodes), "label": label}


_WIDGET_CLASSES = ((CheckboxInput, "checkbox checkbox-sm"), (Textarea, "textarea"), (Select, "select"))


@register.inclusion_tag(_FOLDER + "field.html")
def field(bound: BoundField, unit: str = "", rows: int = 0, hint: str = "") -> dict[str, Any]:
    """`{% field form.wait unit=_("hours") %}`: label above, control, unit inside, help and error under."""
    widget = bound.field.widget
    is_check = isinstance(widget, CheckboxInput)
    is_group = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    given: dict[str, Any] = {"class": next((c for k, c in _WIDGET_CLASSES if isinstance(widget, k)), "input")}
    if widget.attrs.get("class"):
        given["class"] += f" {widget.attrs['class']}"
    if isinstance(widget, Textarea):
        given["rows"] = rows or 4
    if is_group:
        widget.attrs["class"] = (
            "checkbox checkbox-sm" if isinstance(widget, CheckboxSelectMultiple) else "radio radio-sm"
        )
    return {
        "field": bound,
        "help": hint or bound.help_text,
        "control": bound.as_widget(attrs=given),
        "unit": unit,
        "is_check": is_check,
        "is_group": is_group,
        "is_optional": not (
            bound.field.required or is_check or is_group or getattr(bound.field, "is_needed", False)
        ),
    }


@register.simple_tag
def forgot_hint() -> SafeString:
    """`{% forgot_hint as hint %}`: the way to a new password, in our words instead of allauth's."""
    return format_html('<a href="{}">{}</a>', reverse("account_reset_password"), _("Forgot the password?"))


@register.inclusion_tag(_FOLDER + "error_summary.html")
def error_summary(form: Any) -> dict[str, Any]:
    """`{% error_summary form %}`: every error of the form, each leading to its field."""
    return {"form": form}


@register.simple_tag
def asset_font(subset: str) -> str:
    """Give the address of a subset of Inter, for a preload link."""
    return asset_url(f"inter-{subset}-wght-normal.woff2")


@register.filter
def at_key(mapping: Mapping[str, Any] | None, key: str) -> Any:
    """`{{ sort|at_key:"placed" }}`: a value by a key that is itself a value; nothing where a page has no such values."""
    return mapping.get(key) if mapping else None
