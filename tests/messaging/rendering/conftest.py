"""A render pool shared by the tests of this folder: a child takes a quarter of a second to start."""

from collections.abc import Iterator

import pytest

from recoup.messaging.rendering.pool import RenderPool


@pytest.fixture(scope="session")
def pool() -> Iterator[RenderPool]:
    """Return a pool of one real child."""
    pool = RenderPool()
    yield pool
    pool.close()
