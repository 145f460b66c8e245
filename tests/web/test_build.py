"""What the build of the front end leaves behind. `make test` builds it first."""

import json
import re
from gzip import compress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "recoup/web/static/build"


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """Return the manifest: plain names and hashed ones."""
    manifest: dict[str, str] = json.loads((BUILT / "manifest.json").read_text())
    return manifest


def test_the_manifest_names_what_lies_there(names: dict[str, str]) -> None:
    missing = [name for name in names.values() if not (BUILT / name).is_file()]

    assert missing == []
    assert {"staff.css", "staff.js", "buyer.css", "icons.svg", "buyer-icons.svg", "mark.svg"} - set(
        names
    ) == set()


def test_every_name_carries_a_hash_so_that_it_may_be_kept_for_ever(names: dict[str, str]) -> None:
    assert [name for name in names.values() if not re.search(r"-[\w-]{8}\.\w+$", name)] == []


def test_buyers_load_little(names: dict[str, str]) -> None:
    weight = sum((BUILT / names[name]).stat().st_size for name in ("buyer.css", "buyer-icons.svg"))

    assert weight < 16_000  # uncompressed; the page itself may weigh the rest of 60 KB


def test_staff_load_their_first_page_in_a_moment(names: dict[str, str]) -> None:
    weight = sum(len(compress((BUILT / names[name]).read_bytes())) for name in ("staff.css", "staff.js"))

    assert weight < 80_000


def test_styles_load_nothing_from_elsewhere(names: dict[str, str]) -> None:
    addresses = re.findall(r"url\(\s*[\"']?([^\"')]+)", (BUILT / names["staff.css"]).read_text())

    assert [address for address in addresses if "//" in address.removeprefix("data:")[:8]] == []
    assert "url(" not in (BUILT / names["buyer.css"]).read_text()


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text())
    packages = {path: part for path, part in lock["packages"].items() if path}

    assert [path for path, part in packages.items() if "resolved" in part] == []
    assert [
        path for path, part in packages.items() if "integrity" not in part and not part.get("inBundle")
    ] == []
