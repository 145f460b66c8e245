"""Fixtures of the screens: a world with two shops, built once for a module."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.web.world import World, make_person, make_place


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Build the world; nothing of it outlives the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World(make_place("own"), make_place("other"), make_person("nobody@nowhere.example"))
        transaction.set_rollback(True)


@pytest.fixture
def world(built: World) -> Iterator[World]:
    """The world as it was built: what a test changes is taken back."""
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)
