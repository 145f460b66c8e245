"""Signing in, second factors, invitations and roles, by what a person at the browser gets."""

import re
import time
from email.message import EmailMessage
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.accounts.roles import Role
from recoup.accounts.setup_code import setup_code
from recoup.core.models import RateBucket
from recoup.integrations.smtp import plain
from recoup.messaging.models import MailAccount
from recoup.shops.access import shops_of
from recoup.shops.models import Invitation, Membership, Shop
from tests.factories.shops import make_shop
from tests.web.world import PASSWORD, client_of, make_person

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/login/"


@pytest.fixture
def shop() -> Shop:
    return make_shop(slug="own")


@pytest.fixture
def owner(shop: Shop) -> User:
    return join_as(shop, "owner@own.example", Role.OWNER)


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


def join_as(shop: Shop, email: str, role: Role) -> User:
    user = make_person(email)
    Membership(shop=shop, user=user, role=role).save(force_insert=True)
    return user


def seat_of(user: User) -> Membership:
    with scopes_disabled():
        return Membership.objects.get(user=user)


def invitations() -> list[Invitation]:
    with scopes_disabled():
        return list(Invitation.objects.all())


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post(SIGN_IN, {"login": email, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/s/own/").status_code == 200


def code_of(secret: str, ahead: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead)))


def switch_on_second_factor(client: Client) -> tuple[str, list[str]]:
    """Switch it on as a person does; return the secret and the recovery codes."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    done = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert done.status_code == 302, done.content
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    return secret, list(codes)


def test_a_password_signs_in_and_a_wrong_one_does_not(client: Client, owner: User) -> None:
    assert sign_in(client, owner.email, "wrong password here").status_code == 200
    assert not is_in(client)
    assert sign_in(client, " Owner@OWN.example ").status_code == 302
    assert is_in(client)


def test_passwords_are_kept_by_argon2(client: Client) -> None:
    client.post(
        "/start/", {"code": setup_code(), "name": "Ann", "email": "ann@own.example", "password": PASSWORD}
    )
    assert User.objects.get().password.startswith("argon2$argon2id$")
    # Django's own, at its own cost: only tests hash more lightly (tests/conftest.py).
    assert settings.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.Argon2PasswordHasher"


@pytest.mark.parametrize("language", ["en", "pl", "ru", "de"])
def test_each_language_is_offered_by_its_own_name(client: Client, owner: User, language: str) -> None:
    page = client.get(SIGN_IN, headers={"accept-language": language}).content.decode()

    assert re.findall(r'<button name="language"[^>]*>([^<]*)', page) == [
        "English",
        "Polski",
        "Русский",
        "Deutsch",
    ]


def test_signing_in_gives_a_new_session(client: Client, owner: User) -> None:
    client.get(SIGN_IN)
    client.session["kept"] = "before"
    client.session.save()
    before = client.session.session_key
    sign_in(client, owner.email)
    assert client.session.session_key != before


def test_guessing_is_stopped_by_a_limit_that_all_processes_share(client: Client, owner: User) -> None:
    for _ in range(6):
        sign_in(client, owner.email, "a wrong password")
    assert "Too many" in sign_in(Client(), owner.email).content.decode()
    assert not is_in(client)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_cache WHERE cache_key LIKE '%%login_failed%%'")
        assert cursor.fetchone()[0] > 0
        cursor.execute("DELETE FROM core_cache")
    assert sign_in(client, owner.email).status_code == 302


def test_guesses_from_many_addresses_stay_counted_and_end_within_the_hour(
    client: Client, owner: User
) -> None:
    for round_ in range(5):  # five in five minutes, so that four rounds use up the hour
        for _ in range(5):
            sign_in(client, owner.email, "a wrong password")
        for place in range(320):  # as many addresses as would fill Django's own table
            cache.set(f"allauth:rl:other:{round_}:{place}", [1.0], 3600)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_cache WHERE cache_key LIKE '%%login_failed:5/300%%'")
            cursor.execute("DELETE FROM core_cache WHERE cache_key LIKE '%%login_failed:10/60%%'")
    assert not is_in(client)
    assert "Too many" in sign_in(client, owner.email).content.decode()


def test_an_unknown_address_looks_like_a_wrong_password(client: Client, owner: User) -> None:
    answers = [
        re.sub(r'value="[^"]*"', "", sign_in(Client(), email, "a wrong password").content.decode())
        for email in (owner.email, "nobody@own.example")
    ]
    assert answers[0] == answers[1]


def test_a_second_factor_is_asked_for_after_the_password(client: Client, owner: User) -> None:
    sign_in(client, owner.email)
    secret, _codes = switch_on_second_factor(client)
    again = Client()
    assert sign_in(again, owner.email).headers["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(again)
    again.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert not is_in(again)
    again.post("/accounts/2fa/authenticate/", {"code": code_of(secret, ahead=1)})
    assert is_in(again)


def test_a_recovery_code_works_once(client: Client, owner: User) -> None:
    sign_in(client, owner.email)
    _secret, codes = switch_on_second_factor(client)
    assert len(codes) == 10
    for expected in (True, False):
        again = Client()
        sign_in(again, owner.email)
        again.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_in(again) is expected


def test_secrets_of_the_second_factor_are_encrypted(client: Client, owner: User) -> None:
    sign_in(client, owner.email)
    secret, _codes = switch_on_second_factor(client)
    kept = [str(one.data) for one in Authenticator.objects.all()]
    assert len(kept) == 2
    assert all(secret not in one for one in kept)
    assert all("gAAAA" in one for one in kept)


def test_the_wizard_makes_an_owner_and_a_shop_in_test_mode(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/start/"
    client.post(
        "/start/", {"code": setup_code(), "name": "Ann", "email": "ann@own.example", "password": PASSWORD}
    )
    done = client.post(
        "/start/shop/",
        {"name": "Own", "email": "a@own.example", "locale": "en", "currency": "EUR", "time_zone": "UTC"},
    )
    assert done.headers["Location"] == "/s/own/ready/"
    assert "Go live" in client.get("/s/own/ready/").content.decode()
    assert Shop.objects.get().live_since is None
    assert is_in(client)


def test_the_wizard_runs_once(client: Client, owner: User) -> None:
    assert client.get("/start/").headers["Location"] == "/"
    posted = {"code": setup_code(), "name": "Eve", "email": "eve@evil.example", "password": PASSWORD}
    assert client.post("/start/", posted).headers["Location"] == "/"
    assert list(User.objects.all()) == [owner]


@pytest.mark.parametrize("code", ["", "AAAA-AAAA", "é"])
def test_whoever_finds_the_wizard_first_is_no_owner_without_the_code(client: Client, code: str) -> None:
    page = client.post(
        "/start/", {"code": code, "name": "Eve", "email": "eve@evil.example", "password": PASSWORD}
    )
    assert "code" in page.context["form"].errors
    assert not User.objects.exists()
    assert setup_code() not in page.content.decode()


def test_codes_are_not_guessed_on_and_on_and_the_link_brings_the_right_one(client: Client) -> None:
    posted = {"name": "Ann", "email": "ann@own.example", "password": PASSWORD}
    shown = client.get(f"/start/?code={setup_code().lower()}").context["form"]["code"].value()
    for _ in range(20):
        client.post("/start/", {**posted, "code": "AAAA-AAAA"})
    assert "Too many codes" in client.post("/start/", {**posted, "code": shown}).content.decode()
    RateBucket.objects.all().delete()
    assert client.post("/start/", {**posted, "code": shown}).status_code == 302


def test_a_weak_password_is_refused_in_words_at_the_field(client: Client) -> None:
    page = client.post(
        "/start/", {"code": setup_code(), "name": "Ann", "email": "ann@own.example", "password": "password1"}
    )
    assert page.status_code == 422
    assert "password" in page.context["form"].errors
    assert not User.objects.exists()


def test_going_live_asks_for_mail_and_a_source_first(client: Client) -> None:
    test_the_wizard_makes_an_owner_and_a_shop_in_test_mode(client)
    assert client.post("/s/own/go-live/").status_code == 409
    assert Shop.objects.get().live_since is None
    with scopes_disabled():
        MailAccount.objects.update(host="mail.own.example", from_email="a@own.example")
        client.post("/s/own/settings/sources/webhook/", {"name": "Checkout"})
    assert client.post("/s/own/go-live/").status_code == 302
    assert Shop.objects.get().live_since is not None


def test_nobody_signs_up(client: Client, owner: User) -> None:
    page = client.get("/accounts/signup/")
    assert 'name="password1"' not in page.content.decode()
    client.post("/accounts/signup/", {"email": "eve@evil.example", "password1": PASSWORD})
    assert list(User.objects.all()) == [owner]


def test_a_role_taken_away_counts_from_the_next_request(client: Client, shop: Shop, owner: User) -> None:
    clerk = join_as(shop, "clerk@own.example", Role.CLERK)
    desk, chief = client_of(clerk), client_of(owner)
    seat = seat_of(clerk)
    assert desk.get("/s/own/customers/").status_code == 200
    chief.post(reverse("web:person", args=["own", seat.pk]), {"role": "viewer"})
    assert desk.get("/s/own/customers/").status_code == 403
    chief.post(reverse("web:person", args=["own", seat.pk]), {"role": ""})
    assert desk.get("/s/own/").status_code == 404


def test_the_last_owner_stays(client: Client, shop: Shop, owner: User) -> None:
    chief = client_of(owner)
    seat = seat_of(owner)
    for role in ("", "viewer"):
        chief.post(reverse("web:person", args=["own", seat.pk]), {"role": role})
        assert seat_of(owner).role == Role.OWNER
    join_as(shop, "second@own.example", Role.OWNER)
    chief.post(reverse("web:person", args=["own", seat.pk]), {"role": "viewer"})
    assert seat_of(owner).role == Role.VIEWER


def test_an_account_that_was_switched_off_is_out(client: Client, owner: User) -> None:
    desk = client_of(owner)
    assert is_in(desk)
    User.objects.update(is_active=False)
    assert desk.get("/s/own/").headers["Location"].startswith(SIGN_IN)


def test_a_new_password_ends_the_other_sessions(client: Client, owner: User) -> None:
    sign_in(client, owner.email)
    other = client_of(owner)
    fresh = "another long sentence of words"
    changed = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": fresh, "password2": fresh}
    )
    assert changed.status_code == 302, changed.context["form"].errors
    assert is_in(client)
    assert not is_in(other)


def invite(chief: Client, email: str, role: str = "clerk") -> str:
    """Invite and return the path of the link that the page shows once."""
    chief.post("/s/own/settings/people/invite/", {"email": email, "role": role})
    shown = chief.get("/s/own/settings/people/").content.decode()
    assert "/join/" not in chief.get("/s/own/settings/people/").content.decode()
    found = re.search(r"http://127\.0\.0\.1:8000(/join/[\w-]+)", shown)
    assert found is not None
    return found[1]


def test_an_invitation_makes_an_account_once(client: Client, owner: User) -> None:
    link = invite(client_of(owner), "New@Own.example")
    assert client.get(link).status_code == 200
    assert client.post(link, {"name": "Nina", "password": PASSWORD}).headers["Location"] == "/s/own/"
    seat = seat_of(User.objects.get(email="new@own.example"))
    assert (seat.role, is_in(client)) == (Role.CLERK, True)
    assert Client().get(link).status_code == 404


def test_an_invitation_taken_back_opens_nothing(client: Client, owner: User) -> None:
    chief = client_of(owner)
    link = invite(chief, "new@own.example")
    chief.post(reverse("web:uninvite", args=["own", invitations()[0].pk]))
    assert client.get(link).status_code == 404
    assert client.post(link, {"name": "Nina", "password": PASSWORD}).status_code == 404
    assert User.objects.count() == 1


def test_an_invitation_of_a_known_person_asks_them_to_sign_in(client: Client, owner: User) -> None:
    known = make_person("known@other.example")
    link = invite(client_of(owner), known.email)
    assert client.get(link).headers["Location"] == f"{SIGN_IN}?next={link}"
    assert client.post(link, {"name": "Eve", "password": PASSWORD}).headers["Location"].startswith(SIGN_IN)
    client.force_login(known)
    assert client.get(link).status_code == 200
    assert not is_in(client)
    client.post(link)
    assert is_in(client)


def test_an_invitation_of_somebody_else_is_not_taken(client: Client, owner: User) -> None:
    link = invite(client_of(owner), "new@own.example")
    client.force_login(make_person("other@other.example"))
    assert client.post(link, {"name": "x", "password": PASSWORD}).headers["Location"] == "/accounts/logout/"
    assert shops_of(User.objects.get(email="other@other.example")) == []


def test_an_owner_invites_only_with_a_second_factor(client: Client, owner: User, settings: Any) -> None:
    settings.IS_TEST = False
    sign_in(client, owner.email)
    posted = {"email": "new@own.example", "role": "clerk"}
    assert client.post("/s/own/settings/people/invite/", posted).headers["Location"] == "/accounts/2fa/"
    assert invitations() == []
    switch_on_second_factor(client)
    client.post("/s/own/settings/people/invite/", posted)
    assert len(invitations()) == 1


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    """Catch what is handed over to a mail server."""
    caught: list[EmailMessage] = []
    monkeypatch.setattr(plain, "_hand_over", lambda _account, mail: caught.append(mail))
    return caught


def test_a_forgotten_password_is_replaced_by_a_link_in_a_mail(
    client: Client, shop: Shop, owner: User, mails: list[EmailMessage]
) -> None:
    MailAccount(shop=shop, host="mail.own.example", from_email="a@own.example").save(force_insert=True)
    User.objects.update(language="pl")
    asked = client.post("/accounts/password/reset/", {"email": owner.email}, headers={"host": "localhost"})
    assert asked.status_code == 302
    (mail,) = mails
    assert mail["To"] == owner.email
    link = re.search(r"http://127\.0\.0\.1:8000(/accounts/password/reset/key/\S+)", mail.get_content())
    assert link is not None
    form = client.get(link[1], follow=True)
    fresh = "another long sentence of words"
    client.post(form.request["PATH_INFO"], {"password1": fresh, "password2": fresh})
    assert sign_in(Client(), owner.email, fresh).status_code == 302
    assert sign_in(Client(), owner.email).status_code == 200


def test_a_forgotten_password_tells_nobody_who_works_here(
    client: Client, owner: User, mails: list[EmailMessage]
) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": email}).headers["Location"]
        for email in (owner.email, "nobody@own.example")
    ]
    assert answers == ["/accounts/password/reset/done/"] * 2
    assert mails == []  # no shop of theirs has a mail server


def test_signing_out_ends_the_session(client: Client, owner: User) -> None:
    sign_in(client, owner.email)
    assert client.get("/accounts/logout/").status_code == 200
    assert is_in(client)
    client.post("/accounts/logout/")
    assert not is_in(client)
    assert not Session.objects.exists()


def test_a_form_without_its_token_is_refused(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post("/s/own/settings/limits/", {"per_day": "9"}).status_code == 403
    assert client.post("/preferences/", {"language": "de"}).status_code == 403
    assert User.objects.get().language == "en"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_way_leads_to_another_site(client: Client, owner: User, wanted: str) -> None:
    posted = {"login": owner.email, "password": PASSWORD, "next": wanted}
    assert client.post(SIGN_IN, posted).headers["Location"] == "/"
    assert client.post("/preferences/", {"theme": "dark", "next": wanted}).headers["Location"] == "/"
