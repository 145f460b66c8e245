"""Reading a file of a stranger: its letters, its delimiter, its lines, one at a time."""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DELIMITERS = (",", ";", "\t", "|")
LONGEST_CELL = 200_000
_HEAD = 256 * 1024
_BLOCK = 1024 * 1024
_SAID = re.compile(
    r"sep=([,;|\t])\r?\n", re.I
)  # a line before the header, by which Excel is told the delimiter
_FORMATS = {
    b"PK\x03\x04": "a spreadsheet (XLSX) or an archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (XLS)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file",
    b"{": "JSON",
    b"<": "HTML or XML",
}
# Letters that tell the two single-byte encodings apart: what cp1250 and cp1251 make of Polish, German, Czech and Russian.
_CENTRAL = set("ąćęłńóśźżĄĆĘŁŃÓŚŹŻäöüßÄÖÜéáíčďěňřšťúůýžÉÁÍČĎĚŇŘŠŤÚŮÝŽ€„”–…őűŐŰ°§")
# Where cp1250 and cp1252 differ, the signs that only one of them can mean inside a word: the other makes `¹`, `³` or a
# closing quote of ł, ą and ť, and nobody writes those there. What is left (`è` or `č`, `ñ` or `ń`) is not guessed.
_ONLY_1250 = re.compile(
    rb"(?<=[A-Za-z\x80-\xff])[\xb9\xb3\xbf\x9c\x9f\x9d]|[\xa3\xaf\x8c\x8f\xa5\x8d](?=[A-Za-z\x80-\xff])"
)
_BOTH = frozenset(
    byte
    for byte in range(0x80, 0x100)
    if bytes([byte]).decode("cp1250", "replace") == bytes([byte]).decode("cp1252", "replace")
)
_CYRILLIC = re.compile(r"[а-яёА-ЯЁ]{2,}")


class FileRefused(Exception):
    """The file cannot be read as a table; the text is a reason of `shops.reasons`."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def recognise_form(path: Path, *, encoding: str = "", delimiter: str = "") -> Form:
    """Return how a file is written; what is given is believed.

    :raises FileRefused: if it is empty, no CSV, or nobody can tell its letters.
    """
    if delimiter and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise FileRefused(f"mapping_bad: delimiter: {delimiter}"[:200])
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \r\n\t\x00"):
        raise FileRefused("file_empty")
    for mark, name in _FORMATS.items():
        if head.startswith(mark):
            raise FileRefused(f"file_not_csv: {name}")
    encoding = encoding or _encoding(path, head)
    text = _decoded_head(head, encoding)
    said = _SAID.match(text)
    if said:
        text = text[said.end() :]
    delimiter = delimiter or (said[1] if said else _delimiter(text))
    header = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
    names = tuple(name.strip() for name in header)
    if not any(names) or all(re.fullmatch(r"[\d.,:\s/+-]*", name) for name in names):
        raise FileRefused("no_header")
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise FileRefused(f"columns_doubled: {', '.join(doubled)[:200]}")
    return Form(encoding, delimiter, names)


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.count(b"\0") > len(head) // 4:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    if _is_utf8(path):
        return "utf-8-sig"
    return _single_byte(path)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _single_byte(path: Path) -> str:
    """Tell cp1250 from cp1251 by the letters they make of the high bytes: whole Cyrillic words, or single accents."""
    high = bytearray()
    with path.open("rb") as file:
        while (block := file.read(_BLOCK)) and len(high) < _HEAD:
            for match in re.finditer(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*", block):
                high += match[0] + b" "
    sample = bytes(high[:_HEAD])
    count = sum(byte >= 0x80 for byte in sample)
    as_1251 = sample.decode("cp1251", "replace")
    cyrillic = sum(len(word) for word in _CYRILLIC.findall(as_1251)) / count
    central = sum(letter in _CENTRAL for letter in sample.decode("cp1250", "replace")) / count
    if cyrillic > 0.8 and cyrillic > central:
        return "cp1251"
    if central > 0.8 and central > cyrillic and _is_central(sample):
        return "cp1250"
    raise FileRefused("encoding_unsure")


def _is_central(sample: bytes) -> bool:
    """Tell whether letters that cp1250 makes sense of cannot be French or Spanish ones of cp1252."""
    return set(sample) - set(range(0x80)) <= _BOTH or _ONLY_1250.search(sample) is not None


def _decoded_head(head: bytes, encoding: str) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except (UnicodeDecodeError, LookupError) as error:
        raise FileRefused(f"file_unreadable: {encoding}") from error
    return text.removeprefix("\ufeff")


def _delimiter(text: str) -> str:
    """Return the delimiter that parts the header into the most cells, and the next lines into as many."""
    lines = text.splitlines(keepends=True)[:50]
    best, most = ",", 1
    for delimiter in DELIMITERS:
        try:
            rows = list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            continue
        width = len(rows[0])
        even = sum(len(row) == width for row in rows) / len(rows)
        if width > most and even > 0.5:
            best, most = delimiter, width
    return best


def rows(path: Path, form: Form) -> Iterator[tuple[int, list[str]]]:
    """Return the lines behind the header with their numbers as a spreadsheet shows them; empty lines are left out.

    The file is never held whole.

    :raises FileRefused: where its letters or its quotes break.
    """
    before = csv.field_size_limit(LONGEST_CELL)
    number = 1
    try:
        with path.open(encoding=form.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=form.delimiter)
            first = next(reader, None)
            if _SAID.match((form.delimiter.join(first or ())).removeprefix("\ufeff") + "\n"):
                next(reader, None)
                number += 1
            start = number + 1
            for number, row in enumerate(reader, start=start):
                if any(cell.strip() for cell in row):
                    yield number, row
    except UnicodeDecodeError as error:
        raise FileRefused(f"file_unreadable: {form.encoding}") from error
    except csv.Error as error:
        raise FileRefused(f"row_too_long: {LONGEST_CELL} (> {number})") from error
    finally:
        csv.field_size_limit(before)
