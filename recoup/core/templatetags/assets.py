"""Built files and icons in templates: `{% load assets %}`."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from recoup.core.assets import asset_url, icons_of

register = template.Library()


class IconUnknown(ValueError):
    """A page names an icon that the sprite does not hold."""


@register.simple_tag
def asset(name: str) -> str:
    """`{% asset "staff.css" %}`: the address of a built file."""
    return asset_url(name)


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """`{% icon "package" %}`: an icon beside a word on a staff page. With `label=` it speaks for itself.

    The name must stand in `frontend/icons.json`; elsewhere nothing would be drawn, so tests refuse it.
    """
    return _drawn("icons.svg", name, str(label), css)


@register.simple_tag
def buyer_icon(name: str, label: str = "", css: str = "") -> SafeString:
    """`{% buyer_icon "lock" %}`: the same on a buyers' page, from a sprite of its own that weighs little."""
    return _drawn("buyer-icons.svg", name, str(label), css)


@lru_cache(maxsize=1024)  # a page draws the same few icons in each of its rows
def _drawn(sprite: str, name: str, label: str, css: str) -> SafeString:
    known = icons_of(sprite) if getattr(settings, "IS_TEST", False) else frozenset()
    if known and name not in known:
        raise IconUnknown(f"{name} is not in frontend/icons.json")
    use = format_html('<use href="{}#{}"></use>', asset_url(sprite), name)
    classes = f"icon {css}".strip()
    said = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    # The size is also the stylesheets'; it stands here for the moment before they are there.
    return format_html('<svg class="{}" width="16" height="16" {}>{}</svg>', classes, said, use)
