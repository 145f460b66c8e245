"""Synthetic buyers through the real engine: does the report tell the truth that only their maker knows? (novel row 1)

Of a hundred buyers fifteen pay by themselves and six more only if a reminder reaches them. The engine draws who is left
alone, waits, writes and hears of payments; the report looks at the groups at the end of every day. `make faults` does 500
runs; the quick size does twelve of the same.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from recoup.analytics.intervals import Group, Interval, always_valid, fixed
from recoup.processes.engine.codes import Code, Flag
from recoup.processes.engine.compiled import Graph
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.validation import load_process
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Lane, News
from tests.processes.worlds import PLACED, VERSION, arrival, document, order_facts, paid

pytestmark = pytest.mark.faults

NATURAL, EFFECT, SHARE = 0.15, 0.06, 0.1
DAYS, A_DAY = 30, 50
DAY = timedelta(days=1)
NODES = {
    "n1": {"t": "wait", "for": "PT24H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
    "n3": {"t": "wait", "for": "PT48H", "out": {"next": "n4"}},
    "n4": {"t": "send", "template": "second", "out": {"done": "n5"}},
    "n5": {"t": "end"},
}


def graph_with(salt: int) -> Graph:
    """Return the process of one run: who is left alone hangs on its salt."""
    return compile_graph(load_process(document(NODES)), salt=salt)


@dataclass
class World:
    """Fifty buyers a day for a month, played to the end by the engine."""

    seed: int
    store: MemoryStore = field(init=False)
    convinced: set[int] = field(default_factory=set)
    paid_at: dict[int, datetime] = field(default_factory=dict)

    def play(self) -> None:
        dice = random.Random(self.seed)
        self.store = MemoryStore(PLACED)
        self.store.graphs[VERSION] = graph_with(self.seed)
        lane = Lane(fate=self._hand_over)
        for day in range(DAYS + 16):
            news: list[News] = [paid(at, subject_id=buyer) for buyer, at in self._pay_today(day)]
            if day < DAYS:
                news += [self._come(dice, day, number) for number in range(A_DAY)]
            Simulator(self.store, news, lane=lane).run(PLACED + (day + 1) * DAY - timedelta(seconds=1))

    def _come(self, dice: random.Random, day: int, number: int) -> News:
        buyer, at = 1 + day * A_DAY + number, PLACED + day * DAY + timedelta(minutes=number)
        luck = dice.random()
        if luck < NATURAL:
            self.paid_at[buyer] = at + timedelta(days=dice.randint(1, 12), hours=dice.randint(1, 23))
        elif luck < NATURAL + EFFECT:
            self.convinced.add(buyer)
        facts = order_facts(at)
        return arrival(at, facts, holdout_bp=int(SHARE * 10_000), subject_id=buyer, contact_id=buyer)

    def _hand_over(self, enrolment_id: int, _step_no: int, now: datetime) -> Code:
        """Hand a reminder over; who can be convinced by one pays on the day after."""
        buyer = self.store.enrolments[enrolment_id].subject_id
        if buyer in self.convinced:
            self.paid_at.setdefault(buyer, now + DAY)
        return Code.SENT

    def _pay_today(self, day: int) -> list[tuple[int, datetime]]:
        begin = PLACED + day * DAY
        return [(buyer, at) for buyer, at in self.paid_at.items() if begin <= at < begin + DAY]

    def looks(self) -> "Looks":
        """Return both groups as they stood after each day: treated, and left alone."""
        groups, found = {False: Group(0, 0), True: Group(0, 0)}, []
        enrolments = sorted(self.store.enrolments.values(), key=lambda one: one.entered_at)
        for number, one in enumerate(enrolments, 1):
            is_alone = bool(one.flags & Flag.HOLDOUT)
            at = self.paid_at.get(one.subject_id)
            has_paid = at is not None and at < one.entered_at + 14 * DAY
            groups[is_alone] = Group(groups[is_alone].people + 1, groups[is_alone].paid + has_paid)
            if number % A_DAY == 0:
                found.append((groups[False], groups[True]))
        return found


Looks = list[tuple[Group, Group]]


@pytest.fixture(scope="module")
def runs(is_full_size: bool) -> list[Looks]:
    """Return what each run looked like day by day, played to its end."""
    return [look_of(seed) for seed in range(500 if is_full_size else 12)]


def look_of(seed: int) -> Looks:
    """Play one run and return its days; the world itself is forgotten."""
    world = World(seed)
    world.play()
    return world.looks()


def test_the_engine_draws_writes_and_hears_of_payments_as_it_was_made_up(runs: list[Looks]) -> None:
    world = World(3)
    world.play()
    written = {world.store.enrolments[one.enrolment_id].flags & 1 for one in world.store.sent()}
    treated = Group(sum(days[-1][0].people for days in runs), sum(days[-1][0].paid for days in runs))
    alone = Group(sum(days[-1][1].people for days in runs), sum(days[-1][1].paid for days in runs))

    assert len(world.store.enrolments) == DAYS * A_DAY
    assert written == {0}  # nobody who is left alone got anything
    assert all(one.run_at is None for one in world.store.enrolments.values())
    assert alone.people / (alone.people + treated.people) == pytest.approx(SHARE, abs=0.01)
    assert treated.rate == pytest.approx(NATURAL + EFFECT, abs=0.02)
    assert alone.rate == pytest.approx(NATURAL, abs=0.03)


def test_the_interval_at_the_planned_size_covers_the_truth(runs: list[Looks], is_full_size: bool) -> None:
    covered = sum(_covers(fixed(*days[-1])) for days in runs) / len(runs)

    if is_full_size:
        assert 0.93 <= covered <= 0.97
    assert covered >= 0.75


def test_the_always_valid_interval_covers_the_truth_at_every_look(
    runs: list[Looks], is_full_size: bool
) -> None:
    covered = sum(_covers_always(days) for days in runs) / len(runs)
    careless = sum(_covers_always(days, is_careless=True) for days in runs) / len(runs)

    assert covered >= (0.93 if is_full_size else 0.75)
    assert careless <= covered
    if is_full_size:  # without the protection, looking every day misses it far more often
        assert careless < 0.9


def _covers(interval: Interval | None) -> bool:
    return interval is None or interval.low <= EFFECT <= interval.high


def _covers_always(days: Looks, *, is_careless: bool = False) -> bool:
    for treated, alone in days:
        interval = always_valid(treated, alone, share=SHARE)
        if interval is not None and is_careless:
            interval = fixed(treated, alone)
        if not _covers(interval):
            return False
    return True
