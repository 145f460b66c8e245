"""Fixtures of the screens: a world with two shops, built once for a module."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.clearing import Clear
from tests.web.world import World, forget_sessions, make_person, make_place, sign_in_all


@pytest.fixture(scope="module")
def built(clear_database: Clear, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Build the world; nothing of it outlives the module.

    It is committed: in one long transaction PostgreSQL would walk over everything that earlier tests took back.
    """
    with django_db_blocker.unblock():
        with transaction.atomic():
            world = World(make_place("own"), make_place("other"), make_person("nobody@nowhere.example"))
            sign_in_all(world)
        yield world
        forget_sessions()
        clear_database()


@pytest.fixture
def world(built: World) -> Iterator[World]:
    """The world as it was built: what a test changes is taken back."""
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)
