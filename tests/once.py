"""What costs much and always comes out the same is worked out once for a whole run, instead of once for every test.

Only what lies beside the matter of a test is remembered: the tests of compiling, of advertising words and of certificates
ask the functions themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from httpx._transports import default as transports
from whitenoise.middleware import WhiteNoiseMiddleware

from recoup.messaging import promotion, templates
from recoup.messaging.rendering.pool import RenderPool
from recoup.messaging.rendering.saving import compile_template
from recoup.messaging.rendering.templates import CompiledTemplate, TemplateSource


@contextmanager
def remembering() -> Iterator[None]:
    """Remember for the time of the block."""
    with pytest.MonkeyPatch.context() as patch:
        _compile_texts_once(patch)
        _read_words_once(patch)
        _list_static_files_once(patch)
        _load_authorities_once(patch)
        # A password costs a third of a second of the processor, on purpose: here the same algorithm is given little to do.
        patch.setattr(Argon2PasswordHasher, "memory_cost", 64)
        patch.setattr(Argon2PasswordHasher, "parallelism", 1)
        yield


def _compile_texts_once(patch: pytest.MonkeyPatch) -> None:
    """Every new shop brings the same texts, in four languages."""
    known: dict[str, CompiledTemplate] = {}

    def compile_once(
        source: TemplateSource, *, message_class: str, pool: RenderPool | None = None
    ) -> CompiledTemplate:
        key = repr((source, message_class))
        if key not in known:
            known[key] = compile_template(source, message_class=message_class, pool=pool)
        return known[key]

    patch.setattr(templates, "compile_template", compile_once)


def _read_words_once(patch: pytest.MonkeyPatch) -> None:
    """The same texts are also searched for words that advertise."""
    known: dict[tuple[str, ...], list[str]] = {}
    read = promotion.advertising_words

    def read_once(*sources: str) -> list[str]:
        if sources not in known:
            known[sources] = read(*sources)
        return list(known[sources])

    patch.setattr(promotion, "advertising_words", read_once)


def _list_static_files_once(patch: pytest.MonkeyPatch) -> None:
    """Each client of a test has a middleware of its own, which would look through all folders of static files."""
    known: dict[str, dict[str, Any]] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def look_once(self: Any) -> None:
        key = repr((self.static_prefix, settings.STATICFILES_DIRS, settings.STATICFILES_FINDERS))
        if key not in known:
            before = set(self.files)
            look(self)
            known[key] = {path: file for path, file in self.files.items() if path not in before}
        self.files.update(known[key])

    patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)


def _load_authorities_once(patch: pytest.MonkeyPatch) -> None:
    """A client of HTTP reads two hundred certificates, though most tests call 127.0.0.1 in clear text."""
    known: dict[str, Any] = {}
    load = httpx.create_ssl_context

    def load_once(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
        is_own = trust_env and not {"SSL_CERT_FILE", "SSL_CERT_DIR"}.isdisjoint(os.environ)
        if verify is not True or cert is not None or is_own:
            return load(verify=verify, cert=cert, trust_env=trust_env)
        if "plain" not in known:
            known["plain"] = load(trust_env=False)
        return known["plain"]

    patch.setattr(transports, "create_ssl_context", load_once)
