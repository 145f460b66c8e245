"""What processes decided and will do next, in sentences."""

from datetime import datetime, timedelta
from functools import cache

from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.processes.engine.codes import Code
from recoup.processes.graph.next_step import NextStep
from recoup.processes.graph.wording import WORDS
from recoup.processes.models import Process
from recoup.web import parts
from recoup.web.words.ready import READY

_QUIET = {"process.next.end", "process.next.over", "process.next.paused", "process.next.suppressed"}


def word(key: str) -> str:
    """Return the words of a key that processes gave; the key's end if a later version wrote it."""
    return _(WORDS[key]) if key in WORDS else key.rpartition(".")[2].replace("_", " ")


def outcome(code: Code) -> str:
    """Return what was decided at a step."""
    return word(code.word)


def process_name(process: Process | None, name: str = "") -> str:
    """Return the name of a process; the shipped ones are named in the reader's language until somebody renames them."""
    shown = process.name if process is not None else name
    return str(_ready_names().get(shown, shown))


@cache
def _ready_names() -> dict[str, parts.Words]:
    with translation.override("en"):
        return {str(one.name): one.name for one in READY.values()}


def reminder_name(ordinal: int, total: int) -> str:
    """Return which reminder it is: first, second, third, last."""
    if total > 1 and ordinal == total:
        return _("Last reminder")
    names = {1: _("First reminder"), 2: _("Second reminder"), 3: _("Third reminder")}
    return names.get(ordinal) or _("Reminder %(number)d") % {"number": ordinal}


def upcoming(at: datetime, now: datetime) -> str:
    """Return when something will be: "tomorrow 10:00"."""
    return humane.upcoming(at, now=now, zone=timezone.get_current_timezone(), language=get_language() or "en")


def next_line(step: NextStep, now: datetime, *, is_brief: bool = False) -> str:
    """Return what comes next with its time: "Second reminder tomorrow 10:00, unless paid.", briefly without the rest."""
    when = upcoming(step.at, now) if step.at is not None else ""
    if step.at is not None and step.at <= now + timedelta(seconds=1):
        when = _("now")
    name = reminder_name(step.ordinal, step.total) if step.ordinal else ""
    values = {"what": name, "when": when}
    lines = {
        "process.next.reminder": _("%(what)s %(when)s"),
        "process.next.promised": _("%(what)s %(when)s, after the promised day"),
        "process.next.sending": _("%(what)s is on its way"),
        "process.next.held": _("%(what)s rests while somebody works on the order"),
        "process.next.thanks": _("Thanks for the payment %(when)s"),
        "process.next.offer": _("A personal offer %(when)s"),
        "process.next.order_status": _("New status %(when)s"),
        "process.next.tag": _("A tag is set %(when)s"),
        "process.next.webhook": _("Another program is told %(when)s"),
        "process.next.task": _("A task for somebody %(when)s"),
        "process.next.enrol": _("Goes on in another process as well %(when)s"),
    }
    line = lines[step.word] % values if step.word in lines else word(step.word)
    if is_brief:
        return line
    unless = word(step.unless[0]) if step.unless and step.at is not None else ""
    return _("%(line)s, unless %(event)s.") % {"line": line, "event": unless} if unless else f"{line}."


def next_step(step: NextStep, process: str, now: datetime) -> parts.NextStep:
    """Return the card that says what comes next."""
    is_quiet = step.word in _QUIET
    others = [word(key) for key in step.unless[1:3]] if step.at is not None else []
    detail = process_name(None, process)
    if others:
        detail = _("%(process)s. It also stops when: %(events)s.") % {
            "process": detail,
            "events": ", ".join(others),
        }
    return parts.NextStep(
        next_line(step, now),
        "quiet" if is_quiet else "due",
        "circle-pause" if is_quiet or step.word == "process.next.held" else "calendar-clock",
        detail,
    )
