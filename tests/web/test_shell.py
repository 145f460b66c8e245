"""What stands around every page."""

import pytest

from recoup.web.shell import initials, nav_items


def url_of(key: str) -> str:
    """Return the address of a place."""
    return f"/s/lumen/{key}/"


def test_the_place_is_current_on_the_pages_below_it() -> None:
    items = nav_items(url_of=url_of, path="/s/lumen/orders/10482/")

    assert [item.place.key for item in items if item.is_current] == ["orders"]


def test_nothing_is_current_elsewhere() -> None:
    assert not any(item.is_current for item in nav_items(url_of=url_of, path="/accounts/2fa/"))


@pytest.mark.parametrize(
    ("path", "current"),
    [("/s/lumen/", ["home"]), ("/s/lumen/orders/1/", ["orders"]), ("/s/lumen/attention/", [])],
)
def test_home_at_the_root_is_current_on_its_own_page_only(path: str, current: list[str]) -> None:
    items = nav_items(url_of=lambda key: "/s/lumen/" if key == "home" else url_of(key), path=path)

    assert [item.place.key for item in items if item.is_current] == current


def test_a_role_sees_its_places_alone() -> None:
    items = nav_items(url_of=url_of, path="/", allowed={"orders", "customers"}, counts={"orders": "128"})

    assert [(item.place.key, item.count) for item in items] == [("orders", "128"), ("customers", "")]


def test_shortcuts_are_not_shared() -> None:
    shortcuts = [item.place.shortcut for item in nav_items(url_of=url_of, path="/")]

    assert len(shortcuts) == len(set(shortcuts))


def test_initials_take_the_first_and_the_last_name() -> None:
    assert [initials(name) for name in ("Anna Maria Kowalska", "иван петров", "anna", "")] == [
        "AK",
        "ИП",
        "A",
        "",
    ]
