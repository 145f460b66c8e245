"""Links of buyers: what is no link, what is too old, what changes nothing (T46-T51, T54, T58, T60, T65, T66)."""

import hashlib
import re
import secrets
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test import Client

from recoup.core.clock import trade_now
from recoup.core.links import revoke
from recoup.core.models import Installation
from recoup.customers.queries import suppression_scopes
from recoup.messaging.models import Message
from recoup.messaging.tracking import note_visits
from recoup.orders.models import Order
from recoup.shops.models import Shop
from recoup.storefront.purposes import LIVES
from tests.factories.messages import make_lane, make_message
from tests.factories.moments import NOW
from tests.factories.operators import make_operator_account
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.templates import make_template
from tests.storefront.conftest import MakeLink
from tests.support.together import together

OF_ORDERS = [purpose for purpose in LIVES if purpose != "cart"]
UNCHECKED = {"messaging_messagevisit", "core_rate_bucket"}  # page views, and who asks too often


def checksums() -> dict[str, str]:
    """Return a checksum of each table."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names()) - UNCHECKED):
            cursor.execute(
                f"SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '') FROM \"{table}\" t"
            )
            found[table] = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    return found


def test_every_public_address_changes_nothing_when_it_is_opened(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    make_operator_account(shop)
    order, cart = make_order(shop), make_cart(shop)
    ours, theirs = make_message(order, state="sent"), make_message(cart, state="sent")
    paths = [link(purpose, order, message=ours) for purpose in LIVES]
    paths += [link(purpose, cart, message=theirs) for purpose in ("cart", "out", "why")]
    paths += [link("pay", order, ago=timedelta(days=90)), "/pay/nothing", f"/s/{shop.slug}/theme.css"]
    before = checksums()

    answers = [
        getattr(buyer, verb)(path).status_code
        for _ in range(3)
        for path in paths
        for verb in ("get", "head", "options")
    ]

    assert checksums() == before
    assert set(answers) == {200, 404, 405, 410}


@pytest.mark.django_db(transaction=True)
def test_scanners_at_all_links_at_once_spoil_nothing_for_the_person(shop: Shop, link: MakeLink) -> None:
    make_operator_account(shop)
    order = make_order(shop)
    message = make_message(order, state="sent", handed_at=trade_now() - timedelta(minutes=10))
    paths = {purpose: link(purpose, order, message=message) for purpose in LIVES}
    before = checksums()

    def scan() -> set[int]:
        verbs = ("get", "head", "options")
        return {getattr(Client(), verb)(path).status_code for path in paths.values() for verb in verbs}

    answers = together([scan] * 6)
    note_visits(now=trade_now() + timedelta(minutes=1))

    assert answers == [{200, 405}] * 6
    assert checksums() == before
    message.refresh_from_db()
    assert (message.opened_at, message.clicked_at) == (None, None)
    person = {"HTTP_ACCEPT_LANGUAGE": "en", "HTTP_USER_AGENT": "Mozilla/5.0"}
    answer = Client().post(paths["stop"], {"do": "stop"}, **person)  # type: ignore[arg-type]
    order.refresh_from_db()
    assert (answer.status_code, order.paused_at is not None) == (200, True)
    assert "Pay €149.00" in Client().get(paths["pay"], **person).content.decode()  # type: ignore[arg-type]


@pytest.mark.parametrize("purpose", LIVES)
def test_a_link_serves_its_own_purpose_alone(shop: Shop, link: MakeLink, buyer: Client, purpose: str) -> None:
    token = link(purpose, make_order(shop)).rpartition("/")[2]

    answers = {other: buyer.get(f"/{other}/{token}").status_code for other in LIVES}

    assert answers == {other: 200 if other == purpose else 404 for other in LIVES}


@pytest.mark.parametrize("purpose", ["pay", "paid", "later", "stop"])
def test_a_link_about_a_cart_opens_no_page_of_an_order(
    shop: Shop, link: MakeLink, buyer: Client, purpose: str
) -> None:
    path = link(purpose, make_cart(shop))

    assert [buyer.get(path).status_code, buyer.post(path).status_code] == [404, 404]


def test_whatever_is_no_link_gets_one_answer(shop: Shop, link: MakeLink, buyer: Client) -> None:
    path = link("pay", make_order(shop))
    token = path.rpartition("/")[2]
    odd = [
        path.swapcase().replace("/PAY/", "/pay/"),
        f"{path}.",
        f"{path}%00",
        f"{path}/",
        f"{path}%2e%2e/",
        f"{path}{token}",
        f"{path}/{token}",
        f"/pay/{'a' * 10_000}",
        f"/pay/%2e%2e/{token}",
        f"/pay/ {token}",
        "/pay/" + secrets.token_urlsafe(16),
    ]

    answers = [buyer.get(path) for path in odd]

    assert [answer.status_code for answer in answers] == [404] * len(odd)
    assert len({answer.content for answer in answers}) == 1


def test_guessing_from_one_address_is_slowed_down(shop: Shop, link: MakeLink, buyer: Client) -> None:
    path = link("pay", make_order(shop))
    guesses = [buyer.get(f"/pay/{secrets.token_urlsafe(16)}").status_code for _ in range(35)]

    assert guesses == [404] * 30 + [429] * 5
    assert buyer.get(path).status_code == 200
    elsewhere = buyer.get(f"/pay/{secrets.token_urlsafe(16)}", REMOTE_ADDR="203.0.113.7")
    assert elsewhere.status_code == 404


def test_a_revoked_link_is_no_link(shop: Shop, link: MakeLink, buyer: Client) -> None:
    order = make_order(shop)
    path = link("pay", order)
    revoke(shop.pk, "order", order.pk, purposes=["pay"], now=trade_now())

    assert buyer.get(path).status_code == 404


# Too old: T49


def fresh_messages(order: Order) -> list[tuple[str, str, bool]]:
    """Return recipient, template and urgency of what was queued for an order."""
    return [
        (m.recipient, m.template.key if m.template else "", m.is_asked_for)
        for m in Message.objects.filter(order=order).select_related("template")
    ]


def test_an_old_link_says_so_in_the_language_of_the_order(shop: Shop, link: MakeLink, buyer: Client) -> None:
    path = link("pay", make_order(shop, locale="pl"), ago=timedelta(days=61))

    answer = buyer.get(path)

    assert answer.status_code == 410
    assert '<html lang="pl">' in answer.content.decode()
    assert 'name="fresh"' in answer.content.decode()


def test_a_fresh_link_goes_to_the_address_on_file_alone(shop: Shop, link: MakeLink, buyer: Client) -> None:
    make_lane(shop)
    order = make_order(shop, contact=make_contact(shop, email="anna@mail.example"))
    path = link("pay", order, ago=timedelta(days=61))

    answer = buyer.post(path, {"fresh": "1", "email": "thief@evil.example"})

    assert answer.status_code == 200
    assert [(recipient, asked) for recipient, _, asked in fresh_messages(order)] == [
        ("anna@mail.example", True)
    ]


@pytest.mark.parametrize(
    ("purpose", "kind", "key"),
    [
        ("pay", "order", "fresh_pay_link"),
        ("cart", "order", "fresh_pay_link"),
        ("cart", "cart", "fresh_cart_link"),
    ],
)
def test_a_fresh_link_comes_in_a_mail_that_can_be_written_about_it(
    shop: Shop, link: MakeLink, buyer: Client, purpose: str, kind: str, key: str
) -> None:
    make_lane(shop)
    for name, about in (("fresh_pay_link", "order"), ("fresh_cart_link", "cart")):
        make_template(shop, key=name, kind=about)
    subject = make_order(shop) if kind == "order" else make_cart(shop)

    buyer.post(link(purpose, subject, ago=timedelta(days=61)), {"fresh": "1"})

    message = Message.objects.select_related("template").get()
    assert message.template is not None
    assert (message.template.key, message.template.kind, message.is_asked_for) == (key, kind, True)


@pytest.mark.parametrize(("is_paid", "expected"), [(False, ["fresh_pay_link"]), (True, [])])
def test_a_fresh_link_of_a_cart_that_became_an_order_is_the_one_to_pay(
    shop: Shop, link: MakeLink, buyer: Client, is_paid: bool, expected: list[str]
) -> None:
    make_lane(shop)
    for name, about in (("fresh_pay_link", "order"), ("fresh_cart_link", "cart")):
        make_template(shop, key=name, kind=about)
    order = make_order(shop, paid_at=NOW if is_paid else None)
    cart = make_cart(shop, state="converted", source=order.source, contact=order.contact, order_ref=order.ref)

    answer = buyer.post(link("cart", cart, ago=timedelta(days=61)), {"fresh": "1"})

    assert answer.status_code == 200
    assert [key for _, key, _ in fresh_messages(order)] == expected
    assert Message.objects.count() == len(expected)


def test_the_answer_is_the_same_whether_or_not_there_is_anybody_to_write_to(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    make_lane(shop)
    known = make_order(shop)
    nobody = make_order(shop, contact=None)
    done = make_order(shop, paid_at=known.placed_at)
    paths = [link("pay", order, ago=timedelta(days=61)) for order in (known, nobody, done)]

    answers = [buyer.post(path, {"fresh": "1"}) for path in paths]

    bodies = {answer.content.replace(path.encode(), b"") for path, answer in zip(paths, answers, strict=True)}
    assert len(bodies) == 1
    assert [len(fresh_messages(order)) for order in (known, nobody, done)] == [1, 0, 0]


def test_fresh_links_are_not_sent_without_end(shop: Shop, link: MakeLink, buyer: Client) -> None:
    make_lane(shop)
    order = make_order(shop)
    path = link("pay", order, ago=timedelta(days=61))

    answers = [buyer.post(path, {"fresh": "1"}).status_code for _ in range(12)]

    assert answers == [200] * 10 + [429] * 2
    assert 1 <= len(fresh_messages(order)) <= 3


def test_nobody_is_flooded_with_fresh_links_from_many_places(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    make_lane(shop)
    order = make_order(shop)
    path = link("pay", order, ago=timedelta(days=61))

    for number in range(6):
        Installation.objects.update(trade_offset=F("trade_offset") + timedelta(minutes=2))
        answer = buyer.post(path, {"fresh": "1"}, REMOTE_ADDR=f"203.0.113.{number}")
        assert answer.status_code == 200

    assert len(fresh_messages(order)) == 3


def test_leaving_works_by_a_link_of_any_age(shop: Shop, link: MakeLink, buyer: Client) -> None:
    path = link("out", make_order(shop), ago=timedelta(days=1000))

    assert buyer.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200


# What every page carries


@pytest.mark.parametrize("purpose", LIVES)
def test_pages_are_closed_to_caches_frames_scripts_and_others(
    shop: Shop, link: MakeLink, buyer: Client, purpose: str
) -> None:
    shop.logo_url = "https://cdn.elsewhere.example/logo.png"
    shop.save()
    answer = buyer.get(link(purpose, make_order(shop)))
    body = answer.content.decode()

    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["X-Frame-Options"] == "DENY"
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'none'" in policy
    assert "Set-Cookie" not in answer.headers
    assert not answer.cookies
    assert "<script" not in body
    assert "elsewhere.example" not in body
    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', body)
    assert all(address.startswith(("/", "data:")) for address in loaded)


@pytest.mark.parametrize("purpose", LIVES)
def test_a_page_weighs_less_than_60_kb_with_everything_it_loads(
    shop: Shop, link: MakeLink, buyer: Client, purpose: str
) -> None:
    order = make_order(shop, products=[f"product number {number}" for number in range(20)])
    body = buyer.get(link(purpose, order)).content
    loaded = re.findall(r'href="(/[^"#]+\.(?:css|svg)[^"#]*)', body.decode())

    weight = len(body) + sum(len(b"".join(buyer.get(address))) for address in set(loaded))

    assert any("theme.css" in address for address in loaded)
    assert weight < 60_000


NEXT = [
    "//evil.tld",
    "https:evil.tld",
    "\\evil",
    "/\\evil",
    "javascript:alert(1)",
    "%2f%2fevil",
    "https://us.tld@evil.tld",
]


@pytest.mark.parametrize("target", NEXT)
def test_no_parameter_leads_elsewhere(shop: Shop, link: MakeLink, buyer: Client, target: str) -> None:
    make_operator_account(shop)
    for purpose in LIVES:
        path = link(purpose, make_order(shop))
        for name in ("next", "back"):
            shown = buyer.get(path, {name: target})
            sent = buyer.post(f"{path}?{name}={target}", {name: target})

            assert "evil" not in shown.content.decode()
            assert "evil" not in sent.headers.get("Location", "")


def test_another_address_in_the_link_changes_nothing(shop: Shop, link: MakeLink, buyer: Client) -> None:
    make_contact(shop, email="b@b.example")
    path = link("out", make_order(shop, contact=make_contact(shop, email="a@a.example")))

    assert buyer.get(f"{path}?email=b@b.example").content == buyer.get(path).content
    buyer.post(f"{path}?email=b@b.example", {"List-Unsubscribe": "One-Click", "email": "b@b.example"})
    assert [len(suppression_scopes(shop.pk, one)) for one in ("a@a.example", "b@b.example")] == [1, 0]


def test_a_forged_host_is_refused_and_never_written(shop: Shop, link: MakeLink, buyer: Client) -> None:
    path = link("pay", make_order(shop))

    assert buyer.get(path, headers={"host": "evil.tld"}).status_code == 400
    shown = buyer.get(path, headers={"x-forwarded-host": "evil.tld"})
    assert shown.status_code == 200
    assert "evil.tld" not in shown.content.decode()
    assert settings.USE_X_FORWARDED_HOST is False


def test_the_theme_follows_the_colour_of_the_shop(shop: Shop, buyer: Client) -> None:
    answer = buyer.get(f"/s/{shop.slug}/theme.css")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert shop.colour in answer.content.decode()
    assert "public" in answer.headers["Cache-Control"]
    assert buyer.get("/s/no-such-shop/theme.css").status_code == 404
