"""Protections taken out of a child, one at a time: with each of them gone the tests must find what they look for."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from recoup.messaging.sender import ends, handing, judge, lane_run, look
from recoup.orders.models import Order
from recoup.payments import actions as payments


def _replace(holder: object, name: str, value: object) -> None:
    """Put something else into a module or class, which must have had it."""
    assert hasattr(holder, name)
    setattr(holder, name, value)


def _order_lock() -> None:
    """The look reads orders and gates and locks neither."""
    _replace(look, "SUBJECT_LOCK", "")
    _replace(look, "GATE_LOCK", "")


def _mark() -> None:
    """Nothing is marked before it is handed over: a claim that runs out is due again though it may have left."""

    def mark(messages: Any, *, owner: int, lease: float) -> set[int]:
        return {one.message.id for one in messages}

    _replace(lane_run, "mark", mark)


def _order_update() -> None:
    """A payment writes its attempt and touches neither the order nor the gate, as if the projection came later."""

    def settled(order: Any, **_: Any) -> Any:
        return order

    _replace(payments, "_settle", settled)
    _replace(payments, "touch_gates", lambda _: None)
    _replace(payments, "lock_order", lambda order_id: Order.objects.get(pk=order_id))


def _freshness() -> None:
    """DATA is written however long ago the look was, and whether or not the session that locked still lives."""
    _replace(handing.Turn, "_may_write_data", lambda _: True)


def _linger() -> None:
    """No protection: time passes between the look and the hand-over, so that a race has room."""
    check = handing.Turn._check

    def linger(self: handing.Turn) -> list[Any]:
        passing = check(self)
        time.sleep(0.04)
        return passing

    _replace(handing.Turn, "_check", linger)


def _patience() -> None:
    """No protection: a session that says nothing in a transaction is cut after one second instead of ten."""
    _replace(look, "_LONGEST_SILENCE", "1s")


def _fence() -> None:
    """A call is kept and answered whatever is being handed over."""
    for name in ("_RELATIVES", "_CART_RELATIVES"):
        free = re.sub(
            r"bool_and\(pg_try_advisory_xact_lock\(.*?\)\)\)", "bool_and(true)", getattr(look, name)
        )
        assert free != getattr(look, name)
        _replace(look, name, free)


def _impatience() -> None:
    """No protection: what waits for news to be applied looks again at once."""
    _replace(judge, "_NEWS", timedelta(seconds=0.3))


def _keep_and_record() -> None:
    """What could not be written at once is forgotten."""
    _replace(ends.Ledger, "keep", lambda *_: None)


PROTECTIONS: dict[str, Callable[[], None]] = {
    "order_lock": _order_lock,
    "mark": _mark,
    "order_update": _order_update,
    "freshness": _freshness,
    "patience": _patience,
    "fence": _fence,
    "linger": _linger,
    "impatience": _impatience,
    "keep_and_record": _keep_and_record,
}


def weaken(protection: str) -> None:
    """Take a protection out of this process."""
    PROTECTIONS[protection]()
