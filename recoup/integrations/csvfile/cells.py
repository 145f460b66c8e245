"""Reading single cells of a table: amounts with commas, dates of many forms, statuses in four languages."""

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from recoup.core.money import AmountUnreadable, parse_amount
from recoup.integrations.values import shown
from recoup.shops.ports import BodyQuarantined
from recoup.shops.snapshots import ShopState

POINT, COMMA = ".", ","
ISO, DAY_FIRST, MONTH_FIRST = "iso", "dmy", "mdy"

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009']+")
_AROUND = re.compile(r"^[^\d,.+-]+|[^\d]+$")  # currency signs and words, before or behind
_NUMERIC = re.compile(
    r"(?P<a>\d{1,4})[./-](?P<b>\d{1,2})[./-](?P<c>\d{2,4})"
    r"(?:[T ,]+(?P<h>\d{1,2})[:.](?P<m>\d{2})(?:[:.](?P<s>\d{2})(?:\.\d+)?)?)?"
    r"\s*(?P<p>[AaPp]\.?[Mm]\.?)?\s*(?P<z>Z|UTC|[+-]\d{2}:?\d{2})?"
)
_YES = {"yes", "true", "1", "tak", "ja", "да", "y", "t", "on"}
_NO = {"no", "false", "0", "nie", "nein", "нет", "n", "f", "off", ""}

STATES = {
    ShopState.PENDING: (
        "pending", "new", "unpaid", "pending payment", "oczekuje", "oczekujące na płatność",
        "oczekuje na płatność", "nowe", "nieopłacone", "новый", "не оплачен", "neu", "offen",
        "ausstehend", "unbezahlt", "authorized", "partially_paid", "partially paid", "частично оплачен",
    ),
    ShopState.ON_HOLD: (
        "on_hold", "on-hold", "on hold", "wstrzymane", "на удержании", "отложен", "zurückgestellt",
    ),
    ShopState.FAILED: ("failed", "expired", "nieudane", "не удался", "не выполнен", "fehlgeschlagen"),
    ShopState.PAID: (
        "paid", "processing", "opłacone", "zapłacone", "w trakcie realizacji", "оплачен", "оплачено", "обработка",
        "bezahlt", "in bearbeitung", "partially_refunded", "partially refunded",
    ),
    ShopState.FULFILLED: (
        "fulfilled", "completed", "complete", "zrealizowane", "zakończone", "выполнен", "завершен", "завершён",
        "abgeschlossen", "fertiggestellt",
    ),
    ShopState.CANCELLED: (
        "cancelled", "canceled", "voided", "anulowane", "отменен", "отменён", "storniert", "abgebrochen",
    ),
    ShopState.REFUNDED: ("refunded", "zwrócone", "возвращен", "возвращён", "erstattet", "rückerstattet"),
}  # fmt: skip
# Words for statuses of a desk like ours (E3, E10), which no shop has: such an order is unpaid, and its status is kept.
OWN_STATUSES = {
    "in_work": ("in work", "in_work", "в работе", "in arbeit"),
    "not_confirmed": (
        "not confirmed", "not_confirmed", "unconfirmed", "niepotwierdzone", "не подтвержден", "не подтверждён",
        "nicht bestätigt", "unbestätigt",
    ),
    "awaiting_payment": ("awaiting payment", "awaiting_payment", "ожидает оплаты", "ждет оплаты", "ждёт оплаты"),
    "false": ("false", "fałszywe", "ложный", "falsch"),
}  # fmt: skip
_OWN_STATUS_OF = {word: status for status, words in OWN_STATUSES.items() for word in words}
_STATE_OF = {word: state for state, words in STATES.items() for word in words}
_STATE_OF |= dict.fromkeys(_OWN_STATUS_OF, ShopState.PENDING)


def decimal_sign(samples: list[str]) -> str:
    """Return which sign parts the decimals in a column, or nothing if the samples disagree or cannot tell.

    Whole numbers say nothing, and neither does `1,234`: it may be a thousand or one and a bit.
    """
    evidence: set[str] = set()
    unclear = False
    for sample in samples:
        text = _AROUND.sub("", _SPACES.sub("", sample))
        last = max(text.rfind(POINT), text.rfind(COMMA))
        if last < 0:
            continue
        sign, other = text[last], COMMA if text[last] == POINT else POINT
        behind = len(text) - last - 1
        if other in text or (text.count(sign) == 1 and behind != 3):
            evidence.add(sign)
        elif text.count(sign) > 1:
            evidence.add(other)
        else:
            unclear = True
    if len(evidence) == 1:
        return evidence.pop()
    return "" if evidence or unclear else POINT


def amount(text: str, currency: str, *, sign: str, field: str, places: int | None = None) -> Decimal:
    """Return the amount of a cell: `1 234,56 zł`, `€1.234,56`, `-5.00`, with the decimal sign of its column.

    :raises BodyQuarantined: if it is anything else, or has more places than the currency, or than `places`.
    """
    bare = _AROUND.sub("", _SPACES.sub("", text))
    thousands = COMMA if sign == POINT else POINT
    whole, parted, digits = bare.partition(sign)
    if thousands in digits or not re.fullmatch(
        rf"[+-]?(\d+|\d{{1,3}}({re.escape(thousands)}\d{{3}})+)", whole
    ):
        raise BodyQuarantined("bad_amount", f"{field}: {shown(text)}")
    plain = whole.replace(thousands, "").removeprefix("+") + (f".{digits}" if parted else "")
    if places is not None and re.fullmatch(rf"\d{{1,12}}(\.\d{{1,{places}}})?", plain):
        return Decimal(plain)
    try:
        return parse_amount(plain, currency, allow_negative=True)
    except AmountUnreadable as error:
        raise BodyQuarantined("bad_amount", f"{field}: {shown(text)} {currency}") from error


def quantity(text: str, *, field: str) -> Decimal:
    """Return how many; a comma may part the decimals.

    :raises BodyQuarantined: if it is no number above zero.
    """
    bare = _SPACES.sub("", text).replace(COMMA, POINT)
    if not re.fullmatch(r"\d{1,7}(\.\d{1,3})?", bare) or Decimal(bare) == 0:
        raise BodyQuarantined("bad_quantity", f"{field}: {shown(text)}")
    return Decimal(bare)


def date_order(samples: list[str]) -> str:
    """Return the order of day and month in a column, or nothing if the samples cannot tell."""
    found: set[str] = set()
    unclear = False
    for sample in samples:
        match = _NUMERIC.match(sample.strip())
        if match is None or len(match["a"]) == 4:
            continue
        first, second = int(match["a"]), int(match["b"])
        if "." in sample[: match.end("b") + 1] or first > 12:
            found.add(DAY_FIRST)
        elif second > 12:
            found.add(MONTH_FIRST)
        else:
            unclear = True
    if len(found) == 1:
        return found.pop()
    return "" if found or unclear else ISO


def moment(text: str, *, order: str, zone: str, field: str) -> datetime:
    """Return the instant of a cell in UTC; one without its offset is of `zone`.

    :raises BodyQuarantined: if it is unreadable in this order of day and month.
    """
    match = _NUMERIC.fullmatch(text.strip())
    if match is None:
        raise BodyQuarantined("bad_date", f"{field}: {shown(text)}")
    parts = [int(match[name]) for name in ("a", "b", "c")]
    if len(match["a"]) == 4:
        year, month, day = parts
    elif order == MONTH_FIRST:
        month, day, year = parts
    elif order == DAY_FIRST:
        day, month, year = parts
    else:
        raise BodyQuarantined("bad_date", f"{field}: {shown(text)}")
    hour, minute, second = (int(match[name] or 0) for name in ("h", "m", "s"))
    year += 2000 if year < 100 else 0
    if match["p"]:
        hour = _hour_of_day(hour, match["p"]) if 1 <= hour <= 12 else -1
    try:
        found = datetime(year, month, day, hour, minute, second, tzinfo=_zone(match["z"], zone))
    except ValueError as error:
        raise BodyQuarantined("bad_date", f"{field}: {shown(text)}") from error
    if not 1990 <= found.year <= 2100:
        raise BodyQuarantined("bad_date", f"{field}: {shown(text)}")
    return found.astimezone(UTC)


def _hour_of_day(hour: int, half: str) -> int:
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _zone(told: str | None, default: str) -> tzinfo | None:
    if not told:
        return ZoneInfo(default)
    if told in {"Z", "UTC"}:
        return UTC
    return datetime.strptime(told.replace(":", ""), "%z").tzinfo


def state(text: str, words: dict[str, str], *, field: str) -> ShopState:
    """Return the state of an order by the words of the plan, then by those that are known in four languages.

    :raises BodyQuarantined: if nobody said what the word means.
    """
    word = _word(text)
    told = words.get(word)
    found = ShopState(told) if told else _STATE_OF.get(word)
    if found is None:
        raise BodyQuarantined("bad_status", f"{field}: {shown(text)}")
    return found


def own_status(text: str, words: dict[str, str]) -> str:
    """Return the status of ours that a word names, or "" if it names none, or the plan says what it means."""
    word = _word(text)
    return "" if word in words else _OWN_STATUS_OF.get(word, "")


def is_known_state(text: str) -> bool:
    """Tell whether a status needs no word in the plan."""
    return _word(text) in _STATE_OF


def _word(text: str) -> str:
    """Return a status as it is looked up; exports of WooCommerce write `wc-` before theirs."""
    return " ".join(text.strip().lower().split()).removeprefix("wc-")


def agreed(text: str, *, field: str) -> bool:
    """Return yes or no.

    :raises BodyQuarantined: if it is neither.
    """
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise BodyQuarantined("bad_consent", f"{field}: {shown(text)}")
