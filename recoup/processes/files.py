"""A process as one file: the document, its examples, and the texts that it sends (J10)."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints, TypeAdapter, ValidationError

from recoup.messaging.carrying import CarriedText, TextKey, carried_texts
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.problems import InvalidProcess, Problem
from recoup.processes.graph.reading import read_document, read_json
from recoup.processes.graph.replacing import Named, names_in
from recoup.processes.graph.texts_used import keys_of_texts
from recoup.processes.graph.validation import find_problems
from recoup.processes.naming import LONGEST_NAME, Names, names_of
from recoup.shops.models import Shop

FORMAT = 1
MARK = "recoup_process"  # names the format of the whole file; without it the file is the document alone
MOST_TEXTS = 40
# What no draft has that was drawn in an editor; it could not be shown there.
_UNDRAWN = frozenset(
    {"unknown_target", "unreachable", "unknown_fact", "double_arm", "arm_without_way", "way_without_arm"}
)
_NAMES: TypeAdapter[dict[str, str]] = TypeAdapter(
    dict[str, Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]]
)
_TEXTS: TypeAdapter[dict[str, CarriedText]] = TypeAdapter(dict[TextKey, CarriedText])


class ProcessFile(NamedTuple):
    """What a file holds: a process, what keeps it from being published, the texts that came with it, by key, and names.

    `names` are what the other shop calls what the process names by number or reference; an older file tells none.
    """

    document: ProcessDocument
    problems: Sequence[Problem]
    texts: Mapping[str, CarriedText]
    names: Names


def write_file(shop: Shop, doc: Raw) -> str:
    """Return a document with the published texts that it sends, and the names of what else it names, as one JSON text.

    Reading it gives all of it back equal.
    """
    texts = carried_texts(shop, sent_texts(doc))
    whole = {
        MARK: FORMAT,
        "process": doc,
        "texts": {key: text.model_dump(exclude_defaults=True) for key, text in texts.items()},
    }
    if names := names_of(shop, doc):
        whole["names"] = names
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def sent_texts(doc: Raw) -> set[str]:
    """Return the keys of the texts that a document sends."""
    return {key for node in doc["nodes"].values() if node["t"] == "send" for key in keys_of_texts(node)}


def read_file(content: str | bytes) -> ProcessFile:
    """Read a file that was written here, or a document alone. Drafts are written too, so it need not be publishable.

    :raises InvalidProcess: with what is wrong and where: no JSON, too large, of a later format, no process that could be
        drawn, texts or names that are none.
    """
    raw = read_json(content)
    if not isinstance(raw, Mapping) or MARK not in raw:
        return ProcessFile(*_process(raw), {}, {})
    if raw[MARK] != FORMAT:
        raise InvalidProcess([Problem(MARK, "later_format")])
    document, problems = _process(raw.get("process"))
    doc = document.as_json()
    texts = _texts(raw.get("texts", {}), sent_texts(doc))
    return ProcessFile(document, problems, texts, _names(raw.get("names", {}), names_in(doc)))


def _process(raw: Any) -> tuple[ProcessDocument, Sequence[Problem]]:
    document = read_document(raw)
    problems = find_problems(document)
    if undrawn := [one for one in problems if one.code in _UNDRAWN]:
        raise InvalidProcess(undrawn)
    return document, problems


def _texts(raw: Any, wanted: set[str]) -> dict[str, CarriedText]:
    if not isinstance(raw, Mapping) or len(raw) > MOST_TEXTS:
        raise InvalidProcess([Problem("texts", "bad_texts")])
    try:
        texts = _TEXTS.validate_python({key: text for key, text in raw.items() if key in wanted})
    except ValidationError as error:
        places = {".".join(map(str, ("texts", *detail["loc"][:3]))) for detail in error.errors()}
        raise InvalidProcess([Problem(place, "bad_texts") for place in sorted(places)]) from None
    return texts


def _names(raw: Any, wanted: Mapping[Named, set[str]]) -> Names:
    """Read the names of what the process names; others are left out."""
    found = {}
    for kind, keys in wanted.items():
        named = raw.get(kind, {}) if isinstance(raw, Mapping) else None
        if not isinstance(named, Mapping):
            raise InvalidProcess([Problem("names", "bad_names")])
        try:
            found[kind] = _NAMES.validate_python({key: named[key] for key in keys if key in named})
        except ValidationError:
            raise InvalidProcess([Problem(f"names.{kind}", "bad_names")]) from None
    return found
