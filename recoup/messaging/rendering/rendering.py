"""One compiled template, parsed once, and the mail it makes for one person."""

from collections.abc import Mapping
from typing import Any

from liquid.exceptions import LiquidError, LiquidInterrupt, ResourceLimitError, UndefinedError
from liquid.template import BoundTemplate

from recoup.messaging.rendering.environment import HTML, TEXT, fill_in
from recoup.messaging.rendering.filters import LOCALE_NAME
from recoup.messaging.rendering.findings import line_of
from recoup.messaging.rendering.formats import known_locale
from recoup.messaging.rendering.limits import HTML_REFUSED_BYTES, SUBJECT_CHARACTERS
from recoup.messaging.rendering.plaintext import settle
from recoup.messaging.rendering.values import Scope, ScopePlan, ValueUnreadable, clean_text


class RenderProblem(Exception):
    """A mail that cannot be written, and why; the others of its batch can."""

    def __init__(self, code: str, detail: str = "", place: str = "html", line: int = 0) -> None:
        super().__init__(code, detail, place, line)
        self.code, self.detail, self.place, self.line = code, detail, place, line


class TooHeavy(BaseException):
    """Raised by the child's timer in the middle of anything; no `except Exception` of a library may swallow it."""


class Prepared:
    """The parse trees of one compiled template."""

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        self._parts = (
            ("subject", TEXT.from_string(compiled["subject"])),
            ("html", HTML.from_string(compiled["html"])),
            ("text", TEXT.from_string(compiled["text"])),
        )
        self._plan = ScopePlan(compiled["tokens"])

    def render(self, context: Scope, locale: str, zone: str) -> tuple[bytes, bytes, bytes]:
        """Return subject, HTML and plain text in UTF-8; the context is used up.

        :raises RenderProblem: if a field is missing, empty without a fallback or of the wrong kind, or a limit reached.
        """
        locale = known_locale(locale)
        try:
            scope = self._plan.fill(context, locale, zone)
        except (ValueUnreadable, AttributeError, TypeError) as error:
            raise RenderProblem("context_unreadable", str(error)) from error
        scope[LOCALE_NAME] = locale
        subject, html, text = (_write(template, scope, place) for place, template in self._parts)
        encoded = html.encode("utf-8", "replace")
        if len(encoded) > HTML_REFUSED_BYTES:
            raise RenderProblem("too_large", str(len(encoded)))
        return _one_line(subject).encode("utf-8", "replace"), encoded, settle(text).encode("utf-8", "replace")


def _write(template: BoundTemplate, scope: Scope, place: str) -> str:
    try:
        return fill_in(template, scope)
    except UndefinedError as error:
        raise RenderProblem("field_empty", str(error.message), place, _line(error)) from error
    except ResourceLimitError as error:
        raise RenderProblem("too_heavy", str(error.message), place, _line(error)) from error
    except LiquidError as error:
        raise RenderProblem("liquid_failed", str(error.message), place, _line(error)) from error
    except MemoryError as error:
        raise RenderProblem("too_heavy", "memory", place) from error
    except (LiquidInterrupt, RecursionError, ArithmeticError, ValueError, TypeError, LookupError) as error:
        raise RenderProblem("liquid_failed", f"{type(error).__name__}: {error}"[:200], place) from error


def _line(error: LiquidError) -> int:
    token = error.token
    return line_of(token.source, token.start_index) if token is not None and token.start_index >= 0 else 0


def _one_line(subject: str) -> str:
    """Return the subject as one clean line; cut between characters that stand alone."""
    line = clean_text(subject)
    if len(line) <= SUBJECT_CHARACTERS:
        return line
    cut = line[: SUBJECT_CHARACTERS - 1]
    while cut and (line[len(cut)] in "\u200d\ufe0f" or cut[-1] == "\u200d"):
        cut = cut[:-1]
    return f"{cut.rstrip()}…"
