"""A sink that runs for one test."""

from collections.abc import Iterator

import pytest

from tests.support.smtp_sink import SmtpSink


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """Return a server that takes everything and pipelines."""
    with SmtpSink() as sink:
        yield sink
