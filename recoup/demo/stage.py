"""The stage of demo and story: a shop that can sell, and the real parts running beside it as programs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
from django.db import connection
from django_scopes import scope, scopes_disabled

from recoup.accounts.actions import create_first_owner
from recoup.accounts.models import User
from recoup.core.models import Installation
from recoup.integrations.generic.webhook import new_secret
from recoup.messaging.models import Lane, MailAccount
from recoup.payments.models import OperatorAccount
from recoup.processes.models import Process
from recoup.shops.actions import NewShop
from recoup.shops.models import Shop, Source
from recoup.shops.sources import Connection, connect_source
from recoup.web.setup import found_shop

START_SECONDS = 60.0
OWNER = "owner@lawenda.example"
PASSWORD = "lawenda-demo-2026"  # noqa: S105 - of the demo, printed at its start


class PartDidNotStart(Exception):
    """A program of the stage ended, or did not answer in time; its last lines are in the message."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A shop ready to sell, and where its neighbours listen."""

    shop: Shop
    source: Source
    bank: OperatorAccount


def mark_as_demo() -> None:
    """Say that this installation is a demo: its clock may be moved and nothing leaves the machine."""
    Installation.objects.update_or_create(pk=1, defaults={"is_demo": True})


def make_shop(
    order: NewShop,
    *,
    mailbox_port: int,
    bank_url: str,
    now: datetime,
    owner: User | None = None,
    holdout_bp: int = 0,
) -> Stage:
    """Make a shop with a generic source, the demo mailbox as its mail server, and the demo bank as its operator.

    Nobody is left alone unless it is said, so that a story is the same each time; who is, hangs on a fixed salt.
    """
    with scopes_disabled():
        owner = (
            owner
            or User.objects.first()
            or create_first_owner(email=OWNER, password=PASSWORD, name="Zofia Lis", language="en", now=now)
        )
        shop = found_shop(order, owner=owner, now=now)
        for number, process in enumerate(Process.objects.filter(shop=shop).order_by("key"), start=1):
            process.salt, process.holdout_bp = number, holdout_bp
            process.save(update_fields=["salt", "holdout_bp"])
    with scope(shop=shop):
        source = connect_source(shop, Connection(kind="generic", name=f"{order.name}: checkout"), now=now)
        MailAccount.objects.filter(shop=shop).update(
            host="127.0.0.1",
            port=mailbox_port,
            security=MailAccount.Security.PLAIN,
            from_name=order.name,
            from_email=order.email,
        )
        Lane.objects.update_or_create(shop=shop, channel="email", defaults={"rate": 1000.0, "burst": 1000.0})
        bank = OperatorAccount.objects.create(
            shop=shop,
            kind="demobank",
            name="Demo bank",
            role=OperatorAccount.Role.INITIATOR,
            base_url=bank_url,
            secret=new_secret(),
        )
    return Stage(shop, source, bank)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def commands(ports: Mapping[str, int], folder: Path) -> dict[str, list[str]]:
    """Return how to start the parts of a demo at these ports; the bank's ledger lies in the folder."""
    return {
        "mailbox": ["-m", "recoup.demo.mailbox", "--port", str(ports["mailbox"])],
        "bank": [
            "-m", "recoup.integrations.demobank.server",
            "--port", str(ports["bank"]), "--ledger", str(folder / "bank.sqlite"),
        ],
        "web": ["-m", "recoup", "web", "--port", str(ports["web"]), "--processes", "1"],
        "worker": ["-m", "recoup", "worker"],
    }  # fmt: skip


@contextmanager
def programs(wanted: Mapping[str, list[str]], *, environment: Mapping[str, str]) -> Iterator[None]:
    """Run programs of ours for the length of a block and end them, the first last."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in wanted.items():
            running[name] = subprocess.Popen(
                [sys.executable, *command],
                env={**os.environ, **environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE if os.environ.get("RECOUP_STORY_QUIET") else None,
            )
        yield
        for name, process in running.items():
            if process.poll() is not None:
                raise PartDidNotStart(f"{name} ended with {process.returncode}")
    finally:
        for process in reversed(list(running.values())):
            process.terminate()
        for process in running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for_port(port: int, *, name: str) -> None:
    """Wait until somebody listens.

    :raises PartDidNotStart: after a minute.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise PartDidNotStart(f"nobody listens on port {port}: {name}")


def wait_until_quiet(*, seconds: float = 60.0) -> None:
    """Wait until the worker has nothing left to do at the present trade time.

    :raises PartDidNotStart: if it does not become quiet.
    """
    deadline, quiet = time.monotonic() + seconds, 0
    while quiet < 3:
        if time.monotonic() > deadline:
            raise PartDidNotStart(f"the worker has not finished: {_waiting()}")
        quiet = 0 if any(_waiting().values()) else quiet + 1
        time.sleep(0.12)


def _waiting() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH t AS (SELECT clock_timestamp() + trade_offset AS now FROM core_installation)"
            " SELECT (SELECT count(*) FROM core_outbox), (SELECT count(*) FROM core_inbox WHERE state = 'new'),"
            " (SELECT count(*) FROM processes_enrolment, t WHERE state IN (1, 2) AND run_at <= t.now),"
            " (SELECT count(*) FROM messaging_message, t WHERE state IN ('claimed', 'handing')"
            "   OR state = 'due' AND due_at <= t.now),"
            " (SELECT count(*) FROM orders_order, t WHERE check_at <= t.now),"
            " (SELECT count(*) FROM orders_cart, t WHERE check_at <= t.now)"
        )
        row = cursor.fetchone()
    return dict(zip(("outbox", "inbox", "enrolments", "messages", "orders", "carts"), row, strict=True))


def client() -> httpx.Client:
    """Return the HTTP client of a buyer or a shop on this machine."""
    return httpx.Client(timeout=20, follow_redirects=True, trust_env=False)
