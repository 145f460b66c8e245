"""A program that forks senders, payers and mail servers on request: a fork is there in milliseconds, so that many can be
killed.

Reads one JSON line a request, `{"role": "sender", "database": ..., "words": ..., ...}`, and answers with the pid. A child
leads a life of its own until it is killed, on the database of its request; what it says goes to the file `words`; `weaken`
names the protection that a negative control takes out of it.
"""

import contextlib
import gc
import json
import os
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recoup.config.settings")
django.setup()

from django.db import connection, connections  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django_scopes import scopes_disabled  # noqa: E402

from recoup.config import environment  # noqa: E402
from recoup.config.adapters import CHANNELS  # noqa: E402
from recoup.core import inbox, outbox  # noqa: E402
from recoup.core.clock import boot_seconds, trade_now  # noqa: E402
from recoup.hooks import at_once  # noqa: E402
from recoup.hooks.apply import apply_item  # noqa: E402
from recoup.messaging import channels  # noqa: E402
from recoup.messaging.events import MessageSettled  # noqa: E402
from recoup.messaging.rendering.pool import shared_pool  # noqa: E402
from recoup.messaging.sender import failpoints  # noqa: E402
from recoup.messaging.sender.ends import DATABASE_ERRORS  # noqa: E402
from recoup.messaging.sender.loop import Sender  # noqa: E402
from recoup.messaging.sender.timing import Timing  # noqa: E402
from recoup.orders.models import Order  # noqa: E402
from recoup.payments.actions import record_payment  # noqa: E402
from recoup.shops.snapshots import AttemptState, PaymentSnapshot  # noqa: E402
from tests.factories.templates import DEFAULTS, compiled  # noqa: E402
from tests.faults.weaken import weaken  # noqa: E402
from tests.faults.world import make_world  # noqa: E402
from tests.hooks.calls import body_of, send  # noqa: E402
from tests.support.smtp_sink import SinkOptions, SmtpSink  # noqa: E402


def main() -> None:
    """Answer requests until standard input ends; the children end by themselves or by whoever started us."""
    signal.signal(signal.SIGCHLD, _reap)
    channels.register(CHANNELS)
    outbox.set_routes({MessageSettled: (lambda _: None,)})
    compiled("order", *DEFAULTS["order"], "en", "email")  # every world has this text
    shared_pool().close()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(request)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _live(request: dict[str, Any]) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(0)
        words = os.open(request["words"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(words, 1)  # what a child says is no answer of ours
        os.dup2(words, 2)
        connections.close_all()
        os.environ["DATABASE_URL"] = request["database"]
        connection.settings_dict.update(environment.database())
        roles: dict[str, Callable[[dict[str, Any]], None]] = {
            "sender": _send,
            "payer": _pay,
            "world": _make_world,
            "sink": _take_mails,
        }
        for protection in request.get("weaken", ()):
            weaken(protection)
        roles[request["role"]](request)
        code = 0
    except BaseException as error:
        sys.stderr.write(f"{request['role']} {os.getpid()}: {error!r}\n")
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _send(request: dict[str, Any]) -> None:
    failpoints.arm(request.get("failpoint", ""))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Sender(timing=Timing(**request.get("timing", {}))).run(stop)


def _take_mails(request: dict[str, Any]) -> None:
    options = SinkOptions(delay=request["delay"], keep_content=False, discard=True)
    with SmtpSink(options, log=Path(request["log"])) as sink:
        draft = Path(f"{request['port']}.new")
        draft.write_text(str(sink.port), encoding="ascii")
        draft.replace(request["port"])
        signal.pause()


def _make_world(request: dict[str, Any]) -> None:
    make_world(request["port"], messages=request["messages"], roads=request["roads"])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


_AT_HEAD = """
    SELECT order_id FROM messaging_message
    WHERE state IN ('due', 'claimed', 'handing') AND due_at <= %s AND order_id %% %s = %s
        AND order_id <> ALL(%s)
    ORDER BY CASE WHEN state = %s THEN 0 ELSE 1 END, due_at, id LIMIT %s
"""


def _pay(request: dict[str, Any]) -> None:
    """Pay orders at the head of the queue, again and again, and note when each payment was known."""
    at_once.is_quiet = lambda: False  # what a call tells is known at its answer, and applied after that
    chance = random.Random(request["seed"])
    paid: deque[int] = deque(maxlen=200)  # a frozen sender's messages stay at the head
    with open(request["log"], "a", buffering=1, encoding="utf-8") as log, scopes_disabled():
        for _ in range(request["payments"]):
            order_id = _next_order(request, chance, paid)
            if order_id is None:
                return
            paid.append(order_id)
            began_at = boot_seconds()
            try:
                (_call_of_payment if request["by_hook"] else _pay_order)(order_id)
            except DATABASE_ERRORS:
                connection.close()  # whether it was committed is not known: it is not counted
                time.sleep(0.05)
                continue
            log.write(json.dumps({"order": order_id, "began": began_at, "known": boot_seconds()}) + "\n")
            if request["by_hook"]:
                _apply_calls()
            time.sleep(chance.uniform(0, 2 * request["pause"]))


def _call_of_payment(order_id: int) -> None:
    """Let the shop tell of the payment by a signed call: from its answer on it is known, though not applied yet."""
    order = Order.objects.select_related("source").get(pk=order_id)
    raw = body_of(
        "payment.succeeded",
        id=f"pay-{order_id}",
        order_id=order.ref,
        status="succeeded",
        amount=str(order.total),
        currency=order.currency,
        at=trade_now().isoformat(),
    )
    with override_settings(SECURE_SSL_REDIRECT=False):
        answer = send(Client(SERVER_NAME="recoup.example"), order.source, raw, event_id=f"evt-{order_id}")
    if answer.status_code != 200:
        raise RuntimeError(f"the call was answered {answer.status_code}: {answer.content!r}")


def _apply_calls() -> None:
    """Apply what was kept, as the worker does: all of it, for nobody else is there."""
    while waiting := inbox.waiting(now=trade_now() + timedelta(minutes=1), limit=50):
        for item_id, _ in waiting:
            apply_item(item_id, now=trade_now())


def _next_order(request: dict[str, Any], chance: random.Random, paid: Sequence[int]) -> int | None:
    """Choose an order whose message is about to be sent, of this payer's share; `None` when there are none left."""
    while True:
        try:
            with connection.cursor() as cursor:
                share = [request["payers"], request["number"]]
                aim = chance.choice(("handing", "claimed", "due"))
                cursor.execute(_AT_HEAD, [trade_now(), *share, list(paid), aim, request["reach"]])
                waiting = [row[0] for row in cursor.fetchall()]
                return chance.choice(waiting) if waiting else None
        except DATABASE_ERRORS:
            connection.close()
            time.sleep(0.05)


def _pay_order(order_id: int) -> None:
    order = Order.objects.get(pk=order_id)
    now = trade_now()
    payment = PaymentSnapshot(
        ref=f"pay-{order_id}",
        state=AttemptState.SUCCEEDED,
        amount=order.total,
        currency=order.currency,
        at=now,
        operator="bank",
    )
    record_payment(order, payment, now=now)


if __name__ == "__main__":
    main()
