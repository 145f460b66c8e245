"""Every page renders from its contract, in every language, and holds nothing that the policy forbids."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from tests.web.samples.pages import PAGES

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "recoup").glob("*/templates/**/*.html"))
SPRITES: dict[str, list[str]] = json.loads((ROOT / "frontend/icons.json").read_text())
pytestmark = pytest.mark.urls("tools.gallery.gallery_urls")


class Elements(HTMLParser):
    """Collects the start tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def rendered(name: str, language: str = "en") -> str:
    """Render a sample page."""
    template, context = PAGES[name]
    with translation.override(language):
        return render_to_string(template, context(language=language))


@pytest.mark.parametrize("name", sorted(PAGES))
@pytest.mark.parametrize("language", ["en", "pl", "ru", "de"])
def test_a_page_renders_without_gaps(name: str, language: str) -> None:
    page = rendered(name, language)

    assert f'<html lang="{language}"' in page
    assert "None" not in re.sub(r"<[^>]+>", "", page)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_holds_no_inline_style_or_script(name: str) -> None:
    elements = Elements(rendered(name)).found

    assert [
        tag for tag, attrs in elements if tag == "style" or (tag == "script" and not attrs.get("src"))
    ] == []
    assert [
        attrs for _, attrs in elements if "style" in attrs or any(key.startswith("on") for key in attrs)
    ] == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_ids_of_a_page_are_not_shared(name: str) -> None:
    ids = [attrs["id"] for _, attrs in Elements(rendered(name)).found if "id" in attrs]

    assert sorted(ids, key=str) == sorted(set(ids), key=str)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_has_one_first_heading(name: str) -> None:
    assert [tag for tag, _ in Elements(rendered(name)).found].count("h1") == 1


def test_icons_that_templates_name_are_in_the_sprites() -> None:
    named: dict[str, set[str]] = {"icon": set(), "buyer_icon": set()}
    for path in TEMPLATES:
        for tag, name in re.findall(r'{%\s*(icon|buyer_icon) "([\w-]+)"', path.read_text()):
            named[tag].add(name)

    assert named["icon"] - set(SPRITES["icons"]) == set()
    assert named["buyer_icon"] - set(SPRITES["buyer-icons"]) == set()


def test_icons_that_pages_use_are_in_the_sprites() -> None:
    used = {
        str(attrs.get("href")).split("#")[1]
        for name in sorted(PAGES)
        for tag, attrs in Elements(rendered(name)).found
        if tag == "use"
    }

    assert used - set(SPRITES["icons"]) == set()
