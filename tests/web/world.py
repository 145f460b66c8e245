"""Two shops with one of everything, and a person in every role: what the tests of addresses walk through."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.test import Client
from django.test.client import ClientHandler
from django.urls import URLPattern, URLResolver, get_resolver
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.accounts.roles import Right, Role
from recoup.core import attention, inbox
from recoup.customers.models import MergeSuggestion
from recoup.demo.models import CaughtMail
from recoup.desk.models import Task
from recoup.messaging.copies import keep_copies, make_copy
from recoup.messaging.models import SendingRule, Template
from recoup.messaging.rendering.pool import Rendered
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.orders.models import TwinsKept
from recoup.processes.backtest.result import Result
from recoup.processes.bulk.models import BulkAdd
from recoup.processes.calls import add_endpoint
from recoup.processes.models import BacktestRun, Process, VersionMove
from recoup.processes.moving.plan import Plan
from recoup.segments.models import Segment
from recoup.shops.actions import NewShop
from recoup.shops.models import ImportRun, Invitation, Membership, Shop
from recoup.web.setup import found_shop
from tests.factories.cases import make_case
from tests.factories.messages import make_message
from tests.factories.moments import NOW
from tests.factories.offers import make_offer
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.factories.shops import make_source

HTML = b"<html><head></head><body><p>Hello</p></body></html>"
MAIL = (
    b"From: Shop <hello@shop.example>\r\nTo: anna@example.com\r\nSubject: Your order\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
) + HTML


@dataclass(frozen=True)
class Route:
    """One address of the installation."""

    name: str  # with its namespace
    pattern: str
    arguments: tuple[str, ...]
    right: Right | None
    is_staff: bool  # stands behind `@staff`


@dataclass
class Place:
    """A shop with the ids of what lies in it, by the name of the argument (or `route.argument`)."""

    shop: Shop
    ids: dict[str, Any] = field(default_factory=dict)
    people: dict[Role, User] = field(default_factory=dict)

    def arguments(self, route: Route) -> dict[str, Any]:
        """Return what fills a route of this shop; an argument nobody gave a value fails the test."""
        values: dict[str, Any] = {}
        for name in route.arguments:
            values[name] = self.ids.get(f"{route.name}.{name}", self.ids.get(name))
            assert values[name] is not None, f"tests/web/world.py has no {name} for {route.name}"
        return values


@dataclass
class World:
    """Two shops, and somebody who works in none."""

    own: Place
    other: Place
    nobody: User


def routes() -> list[Route]:
    """Return every address of the URLconf."""
    return list(_walk(get_resolver().url_patterns))


def _walk(patterns: list[Any], prefix: str = "", names: str = "", above: tuple[str, ...] = ()) -> Any:
    for one in patterns:
        arguments = (*above, *one.pattern.converters, *one.pattern.regex.groupindex)
        arguments = tuple(dict.fromkeys(arguments))
        if isinstance(one, URLResolver):
            space = f"{names}{one.namespace}:" if one.namespace else names
            yield from _walk(one.url_patterns, prefix + str(one.pattern), space, arguments)
            continue
        assert isinstance(one, URLPattern)
        assert one.name, f"{prefix}{one.pattern} has no name"
        yield Route(
            name=names + one.name,
            pattern=prefix + str(one.pattern),
            arguments=arguments,
            right=getattr(one.callback, "right", None),
            is_staff=hasattr(one.callback, "right"),
        )


def make_place(name: str) -> Place:
    """Make a shop with people in every role and one of everything."""
    owner = make_person(f"owner@{name}.example")
    order = NewShop(
        name=name, currency="EUR", locale="en", time_zone="Europe/Warsaw", email=f"hello@{name}.example"
    )
    shop = found_shop(order, owner=owner, now=NOW)
    place = Place(shop, {"shop": shop.slug})
    with scopes_disabled():
        for role in Role:
            place.people[role] = owner
            if role != Role.OWNER:
                place.people[role] = make_person(f"{role}@{name}.example")
                Membership(shop=shop, user=place.people[role], role=role).save(force_insert=True)
        _fill(place)
    return place


PASSWORD = "correct horse battery staple"


@cache
def hashed_password() -> str:
    """Return the hash of the one password of all, made once: it is slow on purpose."""
    return make_password(PASSWORD)


def make_person(email: str, **values: Any) -> User:
    """Make an account that can sign in."""
    user = User(
        **{"email": email, "name": email.split("@", 1)[0].title(), "password": hashed_password(), **values}
    )
    user.save(force_insert=True)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _fill(place: Place) -> None:
    shop = place.shop
    source = make_source(shop)
    order, cart = make_order(shop, source=source), make_cart(shop)
    make_case(order), make_case(cart)
    message = make_message(order, state="uncertain", handed_at=NOW)
    template = Template.objects.select_related("current_version").get(shop=shop, key="order_reminder_1")
    assert template.current_version is not None
    compiled = CompiledTemplate.from_json(template.current_version.texts["en"]["compiled"])
    mail = Rendered(subject="Your order", html=HTML, text=b"Hello")
    keep_copies(shop.pk, [make_copy(message.pk, template.current_version.pk, "en", compiled, mail)])
    attention.ask(
        "hooks.quarantined", shop_id=shop.pk, key=str(source.pk), now=NOW, subject=("source", source.pk)
    )
    kept = inbox.keep(
        inbox.Call(
            shop.pk, inbox.SHOP, source.pk, "event-1", b'{"id": 1,', unreadable="not_json", received_at=NOW
        )
    )
    invited = Invitation(shop=shop, email="new@person.example", role=Role.CLERK, created_at=NOW)
    invited.save(force_insert=True)
    caught = CaughtMail(
        sender="a@shop.example",
        recipient="anna@example.com",
        subject="Your order",
        caught_at=NOW,
        content=MAIL,
    )
    caught.save(force_insert=True)
    tried = ImportRun(
        shop=shop, source=source, file_name="orders.csv", file_path="/nowhere/orders.csv", file_hash="0" * 64,
        is_dry_run=True, state="done", created_at=NOW,
    )  # fmt: skip
    tried.save(force_insert=True)
    process = Process.objects.filter(shop=shop).order_by("id").first()
    assert process is not None
    tested = BacktestRun(
        shop=shop, process=process, version_id=process.current_version_id or 0, since=NOW, until=NOW, state="done",
        result=Result().as_json(), created_at=NOW,
    )  # fmt: skip
    tested.save(force_insert=True)
    moved = VersionMove(
        shop=shop, process=process, version_id=process.current_version_id or 0, from_versions=[], plan=Plan().as_json(),
        cursor=0, whole=1, state="waiting", created_at=NOW,
    )  # fmt: skip
    moved.save(force_insert=True)
    segment = Segment(
        shop=shop,
        name="Bought twice",
        about=3,
        condition={"f": "contact.paid_count", "op": ">=", "v": 2},
        changed_at=NOW,
    )
    segment.save(force_insert=True)
    added = BulkAdd(shop=shop, process=process, about=1, keys=[order.pk], whole=1, created_at=NOW)
    added.save(force_insert=True)
    assert order.contact is not None
    twin = make_contact(shop)
    suggestion = MergeSuggestion(shop=shop, first=order.contact, second=twin, why="shared_sign", made_at=NOW)
    suggestion.save(force_insert=True)
    clerk = Membership.objects.get(shop=shop, user=place.people[Role.SERVICE])
    task = Task(shop=shop, title="Call", order=order, contact=order.contact, due_at=NOW, created_at=NOW)
    task.save(force_insert=True)
    planned = SendingRule(
        shop=shop, country="DE", content="cart", relation="neither", verdict="forbidden", was="needs_consent",
        changed_at=NOW, holds_from=NOW + timedelta(days=9_999),
    )  # fmt: skip
    planned.save(force_insert=True)
    place.ids |= {
        "offer_id": make_offer(order).pk,
        "task_id": task.pk,
        "endpoint_id": add_endpoint(shop, name="CRM", url="https://crm.example.com/in", now=NOW).pk,
        "order_id": order.pk,
        "cart_id": cart.pk,
        "contact_id": order.contact.pk,
        "suggestion_id": suggestion.pk,
        "product_id": make_product(source).pk,
        "process_id": process.pk,
        "segment_id": segment.pk,
        "bulk_id": added.pk,
        "about": "customers",
        "backtest_id": tested.pk,
        "move_id": moved.pk,
        "block": "n1",
        "kind": "wait",
        "message_id": message.pk,
        "source_id": source.pk,
        "item_id": kept.item_id,
        "web:attention_settle.item_id": attention.open_items(shop.pk)[0].pk,
        "invitation_id": invited.pk,
        "membership_id": clerk.pk,
        "mail_id": caught.pk,
        "run_id": tried.pk,
        "web:order_twins_undo.run_id": TwinsKept.objects.create(shop=shop, made_at=NOW).pk,
        "key": "order_reminder_1",
        "locale": "en",
        "change_id": planned.pk,
        "country": "DE",
        "content": "cart",
    }


_sessions: dict[
    tuple[int, str], str
] = {}  # of the people of a built world, by account and what its password says
_handlers: list[ClientHandler] = []


def sign_in_all(world: World) -> None:
    """Sign everybody in once, for `client_of`: signing in costs more than most pages."""
    for person in {*world.own.people.values(), *world.other.people.values(), world.nobody}:
        client = Client()
        client.force_login(person)
        _sessions[_ticket(person)] = client.cookies[settings.SESSION_COOKIE_NAME].value


def forget_sessions() -> None:
    """Forget who is signed in: their world is gone."""
    _sessions.clear()


def client_of(user: User | None) -> Client:
    """Return a browser, signed in if there is a person; it does not follow and raises nothing."""
    client = Client(raise_request_exception=False)
    if not _handlers:
        _handlers.append(client.handler)
    client.handler = _handlers[0]  # with its middlewares, which take longer to make than most pages
    if user is None:
        return client
    if session := _sessions.get(_ticket(user)):
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    else:
        client.force_login(user)
    return client


def _ticket(user: User) -> tuple[int, str]:
    return user.pk, user.get_session_auth_hash()


@receiver(setting_changed)
def _make_middlewares_anew(**_signal: Any) -> None:
    _handlers.clear()
