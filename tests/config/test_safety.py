"""What starts, and with what: settings that would harm real buyers refuse to (T60, T154)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from recoup.config import safety

GOOD = "https://recoup.example.com"
SHOWN = [
    *(f"SESSION_COOKIE_{name}" for name in ("SECURE", "HTTPONLY", "SAMESITE", "NAME")),
    *(f"CSRF_COOKIE_{name}" for name in ("SECURE", "HTTPONLY", "NAME")),
    *("SECURE_SSL_REDIRECT", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DEBUG"),
]
SHOW = "import json, django; django.setup(); from django.conf import settings as s;"
SHOW += f"print(json.dumps({{name: getattr(s, name) for name in {SHOWN!r}}}))"


def run(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python as an owner's server would: no demo, no test, a folder of its own."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("RECOUP_", "DJANGO_"))
    }
    environment = {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "recoup.config.settings",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "RECOUP_VAR": str(tmp_path),
        **environment,
    }
    return subprocess.run(
        (sys.executable, *command), env=environment, capture_output=True, text=True, check=False
    )


def test_production_settings_are_clean(tmp_path: Path) -> None:
    done = run(
        tmp_path, "-m", "django", "check", "--deploy", "--fail-level", "WARNING", RECOUP_PUBLIC_URL=GOOD
    )
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), (
        done.stderr
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an installation that was started once."""
    return tmp_path_factory.mktemp("started")


@pytest.fixture(scope="module")
def started(home: Path) -> subprocess.CompletedProcess[str]:
    """Return what serves at a good address, and what it said of its settings."""
    return run(home, "-c", f"import recoup.config.wsgi; {SHOW}", RECOUP_PUBLIC_URL=GOOD)


def test_nothing_is_served_without_a_public_address(
    tmp_path: Path, started: subprocess.CompletedProcess[str]
) -> None:
    done = run(tmp_path, "-c", "import recoup.config.wsgi")
    assert done.returncode == 1
    assert "Set RECOUP_PUBLIC_URL" in done.stderr
    assert (started.returncode, started.stderr) == (0, "")


@pytest.mark.parametrize(
    "address", ["http://recoup.example.com", "https://", "https://recoup.example.com/shop"]
)
def test_an_address_that_is_not_https_is_refused(tmp_path: Path, address: str) -> None:
    done = run(tmp_path, "-c", "import recoup.config.wsgi", RECOUP_PUBLIC_URL=address)
    assert done.returncode == 1
    assert "RECOUP_PUBLIC_URL must" in done.stderr


def test_a_demo_may_not_use_a_public_http_address(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", SHOW, RECOUP_PUBLIC_URL="http://recoup.example.com", RECOUP_DEMO="1")
    assert "only the demo may use http" in done.stderr


def test_cookies_are_bound_to_the_https_address(started: subprocess.CompletedProcess[str]) -> None:
    assert json.loads(started.stdout) == {
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_NAME": "__Host-session",
        "CSRF_COOKIE_SECURE": True,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "SECURE_SSL_REDIRECT": True,
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "recoup.example.com"],
        "CSRF_TRUSTED_ORIGINS": [GOOD],
        "DEBUG": False,
    }


@pytest.mark.usefixtures("started")
def test_a_fresh_key_is_made_for_its_owner_alone(home: Path) -> None:
    made = home / "secret.key"
    assert made.stat().st_mode & 0o777 == 0o600
    assert not safety.is_weak(made.read_text().strip())


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("DEBUG", True, "recoup.E001"),
        ("PUBLIC_URL", "", "recoup.E002"),
        ("PUBLIC_URL", "http://recoup.example.com", "recoup.E002"),
        ("SECRET_KEY", "short", "recoup.E003"),
        ("SECRET_KEY", "a" * 60, "recoup.E003"),
        ("SECRET_KEY", "django-insecure-k3j4h5k3j4h5k3jh45kjh3k4j5hk3j4h5", "recoup.E003"),
        ("SECRET_KEY_FALLBACKS", ["short"], "recoup.E003"),
        ("SECRETS_KEYS", [], "recoup.E004"),
        ("ALLOWED_HOSTS", ["*"], "recoup.E005"),
        ("SESSION_COOKIE_SECURE", False, "recoup.E006"),
    ],
)
def test_each_danger_is_named_and_refused(settings: Any, name: str, value: Any, code: str) -> None:
    settings.IS_TEST, settings.PUBLIC_URL = False, GOOD
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    assert safety.find_dangers() == []
    setattr(settings, name, value)
    assert [found.id for found in safety.find_dangers()] == [code]
    with pytest.raises(ImproperlyConfigured):
        safety.refuse_unsafe()
