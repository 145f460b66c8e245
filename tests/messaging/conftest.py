"""Fixtures of the sending loop: a mail server, a channel, and the ends that were announced."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from recoup.config.adapters import CHANNELS
from recoup.core import outbox
from recoup.messaging import channels
from recoup.messaging.events import MessageSettled
from recoup.messaging.rendering.pool import shared_pool
from recoup.messaging.sender.loop import Sender
from tests.factories.moments import NOW
from tests.support.smtp_sink import SmtpSink


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """Return a mail server that takes everything."""
    with SmtpSink() as server:
        yield server


@pytest.fixture
def channel_table(settings: Settings) -> Iterator[None]:
    """Register the channels as the product does, under an address of the installation."""
    settings.PUBLIC_URL = "https://recoup.example"
    channels.register(CHANNELS)
    yield
    channels.register({})


@pytest.fixture
def settled() -> Iterator[list[MessageSettled]]:
    """Return the ends that `deliver_news` hands over."""
    heard: list[MessageSettled] = []
    outbox.set_routes({MessageSettled: (heard.extend,)})
    yield heard
    outbox.set_routes({})


@pytest.fixture
def sender(channel_table: None) -> Iterator[Sender]:
    """Return a sender that lives at `NOW`."""
    sender = Sender(now=lambda: NOW)
    yield sender
    sender.close()


@pytest.fixture(scope="session", autouse=True)
def _close_pool() -> Iterator[None]:
    yield
    shared_pool().close()
