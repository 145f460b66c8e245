"""A template as its author writes it, and as it is stored once compiled."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recoup.messaging.rendering.tokens import CATALOGUE, Context


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """What the author wrote."""

    subject: str
    html: str
    """MJML with Liquid in it."""

    text: str = ""
    """The plain-text part, if the author gave one; otherwise it is made from the MJML."""

    context: str = Context.ORDER.value
    locale: str = "en"
    channel: str = "email"
    """Of short messages only `text` is looked at."""


@dataclass(frozen=True)
class CompiledTemplate:
    """A version ready to send: Liquid, but no MJML any more. Stored with the version: compiling again may differ."""

    subject: str
    html: str
    text: str
    tokens: tuple[str, ...] = field(default=())

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The purposes of the links that it prints: only these need to be minted."""
        return tuple(sorted({CATALOGUE[token].purpose for token in self.tokens if CATALOGUE[token].purpose}))

    @cached_property
    def key(self) -> str:
        """What tells this text from every other."""
        content = json.dumps([self.subject, self.html, self.text, self.tokens])
        return hashlib.sha256(content.encode()).hexdigest()[:24]

    def to_json(self) -> dict[str, Any]:
        """Return what the version stores."""
        return {"subject": self.subject, "html": self.html, "text": self.text, "tokens": list(self.tokens)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "CompiledTemplate":
        """Return the template that a version stores."""
        return cls(stored["subject"], stored["html"], stored["text"], tuple(stored["tokens"]))
