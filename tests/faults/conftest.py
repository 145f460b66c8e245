"""The server of the kill and race tests, kept running while they run."""

from collections.abc import Iterator

import pytest

from recoup.supervisor.postgres import Server


@pytest.fixture(scope="session", autouse=True)
def _server(request: pytest.FixtureRequest) -> Iterator[None]:
    request.getfixturevalue("django_db_setup")  # migrates, and others copy that
    with Server.at("faults").held():
        yield
