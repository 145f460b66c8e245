"""Array literals mean to PostgreSQL what the lists mean to Python."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recoup.core import arrays

pytestmark = pytest.mark.django_db
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANY_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2255, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SPANS = st.timedeltas(timedelta(days=-4000), timedelta(days=4000))


def read(literal: str, kind: str, value: str = "value") -> list[Any]:
    """Return what PostgreSQL reads from a literal."""
    with connection.cursor() as cursor:
        arrays.read_instants_quickly(cursor)
        cursor.execute(
            f"SELECT {value} FROM unnest(%s::{kind}[]) WITH ORDINALITY AS u (value, n) ORDER BY n", [literal]
        )
        return [row[0] for row in cursor.fetchall()]


@QUICK
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_numbers_arrive_as_they_are(values: list[int | None]) -> None:
    assert read(arrays.numbers(values), "bigint") == values


@QUICK
@given(st.lists(st.none() | ANY_TEXT))
def test_texts_arrive_as_they_are(values: list[str | None]) -> None:
    assert read(arrays.texts(values), "text") == values


@QUICK
@given(st.lists(st.none() | INSTANTS))
def test_instants_arrive_as_they_are(values: list[datetime | None]) -> None:
    assert read(arrays.instants(values), "bigint", arrays.as_instant("value")) == values


@QUICK
@given(st.lists(st.none() | SPANS))
def test_spans_arrive_as_they_are(values: list[timedelta | None]) -> None:
    assert read(arrays.spans(values), "interval") == values


@QUICK
@given(st.lists(st.booleans()))
def test_flags_arrive_as_they_are(values: list[bool]) -> None:
    assert read(arrays.flags(values), "boolean") == values
