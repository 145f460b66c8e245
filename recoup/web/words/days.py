"""What is said of texts that are true on the day of sending alone: where a step does not keep them to it."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _

from recoup.messaging.dayness import day_words_of_texts
from recoup.processes.graph.texts_used import keys_of_texts
from recoup.processes.texts import day_words_of
from recoup.shops.models import Shop


def day_warning(shop: Shop, node: dict[str, Any]) -> list[str]:
    """Return a sentence for a step whose text speaks of a day, while nothing keeps it from going out on another."""
    if node.get("t") != "send" or node.get("same_day"):
        return []
    found = day_words_of(shop, keys_of_texts(node))
    words = list(dict.fromkeys(word for said in found.values() for word in said))
    return [_spoken(words)] if words else []


def draft_warning(draft: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a sentence for a text that speaks of a day; nothing if it does not."""
    words = day_words_of_texts(draft)
    if not words:
        return ""
    return _("It says %(words)s: tick “Only true on its day” at the steps that send it.") % {
        "words": _quoted(words)
    }


def _quoted(words: Collection[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)


def _spoken(words: Collection[str]) -> str:
    return _(
        "Its text says %(words)s, which may be false the next morning. Tick “Only true on its day”, so that it is left out"
        " instead when quiet hours or limits hold it."
    ) % {"words": _quoted(words)}
