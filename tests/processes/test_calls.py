"""Calls of processes to other programs, over a real socket: signed, once, repeated, given up, taken up again."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.clock import real_now
from recoup.core.http import AddressRefused
from recoup.core.installation import silence_installation
from recoup.core.models import AttentionItem
from recoup.processes import forgetting
from recoup.processes.call_models import WebhookCall, WebhookEndpoint
from recoup.processes.calls import PAUSES, add_endpoint, make_calls, retry_calls
from recoup.processes.engine.codes import Code
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import StepLog
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db


class Program:
    """Another program that keeps what it is told and answers as it is set to."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        program = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                program.heard.append(({key.lower(): value for key, value in self.headers.items()}, raw))
                self.send_response(program.status)
                self.end_headers()

            def log_message(self, *_given: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"


@pytest.fixture
def program() -> Iterator[Program]:
    one = Program()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop(slug="lumen")


def work() -> None:
    for _ in range(50):
        if not outbox.dispatch() and not Engine().run_once():
            return


def ask(shop: Shop, program: Program, *, within: str = "", **call: Any) -> WebhookEndpoint:
    endpoint = add_endpoint(shop, name="CRM", url=program.url, now=NOW)
    node: dict[str, Any] = {"t": "webhook", "endpoint": endpoint.pk, "out": {"ok": "n2"}, **call}
    if within:
        node |= {"within": within, "out": {"ok": "n2", "failed": "n3"}}
    nodes = {"n1": node, "n2": {"t": "end"}} | ({"n3": {"t": "end"}} if within else {})
    make_process(shop, nodes=nodes)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", number="1044"), opened_at=NOW))])
    work()
    return endpoint


def make_due() -> None:
    WebhookCall.objects.filter(state="waiting").update(due_at=real_now())


def outcomes() -> list[int]:
    return list(StepLog.objects.order_by("step_no").values_list("outcome", flat=True))


def test_a_call_is_signed_says_what_was_chosen_and_is_made_once(shop: Shop, program: Program) -> None:
    endpoint = ask(shop, program, tells=["order", "customer"])

    assert [make_calls(), make_calls()] == [1, 0]

    [(headers, raw)] = program.heard
    told, call = json.loads(raw), WebhookCall.objects.get()
    assert told["order"]["number"] == "1044"
    assert told["customer"]["email"].startswith("anna")
    assert headers["idempotency-key"] == f"{shop.pk}/{call.enrolment_id}/1/0"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw
    key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert (call.state, call.status, call.due_at) == ("done", 200, None)


def test_what_was_not_chosen_is_not_told(shop: Shop, program: Program) -> None:
    ask(shop, program, tells=[])
    make_calls()

    assert json.loads(program.heard[0][1]).keys() == {"type", "at", "process", "step"}


def test_a_waiting_process_goes_on_when_it_is_taken(shop: Shop, program: Program) -> None:
    ask(shop, program, within="PT2H")
    make_calls()
    work()

    assert outcomes() == [Code.WEBHOOK_ASKED, Code.YES, Code.COMPLETED]


def test_it_is_repeated_with_the_same_key_given_up_shown_and_taken_up_again(
    shop: Shop, program: Program
) -> None:
    endpoint, program.status = ask(shop, program, within="P9D"), 500
    for pause in PAUSES:
        make_calls()
        call = WebhookCall.objects.get()
        assert call.state == "waiting"
        assert call.due_at is not None
        assert abs((call.due_at - real_now() - pause).total_seconds()) < 30
        make_due()
    make_calls()
    work()

    assert {headers["idempotency-key"] for headers, _ in program.heard} == {
        f"{shop.pk}/{WebhookCall.objects.get().enrolment_id}/1/0"
    }
    assert (WebhookCall.objects.get().state, WebhookCall.objects.get().trouble) == ("dead", "status_500")
    assert outcomes() == [Code.WEBHOOK_ASKED, Code.FAILED_WEBHOOK, Code.COMPLETED]
    assert AttentionItem.objects.filter(kind="processes.webhook_given_up", settled_at=None).count() == 1

    program.status = 204
    assert retry_calls(endpoint, now=NOW) == 1
    make_calls()
    assert WebhookCall.objects.get().state == "done"
    assert not AttentionItem.objects.filter(settled_at=None).exists()


def test_a_call_of_a_killed_worker_is_made_again_after_its_lease_and_two_answers_count_once(
    shop: Shop, program: Program
) -> None:
    ask(shop, program)
    WebhookCall.objects.update(lease_until=real_now() + PAUSES[0], attempt=1)
    assert make_calls() == 0
    WebhookCall.objects.update(lease_until=real_now() - PAUSES[0])

    assert make_calls() == 1
    assert WebhookCall.objects.get().state == "done"


def test_a_secret_that_cannot_be_read_fails_its_own_call_alone_and_says_so(
    shop: Shop, program: Program
) -> None:
    ask(shop, program)
    locked = WebhookEndpoint(shop=shop, name="Locked", url=program.url, secret="x", created_at=NOW)
    locked.save()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE processes_webhookendpoint SET secret = 'of another key' WHERE id = %s", [locked.pk]
        )
    sound = WebhookCall.objects.get()
    sick = WebhookCall(
        shop=shop, endpoint_id=locked.pk, process_id=sound.process_id, enrolment_id=sound.enrolment_id,
        step_no=9, node=1, payload={}, due_at=real_now() - PAUSES[0], created_at=NOW,
    )  # fmt: skip
    sick.save()

    assert make_calls() == 2

    sick.refresh_from_db()
    sound.refresh_from_db()
    assert (sick.state, sick.trouble, sound.state) == ("waiting", "secret_unreadable", "done")
    client = sign_in(shop)
    page = client.get("/s/lumen/settings/programs/").content.decode()
    assert "Its secret cannot be read" in page
    client.post(f"/s/lumen/settings/programs/{locked.pk}/", {"do": "test"})
    assert len(program.heard) == 1


def test_a_copy_that_nobody_has_confirmed_tests_no_program_either(shop: Shop, program: Program) -> None:
    endpoint = add_endpoint(shop, name="CRM", url=program.url, now=NOW)
    silence_installation(reason="restored", now=NOW)

    page = sign_in(shop).post(f"/s/lumen/settings/programs/{endpoint.pk}/", {"do": "test"}, follow=True)

    assert program.heard == []
    assert "This copy is silent, and so nothing was sent." in page.content.decode()


def test_what_ended_calls_told_is_forgotten_after_thirty_days_in_batches_and_not_sent_empty(
    shop: Shop, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    endpoint = ask(shop, program, tells=["customer"])
    make_calls()
    done = WebhookCall.objects.get()
    others = {
        name: WebhookCall(
            shop=shop, endpoint=endpoint, process_id=done.process_id, enrolment_id=done.enrolment_id, node=1,
            step_no=number, payload={"customer": {"email": "x"}}, state=state, answered_at=answered_at, created_at=NOW,
            due_at=real_now() if state == "waiting" else None,
        )
        for number, (name, state, answered_at) in enumerate(
            [
                ("given up", "dead", NOW + HOUR),
                ("taken later", "done", NOW + 3 * HOUR),
                ("waiting", "waiting", None),
                ("young", "done", NOW + 2 * DAY),
            ],
            start=20,
        )
    }  # fmt: skip
    WebhookCall.objects.bulk_create(others.values())
    then = NOW + 30 * DAY + 4 * HOUR

    emptied = [forgetting.empty_payloads(now=then) for _ in range(3)]

    assert emptied == [2, 1, 0]
    left = {call.step_no for call in WebhookCall.objects.exclude(payload={})}
    assert left == {others["waiting"].step_no, others["young"].step_no}
    assert set(WebhookCall.objects.filter(payload={}).values_list("emptied_at", "state")) == {
        (then, "done"),
        (then, "dead"),
    }
    assert retry_calls(endpoint, now=then) == 0


def test_a_step_that_is_rolled_back_calls_nobody(shop: Shop, program: Program) -> None:
    with transaction.atomic():
        ask(shop, program)
        transaction.set_rollback(True)

    assert make_calls() == 0
    assert program.heard == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://crm.example.com/in", "address_not_https"),
        ("https://10.0.0.1/in", "address_not_public"),
        ("https://169.254.169.254/", "address_not_public"),
        ("https://user:word@crm.example.com/", "address_with_user"),
        ("nonsense", "address_not_https"),
    ],
)
def test_addresses_that_may_not_be_called_are_refused(shop: Shop, url: str, code: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        add_endpoint(shop, name="x", url=url, now=NOW)

    assert refused.value.code == code


def test_the_screen_adds_shows_the_secret_once_tests_and_switches_off(shop: Shop, program: Program) -> None:
    client, page = sign_in(shop), "/s/lumen/settings/programs/"

    added = client.post(page, {"name": "CRM", "url": program.url})
    endpoint = WebhookEndpoint.objects.get()
    first, second = client.get(page).content.decode(), client.get(page).content.decode()
    client.post(f"{page}{endpoint.pk}/", {"do": "test"})
    client.post(f"{page}{endpoint.pk}/", {"do": "off"})
    again = client.post(page, {"name": "CRM", "url": program.url})
    bad = client.post(page, {"name": "X", "url": "http://crm.example.com"})

    assert added.status_code == 303
    assert [endpoint.secret in shown for shown in (first, second)] == [True, False]
    assert [json.loads(raw)["type"] for _, raw in program.heard] == ["test"]
    assert WebhookEndpoint.objects.get().is_active is False
    assert (again.status_code, bad.status_code) == (422, 422)
    assert "The address must begin with https://." in bad.content.decode()
