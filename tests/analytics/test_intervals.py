"""Claims about intervals: what they cover, once and at every look, and what takes the protection out (peers 15).

The runs are seeded, so they give the same numbers each time; `tests/faults/test_truth.py` has them through the engine.
"""

import math
import random
from itertools import accumulate

import pytest

from recoup.analytics.intervals import (
    FIRST_LOOK,
    Group,
    Interval,
    Sums,
    always_valid,
    always_valid_mean,
    boundary,
    factor,
    first_information,
    fixed,
    information,
    mean_difference,
    people_needed,
    people_until_first_look,
    rate_difference,
    rate_interval,
)

NATURAL, EFFECT, SHARE = 0.15, 0.06, 0.1
RUNS = 500


def test_the_boundary_is_that_of_robbins_and_siegmund() -> None:
    assert boundary(0.05) == pytest.approx(2.7955, abs=1e-4)
    assert boundary(0.01) > boundary(0.05) > boundary(0.2)


def test_brownian_motion_leaves_the_boundary_as_rarely_as_it_says() -> None:
    dice, a, steps = random.Random(3), boundary(0.05), 4000

    def leaves() -> bool:
        """Walk from the instant 1 to 1,000 in steps that grow with time."""
        at, place, growth = 1.0, dice.gauss(0, 1), 1000 ** (1 / steps)
        for _ in range(steps):
            if abs(place) >= math.sqrt(at * (a * a + math.log(at))):
                return True
            place += dice.gauss(0, math.sqrt(at * (growth - 1)))
            at *= growth
        return False

    left = sum(leaves() for _ in range(600))

    assert 0.025 <= left / 600 <= 0.06  # of 5 % in all eternity most comes early


def test_newcombes_interval_is_that_of_his_table() -> None:
    # Newcombe 1998, table II, method 10: 56/70 - 48/80 and 9/10 - 3/10.
    first = rate_difference(Group(70, 56), Group(80, 48), 1.959964)
    second = rate_difference(Group(10, 9), Group(10, 3), 1.959964)

    assert (round(first.low, 4), round(first.high, 4)) == (0.0524, 0.3339)
    assert (round(second.low, 4), round(second.high, 4)) == (0.1705, 0.8090)


def test_wilsons_interval_never_leaves_the_possible() -> None:
    none, all_ = rate_interval(Group(20, 0)), rate_interval(Group(20, 20))

    assert (none.estimate, round(none.low, 9), round(none.high, 4)) == (0, 0, 0.1611)
    assert (all_.estimate, round(all_.low, 4), round(all_.high, 9)) == (1, 0.8389, 1)


def test_there_is_no_answer_before_the_first_look_and_none_without_a_control_group() -> None:
    assert always_valid(Group(449, 90), Group(49, 7), share=SHARE) is None
    assert always_valid(Group(450, 90), Group(50, 7), share=SHARE) is not None
    assert always_valid(Group(1000, 200), Group(0, 0), share=0.0) is None
    assert always_valid(Group(0, 0), Group(0, 0), share=SHARE) is None


def test_the_interval_is_widest_measured_in_errors_when_one_has_looked_longest() -> None:
    at_first, later = factor(first_information(SHARE), SHARE), factor(100 * first_information(SHARE), SHARE)

    assert at_first == pytest.approx(boundary(0.05))
    assert later == pytest.approx(math.sqrt(boundary(0.05) ** 2 + math.log(100)))


class Buyers:
    """People who come one by one: chance gives them their group, and pays as it was told to."""

    def __init__(self, seed: int, *, natural: float = NATURAL, effect: float = EFFECT, share: float = SHARE):
        self._dice = random.Random(seed)
        self._natural, self._effect, self._share = natural, effect, share
        self.treated, self.control = Group(0, 0), Group(0, 0)

    def come(self, people: int) -> None:
        draw = self._dice.random
        treated, control = [*self.treated], [*self.control]
        for _ in range(people):
            group, chance = (control, 0.0) if draw() < self._share else (treated, self._effect)
            group[0] += 1
            group[1] += draw() < self._natural + chance
        self.treated, self.control = Group(*treated), Group(*control)


def _covers(interval: Interval | None, truth: float) -> bool:
    return interval is None or interval.low <= truth <= interval.high


def test_looked_at_once_at_the_planned_size_it_covers_the_truth_in_93_to_97_percent_of_500_runs() -> None:
    covered = 0
    for seed in range(RUNS):
        buyers = Buyers(seed)
        buyers.come(3000)
        covered += _covers(fixed(buyers.treated, buyers.control), EFFECT)

    assert 0.93 <= covered / RUNS <= 0.97, covered / RUNS


@pytest.fixture(scope="module")
def looked_at_daily() -> tuple[int, int, int]:
    """Return in how many of 500 runs the truth was outside at one of 180 daily looks: always-valid, fixed; no answer."""
    always = once = unknown = 0
    for seed in range(RUNS):
        buyers, is_out, is_out_fixed = Buyers(seed), False, False
        for _ in range(180):
            buyers.come(30)
            interval = always_valid(buyers.treated, buyers.control, share=SHARE)
            if interval is not None:
                is_out |= not _covers(interval, EFFECT)
                is_out_fixed |= not _covers(fixed(buyers.treated, buyers.control), EFFECT)
        always, once = always + is_out, once + is_out_fixed
        unknown += always_valid(buyers.treated, buyers.control, share=SHARE) is None
    return always, once, unknown


def test_looked_at_every_day_it_covers_the_truth_at_all_looks(looked_at_daily: tuple[int, int, int]) -> None:
    always, _, unknown = looked_at_daily

    assert unknown == 0
    assert 1 - always / RUNS >= 0.93, always / RUNS  # 95 % and what 500 runs are away from it by chance


def test_without_the_protection_looking_every_day_misses_it_many_times_more_often(
    looked_at_daily: tuple[int, int, int],
) -> None:
    always, once, _ = looked_at_daily

    assert once / RUNS > 0.25
    assert once > 5 * always


@pytest.mark.parametrize(
    ("natural", "effect", "share"), [(0.02, 0.01, 0.1), (0.5, -0.1, 0.5), (0.3, 0.0, 0.05)]
)
def test_other_rates_effects_and_shares_are_covered_too(natural: float, effect: float, share: float) -> None:
    missed = 0
    for seed in range(200):
        buyers, is_out = Buyers(seed, natural=natural, effect=effect, share=share), False
        for _ in range(60):
            buyers.come(60)
            is_out |= not _covers(always_valid(buyers.treated, buyers.control, share=share), effect)
        missed += is_out

    assert missed / 200 <= 0.08


def test_money_with_a_heavy_tail_is_covered_at_every_look() -> None:
    """Orders log-normal with sigma 1, four thousand people looked at forty times: assumed is a finite variance alone."""
    truth, missed, dice = EFFECT * math.exp(0.5), 0, random.Random(11)
    for _ in range(200):
        sums = {True: [0, 0.0, 0.0, 0], False: [0, 0.0, 0.0, 0]}
        is_out = False
        for number in range(4000):
            is_control = dice.random() < SHARE
            mine = sums[is_control]
            mine[0] += 1
            if dice.random() < NATURAL + (0 if is_control else EFFECT):
                paid = dice.lognormvariate(0, 1)
                mine[1], mine[2], mine[3] = mine[1] + paid, mine[2] + paid * paid, mine[3] + 1
            if number % 100 == 99:
                (n1, s1, q1, p1), (n0, s0, q0, p0) = sums[False], sums[True]
                interval = always_valid_mean(
                    Sums(int(n1), s1, q1), Sums(int(n0), s0, q0), payers=(int(p1), int(p0)), share=SHARE
                )
                is_out |= not _covers(interval, truth)
        missed += is_out

    assert missed / 200 <= 0.08


def test_no_interval_of_money_before_twenty_of_each_group_have_paid() -> None:
    treated, control = Sums(900, 9000.0, 180_000.0), Sums(100, 900.0, 15_000.0)

    assert always_valid_mean(treated, control, payers=(90, 19), share=SHARE) is None
    assert always_valid_mean(treated, control, payers=(90, 20), share=SHARE) is not None


def test_a_mean_and_its_error_are_those_of_the_sample() -> None:
    values = [0.0, 10.0, 20.0, 30.0]
    sums = Sums(4, sum(values), sum(value * value for value in values))

    found = mean_difference(sums, Sums(4, 0.0, 0.0), 2.0)

    assert sums.mean == 15.0
    assert sums.variance == pytest.approx(500 / 3)
    assert found.high - found.estimate == pytest.approx(2 * math.sqrt(500 / 3 / 4))


def test_what_is_missing_is_said() -> None:
    assert people_until_first_look(0, SHARE) == FIRST_LOOK * 10
    assert people_until_first_look(480, SHARE) == 20
    assert people_until_first_look(0, 0.5) == 2 * FIRST_LOOK


def test_the_people_that_are_asked_for_see_the_difference_four_times_in_five() -> None:
    people = people_needed(NATURAL, EFFECT, share=SHARE)
    seen = 0
    for seed in range(300):
        buyers = Buyers(seed)
        buyers.come(people)
        interval = always_valid(buyers.treated, buyers.control, share=SHARE)
        seen += interval is not None and interval.low > 0

    assert 0.72 <= seen / 300 <= 0.88
    assert people_needed(NATURAL, 0.02, share=SHARE) > people > people_needed(NATURAL, 0.12, share=SHARE)


def test_information_grows_with_the_smaller_group() -> None:
    sizes = list(accumulate([10] * 50))

    assert [information(1000, size) for size in sizes] == sorted(information(1000, size) for size in sizes)
    assert information(1000, 0) == 0
