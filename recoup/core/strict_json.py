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
    """The body is not JSON that can be trusted; the text says why, in words for a person."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise JsonRefused(f"the key “{twice[:60]}” stands twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise JsonRefused(f"a number of {len(text)} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise JsonRefused(f"a number of {len(text)} digits")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise JsonRefused(f"the number {text}") from error
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -LONGEST_NUMBER < number.adjusted() < LONGEST_NUMBER:
        raise JsonRefused(f"the number {text}")
    return number


def _constant(name: str) -> NoReturn:
    raise JsonRefused(f"the number {name}")


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for match in _SIGNS.finditer(text):
        sign = match[0]
        if sign in "[{":
            depth += 1
            if depth > DEEPEST:
                raise JsonRefused(f"too deep: more than {DEEPEST} levels")
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
        raise JsonRefused(f"not UTF-8 at byte {error.start}") from error
    if not text.strip():
        raise JsonRefused("the body is empty")
    _check_depth(text)
    try:
        return _decoder.decode(text)
    except JsonRefused:
        raise
    except json.JSONDecodeError as error:
        raise JsonRefused(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise JsonRefused(f"too deep: more than {DEEPEST} levels") from error


def dumps(value: Any) -> bytes:
    """Return a value of `loads` as JSON in UTF-8; a `Decimal` keeps its digits."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode(
        "utf-8", "replace"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
