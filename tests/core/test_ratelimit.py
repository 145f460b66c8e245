"""A counter in a window, shared by all processes."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection

from recoup.core.models import RateBucket
from recoup.core.ratelimit import forget_limits, is_allowed
from tests.support.together import together

MINUTE = timedelta(minutes=1)


def ask(key: str) -> bool:
    return is_allowed(key, limit=3, per=MINUTE)


def let_pass(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_rate_bucket SET window_at = window_at - make_interval(secs => %s)", [seconds]
        )


@pytest.mark.django_db
def test_so_many_are_allowed_in_a_window_and_again_in_the_next() -> None:
    assert [ask("a") for _ in range(5)] == [True, True, True, False, False]
    let_pass(59)
    assert not ask("a")
    let_pass(2)
    assert [ask("a") for _ in range(4)] == [True, True, True, False]


@pytest.mark.django_db
def test_keys_do_not_meet() -> None:
    assert [ask(key) for key in "aaabbb"] == [True] * 6


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_are_all_counted() -> None:
    outcomes = together([lambda: ask("a")] * 8)

    assert sorted(map(str, outcomes)) == ["False"] * 5 + ["True"] * 3
    assert RateBucket.objects.get().hits == 8


@pytest.mark.django_db
def test_what_counts_no_longer_is_forgotten() -> None:
    ask("old")
    cache.set("old", [1], timeout=-60)
    let_pass(49 * 3600)
    ask("new")
    cache.set("new", [1], timeout=3600)

    assert forget_limits() == 2
    assert [bucket.key for bucket in RateBucket.objects.all()] == ["new"]
    assert cache.get("new") == [1]
