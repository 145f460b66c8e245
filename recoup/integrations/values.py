"""Reading single values that strangers wrote: each refusal names the field, nothing is guessed or rounded."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from recoup.core.money import AmountUnreadable, CurrencyUnknown, parse_amount, parse_currency
from recoup.core.text import clean_line, storable
from recoup.shops.ports import BodyQuarantined

URL_LENGTH = 2000
_COUNTRY = re.compile(r"[A-Z]{2}")
_LOCALE = re.compile(r"([a-z]{2,3})([_-][a-z0-9_-]*)?", re.IGNORECASE)
_SHOWN = 60  # letters of a value that a reason repeats
_PLACES = Decimal("0.0001")  # what our columns keep


def shown(value: object) -> str:
    """Return a value as a reason repeats it: short, on one line."""
    return clean_line(str(value), length=_SHOWN)


def external_ref(value: object, field: str) -> str:
    """Return an external id as text: whole numbers and text of 1 to 200 signs.

    :raises BodyQuarantined: if it is anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        text = clean_line(value)
        if text and len(value) <= 200:
            return text
    raise BodyQuarantined("bad_id", f"{field}: {shown(value)}")


def optional_ref(value: object, field: str) -> str:
    """Return an external id, or nothing for what is absent, empty or zero.

    :raises BodyQuarantined: if it is there and no id.
    """
    return "" if value in (None, "", 0, "0") else external_ref(value, field)


def currency_code(value: object, field: str = "currency") -> str:
    """Return the currency in upper case (T20).

    :raises BodyQuarantined: if there is no such currency.
    """
    try:
        return parse_currency(value if isinstance(value, str) else "")
    except CurrencyUnknown as error:
        raise BodyQuarantined("bad_currency", f"{field}: {shown(value)}") from error


def amount(value: object, currency: str, field: str, *, allow_negative: bool = False) -> Decimal:
    """Return an amount told as plain decimal text or number (T19).

    :raises BodyQuarantined: if it is anything else, or has more places than the currency.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise BodyQuarantined("bad_amount", f"{field}: {shown(value)}")
    try:
        return parse_amount(str(value), currency, allow_negative=allow_negative)
    except AmountUnreadable as error:
        raise BodyQuarantined("bad_amount", f"{field}: {shown(value)} {currency}") from error


def optional_amount(value: object, currency: str, field: str) -> Decimal | None:
    """Return an amount that may be absent or empty.

    :raises BodyQuarantined: if it is there and unreadable.
    """
    return None if value in (None, "") else amount(value, currency, field)


def fine_amount(value: object, field: str) -> Decimal:
    """Return the amount of a line, which platforms compute with more places than the currency has; kept to four.

    :raises BodyQuarantined: if it is no number.
    """
    number = _number(value, field, "bad_amount")
    return number.quantize(_PLACES)


def positive_fine_amount(value: object, field: str) -> Decimal:
    """Return such an amount that is not below nothing.

    :raises BodyQuarantined: if it is none.
    """
    found = fine_amount(value, field)
    if found < 0:
        raise BodyQuarantined("bad_amount", f"{field}: {shown(value)}")
    return found


def quantity(value: object, field: str) -> Decimal:
    """Return how many: from 0.001 to a million.

    :raises BodyQuarantined: if it is anything else.
    """
    number = _number(value, field, "bad_quantity")
    if not Decimal("0.001") <= number <= 1_000_000 or number != number.quantize(Decimal("0.001")):
        raise BodyQuarantined("bad_quantity", f"{field}: {shown(value)}")
    return number


def _number(value: object, field: str, code: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise BodyQuarantined(code, f"{field}: {shown(value)}")
    text = str(value).strip()
    try:
        number = Decimal(text) if re.fullmatch(r"-?\d{1,12}(\.\d{1,30})?", text) else None
    except InvalidOperation:
        number = None
    if number is None:
        raise BodyQuarantined(code, f"{field}: {shown(value)}")
    return number


def instant(value: object, field: str) -> datetime:
    """Return an ISO 8601 instant with its offset, in UTC.

    :raises BodyQuarantined: if it is unreadable or does not say its offset.
    """
    moment = _iso(value, field)
    if moment.tzinfo is None:
        raise BodyQuarantined("time_without_zone", f"{field}: {shown(value)}")
    return _in_utc(moment, value, field)


def utc_instant(value: object, field: str) -> datetime:
    """Return an ISO 8601 instant that a `..._gmt` field tells without an offset, in UTC.

    :raises BodyQuarantined: if it is unreadable.
    """
    moment = _iso(value, field)
    return _in_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC), value, field)


def _iso(value: object, field: str) -> datetime:
    if not isinstance(value, str) or len(value) > 40 or len(value) < 10:
        raise BodyQuarantined("bad_time", f"{field}: {shown(value)}")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise BodyQuarantined("bad_time", f"{field}: {shown(value)}") from error


def _in_utc(moment: datetime, value: object, field: str) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise BodyQuarantined("bad_time", f"{field}: {shown(value)}") from error
    if not 1990 <= moment.year <= 9000:
        raise BodyQuarantined("bad_time", f"{field}: {shown(value)}")
    return moment


def line(value: object, *, length: int = 200) -> str:
    """Return one clean line of text; nothing for what is no text (T18)."""
    return clean_line(value, length=length) if isinstance(value, str) else ""


def web_address(value: object) -> str:
    """Return an http or https address, or nothing: a bad one costs the link, not the order."""
    if not isinstance(value, str) or len(value) > URL_LENGTH:
        return ""
    text = storable(value).strip()
    if not text.isprintable() or any(sign in text for sign in ' "<>\\'):
        return ""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and host and "@" not in parts.netloc else ""


def country_code(value: object) -> str:
    """Return a country of two letters, or nothing."""
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if _COUNTRY.fullmatch(code) else ""


def language_code(value: object) -> str:
    """Return the language of a locale such as `pl_PL` or `de-AT`, or nothing."""
    match = _LOCALE.fullmatch(value.strip()) if isinstance(value, str) else None
    return match[1].lower() if match else ""


def members(value: object) -> dict[str, Any]:
    """Return an object of the body, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object, field: str, *, most: int) -> list[dict[str, Any]]:
    """Return a list of objects of the body; nothing for what is absent.

    :raises BodyQuarantined: if it is no list of objects, or longer than `most`.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BodyQuarantined("bad_list", field)
    if len(value) > most:
        raise BodyQuarantined("list_too_long", f"{field}: {len(value)}")
    return value


def stock(value: object, field: str) -> Decimal | None:
    """Return how many are in stock, which may be below zero, or `None` if nobody counts.

    :raises BodyQuarantined: if it is no number.
    """
    return None if value in (None, "") else _number(value, field, "bad_quantity").quantize(Decimal("0.001"))
