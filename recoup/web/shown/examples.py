"""The examples of a process, run and put into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.messaging.models import Template
from recoup.processes.examples import Ran, run_examples
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.problems import Problem
from recoup.shops.models import Shop
from recoup.web.words import examples as words
from recoup.web.words.texts import text_name


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """One example: whether the process does what it says, and if not, what it does instead."""

    number: int
    name: str
    holds: bool
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ExampleList:
    """All examples of a process under one sentence."""

    summary: str
    lines: Sequence[ExampleLine]

    @property
    def hold(self) -> bool:
        """Tell whether all of them hold."""
        return all(line.holds for line in self.lines)


def example_lines(shop: Shop, doc: Raw, problems: Sequence[Problem] = ()) -> ExampleList | None:
    """Run the examples of a document; nothing if it has none, or if it could not be carried out as it is."""
    if not doc.get("examples") or any(problem.code != "unknown_template" for problem in problems):
        return None
    texts = {one.key: text_name(one) for one in Template.objects.filter(shop=shop)}
    return told(run_examples(ProcessDocument.model_validate(doc)), texts)


def told(ran: Sequence[Ran], texts: Mapping[str, str]) -> ExampleList:
    """Put examples that were run into words."""
    locale = get_language() or "en"
    lines = [
        ExampleLine(number, one.example.name_in(locale), one.holds, words.notes(one, texts))
        for number, one in enumerate(ran)
    ]
    return ExampleList(_summary(lines), lines)


def _summary(lines: Sequence[ExampleLine]) -> str:
    failed = sum(not line.holds for line in lines)
    if not failed:
        return ngettext(
            "%(count)d example was played through with a made-up customer, and the process does what it should.",
            "%(count)d examples were played through with a made-up customer, and the process does what it should.",
            len(lines),
        ) % {"count": len(lines)}
    return _("Played through with a made-up customer: %(failed)d of %(count)d examples do not hold.") % {
        "failed": failed,
        "count": len(lines),
    }
