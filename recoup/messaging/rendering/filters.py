"""The filters a template may use: the harmless ones of Liquid, and ours for money, moments and plural forms."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import wraps
from typing import Any

from babel import Locale
from babel.numbers import format_decimal
from liquid import RenderContext
from liquid.builtin.filters import array, math, misc, string
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context

from recoup.messaging.rendering.formats import StyleUnknown, known_locale
from recoup.messaging.rendering.limits import HTML_REFUSED_BYTES
from recoup.messaging.rendering.values import Moment, MoneyText

Filter = Callable[..., Any]

LOCALE_NAME = "recoup_locale"
"""Where a scope keeps the language of the mail; no template can name it, since it stands in no catalogue."""

FALLBACKS = frozenset({"default", "fallback"})


def _locale_of(context: RenderContext) -> str:
    return str(context.globals.get(LOCALE_NAME, "en"))


def _bounded(grow: Filter) -> Filter:
    """Stop a filter whose result no mail could hold."""

    @wraps(grow)
    def bounded(value: object, *args: Any, **kwargs: Any) -> Any:
        result = grow(value, *args, **kwargs)
        if len(result) > HTML_REFUSED_BYTES:
            raise FilterArgumentError("the result is too long for a mail", token=None)
        return result

    return bounded


def _numeric(calculate: Filter) -> Filter:
    """Refuse what is no number, where the library would silently take it for zero; amounts are not calculated with."""

    @wraps(calculate)
    def numeric(*values: object) -> Any:
        for value in values:
            if isinstance(value, bool | Decimal) or not isinstance(value, int | float):
                raise FilterArgumentError(f"{calculate.__name__} needs plain numbers", token=None)
        return calculate(*values)

    return numeric


def date(value: object, style: object = "long") -> str:
    """Write a moment: `short`, `medium`, `long`, `full`, `time`, `datetime`, `weekday` or `%d.%m.%Y`."""
    if not isinstance(value, Moment) or not isinstance(style, str):
        raise FilterArgumentError("date needs a moment and a style", token=None)
    try:
        return value.text(style)
    except StyleUnknown as error:
        raise FilterArgumentError(f"unknown style of date: {style}", token=None) from error


def money(value: object) -> str:
    """Write an amount with its currency; an amount printed without a filter looks the same."""
    if not isinstance(value, MoneyText):
        raise FilterArgumentError("money needs an amount", token=None)
    return str(value)


@with_context
def number(value: object, *, context: RenderContext) -> str:
    """Write a plain number as people of this language do."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise FilterArgumentError("number needs a number", token=None)
    return str(format_decimal(Decimal(str(value)), locale=_locale_of(context)))


def plural_categories(locale: str) -> tuple[str, ...]:
    """Return the forms that whole numbers need in this language, in the order of their first use."""
    form = Locale.parse(known_locale(locale)).plural_form
    return tuple(dict.fromkeys(form(count) for count in (1, 2, 5, 21, 22, 25, 100, 1000)))


@with_context
def plural(value: object, *, context: RenderContext, **forms: object) -> str:
    """Choose the form that goes with a number; `#` in it stands for the number.

    `{{ order.items.size | plural: one: "# item", other: "# items" }}`. A form that is not given falls back to `other`, then
    to `many`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise FilterArgumentError("plural needs a number", token=None)
    locale = _locale_of(context)
    category = Locale.parse(locale).plural_form(value)
    for name in (category, "other", "many", "few", "one"):
        if name in forms:
            return str(forms[name]).replace("#", str(format_decimal(Decimal(str(value)), locale=locale)))
    raise FilterArgumentError("plural needs the forms one, few, many or other", token=None)


def _unchanged(value: object) -> object:
    return value


_SHARED: Mapping[str, Filter] = {
    "append": _bounded(string.append),
    "at_least": _numeric(math.at_least),
    "at_most": _numeric(math.at_most),
    "capitalize": string.capitalize,
    "date": date,
    "default": misc.default,
    "divided_by": _numeric(math.divided_by),
    "downcase": string.downcase,
    "escape": string.escape,
    "fallback": misc.default,
    "first": array.first,
    "join": _bounded(array.join),
    "last": array.last,
    "map": array.map_,
    "minus": _numeric(math.minus),
    "money": money,
    "newline_to_br": string.newline_to_br,
    "number": number,
    "plural": plural,
    "plus": _numeric(math.plus),
    "prepend": _bounded(string.prepend),
    "remove": string.remove,
    "replace": _bounded(string.replace),
    "reverse": array.reverse,
    "round": _numeric(math.round_),
    "size": misc.size,
    "slice": string.slice_,
    "split": string.split,
    "strip": string.strip,
    "times": _numeric(math.times),
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "uniq": array.uniq,
    "upcase": string.upcase,
    "url_encode": string.url_encode,
    "where": array.where,
}

HTML_FILTERS: Mapping[str, Filter] = _SHARED
TEXT_FILTERS: Mapping[str, Filter] = {**_SHARED, "escape": _unchanged, "newline_to_br": _unchanged}
"""In plain text an escaped sign or a `<br>` would be read as it stands."""
