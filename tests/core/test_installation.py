"""A copy stays silent, the original does not fall silent by itself (R19); only a demo's clock can be moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection

from recoup.core.clock import trade_now, trade_offset
from recoup.core.installation import (
    NotADemo,
    check_place,
    confirm_place,
    get_installation,
    move_trade_clock,
    place_now,
    silence_installation,
)
from recoup.core.models import Installation
from tests.factories.moments import DAY, HOUR, MINUTE, NOW

pytestmark = pytest.mark.django_db


@contextmanager
def at(host: str) -> Iterator[None]:
    """Look as if the database was reached under another address or in another folder."""
    was = connection.settings_dict["HOST"]
    connection.settings_dict["HOST"] = host
    try:
        yield
    finally:
        connection.settings_dict["HOST"] = was


def silence() -> tuple[bool, str]:
    installation = get_installation()
    return installation.silenced_at is not None, installation.silenced_reason


@pytest.mark.django_db(transaction=True)
def test_the_first_place_may_send_and_a_new_connection_changes_nothing() -> None:
    place = place_now()

    assert check_place(now=NOW)
    connection.close()
    assert place_now() == place
    assert check_place(now=NOW + DAY)
    assert silence() == (False, "")


def test_a_copy_elsewhere_stays_silent_until_an_owner_confirms() -> None:
    check_place(now=NOW)

    with at("/elsewhere/socket"):
        assert not check_place(now=NOW + HOUR)
        assert not check_place(now=NOW + 2 * HOUR)
        assert silence() == (True, "moved")
        confirm_place(now=NOW + 3 * HOUR)
        assert check_place(now=NOW + 4 * HOUR)
    assert silence() == (False, "")


def test_two_hosts_that_see_one_server_under_two_addresses_are_confirmed_once() -> None:
    """The owner confirms in a web process on the first host; the worker is on the second."""
    check_place(now=NOW)
    with at("/second/host"):
        assert not check_place(now=NOW)

    confirm_place(now=NOW)

    for hours in range(1, 24 * 20, 5):
        assert check_place(now=NOW + hours * HOUR)
        with at("/second/host"):
            assert check_place(now=NOW + hours * HOUR)


def test_a_place_that_was_left_is_forgotten_so_that_a_copy_there_stays_silent() -> None:
    check_place(now=NOW)
    with at("/new"):
        check_place(now=NOW)
        confirm_place(now=NOW)
        for days in range(1, 10):
            assert check_place(now=NOW + days * DAY)

    assert not check_place(now=NOW + 10 * DAY)
    assert silence() == (True, "moved")


@pytest.mark.parametrize(
    ("host", "is_part"),
    [
        ("", True),
        ("/run/x", True),
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("db.example", False),
    ],
)
def test_the_machine_is_part_of_the_place_when_the_server_is_on_it(
    host: str, *, is_part: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine copied whole has the same folders and the same 127.0.0.1."""
    machine = {"id": "one"}
    monkeypatch.setattr("recoup.core.installation._machine", lambda: machine["id"])
    with at(host):
        before = place_now()
        machine["id"] = "two"
        assert (place_now() != before) == is_part


def test_a_restored_backup_is_silent_where_it_was_made_too() -> None:
    check_place(now=NOW)
    silence_installation(reason="restored", now=NOW)
    silence_installation(reason="moved", now=NOW + HOUR)  # the first reason stands

    assert not check_place(now=NOW + HOUR)
    assert silence() == (True, "restored")
    confirm_place(now=NOW + HOUR)
    assert check_place(now=NOW + HOUR)


def test_the_clock_of_a_demo_moves_forward_alone() -> None:
    Installation.objects.update_or_create(pk=1, defaults={"is_demo": True})
    before = trade_now()

    move_trade_clock(DAY)
    move_trade_clock(HOUR)

    assert trade_offset() == DAY + HOUR
    assert DAY + HOUR <= trade_now() - before < DAY + HOUR + MINUTE
    with pytest.raises(NotADemo):
        move_trade_clock(-HOUR)
    with pytest.raises(NotADemo):
        move_trade_clock(timedelta(0))


def test_the_clock_of_a_real_shop_is_never_moved() -> None:
    get_installation()

    with pytest.raises(NotADemo):
        move_trade_clock(HOUR)

    assert trade_offset() == timedelta(0)
