"""The settings by what an owner sees: texts, mail, waiting times, limits, sources, intake, checks."""

from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.core.installation import get_installation, silence_installation
from recoup.core.models import InboxItem
from recoup.messaging.models import MailAccount, QuietHours, SendingLimits, Template
from recoup.orders.models import Order
from recoup.shops.models import Shop, Source, WaitingTime
from tests.factories.moments import NOW
from tests.web.world import World, client_of

TEXT = "/s/own/settings/texts/order_reminder_1/en/"


@pytest.fixture
def owner(world: World) -> Client:
    return client_of(world.own.people[Role.OWNER])


def draft_of(client: Client) -> dict[str, Any]:
    """Return what the editor shows, as it would be posted back."""
    form = client.get(TEXT).context["form"]
    return {name: "" if form[name].value() is None else form[name].value() for name in form.fields}


def test_a_broken_text_is_refused_at_its_field_with_the_line(owner: Client) -> None:
    draft = draft_of(owner)
    lines = draft["body"].splitlines()
    place = next(number for number, line in enumerate(lines) if "<mj-text" in line)
    lines.insert(place, "<mj-text>{{ order.nmber }}</mj-text>")
    page = owner.post(TEXT, {**draft, "body": "\n".join(lines)})
    assert page.status_code == 422
    (problem,) = page.context["form"].errors["body"]
    assert problem.startswith(f"Line {place + 1}: ")
    assert "order.nmber" in problem
    assert "order.number" in problem
    assert "{{ order.nmber }}" in page.context["form"]["body"].value()


def test_a_subject_with_an_unknown_field_is_refused_there(owner: Client) -> None:
    page = owner.post(TEXT, {**draft_of(owner), "subject": "For {{ buyer.name }}"})
    assert page.status_code == 422
    assert list(page.context["form"].errors) == ["subject"]


def test_a_draft_is_saved_seen_and_published(owner: Client) -> None:
    changed = {**draft_of(owner), "subject": "Your order {{ order.number }} waits"}
    assert owner.post(TEXT, changed).status_code == 302
    assert draft_of(owner)["subject"] == "Your order {{ order.number }} waits"
    assert b"<html" in owner.get(f"{TEXT}preview/").content
    lock = str(draft_of(owner)["lock"])
    owner.post(f"{TEXT}publish/", {"lock": lock})
    with scopes_disabled():
        template = Template.objects.select_related("current_version").get(
            shop__slug="own", key="order_reminder_1"
        )
    assert template.current_version is not None
    assert template.current_version.texts["en"]["subject"] == "Your order {{ order.number }} waits"


def test_a_text_saved_by_somebody_else_is_not_overwritten(owner: Client) -> None:
    mine = draft_of(owner)
    owner.post(TEXT, {**mine, "subject": "Theirs {{ order.number }}"})
    page = owner.post(TEXT, {**mine, "subject": "Mine {{ order.number }}"})
    assert page.status_code == 409
    assert "Theirs" in page.content.decode()
    assert page.context["form"]["subject"].value() == "Mine {{ order.number }}"
    assert draft_of(owner)["subject"] == "Theirs {{ order.number }}"


MAIL = "/s/own/settings/mail/"
SERVER = {
    "from_name": "Own", "from_email": "hello@own.example", "host": "mail.own.example", "port": "587",
    "security": "starttls", "username": "own", "password": "very secret", "dkim_selectors": "",
}  # fmt: skip


def account() -> MailAccount:
    with scopes_disabled():
        return MailAccount.objects.get(shop__slug="own")


def test_the_password_of_the_mail_server_is_kept_and_never_shown(owner: Client) -> None:
    assert owner.post(MAIL, SERVER).status_code == 302
    assert "very secret" not in owner.get(MAIL).content.decode()
    owner.post(MAIL, {**SERVER, "password": "", "from_name": "Other"})
    assert (account().password, account().from_name) == ("very secret", "Other")


@pytest.mark.parametrize(
    ("name", "value"),
    [("host", ""), ("from_email", "nobody"), ("from_name", "A\nBcc: x@evil.example"), ("port", "0")],
)
def test_a_mail_server_that_cannot_work_is_refused_at_its_field(owner: Client, name: str, value: str) -> None:
    page = owner.post(MAIL, {**SERVER, name: value})
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [name]
    assert account().host == ""


def test_a_waiting_time_of_a_method_moves_the_orders_that_wait(owner: Client, world: World) -> None:
    def due() -> Any:
        with scopes_disabled():
            order = Order.objects.get(pk=world.own.ids["order_id"])
        return None if order.check_at is None else (order.check_at - order.placed_at).total_seconds() / 60

    assert due() == 24 * 60
    owner.post("/s/own/settings/waiting/method/", {"method": "card", "minutes": "90"})
    assert due() == 90
    with scopes_disabled():
        assert WaitingTime.objects.get().minutes == 90
    assert (
        owner.post("/s/own/settings/waiting/method/", {"method": "card", "minutes": "0"}).status_code == 422
    )


def test_limits_and_quiet_hours_are_kept(owner: Client) -> None:
    typed = {"per_day": "1", "per_week": "3", "per_order": "4", "sms_per_day": "1", "sms_per_week": "2"}
    owner.post("/s/own/settings/limits/", typed)
    owner.post("/s/own/settings/limits/quiet/", {"is_on": "on", "starts": "21:00", "ends": "07:00"})
    with scopes_disabled():
        limits, quiet = SendingLimits.objects.get(), QuietHours.objects.get()
    assert (limits.per_day, limits.per_week, limits.per_order) == (1, 3, 4)
    assert (f"{quiet.starts:%H:%M}", f"{quiet.ends:%H:%M}") == ("21:00", "07:00")
    owner.post("/s/own/settings/limits/quiet/", {"starts": "21:00", "ends": "07:00"})
    with scopes_disabled():
        assert not QuietHours.objects.exists()


def test_the_secret_of_a_source_is_shown_once(owner: Client) -> None:
    made = owner.post("/s/own/settings/sources/webhook/", {"name": "Checkout"}).headers["Location"]
    with scopes_disabled():
        secret = Source.objects.latest("id").secret
    assert secret in owner.get(made).content.decode()
    assert secret not in owner.get(made).content.decode()
    owner.post(f"{made}change/", {"do": "secret"})
    page = owner.get(made).content.decode()
    assert secret not in page
    with scopes_disabled():
        assert Source.objects.latest("id").secret in page


def test_a_report_that_could_not_be_read_is_shown_and_tried_again(owner: Client, world: World) -> None:
    page = owner.get("/s/own/settings/intake/").content.decode()
    assert "{&quot;id&quot;: 1," in page
    owner.post(f"/s/own/settings/intake/{world.own.ids['item_id']}/retry/")
    assert InboxItem.objects.get(pk=world.own.ids["item_id"]).state == "new"
    assert "{&quot;id&quot;: 1," not in owner.get("/s/own/settings/intake/").content.decode()


@pytest.mark.parametrize(
    ("view", "state", "is_tried_again"),
    [("conflict", "conflict", False), ("unused", "unused", True), ("aside", "put_aside", True)],
)
def test_a_report_that_changed_nothing_is_not_out_of_sight(
    owner: Client, world: World, view: str, state: str, is_tried_again: bool
) -> None:
    InboxItem.objects.filter(pk=world.own.ids["item_id"]).update(state=state, reason="unknown_topic: x")

    shown = owner.get(f"/s/own/settings/intake/?v={view}").content.decode()

    assert "We do not use this kind of event: x." in shown
    assert (f"/intake/{world.own.ids['item_id']}/retry/" in shown) is is_tried_again
    assert "We do not use" not in owner.get("/s/own/settings/intake/").content.decode()


def test_more_reports_than_a_page_are_reached_by_the_next(owner: Client, world: World) -> None:
    known = InboxItem.objects.get(pk=world.own.ids["item_id"])
    InboxItem.objects.bulk_create(
        InboxItem(
            shop_id=known.shop_id, source_id=known.source_id, source_kind="shop", event_id=f"more-{number}",
            raw=b"{}", body_hash=b"h" * 32, received_at=NOW, state="quarantined", reason=f"bad_id: {number}",
        )
        for number in range(60)
    )  # fmt: skip

    first = owner.get("/s/own/settings/intake/")
    second = owner.get(first.context["pager"].older_url)

    seen = [row.id for row in (*first.context["rows"], *second.context["rows"])]
    assert len(set(seen)) == len(seen) == 61
    assert second.context["pager"].older_url == ""


def test_everybody_sees_the_settings_that_they_may_open(world: World) -> None:
    def titles(role: Role) -> set[str]:
        groups = client_of(world.own.people[role]).get("/s/own/settings/").context["groups"]
        return {str(card.title) for _title, cards in groups for card in cards}

    assert titles(Role.MARKETER) == {"Texts", "Left alone by everything"}
    assert titles(Role.MANAGER) == {
        "Texts",
        "Left alone by everything",
        "Import a file",
        "Products and their cost",
        "Products bought again and again",
        "Reports that could not be read",
    }
    assert {"Mail server", "Colleagues", "Checks", "Shop"} < titles(Role.OWNER)


def test_a_silent_copy_sends_again_when_an_owner_says_so(owner: Client) -> None:
    silence_installation(reason="restored", now=NOW)
    assert "This copy is silent" in owner.get("/s/own/").content.decode()
    owner.post("/s/own/settings/checks/confirm/")
    assert get_installation().silenced_at is None


def test_a_shop_changes_its_name_and_refuses_a_colour_that_is_none(owner: Client) -> None:
    form = owner.get("/s/own/settings/shop/").context["form"]
    shown = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    assert owner.post("/s/own/settings/shop/", {**shown, "name": "Cedar"}).status_code == 302
    assert Shop.objects.get(slug="own").name == "Cedar"
    page = owner.post("/s/own/settings/shop/", {**shown, "colour": "red;}"})
    assert list(page.context["form"].errors) == ["colour"]


@pytest.mark.parametrize(("age", "hours"), [("0", "0"), ("3651", "721")])
def test_an_age_or_a_claim_that_would_end_all_reminders_is_refused_with_what_to_write(
    owner: Client, age: str, hours: str
) -> None:
    form = owner.get("/s/own/settings/shop/").context["form"]
    shown = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}

    page = owner.post("/s/own/settings/shop/", {**shown, "max_age_days": age, "claim_hours": hours})

    errors = page.context["form"].errors
    assert (page.status_code, sorted(errors)) == (422, ["claim_hours", "max_age_days"])
    assert all(len(told) == 1 and told[0].startswith("Write at ") for told in errors.values())
    assert Shop.objects.get(slug="own").max_age_days == 14


def test_the_demo_keeps_to_its_own_mailbox_whatever_is_posted(
    owner: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IS_DEMO = True
    monkeypatch.setenv("RECOUP_DEMO_MAILBOX_PORT", "18025")
    typed = {
        "from_email": "shop@example.com",
        "host": "smtp.example.com",
        "port": "25",
        "security": "starttls",
    }

    answer = owner.post("/s/own/settings/mail/", typed)

    with scopes_disabled():
        account = MailAccount.objects.get(shop__slug="own")
    assert answer.status_code == 302
    assert (account.host, account.port, account.security) == ("127.0.0.1", 18025, "plain")
