"""Every answer carries its protection, and looking changes nothing."""

from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.accounts.roles import Role
from recoup.core import links
from recoup.core.activity import Actor
from recoup.core.clock import trade_now
from recoup.core.links import LinkOrder
from recoup.orders.models import Cart, Order
from recoup.shops.models import Invitation, Shop
from recoup.storefront.by_hand import make_pay_link
from tests.web.world import Place, Route, World, client_of, routes

ALL = routes()
FRAMES = {"web:message_frame", "web:text_preview", "web:demo_mail_frame"}
# What may be kept by browsers: colours of a shop and the schema of the webhook hold nothing of a person.
CACHEABLE = {"storefront:theme", "hooks:schema"}
FILLED = {"uidb36": "1", "key": "no-such-key", "what": "report", "token": "no-such-link", "slug": "own"}
BUYERS = ("pay", "out", "paid", "later", "stop", "why")
# "same-origin" tells no other site; our own forms need their origin. Links that open without signing in tell nobody.
REFERRERS = {"no-referrer", "same-origin"}
# What opening a page may write: the session, shared rate limits, and who looked.
SEEN = {"django_session", "core_cache", "core_rate_bucket", "messaging_messagevisit", "core_installation"}


def address_of(route: Route, place: Place) -> str:
    values = place.arguments(route) if route.is_staff else {name: FILLED[name] for name in route.arguments}
    return reverse(route.name, kwargs=values)


def visitors(world: World) -> list[User | None]:
    return [None, world.own.people[Role.OWNER]]


def policy_of(answer: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";") if part.strip()]
    return {part[0]: part[1:] for part in parts}


@pytest.mark.parametrize("route", ALL, ids=lambda route: route.name)
def test_every_answer_is_protected(route: Route, world: World, settings: Any) -> None:
    settings.IS_DEMO = True  # so that the mailbox answers too
    address = address_of(route, world.own)
    clients = [client_of(person) for person in visitors(world)]
    for answer in [*(client.get(address) for client in clients), clients[1].post(address)]:
        headers, policy = answer.headers, policy_of(answer)
        assert answer.status_code < 500 or route.name == "health"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] in REFERRERS
        assert route.name in CACHEABLE or "no-store" in headers["Cache-Control"]
        assert policy["default-src"] == ["'none'"]
        assert not {"'unsafe-eval'", "'unsafe-inline'", "*"} & set(policy.get("script-src", []))
        if route.name in FRAMES and answer.status_code == 200:
            assert_frame(answer, policy)
        else:
            assert policy["frame-ancestors"] == ["'none'"]
            assert route.name.startswith("hooks:") or headers["X-Frame-Options"] == "DENY"  # for old browsers
            assert policy["script-src"] in (["'self'"], ["'none'"])
            assert policy["style-src"] == ["'self'"]


def assert_frame(answer: Any, policy: dict[str, list[str]]) -> None:
    """A mail is shown to our own pages only; it runs nothing, loads nothing and submits nothing."""
    assert policy["frame-ancestors"] == ["'self'"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "sandbox" in policy
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]
    assert policy["form-action"] == ["'none'"]
    assert policy["img-src"] == ["data:"]
    assert "script-src" not in policy


@pytest.mark.parametrize(
    "path", ["/no-such-page", "/s/own", "/s/nowhere/orders/", "/accounts/", "/orders/1.php"]
)
def test_answers_outside_of_any_page_are_protected_too(path: str, world: World) -> None:
    for person in [*visitors(world), world.own.people[Role.VIEWER], world.nobody]:
        answer = client_of(person).get(path)
        assert answer.status_code in {301, 302, 403, 404}
        assert "no-store" in answer.headers["Cache-Control"]
        assert policy_of(answer)["script-src"] == ["'self'"]


def test_a_refused_host_learns_nothing(world: World, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["recoup.example.com"]
    answer = client_of(None).get("/accounts/login/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert b"evil.example" not in answer.content
    assert "no-store" in answer.headers["Cache-Control"]
    assert client_of(None).get("/accounts/login/", headers={"host": "recoup.example.com"}).status_code == 200


@pytest.mark.slow
def test_looking_changes_nothing(world: World, settings: Any) -> None:
    settings.IS_DEMO = True
    clients = [client_of(person) for person in visitors(world)]
    addresses = [address_of(route, world.own) for route in ALL] + open_links(world.own)
    before = checksums()
    for client in clients:
        for address in addresses:
            if not address.startswith("/accounts/logout"):
                client.get(address)
    assert checksums() == before


def open_links(place: Place) -> list[str]:
    """Return a working link of every purpose, as a scanner of mails would open it."""
    with scopes_disabled():
        shop = Shop.objects.get(pk=place.shop.pk)
        order, cart = Order.objects.get(pk=place.ids["order_id"]), Cart.objects.filter(shop=shop)[0]
        message_id = place.ids["message_id"]
        wishes = [
            LinkOrder(purpose, shop.pk, "order", order.pk, order.contact_id, message_id) for purpose in BUYERS
        ]
        wishes.append(LinkOrder("cart", shop.pk, "cart", cart.pk, cart.contact_id))
        invited = Invitation.objects.get(pk=place.ids["invitation_id"])
        wishes.append(LinkOrder("join", shop.pk, "invitation", invited.pk))
        tokens = links.mint(wishes, now=trade_now())
        by_hand = make_pay_link(order, actor=Actor("person", 1), now=trade_now())
    made = [f"/{wish.purpose}/{token}" for wish, token in zip(wishes, tokens, strict=True)]
    return [*made, f"/pay/{by_hand.token}"]


def checksums() -> dict[str, tuple[int, str]]:
    """Return a checksum of the rows of every table that looking must not change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY relname")
        tables = [name for (name,) in cursor.fetchall() if name not in SEEN]
        found = {}
        for table in tables:
            cursor.execute(
                f"SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM \"{table}\" AS t"
            )
            found[table] = cursor.fetchone()
    assert len(found) > 40
    return found


def test_the_checksums_notice_a_change(world: World) -> None:
    client = client_of(world.own.people[Role.OWNER])
    before = checksums()
    client.post(reverse("web:source_change", args=["own", world.own.ids["source_id"]]), {"do": "pause"})
    changed = {name for name, sums in checksums().items() if sums != before[name]}
    assert changed == {"shops_source", "core_activity"}


def test_every_buyers_link_of_the_walk_works(world: World) -> None:
    with scopes_disabled():
        answers = {
            path.split("/")[1]: client_of(None).get(path).status_code for path in open_links(world.own)
        }
    assert answers == dict.fromkeys([*BUYERS, "cart", "join"], 200)


def test_a_link_tells_its_address_to_nobody(world: World) -> None:
    with scopes_disabled():
        for path in open_links(world.own):
            expected = "same-origin" if path.startswith("/join/") else "no-referrer"
            assert client_of(None).get(path).headers["Referrer-Policy"] == expected
