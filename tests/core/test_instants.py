"""Instants that come out of the database are the ones that went in, by the quick loader as by Django's own."""

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DataError, connection
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from hypothesis import given
from hypothesis import strategies as st

from recoup.core.instants import InstantLoader


class DjangosLoader(BaseTzLoader):  # type: ignore[misc]  # Django has no types
    timezone = UTC


@pytest.mark.django_db
def test_connections_read_instants_by_it_in_utc() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT '2026-03-29 02:30:00.25+02'::timestamptz, NULL::timestamptz")
        found, nothing = cursor.fetchone()

    assert (found, found.tzinfo, nothing) == (datetime(2026, 3, 29, 0, 30, 0, 250_000, UTC), UTC, None)
    assert connection.connection.adapters.get_loader(1184, psycopg.pq.Format.TEXT) is InstantLoader


@given(st.datetimes(timezones=st.just(UTC)))
def test_it_reads_what_djangos_loader_reads(at: datetime) -> None:
    whole, _, rest = at.strftime("%Y-%m-%d %H:%M:%S.%f").partition(".")
    written = f"{whole.rjust(19, '0')}{('.' + rest).rstrip('0').rstrip('.')}+00".encode()

    found = InstantLoader(1184).load(written)

    assert (found, found.tzinfo) == (DjangosLoader(1184).load(written), UTC) == (at, UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"])
def test_what_python_cannot_tell_is_refused_as_before(words: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [words])
        with pytest.raises(DataError):
            cursor.fetchone()
