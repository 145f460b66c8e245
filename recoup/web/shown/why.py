"""Why somebody did or did not get something, process by process, with the lines behind each answer."""

from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.messaging.models import Template
from recoup.messaging.reasons import words as message_reason
from recoup.offers.terms import Terms
from recoup.offers.words import discount_words
from recoup.processes.engine.codes import Code
from recoup.processes.models import Process
from recoup.processes.why.explaining import Told
from recoup.processes.why.reading import Answer, Answers, answers_about
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.life_screens import WhyAnswer, WhyLine, WhyProcess
from recoup.web.shown.moving import titles_of
from recoup.web.words import steps, why
from recoup.web.words.texts import key_name

_ICONS = {"sent": ("mail-check", "recovered"), "uncertain": ("mail-question-mark", "due")}


def why_processes(
    seat: Seat, *, kind: int, subject_id: int, who: str, now: datetime, process_id: int | None = None
) -> list[WhyProcess]:
    """Return what each process did about an order (kind 1), a cart (2) or a person (3)."""
    found = answers_about(seat.shop, kind=kind, subject_id=subject_id, now=now)
    names = {
        key: key_name(key, name)
        for key, name in Template.objects.filter(shop=seat.shop).values_list("key", "name")
    }
    processes = {one.pk: steps.process_name(one) for one in Process.objects.filter(shop=seat.shop)}
    return [
        _process(seat, one, who, names, processes)
        for one in found
        if process_id is None or one.process.pk == process_id
    ]


def _process(
    seat: Seat, found: Answers, who: str, names: dict[str, str], processes: dict[int, str]
) -> WhyProcess:
    titles = titles_of(found.doc) if found.doc is not None else {}
    return WhyProcess(
        name=steps.process_name(found.process),
        url=place(seat, "process", found.process.pk),
        answers=[_answer(one, who, titles, names, processes, found.process) for one in found.answers],
        lines=[_line(seat, line, titles) for line in reversed(found.lines)],
        entered_at=found.entered_at,
    )


def _answer(
    one: Answer,
    who: str,
    titles: dict[str, str],
    names: dict[str, str],
    processes: dict[int, str],
    process: Process,
) -> WhyAnswer:
    reason = one.reason
    icon, tone = _ICONS.get(reason.key, ("clock", "due") if reason.is_open else ("minus", "neutral"))
    if reason.key.startswith("failed"):
        icon, tone = "circle-alert", "failed"
    what = names.get(one.template, one.template) or titles.get(one.node, "") or steps.process_name(process)
    title = titles.get(one.node, "")
    shown = f"{title} · {what}" if title and title != what else what
    other = processes.get(reason.process_id or 0, "")
    return WhyAnswer(
        head=why.head(reason, who=who, what=shown),
        why=why.sentence(reason, step=titles.get(reason.block, reason.block), other=other),
        icon=icon,
        tone=tone,
    )


def _line(seat: Seat, line: Told, titles: dict[str, str]) -> WhyLine:
    what = steps.outcome(line.code)
    if line.message_end or line.message_wait:
        what = steps.outcome(Code(line.message_end or line.message_wait))
    if line.drawn is not None:
        size = Terms.from_json(dict(line.drawn))
        words = discount_words(size, size.currency, get_language() or "en")
        what = _("Chance gave them this of the sizes that are tried: %(size)s") % {"size": words}
    if line.code is Code.MIGRATED:
        what = _("%(what)s (%(number)d)") % {"what": what, "number": line.version}
    return WhyLine(
        at=line.message_at or line.done_at,
        step=titles.get(line.node, line.node),
        what=what,
        why=message_reason(line.message_reason) if line.message_reason else "",
        url=place(seat, "message", line.message_id) if line.message_id else "",
    )
