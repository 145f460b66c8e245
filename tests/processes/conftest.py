"""Graphs are kept by the id of their version; tests begin again with the same ids."""

from collections.abc import Iterator

import pytest

from recoup.processes.versions import forget_graphs


@pytest.fixture(autouse=True)
def _no_graphs() -> Iterator[None]:
    forget_graphs()
    yield
    forget_graphs()
