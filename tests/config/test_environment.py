"""The key file: made once, whole, whoever starts first."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from recoup.config.environment import secret_keys


@pytest.fixture(autouse=True)
def _own_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECOUP_SECRET_KEY_FILE", raising=False)


def test_programs_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        for number in range(25):
            keys = set(pool.map(_key_of, [tmp_path / str(number)] * 4))
            assert len(keys) == 1
            assert [path.name for path in (tmp_path / str(number)).iterdir()] == ["secret.key"]


def _key_of(var: Path) -> str:
    return secret_keys(var)[0]


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    secret_keys(tmp_path)

    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "short\n", "x" * 48 + "\nshort\n"])
def test_a_weak_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.key").write_text(text)

    with pytest.raises(ImproperlyConfigured):
        secret_keys(tmp_path)
