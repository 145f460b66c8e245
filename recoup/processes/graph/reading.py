"""From raw JSON to the models of the document; whatever pydantic finds becomes a problem with its place."""

import re
import types
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from recoup.core import strict_json
from recoup.core.strict_json import JsonRefused
from recoup.core.text import storable
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.problems import InvalidProcess, Problem, closest

MOST_CHARACTERS = 1024 * 1024
DEEPEST = 24
_NOTHING = object()
_REFUSALS = {
    "too_deep": "too_big",
    "duplicate_key": "double_key",
    "bad_number": "bad_number",
}  # others: not_json


def read_json(text: str | bytes) -> Any:
    """Parse an uploaded file.

    :raises InvalidProcess: if it is too large, too deep or no JSON, or holds what cannot be kept: two equal keys, numbers
        that are none, letters that are none.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidProcess([Problem("", "too_big")])
    try:
        raw = strict_json.loads(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
    except JsonRefused as refused:
        code = _REFUSALS.get(refused.code, "not_json")
        raise InvalidProcess([Problem("", code, {"what": refused.details})]) from None
    return _kept(raw, "")


def _kept(value: Any, path: str) -> Any:
    """Return values as the format has them; refuse text that no database and no page can hold."""
    match value:
        case Decimal():
            return float(value)
        case str() if storable(value) != value:
            raise InvalidProcess([Problem(path, "bad_letters")])
        case list():
            return [_kept(one, f"{path}.{n}".lstrip(".")) for n, one in enumerate(value)]
        case dict():
            if any(storable(key) != key for key in value):
                raise InvalidProcess([Problem(path, "bad_letters")])
            return {key: _kept(one, f"{path}.{key[:60]}".lstrip(".")) for key, one in value.items()}
    return value


def read_document(raw: Any) -> ProcessDocument:
    """Turn plain values into a document whose parts fit the format; the graph as a whole is not looked at.

    :raises InvalidProcess: with every misfit and its place.
    """
    if not isinstance(raw, Mapping):
        raise InvalidProcess([Problem("", "not_json")])
    if _is_too_deep(raw):
        raise InvalidProcess([Problem("", "too_big")])
    try:
        return ProcessDocument.model_validate(raw)
    except ValidationError as error:
        raise InvalidProcess([_problem(raw, detail) for detail in error.errors(include_url=False)]) from None


def _is_too_deep(raw: Any) -> bool:
    level: list[Any] = [raw]
    for _ in range(DEEPEST):
        level = [
            child
            for value in level
            if isinstance(value, Mapping | list)
            for child in (value.values() if isinstance(value, Mapping) else value)
        ]
        if not level:
            return False
    return True


def _problem(raw: Any, detail: ErrorDetails) -> Problem:
    path = _place(raw, detail["loc"], names_missing=detail["type"] == "missing")
    if detail["type"] == "union_tag_not_found":
        path.append("t")
    where = ".".join(str(part) for part in path)
    context = {key: str(value) for key, value in detail.get("ctx", {}).items()}
    found = str(detail["input"])[:80]
    match detail["type"]:
        case "process":
            code, choices = context.pop("code"), context.get("choices", "").split(", ")
            meant = closest(context["value"], choices) if "choices" in context else None
            return Problem(where, code, context, meant)
        case "extra_forbidden":
            field = str(path[-1])
            return Problem(
                where, "unknown_field", {"field": field}, closest(field, _known_fields(raw, path[:-1]))
            )
        case "missing" | "union_tag_not_found":
            return Problem(where, "missing_field", {"field": str(path[-1])})
        case "union_tag_invalid":
            kind = context.get("tag", "")
            return Problem(f"{where}.t", "unknown_kind", {"kind": kind}, closest(kind, KINDS))
        case "literal_error" | "enum":
            choices = re.findall(r"'([^']*)'", context.get("expected", ""))
            listed = ", ".join(choices) or context.get("expected", "")
            return Problem(where, "not_one_of", {"value": found, "choices": listed}, closest(found, choices))
    return Problem(where, "wrong_value", {"value": found})


def _place(raw: Any, loc: tuple[int | str, ...], *, names_missing: bool) -> list[int | str]:
    """Walk the document along pydantic's location, leaving out the names of union members."""
    place: list[int | str] = []
    here = raw
    for number, part in enumerate(loc):
        inner = _inner(here, part)
        if inner is not _NOTHING:
            here = inner
        elif number < len(loc) - 1 or not names_missing:
            continue
        place.append(part)
    return place


def _inner(value: Any, part: int | str) -> Any:
    if isinstance(value, Mapping):
        return value.get(part, _NOTHING)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return _NOTHING


def _known_fields(raw: Any, path: list[int | str]) -> set[str]:
    """Return the names of the fields that the document knows at a place."""
    annotations: list[Any] = [ProcessDocument]
    here = raw
    for part in path:
        here = here[part]
        models = [model for annotation in annotations for model in _models(annotation)]
        annotations = [found for model in models for found in _annotations(model, part)]
        kind = KINDS.get(here["t"]) if isinstance(here, Mapping) and isinstance(here.get("t"), str) else None
        if len(path) >= 2 and path[0] == "nodes" and part == path[1] and kind is not None:
            annotations = [kind.document]
        elif not annotations:  # an item of a list or of a mapping: its members are known already
            annotations = list(models)
    return {
        field.alias or name
        for annotation in annotations
        for model in _models(annotation)
        for name, field in model.model_fields.items()
    }


def _annotations(model: type[BaseModel], part: int | str) -> list[Any]:
    return [field.annotation for name, field in model.model_fields.items() if part in (name, field.alias)]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models inside an annotation of options, lists and mappings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, Annotated, list, dict):
        return [model for inner in get_args(annotation) for model in _models(inner)]
    return []
