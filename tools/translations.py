"""Collect, check and compile the translations, with Babel and without the GNU tools.

python -m tools.translations update    write new messages into the .po files, take old ones out
python -m tools.translations check     fail if a word that a person sees is not translated
python -m tools.translations compile   make the .mo files, which are not committed
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "recoup"
LANGUAGES = ("pl", "ru", "de")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{\w*\}|</?\w+")
# Dates and program versions would change with every update; the others say nothing.
CHANGING_HEADERS = re.compile(
    r'^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Generated-By|Language-Team|Last-Translator).*\n',
    re.M,
)

Key = tuple[str, str | tuple[str, ...]]


def main(arguments: list[str]) -> int:
    """Run one of the three commands and return the exit code."""
    commands = {"update": update, "check": check, "compile": compile_all}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(__doc__)
        return 2
    problems = commands[arguments[0]](ROOT)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def update(root: Path) -> list[str]:
    """Bring the .po files up to the sources; what is new stands there untranslated."""
    wanted = collect(root / "recoup")
    for language in LANGUAGES:
        path = po_path(root, language)
        known = read(path, language) if path.exists() else Catalog(locale=language)
        fresh = Catalog(locale=language, header_comment=f"# Recoup, {language}.", fuzzy=False)
        for message in (message for message in wanted if message.id):
            old = known.get(message.id, message.context)
            text = old.string if old and not old.fuzzy else None
            flags = {flag for flag in message.flags if flag != "fuzzy"}
            fresh.add(
                message.id,
                text or None,
                flags=flags,
                auto_comments=message.auto_comments,
                context=message.context,
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        out = io.BytesIO()
        write_po(out, fresh, width=110, no_location=True, sort_output=True, ignore_obsolete=True)
        path.write_text(CHANGING_HEADERS.sub("", out.getvalue().decode("utf8")), encoding="utf8")
    return []


def check(root: Path) -> list[str]:
    """Return what is missing, left over, doubtful or broken in the translations."""
    wanted = {key_of(message) for message in collect(root / "recoup") if message.id}
    problems = []
    for language in LANGUAGES:
        path = po_path(root, language)
        if not path.exists():
            problems.append(f"{path.relative_to(root)}: missing; run make translations")
            continue
        catalog = read(path, language)
        known = {key_of(message) for message in catalog if message.id}
        where = str(path.relative_to(root))
        problems += [f"{where}: not in the file: {shown(key)}" for key in sorted(wanted - known, key=str)]
        problems += [f"{where}: no longer used: {shown(key)}" for key in sorted(known - wanted, key=str)]
        for message in catalog:
            if message.id and key_of(message) in wanted:
                problems += [
                    f"{where}: {fault}: {shown(key_of(message))}" for fault in faults(message, catalog)
                ]
    return problems


def compile_all(root: Path) -> list[str]:
    """Write a .mo file beside each .po file."""
    for language in LANGUAGES:
        path = po_path(root, language)
        if path.exists():
            with path.with_suffix(".mo").open("wb") as out:
                write_mo(out, read(path, language))
    return []


def collect(sources: Path) -> Catalog:
    """Return every message of the Python files and the templates."""
    found = Catalog()
    for path in sorted(sources.rglob("*.py")):
        if "migrations" not in path.parts:
            _add_all(found, path.read_text(encoding="utf8"))
    for pattern in ("*.html", "*.txt"):
        for path in sorted(sources.glob(f"*/templates/**/{pattern}")):
            # Within brackets Python's tokenizer does not mind how the lines are indented.
            _add_all(found, f"({templatize(path.read_text(encoding='utf8'), str(path))}\n)")
    return found


def faults(message: Message, catalog: Catalog) -> Iterator[str]:
    """Say what is wrong with one translation."""
    if message.fuzzy:
        yield "marked fuzzy"
    texts = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    sources = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
    if isinstance(message.id, (list, tuple)) and len(texts) != catalog.num_plurals:
        yield f"{len(texts)} of {catalog.num_plurals} plural forms"
    for text in texts:
        if not text or not text.strip():
            yield "not translated"
            return
        if text.startswith("\n") != sources[0].startswith("\n") or text.endswith("\n") != sources[0].endswith(
            "\n"
        ):
            yield "begins or ends its lines otherwise"
        marks = sorted(PLACEHOLDER.findall(text))
        # A form for a single thing may leave its number out: "one order" or "1 order".
        if not any(marks == sorted(PLACEHOLDER.findall(source)) for source in sources):
            yield "other placeholders or tags than in English"


def read(path: Path, language: str) -> Catalog:
    """Read a .po file."""
    with path.open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def po_path(root: Path, language: str) -> Path:
    """Return where the translations of a language lie."""
    return root / "recoup" / "locale" / language / "LC_MESSAGES" / "django.po"


def key_of(message: Message) -> Key:
    """Return what tells a message from every other one."""
    plain = tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id
    return (message.context or "", plain)


def shown(key: Key) -> str:
    """Return a message as a person finds it in the file."""
    context, text = key
    first = text if isinstance(text, str) else text[0]
    return f"{first!r}" + (f" ({context})" if context else "")


def _add_all(found: Catalog, text: str) -> None:
    source = io.BytesIO(text.encode("utf8"))
    for _line, message, comments, context in extract("python", source, KEYWORDS, ["Translators:"]):
        found.add(message, auto_comments=comments, context=context)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
