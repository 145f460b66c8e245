"""What every test of the door needs: nothing remembered from the test before, and a spool of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from recoup.hooks import at_once, known, limits
from recoup.shops.models import Shop, Source
from tests.factories.shops import make_shop, make_source


@pytest.fixture(autouse=True)
def _fresh_door(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(at_once, "is_quiet", lambda: False)  # tests say themselves when an item is applied
    known.forget()
    limits.forget()
    yield
    known.forget()


@pytest.fixture
def shop(db: None) -> Shop:
    """A live shop."""
    return make_shop()


@pytest.fixture
def source(shop: Shop) -> Source:
    """Its generic source."""
    return make_source(shop)
