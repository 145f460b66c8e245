"""The server of the kill and race tests, kept running while they run."""

from collections.abc import Iterator

import pytest

from recoup.supervisor.postgres import Server


@pytest.fixture(scope="session", autouse=True)
def _server() -> Iterator[None]:
    with Server.at("faults").held():
        yield
