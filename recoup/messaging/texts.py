"""Published texts ready to render: compiled once for each version and locale, cached because versions never change."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django_scopes import scopes_disabled

from recoup.messaging.models import TemplateVersion
from recoup.messaging.rendering.templates import CompiledTemplate

_KEPT_VERSIONS = 256
_cache: OrderedDict[int, "Texts"] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Texts:
    """One published version in all its languages."""

    version_id: int
    by_locale: Mapping[str, CompiledTemplate]

    def choose(self, *locales: str) -> tuple[str, CompiledTemplate] | None:
        """Return the text for the first of these locales there is (`pl-PL`, then `pl`), else English, else any."""
        for locale in (*locales, "en"):
            for name in (locale, locale.partition("-")[0].partition("_")[0]):
                if name in self.by_locale:
                    return name, self.by_locale[name]
        return next(iter(self.by_locale.items()), None)


def read_texts(version_id: int, texts: Mapping[str, Mapping[str, Any]]) -> Texts:
    """Return the texts of a version's row."""
    return Texts(
        version_id,
        {
            locale: CompiledTemplate.from_json(dict(text["compiled"]))
            for locale, text in texts.items()
            if text.get("compiled")
        },
    )


def current_texts(template_ids: Iterable[int]) -> dict[int, Texts]:
    """Return the published texts of templates; what has none is missing."""
    wanted = sorted(set(template_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, current_version_id FROM messaging_template"
            " WHERE id = ANY(%s) AND current_version_id IS NOT NULL",
            [wanted],
        )
        versions = dict(cursor.fetchall())
    known = _load(versions.values())
    return {template_id: known[version_id] for template_id, version_id in versions.items()}


def _load(version_ids: Iterable[int]) -> dict[int, Texts]:
    with _lock:
        known = {version_id: _cache[version_id] for version_id in version_ids if version_id in _cache}
        for version_id in known:
            _cache.move_to_end(version_id)
    missing = sorted(set(version_ids) - set(known))
    if missing:
        known.update(_read(missing))
    return known


def _read(version_ids: list[int]) -> dict[int, Texts]:
    with scopes_disabled():
        rows = TemplateVersion.objects.filter(pk__in=version_ids).values_list("pk", "texts")
        found = {version_id: read_texts(version_id, texts) for version_id, texts in rows}
    with _lock:
        _cache.update(found)
        while len(_cache) > _KEPT_VERSIONS:
            _cache.popitem(last=False)
    return found
