"""The worker: every loop of the product in one process. Start as many as you like; none is elected, none is assigned."""

import gc
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from types import FrameType

import structlog
from django_scopes import scopes_disabled

from recoup.analytics.tallies import fold_tallies
from recoup.config import loops
from recoup.config.safety import refuse_unsafe
from recoup.core import heartbeat, installation, outbox
from recoup.core.clock import boot_seconds, real_now, trade_now
from recoup.core.public_address import hear_of_new_address
from recoup.core.ratelimit import forget_limits
from recoup.hooks import apply as intake
from recoup.hooks import ask as asking
from recoup.hooks import tasks as polling
from recoup.integrations.csvfile import importing
from recoup.messaging.sender.loop import Sender
from recoup.messaging.sender.spending import forget_numbers
from recoup.offers.ending import expire_due_offers
from recoup.offers.making import call_shops
from recoup.payments.asking import ask_open_attempts
from recoup.processes import actions as processes
from recoup.processes.at_blocks import fold_passages
from recoup.processes.backtest import runs as backtests
from recoup.processes.bulk import adding as bulk
from recoup.processes.calls import make_calls
from recoup.processes.forgetting import empty_payloads
from recoup.processes.loop import Engine
from recoup.processes.moving import ahead, moves
from recoup.recovery import actions as recovery
from recoup.recovery import detection
from recoup.recovery.asking import ask_before_reminders, ask_due_orders
from recoup.segments.counting import count_due
from recoup.shops.models import Source
from recoup.shops.snapshots import OrderSnapshot
from recoup.storefront.expiring import close_expired_sessions

log = structlog.get_logger(__name__)

STOP_SECONDS = 25.0  # within the supervisor's grace: an answer to a final dot may take a while
SENDERS = 2
ENGINES = (
    2  # while one waits for the database, the other decides: 1.5 times one alone on two cores (bench_engine)
)
SWEEP_EVERY = timedelta(seconds=2)
IMPORT_EVERY = 5.0
BACKTEST_EVERY = 1.0  # somebody looks at the progress bar
MOVE_EVERY = 1.0  # so does here; and whoever was locked is free again
CALLS_EVERY = COUPONS_EVERY = 1.0
POLL_EVERY = timedelta(seconds=20)
FOLD_EVERY = timedelta(minutes=1)
PLACE_EVERY = timedelta(minutes=1)
FORGET_EVERY = timedelta(minutes=1)


def run() -> None:
    """Run all loops until asked to stop, then let each finish what it holds."""
    refuse_unsafe()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_ask_to_stop, stop))
    with scopes_disabled():
        installation.check_place(now=real_now())
    senders = [Sender() for _ in range(SENDERS)]
    threads = loops.start(all_loops(), stop)
    threads += [
        threading.Thread(
            target=_send, args=(sender, stop, f"sender-{number}"), name=f"sender-{number}", daemon=True
        )
        for number, sender in enumerate(senders, 1)
    ]
    heartbeat.keep_only({"watchdog", *(thread.name for thread in threads)})
    for thread in threads[-SENDERS:]:
        thread.start()
    spare_collector()
    log.info("worker.started", loops=[thread.name for thread in threads])
    while not stop.wait(1.0):
        hear_of_new_address()
    deadline = boot_seconds() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - boot_seconds()))
    log.info("worker.stopped", unfinished=[thread.name for thread in threads if thread.is_alive()])


def spare_collector() -> None:
    """Leave out of the collector's rounds what lives as long as the worker: code, models, settings."""
    gc.collect()
    gc.freeze()


def _ask_to_stop(stop: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stop.set()


def _send(sender: Sender, stop: threading.Event, name: str) -> None:
    with scopes_disabled():
        sender.run(stop, beat=loops.Pulse(name))


def all_loops() -> list[loops.Loop]:
    """Return every loop but the senders, most urgent first."""
    engines = [Engine() for _ in range(ENGINES)]
    pulses = {name: loops.Pulse(name) for name in ("coupons", "asking", "polling")}
    return [
        loops.Loop("intake", _unscoped(lambda: intake.apply_waiting(limit=200)), idle=0.25),
        loops.Loop("outbox", _unscoped(outbox.dispatch), idle=0.25),
        *(
            loops.Loop(f"engine-{number}", _unscoped(engine.run_once), idle=0.25)
            for number, engine in enumerate(engines, 1)
        ),
        loops.Loop("detection", _unscoped(detect), idle=SWEEP_EVERY.total_seconds()),
        loops.Loop("calls", _unscoped(make_calls), idle=CALLS_EVERY),
        loops.Loop(
            "coupons", _unscoped(partial(call_shops, record_told, beat=pulses["coupons"])), idle=COUPONS_EVERY
        ),
        loops.Loop(
            "asking", _unscoped(partial(ask, beat=pulses["asking"])), idle=SWEEP_EVERY.total_seconds()
        ),
        loops.Loop(
            "polling", _unscoped(partial(poll, beat=pulses["polling"])), idle=POLL_EVERY.total_seconds()
        ),
        loops.Loop(
            importing.LOOP, _unscoped(lambda: importing.import_waiting(now=trade_now())), idle=IMPORT_EVERY
        ),
        loops.Loop(backtests.LOOP, backtests.run_waiting, idle=BACKTEST_EVERY),
        loops.Loop(moves.LOOP, moves.run_waiting, idle=MOVE_EVERY),
        loops.Loop(bulk.LOOP, bulk.run_waiting, idle=MOVE_EVERY),
        loops.Loop(ahead.LOOP, ahead.run_waiting, idle=MOVE_EVERY),
        loops.Loop("endings", _unscoped(finish), idle=SWEEP_EVERY.total_seconds()),
        loops.Loop("offers", _unscoped(end_offers), idle=SWEEP_EVERY.total_seconds()),
        loops.Loop("forgetting", _unscoped(forget), idle=FORGET_EVERY.total_seconds()),
        loops.Loop("place", _unscoped(look_where_we_are), idle=PLACE_EVERY.total_seconds()),
        loops.Loop("folding", _unscoped(fold), idle=FOLD_EVERY.total_seconds()),
    ]


def _unscoped(step: Callable[[], int]) -> Callable[[], int]:
    """Let a step of the worker see all shops: it serves all of them."""

    def run_step() -> int:
        with scopes_disabled():
            return step()

    return run_step


def detect() -> int:
    """Look for unpaid orders, left carts and lapsed cases."""
    now = trade_now()
    due = detection.open_due_cases(now=now, askable=asking.askable_kinds())
    left = detection.open_left_carts(now=now)
    done = due.opened + due.superseded + due.duplicates + left.opened
    return done + recovery.lapse_due_cases(now=now)


def finish() -> int:
    """Let go on who is set aside in running processes, end who is left in stopped ones, stop those that have finished."""
    now = trade_now()
    return processes.finish_resumes(now) + processes.finish_stops(now) + processes.finish_drains(now)


def end_offers() -> int:
    """End offers whose time is over, and payments that were opened with them."""
    now = trade_now()
    return expire_due_offers(now=now) + close_expired_sessions(now=now)


def forget() -> int:
    """Forget what is kept no longer: what other programs were told, and counts of days and windows that are over."""
    now = trade_now()
    return empty_payloads(now=now) + forget_numbers(now=now) + forget_limits()


def record_told(source: Source, snapshot: OrderSnapshot, now: datetime) -> None:
    """Record an order as its shop has just shown it."""
    intake.apply_snapshot(source, snapshot, now=now, is_fetched=True)


def fold() -> int:
    """Add up what screens would else count row by row; return whether there is more of it."""
    now = trade_now()
    return fold_tallies(now=now) + fold_passages(now=now) + count_due(now=now)


def ask(*, beat: Callable[[], object] = lambda: None) -> int:
    """Ask sources and operators about what is due and not known. `beat` is called before each call: they may be slow."""
    now = trade_now()
    due = ask_due_orders(asking.ask_source, askable=asking.askable_kinds(), now=now, beat=beat)
    waiting = ask_before_reminders(asking.ask_source, now=now, beat=beat)
    return due.answered + waiting.answered + ask_open_attempts(now=now, beat=beat)


def look_where_we_are() -> int:
    """Silence a database that goes on elsewhere: a machine may be copied while its worker runs (R19)."""
    installation.check_place(now=real_now())
    return 0


def poll(*, beat: Callable[[], object] = lambda: None) -> int:
    """Fetch from sources what their webhooks lost. Never busy: a poll that found something pauses all the same."""
    polling.poll_sources(now=trade_now(), beat=beat)
    return 0


def step_all(*, rounds: int = 1) -> int:
    """Run every loop's step one after the other, for the story and for flow tests; return how much was done."""
    engine, done = Engine(), 0
    with scopes_disabled():
        for _ in range(rounds):
            done += intake.apply_waiting(limit=200)
            done += detect()
            done += ask()
            done += finish() + end_offers() + call_shops(record_told)
            while moved := moves.run_waiting():
                done += moved
            while added := bulk.run_waiting():
                done += added
            while handed := outbox.dispatch():
                done += handed
            while advanced := engine.run_once():
                done += advanced
    return done
