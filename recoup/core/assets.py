"""Where the built files of the front end lie: their hashed names come from `manifest.json`."""

import json
import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

FOLDER = "build/"


class FrontEndNotBuilt(RuntimeError):
    """The front end has not been built: run `make build`."""


@cache
def _names() -> dict[str, str]:
    path = finders.find(FOLDER + "manifest.json")
    if path is None:
        raise FrontEndNotBuilt("The front end has not been built: run `make build`.")
    with open(path, encoding="utf-8") as file:
        names: dict[str, str] = json.load(file)
    return names


def asset_url(name: str) -> str:
    """Return the address of a built file by its plain name, such as `staff.css`.

    In tests of the server alone, which do not build the front end, it is the plain name itself.
    """
    try:
        names = _names()
    except FrontEndNotBuilt:
        if not getattr(settings, "IS_TEST", False):
            raise
        names = {}
    return static(FOLDER + names.get(name, name))


@cache
def _symbols(sprite: str) -> dict[str, str]:
    path = finders.find(FOLDER + "manifest.json")
    if path is None:
        return {}
    built = (Path(path).parent / _names()[sprite]).read_text(encoding="utf-8")
    return dict(re.findall(r'<symbol id="([^"]+)"[^>]*>(.*?)</symbol>', built, re.DOTALL))


def icons_of(sprite: str) -> frozenset[str]:
    """Return the names of the icons in a built sprite; nothing when the front end has not been built."""
    return frozenset(_symbols(sprite))


def symbol_of(sprite: str, name: str) -> SafeString:
    """Return the lines of an icon, for a file that cannot point to the sprite; nothing where none was built."""
    return mark_safe(_symbols(sprite).get(name, ""))  # noqa: S308 - built from the icons that we ship
