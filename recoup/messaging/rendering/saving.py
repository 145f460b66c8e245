"""What happens to a template when somebody saves it: it is checked line by line, and compiled if it holds."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from recoup.messaging.rendering.limits import SOURCE_BYTES
from recoup.messaging.rendering.pool import RenderPool, shared_pool
from recoup.messaging.rendering.process import ChildDied
from recoup.messaging.rendering.templates import CompiledTemplate, TemplateSource
from recoup.messaging.rendering.words import problem_message

_CLASSES = frozenset({"contract", "soft_opt_in", "needs_consent"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that the author must or should change."""

    line: int
    """Counted from one; zero if it belongs to no line."""

    code: str
    message: Promise
    """In the reader's language, once it is shown."""

    place: str
    """`subject`, `html` or `text`."""

    blocking: bool
    """The template cannot be published with it."""


class TemplateRefused(Exception):
    """The template has problems that forbid publishing it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(", ".join(f"{problem.code} (line {problem.line})" for problem in problems))
        self.problems = problems


def check_template(
    source: TemplateSource, *, message_class: str, pool: RenderPool | None = None
) -> list[Problem]:
    """Return all that is wrong with the template, in the order of its lines; nothing if it may be published."""
    return _examine(source, message_class, pool)[0]


def compile_template(
    source: TemplateSource, *, message_class: str, pool: RenderPool | None = None
) -> CompiledTemplate:
    """Return the version ready to send.

    :raises TemplateRefused: if a problem forbids publishing it.
    """
    problems, compiled = _examine(source, message_class, pool)
    if compiled is None:
        raise TemplateRefused([problem for problem in problems if problem.blocking])
    return compiled


def _examine(
    source: TemplateSource, message_class: str, pool: RenderPool | None
) -> tuple[list[Problem], CompiledTemplate | None]:
    if message_class not in _CLASSES:
        raise ValueError(message_class)
    sizes = {"subject": source.subject, "html": source.html, "text": source.text}
    large = [place for place, text in sizes.items() if len(text.encode("utf-8", "replace")) > SOURCE_BYTES]
    if large:
        return [_problem("source_too_large", place=place) for place in large], None
    request = {
        **sizes,
        "context": source.context,
        "locale": source.locale,
        "channel": source.channel,
        "needs_unsubscribe": message_class != "contract",
    }
    try:
        answer = (pool or shared_pool()).compile(request)
    except ChildDied:
        return [_problem("trial_too_heavy")], None
    compiled = answer["compiled"]
    problems = [_problem(**found) for found in answer["findings"]]
    problems.sort(key=lambda problem: (problem.place, problem.line))
    return problems, CompiledTemplate.from_json(compiled) if compiled else None


def _problem(
    code: str,
    *,
    place: str = "html",
    line: int = 0,
    values: dict[str, Any] | None = None,
    is_blocking: bool = True,
) -> Problem:
    return Problem(line, code, problem_message(code, values or {}), place, is_blocking)
