"""Memory of a worker and its render child over 100,000 mails through the whole sending path.

Goals: the worker at most 120 MB, the render child at most 90 MB, growth of either at most 5 % from the 10,000th mail to the
last. Peaks are those that the kernel saw, not samples. `RSS_MAILS` may be set.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg

from bench import harness

MAILS = int(os.environ.get("RSS_MAILS", "100000"))
SETTLED = MAILS // 10  # from here on nothing may grow
PART = 5_000
WORKER_MB, CHILD_MB, GROWTH = 120.0, 90.0, 0.05


def main() -> None:
    """Measure and print the figure."""
    if sys.argv[1:] == ["worker"]:
        work()
        return
    with harness.database("rss") as url, tempfile.TemporaryDirectory(prefix="bench-rss-") as folder:
        run(url, Path(folder))


def work() -> None:
    """Be a worker that sends."""
    import django  # local: django

    django.setup()
    from recoup.config.adapters import CHANNELS  # local: django
    from recoup.core import outbox  # local: django
    from recoup.flow import ROUTES  # local: django
    from recoup.messaging import channels  # local: django
    from recoup.messaging.rendering.pool import shared_pool  # local: django
    from recoup.messaging.sender.loop import Sender  # local: django

    channels.register(CHANNELS)
    outbox.set_routes(ROUTES)
    with shared_pool()._borrowed() as child:
        sys.stdout.write(f"{child.pid}\n")
        sys.stdout.flush()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Sender().run(stop)


def run(url: str, folder: Path) -> None:
    """Send everything in parts and report the peaks."""
    from bench.bench_send import _publish  # local: django
    from tests.faults.world import make_orders, make_people, make_road, queue_reminders  # local: django

    environment = {**os.environ, "DATABASE_URL": url, "RECOUP_PUBLIC_URL": "https://recoup.example"}
    log = folder / "sink.jsonl"
    sink = _start("tests.support.smtp_sink", "--log", str(log), environment=environment)
    road = make_road(json.loads(sink.stdout.readline())["port"], slug="rss")  # type: ignore[union-attr]
    _publish(road)
    worker = _start("bench.bench_worker_rss", "worker", environment=environment)
    child = int(worker.stdout.readline())  # type: ignore[union-attr]
    before: tuple[float, float] | None = None
    try:
        for first in range(0, MAILS, PART):
            orders = make_orders(road, make_people(road.shop, PART, first=first))
            queue_reminders(road, orders, first_enrolment=first)
            _wait_until_sent(url)
            _forget(url)
            if first + PART >= SETTLED and before is None:
                before = peak_mb(worker.pid), peak_mb(child)
        after = peak_mb(worker.pid), peak_mb(child)
        taken = log.read_bytes().count(b"\n")
    finally:
        for program in (worker, sink):
            program.terminate()
            program.wait(timeout=30)
    assert taken == MAILS, taken
    assert before is not None
    growth = max(late / early - 1 for early, late in zip(before, after, strict=True))
    harness.report(
        "worker.rss_mb",
        goal=WORKER_MB,
        at_least=False,
        value=round(after[0], 1),
        mails=MAILS,
        at_10_percent=[round(mb, 1) for mb in before],
    )
    harness.report(
        "worker.child.rss_mb", goal=CHILD_MB, at_least=False, value=round(after[1], 1), mails=MAILS
    )
    harness.report("worker.rss_growth", goal=GROWTH, at_least=False, value=round(growth, 4), mails=MAILS)


def _start(module: str, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )


def peak_mb(pid: int) -> float:
    """Return the most memory that a process has had, as the kernel counted it."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


def _wait_until_sent(url: str) -> None:
    query = "SELECT count(*) FROM messaging_message WHERE state IN ('due', 'claimed', 'handing')"
    with psycopg.connect(url, autocommit=True) as own:
        deadline = time.monotonic() + 600
        while own.execute(query).fetchone() != (0,):
            assert time.monotonic() < deadline, "the messages do not end"
            time.sleep(0.05)
        assert own.execute("SELECT count(*) FROM messaging_message WHERE state <> 'sent'").fetchone() == (0,)


def _forget(url: str) -> None:
    """Empty what piles up in the database, so that the bench measures the worker and not the disk."""
    with psycopg.connect(url, autocommit=True) as own:
        own.execute(
            "TRUNCATE messaging_message, messaging_messagecopy, messaging_messagevisit, core_outbox, core_link,"
            " orders_order, orders_orderline, customers_contact CASCADE"
        )


if __name__ == "__main__":
    main()
