"""Calls to other programs become rows; the worker's loop makes them, outside of any transaction."""

from datetime import datetime

from recoup.processes.calls import CallOrder, ask_for_calls
from recoup.processes.effects.base import Asked, Carrier


def _carry_out(asked: Asked, now: datetime) -> None:
    ask_for_calls([CallOrder(enrolment, effect) for enrolment, effect in asked], now=now)


CARRIER = Carrier(_carry_out)
