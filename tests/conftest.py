"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from recoup.core import outbox
from tests import clearing, databases, once, order
from tests.support import sizes
from tools import ensure_chromium

# A busy machine is no failure: nothing here is timed. `make test` tries the same examples each time, so that it says of a
# change what the change did; `make faults` draws others each time, many more.
hypothesis.settings.register_profile("recoup", deadline=None, derandomize=not sizes.IS_FULL)
hypothesis.settings.load_profile("recoup")

if TYPE_CHECKING:
    from tests.support.chromium import InBrowser

WITH_DATABASE = {"db", "transactional_db", "django_db_setup", "live_server", "database_url"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the database, so that it can be run again on another version of it; put the slow ones first."""
    for item in items:
        if item.get_closest_marker("django_db") or WITH_DATABASE & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")
    items[:] = order.slow_first(items, workers=int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_collection_finish() -> None:
    """Let the collector of garbage look no more at six thousand tests and what they import: all of it stays.

    And let it look less often: what a test leaves behind is little beside the memory that there is.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[clearing.Clear]:
    """Give the process a database of its own, copied from the migrated template, and what empties it again."""
    name = f"test_{connection.settings_dict['NAME']}_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}"
    with django_db_blocker.unblock():
        databases.copy_template(name)
        connection.close()
        connection.settings_dict["NAME"] = name
        clear = clearing.prepare(os.environ.get("RECOUP_TEST_SUPERUSER_URL"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: clear())
        yield clear
    with django_db_blocker.unblock():
        connection.close()
        databases.drop(name)


@pytest.fixture(scope="session")
def clear_database(django_db_setup: clearing.Clear) -> clearing.Clear:
    """Return what takes back everything that a test has committed."""
    return django_db_setup


@pytest.fixture(scope="session", autouse=True)
def _worked_out_once() -> Iterator[None]:
    """Spare the tests what always comes out the same."""
    with once.remembering():
        yield


@pytest.fixture(scope="session", autouse=True)
def _passwords_hashed_lightly() -> Iterator[None]:
    """Hash passwords by the same means with less work: it takes a quarter of a second otherwise, on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2PasswordHasher, "time_cost", 1)
        patch.setattr(Argon2PasswordHasher, "memory_cost", 64)  # KiB, the least
        yield


@pytest.fixture(scope="session", autouse=True)
def _unhurried() -> Iterator[None]:
    """Give a sender in a test's own process the time that a busy machine takes; tests of these limits set shorter ones.

    A second after the look nothing is handed over any more, and the message is due again. A session that says nothing for
    ten seconds after it is cut; the look's transaction is a part of the test's, which then dies wherever it is.
    """
    from recoup.messaging.sender import handing, look  # local: django
    from recoup.messaging.sender.timing import TIMING  # local: django

    begin = handing.Turn.__init__

    def unhurried(self: Any, messages: Any, exchange: Any, desk: Any, channel: Any) -> None:
        begin(self, messages, exchange, desk, channel)
        if desk.timing.fresh == TIMING.fresh:
            self._fresh = 60.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handing.Turn, "__init__", unhurried)
        patch.setattr(look, "_LONGEST_SILENCE", "10min")
        yield


@pytest.fixture(autouse=True)
def _routes_of_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back who hears which news, whatever a test has set."""
    monkeypatch.setattr(outbox, "_routes", dict(outbox._routes))


@pytest.fixture
def database_url(transactional_db: None) -> str:
    """Return the address of the test's database, for programs and second connections."""
    return databases.database_url(connection.settings_dict["NAME"])


@pytest.fixture(scope="session")
def is_full_size() -> bool:
    """Tell whether the kill and race tests run in full size (`make faults`) or in the quick one."""
    return sizes.IS_FULL


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the path of the Chromium for browser tests (`executable_path` of playwright)."""
    found = ensure_chromium.find()
    if found is None:
        pytest.fail(ensure_chromium.HELP)
    return found


@pytest.fixture(scope="session")
def in_browser(chromium_path: str) -> Iterator[InBrowser]:
    """Return what runs steps with a Chromium; it is started once."""
    from tests.support.chromium import Chromium  # local: start

    chromium = Chromium(chromium_path)
    yield chromium.run
    chromium.stop()
