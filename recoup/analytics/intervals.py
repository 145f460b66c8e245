"""How far two groups differ, with an interval that stays true however often one looks (peers 15, novel row 1).

**The boundary.** An estimate that is looked at again and again leaves a fixed 95 % interval sooner or later: watched daily
for half a year, more than three times in ten (`tests/analytics/test_intervals.py`). An always-valid one covers the truth at
all looks at once with the wanted probability. Ours is the boundary of Robbins and Siegmund for Brownian motion, looked at
from an instant m on and for ever after:

    P(|W_t| >= sqrt(t (a^2 + log(t / m))) for some t >= m) = 2 (1 - Phi(a) + a phi(a))

(H. Robbins, D. Siegmund, "Boundary crossing probabilities for the Wiener process and sample sums", Ann. Math. Statist. 41,
1970). With the right side set to 5 %, a = 2.795. By the strong approximation of sums of independent observations by
Brownian motion it holds for means whose variance is estimated, the more exactly the later the first look is: the asymptotic
confidence sequences of I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, "Time-uniform central limit theory
and asymptotic confidence sequences", Ann. Statist. 52, 2024 (arXiv:2103.06476), there with the boundary of the normal
mixture; the first look put off, A. Bibaut, N. Kallus, M. Lindon, arXiv:2212.14411.

**The clock** t is the information of two groups, n1 n0 / (n1 + n0): the variance of a difference of means is about sigma^2
over it. So an interval at t is the usual one with `factor(t)` = sqrt(a^2 + log(t / m)) in the place of 1.96, and both kinds
of interval come from one formula.

**Tuned by one number**, `FIRST_LOOK`: m is the information at which the smaller group has 50 people. Before it there is no
interval, and the answer is "unknown"; that is what the theorem asks for, and what a seller needs anyway. The normal mixture
would be tuned to one planned size and be the wider one everywhere between m and some twenty times m (factor 3.04 at its best
point, there 2.8 to 3.3 here).

**Rates** use the hybrid score interval of Newcombe (Statistics in Medicine 17, 1998, method 10: two Wilson intervals),
which keeps its coverage with few payments and never leaves -100 to 100 %. **Money** uses the plain difference of means with
sample variances; it assumes independent people and a finite variance. A few very large orders make it slow to become true,
so there is no interval of money before both groups have `FIRST_PAYERS` who paid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

ALPHA = 0.05
FIRST_LOOK = 50  # people in the smaller group
FIRST_PAYERS = 20
POWER = 0.8
_NORMAL = NormalDist()
# Nobody waits for more people than this; "about 200,000 more" says enough.
_MOST_PEOPLE = 10_000_000


class Group(NamedTuple):
    """People of one group and how many of them paid."""

    people: int
    paid: int

    @property
    def rate(self) -> float:
        """Return the share that paid; of nobody it is none."""
        return self.paid / self.people if self.people else 0.0


class Sums(NamedTuple):
    """What the people of a group paid: everybody counts, most of them with nothing."""

    people: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Return the mean for one person."""
        return self.total / self.people if self.people else 0.0

    @property
    def variance(self) -> float:
        """Return the sample variance."""
        if self.people < 2:
            return 0.0
        return max(self.squares - self.total * self.total / self.people, 0.0) / (self.people - 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and how far the truth may lie from it."""

    estimate: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Tell whether it says on which side of zero the truth lies."""
        return self.low > 0 or self.high < 0

    def scaled(self, times: float) -> "Interval":
        """Return the same of so many."""
        return Interval(self.estimate * times, self.low * times, self.high * times)


@lru_cache(maxsize=64)
def boundary(alpha: float) -> float:
    """Return a of the boundary that is left with this probability, ever."""
    low, high = 0.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        left = 2 * (1 - _NORMAL.cdf(middle) + middle * _NORMAL.pdf(middle))
        low, high = (middle, high) if left > alpha else (low, middle)
    return high


def information(first: int, second: int) -> float:
    """Return the information of two groups: the harmonic sum of their sizes."""
    return first * second / (first + second) if first and second else 0.0


def first_information(share: float) -> float:
    """Return the information at the first look, when the smaller of two groups with this share has `FIRST_LOOK` people."""
    return FIRST_LOOK * max(share, 1 - share)


def factor(found: float, share: float, alpha: float = ALPHA) -> float | None:
    """Return by how many standard errors the truth may be away at any look; nothing before the first one.

    :param found: the information of the two groups now.
    :param share: of one of the two groups among both, as it was set and not as it came out.
    """
    first = first_information(share)
    if not 0 < share < 1 or found < first:
        return None
    return math.sqrt(boundary(alpha) ** 2 + math.log(found / first))


def rate_difference(treated: Group, control: Group, z: float) -> Interval:
    """Return by how much the share that paid is higher among the treated, as an interval of this width."""
    _, low1, high1 = _wilson(treated, z)
    _, low0, high0 = _wilson(control, z)
    estimate = treated.rate - control.rate
    return Interval(
        estimate,
        estimate - math.hypot(treated.rate - low1, high0 - control.rate),
        estimate + math.hypot(high1 - treated.rate, control.rate - low0),
    )


def _wilson(group: Group, z: float) -> tuple[float, float, float]:
    people, rate, square = group.people, group.rate, z * z
    middle = (rate + square / (2 * people)) / (1 + square / people)
    half = z / (1 + square / people) * math.sqrt(rate * (1 - rate) / people + square / (4 * people * people))
    return rate, middle - half, middle + half


def rate_interval(group: Group, z: float = 1.96) -> Interval:
    """Return the interval of one group's share (Wilson), for those who look once."""
    rate, low, high = _wilson(group, z)
    return Interval(rate, low, high)


def mean_difference(treated: Sums, control: Sums, z: float) -> Interval:
    """Return by how much the mean of the treated is higher, as an interval of this width."""
    estimate = treated.mean - control.mean
    error = math.sqrt(treated.variance / treated.people + control.variance / control.people)
    return Interval(estimate, estimate - z * error, estimate + z * error)


def always_valid(treated: Group, control: Group, *, share: float, alpha: float = ALPHA) -> Interval | None:
    """Return the interval of the effect on the share that paid, true at every look; nothing while there are too few.

    :param share: of the control group, as it was set.
    """
    z = factor(information(treated.people, control.people), share, alpha)
    return None if z is None else rate_difference(treated, control, z)


def always_valid_mean(
    treated: Sums, control: Sums, *, payers: tuple[int, int], share: float, alpha: float = ALPHA
) -> Interval | None:
    """Return the interval of the effect on the money of one person, true at every look; nothing while too few paid.

    Waiting for payments is a choice of looks, and the boundary holds at all of them.
    """
    z = factor(information(treated.people, control.people), share, alpha)
    if z is None or min(payers) < FIRST_PAYERS:
        return None
    return mean_difference(treated, control, z)


def fixed(treated: Group, control: Group, alpha: float = ALPHA) -> Interval:
    """Return the interval for those who look once, at a size that was planned before anything was seen."""
    return rate_difference(treated, control, _NORMAL.inv_cdf(1 - alpha / 2))


def people_until_first_look(people: int, share: float) -> int:
    """Return about how many more people are needed for the first answer."""
    if not 0 < share < 1:
        return 0
    return max(math.ceil(FIRST_LOOK / min(share, 1 - share)) - people, 1)


def people_needed(rate: float, difference: float, *, share: float, alpha: float = ALPHA) -> int:
    """Return about how many people it takes, in both groups together, to see a difference clearly four times in five.

    :param rate: of the group whose share is given; the other one's is higher by the difference.
    """
    other = rate + difference
    if difference <= 0 or other > 1 or not 0 < share < 1:
        return _MOST_PEOPLE
    low = high = math.ceil(FIRST_LOOK / min(share, 1 - share))
    while high < _MOST_PEOPLE and not _is_seen(high, rate, other, share, alpha):
        low, high = high, high * 2
    while high - low > max(low // 100, 1):
        middle = (low + high) // 2
        low, high = (low, middle) if _is_seen(middle, rate, other, share, alpha) else (middle, high)
    return min(high, _MOST_PEOPLE)


def _is_seen(people: int, rate: float, other: float, share: float, alpha: float) -> bool:
    """Tell whether the interval of what is expected of so many people lies far enough from zero."""
    alone = round(people * share)
    beside = people - alone
    z = factor(information(beside, alone), share, alpha)
    if z is None:
        return False
    expected = rate_difference(Group(beside, round(beside * other)), Group(alone, round(alone * rate)), z)
    error = math.sqrt(other * (1 - other) / beside + rate * (1 - rate) / alone)
    return expected.low >= _NORMAL.inv_cdf(POWER) * error


def corrected(alpha: float, comparisons: int) -> float:
    """Return the probability of a false alarm of each of several comparisons, so that all together keep `alpha`."""
    return alpha / max(comparisons, 1)


def added(groups: Sequence[Group]) -> Group:
    """Return several groups as one."""
    return Group(sum(one.people for one in groups), sum(one.paid for one in groups))
