"""Translations: everything is found, and nothing unfinished passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.pofile import write_po

from tools import translations

PYTHON = """
from django.utils.translation import gettext as _, ngettext, pgettext_lazy
hello = _("Hello %(name)s") % {"name": name}
many = ngettext("%(n)s order", "%(n)s orders", n)
may = pgettext_lazy("month", "May")
"""
PAGE = """{% load i18n %}
    <h1 title="{% translate "Orders" %}">
  {% blocktranslate trimmed count n=n %}
      One case, 100%
    {% plural %}
      {{ n }} cases
  {% endblocktranslate %}
{{ _("Filter")|upper }}
"""
POLISH: dict[str, str | tuple[str, ...]] = {
    "Hello %(name)s": "Cześć %(name)s",
    "%(n)s order": ("%(n)s zamówienie", "%(n)s zamówienia", "%(n)s zamówień"),
    "May": "Maj",
    "Orders": "Zamówienia",
    "One case, 100%%": ("Jedna sprawa, 100%%", "%(n)s sprawy", "%(n)s spraw"),
    "Filter": "Filtr",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small project with words in Python and in a page, for Polish alone."""
    monkeypatch.setattr(translations, "LANGUAGES", ("pl",))
    templates = tmp_path / "recoup" / "web" / "templates" / "web"
    templates.mkdir(parents=True)
    (templates / "page.html").write_text(PAGE)
    (tmp_path / "recoup" / "web" / "views.py").write_text(PYTHON)
    return tmp_path


def translate(project: Path, *, without: str = "", **changed: str) -> Path:
    """Write a whole Polish file, but for one message left out or changed."""
    translations.update(project)
    path = translations.po_path(project, "pl")
    catalog = translations.read(path, "pl")
    for message in catalog:
        first = str(message.id[0] if isinstance(message.id, (list, tuple)) else message.id)
        if first and first != without:
            message.string = changed[first] if first in changed else POLISH[first]
    with path.open("wb") as out:
        write_po(out, catalog)
    return path


def test_update_collects_every_message_of_code_and_pages(project: Path) -> None:
    translations.update(project)

    catalog = translations.read(translations.po_path(project, "pl"), "pl")
    assert sorted(translations.shown(translations.key_of(message)) for message in catalog if message.id) == [
        "'%(n)s order'",
        "'Filter'",
        "'Hello %(name)s'",
        "'May' (month)",
        "'One case, 100%%'",
        "'Orders'",
    ]


def test_update_keeps_what_was_translated_and_gives_the_same_file_again(project: Path) -> None:
    path = translate(project)
    translations.update(project)
    once = path.read_text()

    translations.update(project)

    assert path.read_text() == once
    assert translations.check(project) == []
    assert 'msgstr[2] "%(n)s zamówień"' in once


def test_a_missing_translation_is_a_problem(project: Path) -> None:
    translate(project, without="Orders")

    assert translations.check(project) == ["recoup/locale/pl/LC_MESSAGES/django.po: not translated: 'Orders'"]


def test_a_lost_placeholder_is_a_problem(project: Path) -> None:
    translate(project, **{"Hello %(name)s": "Cześć %(imie)s"})

    problems = translations.check(project)

    fault = "other placeholders or tags than in English"
    assert problems == [f"recoup/locale/pl/LC_MESSAGES/django.po: {fault}: 'Hello %(name)s'"]


def test_a_fuzzy_translation_is_a_problem(project: Path) -> None:
    path = translate(project)
    path.write_text(path.read_text().replace('msgid "Orders"', '#, fuzzy\nmsgid "Orders"'))

    assert translations.check(project) == ["recoup/locale/pl/LC_MESSAGES/django.po: marked fuzzy: 'Orders'"]


def test_too_few_plural_forms_are_a_problem(project: Path) -> None:
    path = translate(project)
    path.write_text(path.read_text().replace('msgstr[2] "%(n)s zamówień"\n', ""))

    assert translations.check(project) == [
        "recoup/locale/pl/LC_MESSAGES/django.po: not translated: '%(n)s order'"
    ]


def test_sources_and_file_must_agree(project: Path) -> None:
    translate(project)
    (project / "recoup" / "web" / "views.py").write_text(PYTHON.replace('"May"', '"June"'))

    where = "recoup/locale/pl/LC_MESSAGES/django.po"
    assert translations.check(project) == [
        f"{where}: not in the file: 'June' (month)",
        f"{where}: no longer used: 'May' (month)",
    ]


def test_compile_writes_what_gettext_reads(project: Path) -> None:
    path = translate(project)

    translations.compile_all(project)

    assert "Cześć %(name)s".encode() in path.with_suffix(".mo").read_bytes()
