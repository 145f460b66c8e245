"""Sums and instants in the words of each language."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from recoup.core import humane
from recoup.core.money import Money

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
WARSAW = ZoneInfo("Europe/Warsaw")
NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", f"PLN{NBSP}1,299.00"),
        ("pl", f"1{NBSP}299,00{NBSP}zł"),
        ("ru", f"1{NBSP}299,00{NBSP}PLN"),
        ("de", f"1.299,00{NBSP}PLN"),
    ],
)
def test_money_is_written_as_the_language_writes_it(language: str, shown: str) -> None:
    assert humane.money(Money(Decimal("1299.00"), "PLN"), language) == shown


def test_money_keeps_the_places_of_its_currency() -> None:
    assert humane.money(Money(Decimal("1299"), "JPY"), "en") == "¥1,299"
    assert humane.money(Money(Decimal("1.5"), "KWD"), "en") == f"KWD{NBSP}1.500"


def test_money_whole_drops_minor_units_only() -> None:
    assert humane.money_whole(Money(Decimal("48210.49"), "EUR"), "de") == f"48.210{NBSP}€"


def test_percent_of_nothing_is_a_dash() -> None:
    assert humane.percent(None, "en") == "–"


@pytest.mark.parametrize(
    ("language", "shown"),
    [("en", "20.97%"), ("pl", "20,97%"), ("ru", f"20,97{NBSP}%"), ("de", f"20,97{NBSP}%")],
)
def test_percent_of_the_known_report_reads_20_97(language: str, shown: str) -> None:
    assert humane.percent(7747 / 36942, language, 2) == shown


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(minutes=30), "30 minut"),
        (timedelta(hours=1), "1 godzina"),
        (timedelta(hours=24), "24 godziny"),
        (timedelta(days=3), "72 godziny"),
        (timedelta(days=7), "7 dni"),
    ],
)
def test_duration_counts_in_hours_up_to_three_days(span: timedelta, shown: str) -> None:
    assert humane.duration(span, "pl") == shown


@pytest.mark.parametrize(
    ("distance", "shown"),
    [
        (timedelta(seconds=-20), "just now"),
        (timedelta(minutes=-42), "42 min ago"),
        (timedelta(hours=-2), "2 h ago"),
        (timedelta(days=-1), "1 day ago"),
        (timedelta(days=-6, hours=-2), "6 days ago"),
        (timedelta(days=-8), "14 Nov"),
        (timedelta(days=-400), "18 Oct 2025"),
        (timedelta(hours=3), "in 3 h"),
    ],
)
def test_ago_counts_up_to_a_week_and_then_names_the_day(distance: timedelta, shown: str) -> None:
    assert humane.ago(NOW + distance, now=NOW, zone=WARSAW, language="en") == shown


def test_upcoming_names_the_day_of_the_zone_and_not_of_utc() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # half past midnight in Warsaw

    assert humane.upcoming(late, now=NOW, zone=WARSAW, language="en") == "tomorrow 00:30"
    assert humane.upcoming(late, now=NOW, zone=UTC, language="en") == "today 23:30"


def test_upcoming_names_a_day_further_away() -> None:
    at = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

    assert humane.upcoming(at, now=NOW, zone=WARSAW, language="en") == "Thu 26 Nov, 10:00"


def test_a_language_that_nobody_knows_is_read_in_english() -> None:
    assert humane.number(36942, "xx-unknown") == "36,942"
