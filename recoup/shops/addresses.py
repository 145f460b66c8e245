"""Which addresses a buyer may be sent to: those of the source's own host, and no other (T58)."""

import re
from urllib.parse import urlsplit

from django.conf import settings

from recoup.shops.models import Source

_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_LONGEST = 2000


def own_hosts(source: Source) -> frozenset[str]:
    """Return the hosts that a source answers for: that of its address, and `link_hosts` of its options."""
    hosts = {urlsplit(source.base_url).hostname or ""}
    hosts.update(str(host) for host in source.options.get("link_hosts", []))
    return frozenset(_bare(host) for host in hosts if host)


def is_own_address(source: Source, url: str) -> bool:
    """Tell whether a buyer may be sent to this address, which the source gave.

    It must be https, without user name or odd signs, on a host of the source (`www.` aside). The demo and the tests may
    use http on this machine.
    """
    if not url or len(url) > _LONGEST or _ODD.search(url):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or _bare(host) not in own_hosts(source):
        return False
    if parts.scheme == "https":
        return port in {None, 443, urlsplit(source.base_url).port}
    return parts.scheme == "http" and _may_use_http(host)


def site_of(url: str) -> str:
    """Return the host and path of a shop's address, by which one shop is told from another; "" if there is none.

    Scheme, `www.`, capitals and a slash at the end make no other shop; another port or folder does.
    """
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host, port = _bare(parts.hostname or ""), parts.port
    except ValueError:
        return ""
    if not host:
        return ""
    place = "" if port in {None, 80, 443} else f":{port}"
    return f"{host}{place}{parts.path.rstrip('/')}"[:200]


def origin_of(url: str) -> str:
    """Return the origin of an address: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _bare(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")


def _may_use_http(host: str) -> bool:
    return host in {"127.0.0.1", "localhost"} and (settings.IS_DEMO or settings.IS_TEST)
