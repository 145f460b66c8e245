"""Fixtures of the channels' conformance suite: a sender with the product's table of channels."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from recoup.config.adapters import CHANNELS
from recoup.core import outbox
from recoup.hooks import limits
from recoup.messaging import channels
from recoup.messaging.events import MessageSettled
from recoup.messaging.sender.loop import Sender
from tests.factories.moments import NOW


@pytest.fixture(autouse=True)
def _nobody_is_blocked() -> None:
    """Forget whose calls were too many: all of these tests call from one address."""
    limits.forget()


@pytest.fixture
def channel_table(settings: Settings) -> Iterator[None]:
    """Register the channels as the product does, under an address of the installation."""
    settings.PUBLIC_URL = "https://recoup.example"
    channels.register(CHANNELS)
    yield
    channels.register({})


@pytest.fixture
def settled() -> Iterator[list[MessageSettled]]:
    """Return the ends that are announced."""
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
