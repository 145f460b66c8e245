"""Links: one purpose, one object, a life, and one answer to everything that is none (T46-T48)."""

from datetime import timedelta

import pytest
from django.db import connection

from recoup.core import links
from recoup.core.links import LinkExpired, LinkOrder, LinkUnknown
from recoup.core.models import Link
from tests.factories.moments import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _purposes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_purposes", {"pay": 30 * DAY, "cart": DAY})


def mint(**values: object) -> str:
    order = {"purpose": "pay", "shop_id": 1, "subject_kind": "order", "subject_id": 7, **values}
    [token] = links.mint([LinkOrder(**order)], now=NOW)  # type: ignore[arg-type]
    return token


def test_a_link_leads_to_its_object_and_only_its_hash_is_kept() -> None:
    token = mint(contact_id=3, message_id=4)

    link = links.resolve("pay", token, now=NOW)

    assert (link.shop_id, link.subject_kind, link.subject_id, link.contact_id, link.message_id) == (
        1, "order", 7, 3, 4,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(l)::text FROM core_link l")
        assert token not in cursor.fetchone()[0]


def test_many_are_minted_at_once_and_keep_their_order() -> None:
    orders = [LinkOrder("pay", 1, "order", number) for number in range(20)]

    tokens = links.mint(orders, now=NOW)

    assert [links.resolve("pay", token, now=NOW).subject_id for token in tokens] == list(range(20))
    assert links.mint([], now=NOW) == []


def test_a_link_is_for_one_purpose() -> None:
    token = mint()

    with pytest.raises(LinkUnknown):
        links.resolve("cart", token, now=NOW)


def test_a_link_ends_with_its_life() -> None:
    token = mint(purpose="cart")

    assert links.resolve("cart", token, now=NOW + DAY - timedelta(microseconds=1)).subject_id == 7
    with pytest.raises(LinkExpired) as expired:
        links.resolve("cart", token, now=NOW + DAY)
    assert expired.value.link.subject_id == 7


def test_revoking_ends_the_links_of_one_object_for_the_purposes_named() -> None:
    gone, other_purpose, other_order, other_shop = (
        mint(), mint(purpose="cart"), mint(subject_id=8), mint(shop_id=2),
    )  # fmt: skip

    assert links.revoke(1, "order", 7, purposes=["pay"], now=NOW) == 1
    assert links.revoke(1, "order", 7, purposes=["pay"], now=NOW) == 0

    with pytest.raises(LinkUnknown):
        links.resolve("pay", gone, now=NOW)
    left = [("cart", other_purpose), ("pay", other_order), ("pay", other_shop)]
    found = [links.resolve(purpose, token, now=NOW) for purpose, token in left]
    assert [(link.shop_id, link.subject_id) for link in found] == [(1, 7), (1, 8), (2, 7)]


@pytest.mark.parametrize(
    "spoil",
    [
        str.swapcase,
        lambda token: token + ".",
        lambda token: token + "%00",
        lambda token: token + "\x00",
        lambda token: token + "\n",
        lambda token: "%2e%2e/" + token,
        lambda token: token * 2,
        lambda token: token[:-1],
        lambda token: token + "=",
        lambda _: "x" * 10_240,
        lambda _: "",
        lambda _: "ａ" * 22,
        lambda _: "A" * 22,
    ],
)
def test_a_token_that_is_not_the_very_one_is_unknown(spoil: object) -> None:
    token = mint()

    with pytest.raises(LinkUnknown):
        links.resolve("pay", spoil(token), now=NOW)  # type: ignore[operator]
    assert Link.objects.count() == 1


def test_tokens_are_128_random_bits() -> None:
    tokens = links.mint([LinkOrder("pay", 1, "order", 1)] * 500, now=NOW)

    assert {len(token) for token in tokens} == {22}
    assert len(set(tokens)) == 500
