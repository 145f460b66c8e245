"""A strict reader of JSON from strangers (M14, T15-T18).

The standard reader keeps the last of two equal keys, takes `NaN` and `1e999`, and dies of deep nesting. Here each of
them is refused with a reason that a person can act on. Numbers with a point become `Decimal`, never float.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

DEEPEST = 64
LONGEST_NUMBER = 40  # digits; amounts and ids of every platform are far shorter
# A string that does not end takes the rest, so that a hostile body cannot make the search quadratic.
_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class JsonRefused(ValueError):
    """The body is not JSON that can be trusted; `code` and `details` say why, their words stand in `shops.reasons`."""

    def __init__(self, code: str, details: str = "") -> None:
        super().__init__(f"{code}: {details}" if details else code)
        self.code = code
        self.details = details


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        # `add` returns nothing, so a name that is new is noted and passed over.
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # see above
        raise JsonRefused("duplicate_key", twice[:60])
    return found


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise JsonRefused("bad_number", f"{text[:20]}… ({len(text)})")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise JsonRefused("bad_number", f"{text[:20]}… ({len(text)})")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise JsonRefused("bad_number", text) from error
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -LONGEST_NUMBER < number.adjusted() < LONGEST_NUMBER:
        raise JsonRefused("bad_number", text)
    return number


def _constant(name: str) -> NoReturn:
    raise JsonRefused("bad_number", name)


class _Marker:
    """Stands for a number that is refused, while its field is looked for."""


_marking = json.JSONDecoder(
    parse_int=lambda text: _Marker() if len(text) > LONGEST_NUMBER else 0,
    parse_float=lambda text: _Marker() if _is_bad(text) else 0,
    parse_constant=lambda _: _Marker(),
)


def _is_bad(text: str) -> bool:
    try:
        _decimal(text)
    except JsonRefused:
        return True
    return False


def _field_of_bad_number(text: str) -> str:
    try:
        return _field_of(_marking.decode(text))
    except json.JSONDecodeError:
        return ""


def _field_of(value: Any, path: str = "") -> str:
    """Return the path of the first refused number; nesting is within `DEEPEST` by then."""
    if isinstance(value, _Marker):
        return path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found = _field_of(inner, f"{path}.{str(key)[:60]}" if path else str(key)[:60])
        if found:
            return found
    return ""


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for match in _SIGNS.finditer(text):
        sign = match[0]
        if sign in "[{":
            depth += 1
            if depth > DEEPEST:
                raise JsonRefused("too_deep", str(DEEPEST))
        elif sign in "]}":
            depth -= 1


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)


def loads(raw: bytes) -> Any:
    """Return the value of a JSON body in UTF-8, numbers with a point as `Decimal`.

    :raises JsonRefused: with the reason.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JsonRefused("not_utf8", str(error.start)) from error
    if not text.strip():
        raise JsonRefused("empty_body")
    _check_depth(text)
    try:
        return _decoder.decode(text)
    except JsonRefused as refused:
        if refused.code != "bad_number":
            raise
        field = _field_of_bad_number(text)
        raise JsonRefused("bad_number", f"{field}: {refused.details}" if field else refused.details) from None
    except json.JSONDecodeError as error:
        raise JsonRefused("not_json", f"{error.msg} ({error.lineno}:{error.colno})") from error
    except RecursionError as error:
        raise JsonRefused("too_deep", str(DEEPEST)) from error


def dumps(value: Any) -> bytes:
    """Return a value of `loads` as JSON in UTF-8; a `Decimal` keeps its digits."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode(
        "utf-8", "replace"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
