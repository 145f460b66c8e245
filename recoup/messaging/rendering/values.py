"""The values that a template prints: cleaned texts, amounts and moments that know their language and zone."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Self
from zoneinfo import ZoneInfo

from recoup.messaging.rendering.emptiness import EmptyValue
from recoup.messaging.rendering.formats import amount_writer, moment_writer
from recoup.messaging.rendering.limits import FIELD_CHARACTERS
from recoup.messaging.rendering.tokens import CATALOGUE, Field, Kind

Scope = dict[str, Any]
Convert = Callable[[object, str, str], object]

_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
"""Invisible, but half of what makes an emoji or a Persian word."""

_BLANK_TO_THE_EYE = "\u115f\u1160\u200c\u200d\u2800\u3164\ufe0e\ufe0f\uffa0 "


class ValueUnreadable(ValueError):
    """A field of the context is not of the kind that the catalogue says."""


class MoneyText(Decimal):
    """An amount that compares as a number and prints as people of its language write it."""

    words: str

    @classmethod
    def of(cls, amount: str, currency: str, locale: str) -> Self:
        """Return the amount with its words in this language."""
        money = cls(amount)
        money.words = amount_writer(currency, locale)(money)
        return money

    def __str__(self) -> str:
        return self.words


class Moment:
    """An instant that prints as a day in the reader's language and zone."""

    __slots__ = ("at", "locale", "zone")

    def __init__(self, at: datetime, locale: str, zone: str) -> None:
        self.at, self.locale, self.zone = at, locale, zone

    def local(self) -> datetime:
        """Return the instant on the reader's clock."""
        return self.at.astimezone(_zone(self.zone))

    def text(self, style: str) -> str:
        """Return it in one of the named styles of the `date` filter, or by a pattern with percent signs.

        :raises StyleUnknown: if there is no such style.
        """
        return moment_writer(style, self.locale)(self.local())

    def __str__(self) -> str:
        return self.text("long")


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def clean_text(text: str, *, keep_lines: bool = False) -> str:
    """Return the text without control characters, line separators and signs that turn the direction of writing.

    Whatever a person typed stays as typed otherwise; emoji keep their joiners.
    """
    if text.isprintable():
        return text.strip() if len(text) <= FIELD_CHARACTERS else text.strip()[:FIELD_CHARACTERS]
    kept = [_clean_character(character, keep_lines) for character in text[: 4 * FIELD_CHARACTERS]]
    words = "".join(kept)
    if keep_lines:
        return "\n".join(" ".join(line.split()) for line in words.split("\n")).strip()[:FIELD_CHARACTERS]
    return " ".join(words.split())[:FIELD_CHARACTERS]


def _clean_character(character: str, keep_lines: bool) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    if character == "\n" and keep_lines:
        return "\n"
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"
    return " " if character.isspace() or character < " " or character == "\x7f" else ""


def _as_text(value: object, _locale: str, _zone: str) -> object:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueUnreadable(type(value).__name__)


def _as_lines(value: object, _locale: str, _zone: str) -> object:
    if not isinstance(value, str):
        raise ValueUnreadable(type(value).__name__)
    return clean_text(value, keep_lines=True)


def _as_number(value: object, _locale: str, _zone: str) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueUnreadable(type(value).__name__)


def _as_money(value: object, locale: str, _zone: str) -> object:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:  # our Money, as JSON writes it
        value = (value["amount"], value["currency"])
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueUnreadable(repr(value))
    amount, currency = value
    try:
        return MoneyText.of(amount, currency, locale)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise ValueUnreadable(repr(value)) from error


def _as_moment(value: object, locale: str, zone: str) -> object:
    if not isinstance(value, str):
        raise ValueUnreadable(repr(value))
    try:
        return Moment(datetime.fromisoformat(value), locale, zone)
    except ValueError as error:
        raise ValueUnreadable(repr(value)) from error


def _as_link(value: object, _locale: str, _zone: str) -> object:
    """Let an address through if a mail program may open it; anything else is a fault of ours and stops the mail."""
    if (
        isinstance(value, str)
        and (not value or value.startswith(("https://", "http://")))
        and value.isprintable()
    ):
        return value
    raise ValueUnreadable(repr(value))


_CONVERT: Mapping[Kind, Convert] = {
    Kind.TEXT: _as_text,
    Kind.NUMBER: _as_number,
    Kind.MONEY: _as_money,
    Kind.MOMENT: _as_moment,
    Kind.LINK: _as_link,
}


def _convert_of(field: Field) -> Convert:
    return _as_lines if field.path == "shop.address" else _CONVERT[field.kind]


class ScopePlan:
    """Turns the plain context of one mail into the values that its template may print.

    Only the fields that the template uses are looked at. An empty field is marked, so that printing it without a fallback
    stops the mail and never greets nobody.
    """

    def __init__(self, tokens: list[str]) -> None:
        self._single: list[tuple[str, str, Convert]] = []
        self._lists: dict[tuple[str, str], list[tuple[str, Convert]]] = {}
        self._aliases: list[tuple[str, str, str]] = []
        for path in tokens:
            self._add(CATALOGUE[path])

    def _add(self, field: Field) -> None:
        root, *rest = field.path.split(".")
        if field.kind is Kind.LIST:
            self._lists.setdefault((root, rest[0]), [])
        elif len(rest) == 2:
            self._lists.setdefault((root, rest[0]), []).append((rest[1], _convert_of(field)))
        else:
            self._single.append((root, rest[0], _convert_of(field)))
            if field.purpose and root != "links":
                self._aliases.append((root, rest[0], field.purpose))

    def fill(self, context: Scope, locale: str, zone: str) -> Scope:
        """Return the scope; the context given is used up.

        :raises ValueUnreadable: if a field is not of its kind.
        """
        links = context.get("links") or {}
        for root, name, purpose in self._aliases:
            context.setdefault(root, {}).setdefault(name, links.get(purpose))
        for root, name, convert in self._single:
            _replace(context.get(root), f"{root}.{name}", name, convert, locale, zone)
        for (root, name), columns in self._lists.items():
            rows = (context.get(root) or {}).get(name) or []
            for column, convert in columns:
                for row in rows:
                    _replace(row, f"{root}.{name}.{column}", column, convert, locale, zone)
        return context


def _replace(holder: Scope | None, path: str, name: str, convert: Convert, locale: str, zone: str) -> None:
    if holder is None:
        return
    value = holder.get(name)
    if value is not None:
        value = convert(value, locale, zone)
    if value is None or (type(value) is str and _is_blank(value)):
        value = EmptyValue(path)
    holder[name] = value


def _is_blank(text: str) -> bool:
    """Tell whether nobody would see anything of the text."""
    return not text or (not text.isascii() and not text.strip(_BLANK_TO_THE_EYE))
