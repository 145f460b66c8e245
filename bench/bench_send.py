"""Mails a second through the whole sending path with every check, against django-post-office end to end, to one server.

Ours: queue in batches as the engine does, claim, render in the child, mint links, MIME, mark, lock and look, hand over,
record with news, by two sender processes as the product runs them. The twin: `bench.post_office_twin`. Both start warm;
the clock runs from the first message queued to the last one recorded as sent. The mail server counts. Goal: at least 4
times; aim: 6. `SEND_MAILS` (a round) and `SEND_ROUNDS` may be set.

`claim.old_snapshot`: messages claimed a second while an old transaction is open, against without. Goal: at least 0.8.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from bench import harness

MAILS = int(
    os.environ.get("SEND_MAILS", "6000")
)  # a round of ours takes some four seconds: a backlog, not its start
ROUNDS = int(os.environ.get("SEND_ROUNDS", str(harness.ROUNDS)))
SENDERS = 2


def main() -> None:
    """Measure and print the figures."""
    if sys.argv[1:] == ["sender"]:
        send_until_stopped()
        return
    with harness.database("send") as url, tempfile.TemporaryDirectory(prefix="bench-send-") as folder:
        bench = SendBench(url, Path(folder))
        try:
            ratio, rounds = harness.paired(bench.ours, bench.twin, rounds=ROUNDS)
        finally:
            bench.close()
        harness.report(
            "send.vs_post_office",
            ratio=ratio,
            goal=4,
            rounds=rounds,
            mails_per_second=[round(rate) for rate in bench.rates],
        )
        claim_ratio, claim_rounds = harness.paired(
            lambda: claim_rate(url, is_old_open=True), lambda: claim_rate(url, is_old_open=False), rounds=5
        )
        harness.report("send.claim.old_snapshot", ratio=claim_ratio, goal=0.8, rounds=claim_rounds)


def send_until_stopped() -> None:
    """Be one of the product's sender processes."""
    import signal  # local: start
    import threading  # local: start

    import django  # local: django

    django.setup()
    from recoup.config.adapters import CHANNELS  # local: django
    from recoup.core import outbox  # local: django
    from recoup.messaging import channels  # local: django
    from recoup.messaging.events import MessageSettled  # local: django
    from recoup.messaging.rendering.pool import shared_pool  # local: django
    from recoup.messaging.sender.loop import Sender  # local: django

    channels.register(CHANNELS)
    outbox.set_routes({MessageSettled: (lambda _: None,)})
    with shared_pool()._borrowed():
        pass  # the render child is up before the clock starts, as in a worker that has been running for a while
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    Sender().run(stop)


class SendBench:
    """The server, our senders and the twin, all warm."""

    def __init__(self, url: str, folder: Path) -> None:
        from tests.faults.world import make_road  # local: django

        self._programs: list[subprocess.Popen[str]] = []
        self._log = folder / "sink.jsonl"
        self._url = url
        self.rates: list[float] = []
        self._read = self._counted = 0
        environment = {**os.environ, "DATABASE_URL": url, "RECOUP_PUBLIC_URL": "https://recoup.example"}
        os.environ["RECOUP_PUBLIC_URL"] = "https://recoup.example"
        sink = self._start("tests.support.smtp_sink", "--log", str(self._log), environment=environment)
        self._port: int = json.loads(sink.stdout.readline())["port"]  # type: ignore[union-attr]
        self._road = make_road(self._port, slug="bench")
        _publish(self._road)
        for _ in range(SENDERS):
            self._start("bench.bench_send", "sender", environment=environment)
        self._twin = self._start(
            "bench.post_office_twin", _twin_database(url), str(self._port), environment={**os.environ}
        )
        for program in self._programs[1:]:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
        self._enrolments = 0

    def _start(self, module: str, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._programs.append(program)
        return program

    def close(self) -> None:
        """End everything."""
        for program in reversed(self._programs):
            program.terminate()
            program.wait(timeout=30)

    def ours(self) -> float:
        """Queue and send; return mails a second."""
        from tests.faults.world import make_orders, make_people, queue_reminders  # local: django

        orders = make_orders(self._road, make_people(self._road.shop, MAILS, first=self._enrolments))
        self._analyze()
        before = self._taken()
        started = time.perf_counter()
        for first in range(0, MAILS, 500):
            self._enrolments += 500
            queue_reminders(self._road, orders[first : first + 500], first_enrolment=self._enrolments)
        while self._taken() - before < MAILS:
            assert time.perf_counter() - started < 300, "the mails do not arrive"
            time.sleep(0.01)
        self._wait_until_sent()
        rate = MAILS / (time.perf_counter() - started)
        assert self._taken() - before == MAILS
        self.rates.append(rate)
        return rate

    def twin(self) -> float:
        """Let the twin do the same; return mails a second."""
        assert self._twin.stdin is not None
        assert self._twin.stdout is not None
        before = self._taken()
        self._twin.stdin.write(f"{MAILS}\n")
        self._twin.stdin.flush()
        seconds = float(self._twin.stdout.readline())
        assert self._taken() - before == MAILS
        self.rates.append(MAILS / seconds)
        return MAILS / seconds

    def _taken(self) -> int:
        if self._log.exists():
            with self._log.open("rb") as log:
                log.seek(self._read)
                new = log.read()
            self._read += len(new)
            self._counted += new.count(b"\n")
        return self._counted

    def _wait_until_sent(self) -> None:
        query = "SELECT count(*) FROM messaging_message WHERE state IN ('due', 'claimed', 'handing')"
        with psycopg.connect(self._url, autocommit=True) as own:
            deadline = time.monotonic() + 300
            while own.execute(query).fetchone() != (0,):
                assert time.monotonic() < deadline, "the messages do not end"
                time.sleep(0.02)
            wrong = own.execute("SELECT count(*) FROM messaging_message WHERE state <> 'sent'").fetchone()
            assert wrong == (0,), wrong

    def _analyze(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as own:
            own.execute("VACUUM (ANALYZE)")


def _publish(road: Any) -> None:
    """Give the road the shipped text."""
    from django_scopes import scopes_disabled  # local: django

    from bench.send_texts import compiled_text  # local: django

    with scopes_disabled():
        version = road.template.current_version
        version.texts = {"en": {"compiled": compiled_text().to_json()}}
        version.save()


def _twin_database(url: str) -> str:
    name = "bench_post_office"
    with psycopg.connect(url, autocommit=True) as own:
        own.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        own.execute(f'CREATE DATABASE "{name}"')
    return url.replace("/bench_send?", f"/{name}?")


def claim_rate(url: str, *, is_old_open: bool) -> float:
    """Claim everything due, ending each claim at once as a sender would; return messages a second."""
    from django.db import connection  # local: django

    from recoup.core.clock import trade_now  # local: django
    from recoup.messaging.models import Lane  # local: django
    from recoup.messaging.sender.claim import claim  # local: django
    from recoup.messaging.sender.timing import TIMING  # local: django

    _refill(url)
    lane = Lane.objects.get()
    with psycopg.connect(url) as old:
        if is_old_open:
            old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            old.execute("SELECT count(*) FROM core_installation")
        started, claimed = time.perf_counter(), 0
        while True:
            _, messages = claim(lane.pk, owner=1, now=trade_now(), timing=TIMING)
            if not messages:
                break
            claimed += len(messages)
            _end([message.id for message in messages])
        seconds = time.perf_counter() - started
    assert claimed == MAILS * ROUNDS, claimed
    connection.close()
    return claimed / seconds


def _refill(url: str) -> None:
    """Let every message be due, as if just queued."""
    with psycopg.connect(url, autocommit=True) as own:
        own.execute(
            "UPDATE messaging_lane SET tokens = 1e9, burst = 1e9, due_mark = NULL, mark_opened_at = NULL"
        )
        own.execute("UPDATE messaging_message SET state = 'due', lease_owner = NULL, settled_at = NULL")
        own.execute("VACUUM (FULL, ANALYZE) messaging_message")
        own.execute("VACUUM (FULL, ANALYZE) messaging_lane")


def _end(ids: list[int]) -> None:
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_message SET state = 'sent', lease_until = NULL WHERE id = ANY(%s)", [ids]
        )


if __name__ == "__main__":
    main()
