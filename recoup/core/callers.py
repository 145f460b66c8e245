"""Where a call comes from, for limits and for what is kept of an address."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """Return where a call comes from: its peer, or what the configured proxy says of it (T11); IPv6 by its /64."""
    return client_of(request.META)


def client_of(environ: Mapping[str, Any]) -> str:
    """Return the same of a request that is no more yet than what WSGI tells of it."""
    address = _address(environ)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address) if address else UNKNOWN


def address_class(request: HttpRequest) -> str:
    """Return the truncated address that may be kept with a consent: the /24, or the /48 of IPv6."""
    address = _address(request.META)
    if address is None:
        return UNKNOWN
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _address(environ: Mapping[str, Any]) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    told = str(environ.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER is not None:  # only set when a proxy of ours stands in front
        told = str(environ.get("HTTP_X_FORWARDED_FOR", told)).rpartition(",")[2].strip()
    try:
        return ipaddress.ip_address(told)
    except ValueError:
        return None
