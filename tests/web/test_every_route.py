"""Who may open what: every address of the URLconf x role x own shop, other shop, signed out. A route without a row fails."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from recoup.accounts.models import User
from recoup.accounts.roles import RIGHTS, Role
from tests.web.world import Route, World, client_of, routes

SIGN_IN = "/accounts/login/"
OPEN = {200, 302, 303, 409, 422}  # a page, a way on, or a form that says what is wrong
ALL = routes()
STAFF = [route for route in ALL if route.is_staff]
REST = [route for route in ALL if not route.is_staff]

# Staff routes that only take POST, with what is posted: enough to get past "no such wish".
POSTED: dict[str, dict[str, str]] = {
    "web:attention_settle": {},
    "web:orders_bulk": {},
    "web:order_twins_undo": {},
    "web:order_status": {"status": "in_work"},
    "web:order_cancel": {},
    "web:order_take": {},
    "web:order_release": {},
    "web:order_promise": {},
    "web:order_pause": {},
    "web:order_resume": {},
    "web:order_duplicate": {},
    "web:order_note": {"text": "Called."},
    "web:order_send_link": {},
    "web:order_pay_link": {},
    "web:order_give_back": {},
    "web:order_free": {},
    "web:cart_link": {},
    "web:customer_merge": {"kept": "this"},
    "web:customer_apart": {},
    "web:customer_tags": {"add": "vip"},
    "web:task_close": {"result": "Called."},
    "web:task_hand_on": {"to": "everybody"},
    "web:segment_delete": {},
    "web:process_add_change": {"to": "cancelled"},
    "web:process_status": {"status": "paused"},
    "web:process_left_alone": {"share": "15"},
    "web:process_take_way": {"block": "n1", "way": "a"},
    "web:process_edit_remove": {"block": "n1"},
    "web:process_edit_copy": {"block": "n1", "at": "n1.yes"},
    "web:process_edit_move": {"block": "n4", "at": "n1.yes"},
    "web:process_edit_lead": {"to": "", "at": "n1.yes"},
    "web:process_edit_step": {"to": "undo"},
    "web:process_edit_examples": {"number": "0", "to": "remove"},
    "web:process_edit_discard": {},
    "web:process_moving_cancel": {},
    "web:offer_withdraw": {"note": "Told on the phone."},
    "web:message_settle": {"outcome": "not_sent"},
    "web:message_retry": {},
    "web:product_switch": {"on": "1"},
    "web:costs_fill": {"percent": "40"},
    "web:add_waiting": {},
    "web:quiet": {},
    "web:pace": {"rate": "5"},
    "web:sms_test": {"to": "+48501234567"},
    "web:sms_check": {},
    "web:sms_release": {"range": "1"},
    "web:rules_ground": {"is_told": "1"},
    "web:rule_withdraw": {},
    "web:mail_test": {},
    "web:mail_check": {},
    "web:source_change": {"do": "pause"},
    "web:program_change": {"do": "off"},
    "web:intake_retry_all": {},
    "web:intake_retry": {},
    "web:intake_aside": {},
    "web:invite": {},
    "web:uninvite": {},
    "web:person": {"role": "viewer"},
    "web:text_test": {},
    "web:text_publish": {},
    "web:confirm_place": {},
    "web:import_start": {},
}
DEMO_ONLY = {"web:demo_mailbox", "web:demo_mail", "web:demo_mail_frame"}
# Ids that belong to the installation and not to a shop: the demo's mailbox catches the mails of all.
SHARED = {"mail_id", "locale", "key", "shop", "about", "country", "content"}


@dataclass(frozen=True)
class Row:
    """What a route that is not the staff's answers: to a stranger, to an owner, to a viewer."""

    stranger: int | str  # a status, or where it leads
    owner: int | str
    viewer: int | str = ""  # as the owner unless given
    method: str = "get"
    posted: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)


_TOKEN = {"token": "no-such-link"}
OTHERS: dict[str, Row] = {
    "health": Row(503, 503),  # no worker runs beside the tests
    "first_page": Row(SIGN_IN, "/s/own/"),
    "wizard": Row("/", "/"),
    "new_shop": Row(SIGN_IN, 200, 403),
    "public_address": Row(SIGN_IN, 403),  # there is a shop that is another owner's
    "preferences": Row(SIGN_IN, "/", method="post", posted={"language": "pl"}),
    "set_language": Row("/", "/", method="post", posted={"language": "pl"}),
    "join": Row(404, 404, arguments=_TOKEN),
    "demo_clock": Row(SIGN_IN, 404, method="post", posted={"minutes": "60"}),
    "account_login": Row(200, "/"),
    "account_logout": Row("/", 200),
    "account_signup": Row(200, "/"),
    "account_reauthenticate": Row(SIGN_IN, 200),
    "account_email": Row("/accounts/2fa/", "/accounts/2fa/"),
    "account_set_password": Row(SIGN_IN, "/accounts/password/change/"),
    "account_change_password": Row(SIGN_IN, 200),
    "account_reset_password": Row(200, 200),
    "account_reset_password_done": Row(200, 200),
    "account_reset_password_from_key": Row(200, 200, arguments={"uidb36": "1", "key": "no-such-key"}),
    "account_reset_password_from_key_done": Row(200, 200),
    "account_inactive": Row(200, 200),
    "mfa_index": Row(SIGN_IN, 200),
    "mfa_authenticate": Row(SIGN_IN, "/"),
    "mfa_reauthenticate": Row(SIGN_IN, "/accounts/reauthenticate/"),
    "mfa_activate_totp": Row(SIGN_IN, "/accounts/reauthenticate/"),
    # Without a second factor there is none to take away and there are no codes to show.
    "mfa_deactivate_totp": Row(SIGN_IN, 404),
    "mfa_view_recovery_codes": Row(SIGN_IN, 404),
    "mfa_generate_recovery_codes": Row(SIGN_IN, "/accounts/"),
    "mfa_download_recovery_codes": Row(SIGN_IN, 404),
    "hooks:schema": Row(200, 200),
    "hooks:shop": Row(404, 404, method="post", arguments={"key": "no-such-key"}),
    "hooks:operator": Row(404, 404, method="post", arguments={"key": "no-such-key"}),
    "hooks:channel": Row(404, 404, method="post", arguments={"key": "no-such-key", "what": "report"}),
    "storefront:pay": Row(404, 404, arguments=_TOKEN),
    "storefront:cart": Row(404, 404, arguments=_TOKEN),
    "storefront:out": Row(404, 404, arguments=_TOKEN),
    "storefront:paid": Row(404, 404, arguments=_TOKEN),
    "storefront:later": Row(404, 404, arguments=_TOKEN),
    "storefront:stop": Row(404, 404, arguments=_TOKEN),
    "storefront:why": Row(404, 404, arguments=_TOKEN),
    "storefront:opened": Row(200, 200, arguments=_TOKEN),
    "storefront:theme": Row(200, 200, arguments={"slug": "own"}),
}
ONLY_POST = {"preferences", "set_language", "demo_clock", "hooks:shop", "hooks:operator"}


def ask(user: User | None, route: Route, arguments: dict[str, Any], posted: dict[str, str] | None) -> Any:
    address = reverse(route.name, kwargs=arguments)
    client = client_of(user)
    with transaction.atomic():  # one visitor does not change what the next one finds
        answer = client.get(address) if posted is None else client.post(address, posted)
        transaction.set_rollback(True)
    return answer


def visit(user: User | None, route: Route, arguments: dict[str, Any]) -> Any:
    return ask(user, route, arguments, POSTED.get(route.name))


def leads_to_sign_in(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith(SIGN_IN)


def test_every_route_has_its_row() -> None:
    assert {route.name for route in REST} == set(OTHERS)
    assert POSTED.keys() <= {route.name for route in STAFF}


@pytest.mark.parametrize("route", STAFF, ids=lambda route: route.name)
def test_a_staff_route_opens_for_its_right_alone(route: Route, world: World) -> None:
    arguments, shown = world.own.arguments(route), {}
    for role, person in world.own.people.items():
        answer = visit(person, route, arguments)
        shown[role] = answer.status_code
        assert not leads_to_sign_in(answer)
    holders = {role for role in Role if route.right is None or route.right in RIGHTS[role]}
    assert holders
    assert {role for role, status in shown.items() if status == 403} == set(Role) - holders
    expected = {404} if route.name in DEMO_ONLY else OPEN
    assert {shown[role] for role in holders} <= expected


@pytest.mark.parametrize("route", STAFF, ids=lambda route: route.name)
def test_a_staff_route_of_another_shop_is_not_there(route: Route, world: World) -> None:
    arguments = world.own.arguments(route)
    strangers = [*world.other.people.values(), world.nobody]
    assert {visit(person, route, arguments).status_code for person in strangers} == {404}


@pytest.mark.parametrize("route", STAFF, ids=lambda route: route.name)
def test_a_staff_route_sends_the_signed_out_to_sign_in(route: Route, world: World) -> None:
    assert leads_to_sign_in(visit(None, route, world.own.arguments(route)))


@pytest.mark.parametrize(
    "route", [route for route in STAFF if set(route.arguments) - SHARED], ids=lambda route: route.name
)
def test_an_object_of_another_shop_is_not_there(route: Route, world: World) -> None:
    foreign = {**world.other.arguments(route), "shop": world.own.shop.slug}
    assert visit(world.own.people[Role.OWNER], route, foreign).status_code == 404


@pytest.mark.parametrize("route", STAFF, ids=lambda route: route.name)
def test_what_changes_something_takes_no_get(route: Route, world: World) -> None:
    answer = ask(world.own.people[Role.OWNER], route, world.own.arguments(route), None)
    assert (answer.status_code == 405) == (route.name in POSTED)


@pytest.mark.parametrize("name", sorted(DEMO_ONLY))
def test_the_mailbox_is_open_in_the_demo(name: str, world: World, settings: Any) -> None:
    settings.IS_DEMO = True
    route = next(route for route in STAFF if route.name == name)
    assert visit(world.own.people[Role.CLERK], route, world.own.arguments(route)).status_code == 200
    assert visit(world.own.people[Role.VIEWER], route, world.own.arguments(route)).status_code == 403


@pytest.mark.parametrize("route", REST, ids=lambda route: route.name)
def test_a_route_that_is_not_the_staffs_keeps_its_row(route: Route, world: World) -> None:
    row = OTHERS[route.name]
    people = world.own.people
    visitors: list[tuple[User | None, int | str]] = [
        (None, row.stranger),
        (people[Role.OWNER], row.owner),
        (people[Role.VIEWER], row.viewer or row.owner),
    ]
    for person, expected in visitors:
        answer = ask(person, route, row.arguments, row.posted if row.method == "post" else None)
        if isinstance(expected, str):
            assert answer.status_code in {302, 303}, person
            assert answer.headers["Location"].startswith(expected)
            assert expected != "/" or answer.headers["Location"] == "/"
        else:
            assert answer.status_code == expected, person


@pytest.mark.parametrize("name", sorted(ONLY_POST))
def test_an_open_route_that_changes_something_takes_no_get(name: str, world: World) -> None:
    route = next(route for route in REST if route.name == name)
    answer = ask(world.own.people[Role.OWNER], route, OTHERS[name].arguments, None)
    assert answer.status_code == 405


def test_a_person_without_a_shop_gets_no_shop_by_the_wizard(world: World) -> None:
    new_shop = next(route for route in REST if route.name == "new_shop")
    posted = {
        "name": "Mine",
        "email": "me@mine.example",
        "locale": "en",
        "currency": "EUR",
        "time_zone": "UTC",
    }
    assert ask(world.nobody, new_shop, {}, None).status_code == 403
    assert ask(world.nobody, new_shop, {}, posted).status_code == 403
