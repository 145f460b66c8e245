"""Words that are true on the day of sending alone: "today", "tomorrow", the name of a weekday (peer 6).

As with words that advertise, every text is read for the words of all our languages, and only for what its author wrote.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from recoup.messaging.models import Message
from recoup.messaging.promotion import MOST_SHOWN, plain_words
from recoup.messaging.rendering.sources import LIQUID

_PATTERNS = (
    # en
    r"\b(?:today|tonight|tomorrow|yesterday)\b|\bthis (?:morning|afternoon|evening)\b",
    # pl
    r"\b(?:dziś|dzisiaj|dzisiejsz\w+|jutro|jutrzejsz\w+|pojutrze|wczoraj)\b",
    # de; "morgen" is also a time of the day, and then it has a greeting or a preposition before it
    r"\b(?:heute|heutig\w+|übermorgen|gestern)\b",
    r"(?<!guten )(?<!schönen )(?<!am )(?<!jeden )(?<!vom )(?<!der )\bmorgen\b|\bmorgig\w+\b",
    # ru; "завтрак" is a breakfast
    r"\b(?:сегодня|сегодняшн\w+|завтра|завтрашн\w+|послезавтра|вчера)\b",
)
_WORDS = re.compile("|".join(f"(?:{one})" for one in _PATTERNS), re.IGNORECASE)
# A filter that writes the name of the day: date: "weekday", date: "full", date: "%A, %d.%m.".
_WEEKDAY = re.compile(r"\bdate\s*:\s*(?:\"[^\"]*\"|'[^']*')")
_NAMES_DAY = re.compile(r"[\"'](?:weekday|full)[\"']|%[Aa]")


class DayOver(Exception):
    """The text was true on its day alone, and that day is over: nobody sends it again."""


def is_day_over(message: Message, now: datetime) -> bool:
    """Tell whether a text that was true on its day alone is too late."""
    return message.day_ends_at is not None and message.day_ends_at <= now


def refuse_after_day(message: Message, now: datetime) -> None:
    """Refuse to send a message again whose text was true on a day that is over.

    :raises DayOver: always then.
    """
    if is_day_over(message, now):
        raise DayOver(message.pk)


def day_words(*sources: str) -> list[str]:
    """Return what ties these parts of a text to the day on which they are read, as it stands there."""
    found: dict[str, str] = {}
    for source in sources:
        for match in _WORDS.finditer(plain_words(source)):
            found.setdefault(match[0].casefold(), match[0])
        for liquid in LIQUID.findall(source):
            for used in _WEEKDAY.findall(liquid):
                if _NAMES_DAY.search(used):
                    found.setdefault(used.casefold(), used)
    return list(found.values())[:MOST_SHOWN]


def day_words_of_texts(texts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the words of a version or a draft in all its languages."""
    return day_words(*(part for text in texts.values() for part in _parts(text)))


def _parts(text: Mapping[str, Any]) -> Iterable[str]:
    return (str(text.get(part) or "") for part in ("subject", "preheader", "body", "text"))
