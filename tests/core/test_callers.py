"""Where a call comes from."""

from typing import Any

import pytest
from django.test import RequestFactory

from recoup.core.callers import address_class, client_address


@pytest.mark.parametrize(
    ("peer", "address", "kept"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("", "unknown", "unknown"),
        ("nonsense", "unknown", "unknown"),
    ],
)
def test_a_peer_is_known_by_its_address_and_kept_by_its_class(peer: str, address: str, kept: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer)

    assert (client_address(request), address_class(request)) == (address, kept)


def test_a_forwarded_address_counts_only_behind_our_proxy(settings: Any) -> None:
    request = RequestFactory().get(
        "/", REMOTE_ADDR="10.0.0.1", headers={"x-forwarded-for": "198.51.100.9, 203.0.113.7"}
    )

    settings.SECURE_PROXY_SSL_HEADER = None
    assert client_address(request) == "10.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert client_address(request) == "203.0.113.7"
