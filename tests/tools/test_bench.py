"""The bench runner tells figures from talk, and fails when a goal is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import bench

GOOD = """print('warming up'); print('{"name": "a.b", "ratio": 2.0, "goal": 1, "ok": true}')"""
MISSED = """print('{"name": "a.c", "ratio": 0.2, "goal": 1, "ok": false}')"""


@pytest.fixture
def benches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of benches."""
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").touch()
    return tmp_path / "bench"


def test_only_figures_reach_the_output(benches: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (benches / "bench_good.py").write_text(GOOD)

    code = bench.main([])

    told = capfd.readouterr()
    assert code == 0
    assert told.out == '{"name": "a.b", "ratio": 2.0, "goal": 1, "ok": true}\n'
    assert told.err == "warming up\n"


@pytest.mark.parametrize("text", [MISSED, "raise SystemExit(3)", "print('no figure at all')"])
def test_a_bench_that_misses_its_goal_or_fails_is_an_error(benches: Path, text: str) -> None:
    (benches / "bench_good.py").write_text(GOOD)
    (benches / "bench_other.py").write_text(text)

    assert [bench.main([]), bench.main(["good"]), bench.main(["none"])] == [1, 0, 2]
