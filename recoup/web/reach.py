"""Whether the address in our mails leads here, as a buyer's browser would find it (T60)."""

from dataclasses import dataclass
from enum import StrEnum

import httpx
from django.conf import settings

from recoup.core.installation import get_installation

PATIENCE = 5.0  # seconds; a person waits for the page


class Reach(StrEnum):
    """Who answers at the public address."""

    US = "us"
    UNSET = "unset"
    NOBODY = "nobody"
    OTHERS = "others"


@dataclass(frozen=True)
class Reached:
    """Who answers, and the technical reason where nobody does."""

    by: Reach
    reason: str = ""


def reach_public_address(*, client: httpx.Client | None = None) -> Reached:
    """Ask the public address for `/health` and tell who answers; the demo is only on this machine and never asked."""
    address = str(settings.PUBLIC_URL)
    if settings.IS_DEMO:
        return Reached(Reach.US)
    if not address:
        return Reached(Reach.UNSET)
    try:
        with client or httpx.Client(timeout=PATIENCE, follow_redirects=False) as asking:
            told = asking.get(f"{address}/health").json()
    except (httpx.HTTPError, ValueError) as error:
        return Reached(Reach.NOBODY, str(error))
    if not isinstance(told, dict) or told.get("installation") != str(get_installation().instance_id):
        return Reached(Reach.OTHERS)
    return Reached(Reach.US)
