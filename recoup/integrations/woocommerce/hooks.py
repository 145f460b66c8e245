"""The webhooks of a shop, made and watched through its REST API."""

from typing import Any

from recoup.integrations.woocommerce import words
from recoup.integrations.woocommerce.client import Api
from recoup.shops.models import Source
from recoup.shops.ports import SourceRefused, SourceUnavailable

_PAGE = 100
_MOST_PAGES = 20


def register(source: Source, *, address: str) -> None:
    """Make a webhook for every topic we want, or mend the one that leads to `address`.

    :raises SourceUnavailable: :raises SourceRefused: if the keys may not write.
    """
    with Api(source) as api:
        known = {_topic(row): row for row in _ours(api, source)}
        for topic in words.WANTED_TOPICS:
            wanted = {"delivery_url": address, "secret": source.secret, "status": "active"}
            row = known.get(topic)
            try:
                if row is None:
                    api.send("POST", "webhooks", {"name": f"Recoup: {topic}", "topic": topic, **wanted})
                else:
                    api.send("PUT", f"webhooks/{int(row['id'])}", wanted)
            except LookupError as error:
                raise SourceRefused("no_rest_api: webhooks") from error


def troubles(source: Source) -> list[str]:
    """Return the reasons of webhooks that do not deliver.

    :raises SourceUnavailable: :raises SourceRefused:
    """
    with Api(source) as api:
        known = {_topic(row): str(row.get("status", "")) for row in _ours(api, source)}
    found = []
    for topic in words.WANTED_TOPICS:
        status = known.get(topic)
        if status is None:
            found.append(f"hook_missing: {topic}")
        elif status != "active":
            found.append(f"hook_disabled: {topic}")
    return found


def _topic(row: dict[str, Any]) -> str:
    return str(row.get("topic", ""))


def _ours(api: Api, source: Source) -> list[dict[str, Any]]:
    """Return the webhooks that lead to this source; an active one hides a switched-off double of its topic."""
    found: list[dict[str, Any]] = []
    for number in range(1, _MOST_PAGES + 1):
        try:
            rows = api.get("webhooks", per_page=_PAGE, page=number).body
        except LookupError as error:
            raise SourceRefused("no_rest_api: webhooks") from error
        if not isinstance(rows, list):
            raise SourceUnavailable("answer_not_list")
        found += [row for row in rows if isinstance(row, dict) and _leads_here(row, source)]
        if len(rows) < _PAGE:
            break
    return sorted(found, key=lambda row: row.get("status") == "active")


def _leads_here(row: dict[str, Any], source: Source) -> bool:
    return str(row.get("delivery_url", "")).rstrip("/").endswith(f"/hooks/{source.key}")
