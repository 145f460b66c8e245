"""Examples of a process in words: what was expected, and what happened instead."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.processes.engine.codes import Code
from recoup.processes.examples import MOST_TURNS, Decision, Difference, Ran
from recoup.web.words import blocks, orders
from recoup.web.words.steps import word


def notes(ran: Ran, texts: Mapping[str, str]) -> list[str]:
    """Return why an example does not hold, a sentence each; nothing if it does."""
    if ran.holds:
        return []
    if ran.is_too_long:
        steps = humane.number(MOST_TURNS, get_language() or "en")
        return [
            _("It is not followed to its end: after %(steps)s steps it still goes on.") % {"steps": steps}
        ]
    if ran.has_entered != ran.example.enters:
        if ran.has_entered:
            return [_("Nobody should enter, and this person does.")]
        return [_("This person should enter, and does not.")]
    found = [_difference(one, ran.example.start, texts) for one in ran.differences]
    if ran.error:
        found.append(_("It cannot be carried out to its end."))
    elif ran.has_other_end:
        found.append(
            _("It should end as “%(expected)s”; it ends as “%(happened)s”.")
            % {"expected": _end(ran.example.ends), "happened": _end(ran.ended)}
        )
    return found


def _difference(one: Difference, start: datetime, texts: Mapping[str, str]) -> str:
    if one.happened is None:
        assert one.expected is not None
        return _("Expected: %(expected)s; it does not happen.") % {
            "expected": _decision(one.expected, start, texts)
        }
    happened = _decision(one.happened, start, texts)
    if one.expected is None:
        return _("Not expected: %(happened)s.") % {"happened": happened}
    return _("Expected: %(expected)s. Happened: %(happened)s.") % {
        "expected": _decision(one.expected, start, texts),
        "happened": happened,
    }


def _decision(one: Decision, start: datetime, texts: Mapping[str, str]) -> str:
    line = _("after %(time)s: %(what)s") % {"time": _time(one.at - start), "what": _block(one, texts)}
    return f"{line} ({word(one.withheld)})" if one.withheld else line


def _time(span: timedelta) -> str:
    return humane.duration(span, get_language() or "en")


def _block(one: Decision, texts: Mapping[str, str]) -> str:
    kind = str(one.block["t"])
    template = one.block.get("template")
    if template is not None:
        return _("“%(text)s” is sent") % {"text": texts.get(str(template), str(template))}
    if kind == "order_status":
        return _("Set to %(status)s") % {"status": orders.status_label(str(one.block.get("to", "")))}
    named = blocks.KINDS.get(kind)
    return str(named[0]) if named is not None else kind


def _end(name: str) -> str:
    code = Code.__members__.get(name.upper())
    return word(code.word) if code is not None else name or _("no end")
