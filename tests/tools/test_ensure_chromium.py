"""A Chromium for the browser tests is found, or the person is told how to get one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import ensure_chromium


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is the whole PATH and the home of somebody who may not install anything."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def program(path: Path) -> str:
    """Make a program of a name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "name", ["chromium", "google-chrome", ".cache/ms-playwright/chromium-1200/chrome-linux/chrome"]
)
def test_an_installed_one_is_found(nothing_installed: Path, name: str) -> None:
    there = program(nothing_installed / name)

    assert (ensure_chromium.find(), ensure_chromium.main()) == (there, 0)


def test_the_one_that_is_named_wins(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(nothing_installed / "chromium")
    monkeypatch.setenv("CHROMIUM", program(nothing_installed / "own" / "chrome"))

    assert ensure_chromium.find() == str(nothing_installed / "own" / "chrome")


def test_without_one_it_fails_and_says_how_to_get_it(
    nothing_installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ensure_chromium.main()

    assert (code, "apt install chromium" in capsys.readouterr().err) == (1, True)
