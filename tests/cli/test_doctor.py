"""`doctor`: what is wrong is found, and each finding says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pytest_django.fixtures import Settings

from recoup.cli import findings, mail_findings
from recoup.cli.finding import Finding, State
from recoup.core import heartbeat
from recoup.core.clock import real_now
from recoup.core.installation import get_installation, silence_installation
from recoup.integrations.smtp.dns import LookupFailed
from recoup.messaging.models import MailAccount
from tests.cli.conftest import Recoup
from tests.factories.shops import make_shop

ADDRESS = "https://recoup.example.com"


def states(found: Iterable[Finding]) -> list[tuple[str, State]]:
    """Return matter and state of each finding."""
    return [(finding.matter, finding.state) for finding in found]


def answering(answer: object) -> httpx.Client:
    """Return a client whose every request gets this answer."""
    return httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(503, json=answer)))


@pytest.mark.django_db
def test_a_migrated_database_is_good() -> None:
    assert states(findings.database()) == [("Database", State.GOOD), ("Tables", State.GOOD)]


@pytest.mark.django_db
def test_a_silenced_copy_is_told_to_its_owner() -> None:
    silence_installation(reason="restored", now=real_now())

    (found,) = findings.sending()

    assert (found.state, found.advice) == (
        State.DOUBTFUL,
        "Sign in as owner and confirm that no other copy of this installation is running.",
    )


@pytest.mark.django_db
def test_the_public_address_must_lead_to_this_installation(settings: Settings) -> None:
    settings.IS_DEMO, settings.PUBLIC_URL = False, ADDRESS
    mine = {"installation": str(get_installation().instance_id), "status": "red"}

    seen = [
        next(findings.public_address(client=answering(answer))).state
        for answer in (mine, {**mine, "installation": "another"}, ["no", "object"])
    ]

    assert seen == [State.GOOD, State.BAD, State.BAD]


@pytest.mark.django_db
def test_an_address_that_does_not_answer_is_bad(settings: Settings) -> None:
    settings.IS_DEMO, settings.PUBLIC_URL = False, ADDRESS

    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    (found,) = findings.public_address(client=httpx.Client(transport=httpx.MockTransport(refuse)))

    assert (found.state, found.says) == (State.BAD, f"{ADDRESS} does not answer as Recoup: nobody there")


@pytest.mark.django_db
def test_a_worker_that_stopped_is_bad() -> None:
    heartbeat.beat("engine", now=real_now() - timedelta(minutes=10))
    stopped = states(findings.loops())

    heartbeat.beat("engine", now=real_now())

    assert (stopped, states(findings.loops())) == ([("Worker", State.BAD)], [("Worker", State.GOOD)])


@pytest.mark.django_db
def test_a_shop_without_mail_server_is_bad_and_dns_is_looked_up_for_the_others(
    settings: Settings,
) -> None:
    settings.IS_DEMO = True
    bare, ready = make_shop(name="Bare"), make_shop(name="Ready")
    MailAccount.objects.create(shop=ready, host="smtp.example", from_email="shop@ready.example")

    found = states(mail_findings.mail())

    assert found == [(f"Mail of {bare.name}", State.BAD), (f"Mail of {ready.name}", State.GOOD)]


def test_missing_records_are_told_with_what_to_do() -> None:
    account = MailAccount(from_email="shop@ready.example", dkim_selectors="key1")

    found = list(mail_findings.of_domain("Mail", account, lookup=lambda _name: []))

    assert states(found) == [
        ("Mail, SPF", State.DOUBTFUL),
        ("Mail, DKIM", State.DOUBTFUL),
        ("Mail, DMARC", State.DOUBTFUL),
    ]
    assert "SPF record" in found[0].advice


def test_a_name_server_that_is_away_is_a_finding() -> None:
    def fail(_name: str) -> list[str]:
        raise LookupFailed

    found = list(mail_findings.of_domain("Mail", MailAccount(from_email="shop@ready.example"), lookup=fail))

    assert states(found)[:2] == [("Mail, SPF", State.DOUBTFUL), ("Mail, DMARC", State.DOUBTFUL)]


def test_a_secret_key_that_others_can_read_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "secret.key"
    key.write_text("k" * 60)
    monkeypatch.setenv("RECOUP_SECRET_KEY_FILE", str(key))
    key.chmod(0o644)
    readable = next(findings.secret_key())

    key.chmod(0o600)

    assert (readable.state, readable.advice) == (State.BAD, f"Run: chmod 600 {key}")
    assert next(findings.secret_key()).state is State.GOOD


@pytest.mark.parametrize(("free", "state"), [(16, State.GOOD), (14, State.DOUBTFUL), (4, State.BAD)])
def test_room_on_the_disk_is_judged_by_its_share(free: int, state: State) -> None:
    assert findings.of_disk("Disk", Path("/"), free=free, total=100).state is state


def test_doctor_prints_a_table_and_fails_when_something_is_bad(recoup: Recoup, database_url: str) -> None:
    done = recoup("doctor", database=database_url)

    assert done.returncode == 1
    assert "Set RECOUP_PUBLIC_URL to the https address" in done.stdout
    assert "Traceback" not in done.stderr
