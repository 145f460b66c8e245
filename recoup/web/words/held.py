"""Whom of those that a process can meet the sending rules would hold back: how many, of which country, by which rule."""

from collections.abc import Mapping, Sequence

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.messaging.models import Message
from recoup.messaging.rules.book import Rule
from recoup.processes.lawful import Met, Way
from recoup.web.words.reach import country_name

_BARS = (Message.MessageClass.FORBIDDEN, Message.MessageClass.NEEDS_CONSENT)


def held_lines(ways: Sequence[Way], steps: Mapping[str, str], texts: Mapping[str, str]) -> list[str]:
    """Return a sentence for each text and country of which somebody would be held back; `steps` and `texts` are names."""
    return [
        _("%(step)s, “%(text)s”: %(held)s")
        % {
            "step": steps[way.node],
            "text": texts.get(way.template, way.template),
            "held": _sentence(met),
        }
        for way in ways
        for met in sorted(way.met, key=lambda one: -one.held)
        if met.held and met.verdict in _BARS
    ]


def _sentence(met: Met) -> str:
    values = {
        "held": met.held,
        "people": met.people,
        "country": country_name(met.country) if met.country else _("where the country is not known"),
        "rule": rule_words(met.rule),
    }
    if met.verdict == Message.MessageClass.FORBIDDEN:
        return (
            ngettext(
                "%(country)s: %(held)d of %(people)d person would be held back, because it is forbidden there (%(rule)s).",
                "%(country)s: %(held)d of %(people)d people would be held back, because it is forbidden there (%(rule)s).",
                met.people,
            )
            % values
        )
    return (
        ngettext(
            "%(country)s: %(held)d of %(people)d person would be held back, because it needs a consent that is not there"
            " (%(rule)s).",
            "%(country)s: %(held)d of %(people)d people would be held back, because it needs a consent that is not there"
            " (%(rule)s).",
            met.people,
        )
        % values
    )


def rule_words(rule: Rule) -> str:
    """Name a rule with the day from which it is in force."""
    named = _("your own rule") if rule.is_own else str(rule.source).rstrip(".")
    day = humane.long_day(rule.since, get_language() or "en")
    return _("%(rule)s; in force since %(day)s") % {"rule": named, "day": day}
