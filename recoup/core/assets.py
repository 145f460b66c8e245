"""Where the built files of the front end lie: their hashed names come from `manifest.json`."""

import json
import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static

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
def icons_of(sprite: str) -> frozenset[str]:
    """Return the names of the icons in a built sprite; nothing when the front end has not been built."""
    path = finders.find(FOLDER + "manifest.json")
    if path is None:
        return frozenset()
    built = Path(path).parent / _names()[sprite]
    return frozenset(re.findall(r'<symbol id="([^"]+)"', built.read_text(encoding="utf-8")))
