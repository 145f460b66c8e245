"""Processes in lists and on their page: the picture with live counts, the numbers, what was decided lately."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.analytics.process_figures import ProcessNumbers
from recoup.core import humane
from recoup.core.paging import Count
from recoup.messaging.models import Template
from recoup.messaging.queries import MessageFilter, count_messages
from recoup.processes.actions import MOVES
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.entries import subject_of
from recoup.processes.graph.picture import Picture, PictureNode, draw
from recoup.processes.models import Process, ProcessVersion
from recoup.processes.queries import counts_of, running_beside, standing_at
from recoup.shops.access import Seat
from recoup.shops.sources import has_cart_source
from recoup.web import parts, screens
from recoup.web.answers import place
from recoup.web.listing import shown_count, with_query
from recoup.web.picture import Branch, Node
from recoup.web.screens import CountLink
from recoup.web.shown.at_blocks import url_of
from recoup.web.shown.backtests import try_actions
from recoup.web.shown.effects import result_actions
from recoup.web.shown.people import clerk_names
from recoup.web.words import nodes as node_words
from recoup.web.words import steps
from recoup.web.words.effects import share_words
from recoup.web.words.texts import key_name

Status = Process.Status
NOTHING = ProcessNumbers(Count(0), Count(0), Count(0), 0)
MOST_VERSIONS = 10


def inside_url(seat: Seat, process: Process) -> str:
    """Return the orders, carts and people that are inside a process now."""
    return place(seat, "process_inside", process.pk)


def won_url(seat: Seat, process: Process) -> str:
    """Return the cases that a process won back."""
    return with_query(place(seat, "recovery"), {"won": process.pk})


def sent_url(seat: Seat, process: Process) -> str:
    """Return the messages that a process sent."""
    return with_query(place(seat, "messages"), {"v": "sent", "source": process.message_source_id})


def why_idle(process: Process, *, are_carts_reported: bool) -> str:
    """Return why the reminders of a process cannot happen; empty when they can."""
    version = process.current_version
    if are_carts_reported or version is None:
        return ""
    if subject_of(version.doc["entry"]) is not SubjectKind.CART:
        return ""
    return _("No connected source reports carts, so there are no cart reminders.")


def process_row(
    seat: Seat, process: Process, numbers: ProcessNumbers, *, are_carts_reported: bool
) -> screens.ProcessRow:
    """Return the row of a process."""
    return screens.ProcessRow(
        name=steps.process_name(process),
        url=place(seat, "process", process.pk),
        trigger=trigger(process),
        status=process.status,
        status_label=Status(process.status).label,
        waiting=CountLink(shown_count(numbers.inside), inside_url(seat, process)),
        sent=CountLink(shown_count(numbers.sent), sent_url(seat, process)),
        recovered=CountLink(shown_count(numbers.won), won_url(seat, process)),
        rate=humane.percent(numbers.rate, get_language() or "en", 1),
        action=main_action(seat, process),
        idle=why_idle(process, are_carts_reported=are_carts_reported),
    )


def trigger(process: Process) -> str:
    """Return what a process begins with."""
    version = process.current_version
    entry = str(version.doc.get("entry", {}).get("on", "")) if version is not None else ""
    return steps.word(f"process.entry.{entry}") if entry else _("Not published yet")


def dialog_id(process: Process, to: str) -> str:
    """Return the name of the dialog that a switch opens."""
    return f"process-{process.pk}-{to}"


_BUTTONS = {
    Status.LIVE: ("circle-play", "primary"),
    Status.PAUSED: ("circle-pause", ""),
    Status.DRAINING: ("hourglass", "ghost"),
    Status.STOPPED: ("circle-x", "ghost"),
    Status.TEST: ("flag", ""),
}


def _word_of(to: str, process: Process) -> str:
    if to == Status.LIVE and process.status == Status.PAUSED:
        return _("Go on")
    words = {
        Status.LIVE: _("Switch on"),
        Status.PAUSED: _("Pause"),
        Status.DRAINING: _("Let it finish…"),
        Status.STOPPED: _("Stop now…"),
    }
    return words.get(Status(to), _("Test mode"))


def _rank_words(process: Process) -> str:
    if not process.exclusive_group:
        return str(process.priority)
    return _("%(rank)s, in the group “%(group)s”") % {
        "rank": process.priority,
        "group": process.exclusive_group,
    }


def _rank_actions(seat: Seat, process: Process) -> list[screens.Action]:
    if not seat.may(Right.EDIT_PROCESSES):
        return []
    url = place(seat, "process_rank", process.pk)
    return [screens.Action(_("Rank and group"), "flag", url=url, tone="ghost")]


def process_actions(seat: Seat, process: Process) -> list[screens.Action]:
    """Return the switches of a process, the main one last."""
    if not seat.may(Right.EDIT_PROCESSES):
        return []
    order = (Status.STOPPED, Status.DRAINING, Status.TEST, Status.PAUSED, Status.LIVE)
    editor = screens.Action(_("Edit"), "pencil", url=place(seat, "process_edit", process.pk))
    if process.current_version_id is None:
        return [editor]
    switches = [
        screens.Action(
            _word_of(to, process), _BUTTONS[to][0], opens=dialog_id(process, to), tone=_BUTTONS[to][1]
        )
        for to in order
        if to in MOVES[process.status]
    ]
    return [editor, *switches]


def main_action(seat: Seat, process: Process) -> screens.Action | None:
    """Return the one switch that a list shows: on, or pause."""
    found = process_actions(seat, process)
    return found[-1] if found else None


def process_dialogs(
    seat: Seat, process: Process, numbers: ProcessNumbers, others: Iterable[Process]
) -> list[parts.Confirm]:
    """Return a dialog for each switch, which says what it will do; `others` are the processes of the shop."""
    if not seat.may(Right.EDIT_PROCESSES) or process.current_version_id is None:
        return []
    found = [_dialog(seat, process, Status(to), numbers) for to in MOVES[process.status] if to in _BUTTONS]
    beside = [steps.process_name(one) for one in running_beside(process, others)]
    return [
        replace(one, effects=[*one.effects, _twice(beside)])
        if beside and one.id == dialog_id(process, Status.LIVE)
        else one
        for one in found
    ]


def _twice(names: Sequence[str]) -> str:
    """Return what it means that other processes begin with the same."""
    return ngettext(
        "%(names)s runs as well and begins with the same: whoever fits both gets the messages of both. The same group under"
        " Rank and group lets a person into one of them at a time.",
        "%(names)s run as well and begin with the same: whoever fits several gets the messages of each. The same group under"
        " Rank and group lets a person into one of them at a time.",
        len(names),
    ) % {"names": ", ".join(f"“{name}”" for name in names)}


def _dialog(seat: Seat, process: Process, to: Process.Status, numbers: ProcessNumbers) -> parts.Confirm:
    inside, name = numbers.inside, steps.process_name(process)
    shown = {"n": shown_count(inside), "name": name}
    titles = {
        Status.LIVE: _("Switch “%(name)s” on?"),
        Status.PAUSED: _("Pause “%(name)s”?"),
        Status.DRAINING: _("Let “%(name)s” finish?"),
        Status.STOPPED: _("Stop “%(name)s” now?"),
        Status.TEST: _("Set “%(name)s” to test mode?"),
    }
    buttons = {
        Status.LIVE: _word_of(Status.LIVE, process),
        Status.PAUSED: _("Pause"),
        Status.DRAINING: _("Let it finish"),
        Status.STOPPED: ngettext("Stop and end %(n)s case", "Stop and end %(n)s cases", inside.number)
        % shown,
        Status.TEST: _("Test mode"),
    }
    return parts.Confirm(
        id=dialog_id(process, to),
        title=titles[to] % {"name": name},
        url=place(seat, "process_status", process.pk),
        button=buttons[to],
        effects=_effects(to, inside),
        hidden=[("status", to.value)],
        tone="error" if to == Status.STOPPED else "primary",
    )


def _effects(to: str, inside: Count) -> list[parts.Words]:
    """Return what a switch will do, a line each."""
    shown = {"n": shown_count(inside)}
    going_on = ngettext(
        "%(n)s case that waits in it goes on.", "%(n)s cases that wait in it go on.", inside.number
    )
    waiting = ngettext(
        "%(n)s case waits until it goes on.", "%(n)s cases wait until it goes on.", inside.number
    )
    finishing = ngettext(
        "%(n)s case inside goes on to its end; its reminders are still sent.",
        "%(n)s cases inside go on to their end; their reminders are still sent.",
        inside.number,
    )
    ending = ngettext("%(n)s case in it ends here.", "%(n)s cases in it end here.", inside.number)
    effects: dict[str, list[parts.Words]] = {
        Status.LIVE: [
            _("New cases enter it from now on; older ones never do."),
            going_on % shown,
            _("Reminders whose time has passed are not sent late in a heap."),
        ],
        Status.PAUSED: [_("Nothing is sent while it is paused."), waiting % shown],
        Status.DRAINING: [
            _("Nobody enters it from now on."),
            finishing % shown,
            _("When the last one has left, it is stopped by itself."),
        ],
        Status.STOPPED: [
            _("Nobody enters it from now on."),
            ending % shown,
            _("Their planned reminders are called off."),
        ],
        Status.TEST: [
            _("Everything is decided and nothing leaves."),
            _("Messages are made to be looked at."),
        ],
    }
    return effects[to]


def process_page(seat: Seat, process: Process, numbers: ProcessNumbers) -> screens.ProcessPage:
    """Return all that the page of a process shows, but its picture and decisions."""
    failed = count_messages(seat.shop, MessageFilter(states=("failed",), source_id=process.message_source_id))
    language = get_language() or "en"
    failed_url = with_query(place(seat, "messages"), {"v": "failed", "source": process.message_source_id})
    tiles = [
        parts.Tile(_("Waiting in it"), shown_count(numbers.inside), inside_url(seat, process)),
        parts.Tile(_("Reminders sent"), shown_count(numbers.sent), sent_url(seat, process)),
        parts.Tile(
            _("Recovered"),
            shown_count(numbers.won),
            won_url(seat, process),
            change_words=_("%(rate)s of those it wrote to")
            % {"rate": humane.percent(numbers.rate, language, 1)},
            is_hero=True,
        ),
        parts.Tile(_("Failed messages"), shown_count(failed), failed_url),
    ]
    live_since = (
        humane.exact(process.live_since, timezone.get_current_timezone(), language)
        if process.live_since
        else _("not yet")
    )
    counts = counts_of(process)
    return screens.ProcessPage(
        name=steps.process_name(process),
        status=process.status,
        status_label=Status(process.status).label,
        description=_description(process),
        tiles=tiles,
        facts=[
            (_("Begins with"), trigger(process)),
            (_("Running since"), live_since),
            (_("Left alone to compare"), share_words(process.holdout_bp)),
            (_("Rank among the others"), _rank_words(process)),
            (_("Finished"), humane.number(counts["completed"], language)),
            (_("Paid or ended"), humane.number(counts["goal"], language)),
        ],
        versions=_versions(process),
        ways=[*result_actions(seat, process), *try_actions(seat, process), *_rank_actions(seat, process)],
        actions=process_actions(seat, process),
        idle=why_idle(process, are_carts_reported=has_cart_source(seat.shop)),
        idle_url=place(seat, "sources") if seat.may(Right.MANAGE_SHOP) else "",
    )


def _description(process: Process) -> str:
    words = {
        "unpaid_order": _(
            "Reminds of an order that stays unpaid: after a day, after three days, after a week."
        ),
        "abandoned_cart": _("Reminds of a cart that was left, where the customer has agreed to it."),
    }
    return words.get(process.key, trigger(process))


def _versions(process: Process) -> list[parts.Event]:
    versions = list(ProcessVersion.objects.filter(process=process).order_by("-number")[:MOST_VERSIONS])
    names = clerk_names([version.published_by for version in versions])
    return [
        parts.Event(
            version.published_at,
            _("Version %(number)d") % {"number": version.number},
            "history",
            body=names.get(version.published_by or 0, _("Shipped with Recoup") if process.key else ""),
        )
        for version in versions
    ]


def process_nodes(seat: Seat, process: Process) -> list[Node]:
    """Return the blocks of the current version as a person reads them, with how many stand at each now."""
    if process.current_version is None:
        return []
    document = ProcessDocument.model_validate(process.current_version.doc)
    picture, standing = draw(document), standing_at(process)
    texts = {key: key_name(key, name) for key, name in Template.objects.values_list("key", "name")}
    ordinals = node_words.message_numbers(picture)
    start = Node("_start", "start", steps.word(picture.entry_word), _stops(picture), [Branch(picture.first)])
    links = {node.id: url_of(seat, process, node.id) for node in picture.nodes if standing.get(node.id)}
    return [start, *(_node(node, picture, standing, texts, ordinals, links) for node in picture.nodes)]


def block_title(process: Process, block: str) -> str:
    """Return what a block of the current version does; nothing for one that it does not have."""
    if process.current_version is None:
        return ""
    picture = draw(ProcessDocument.model_validate(process.current_version.doc))
    ordinals = node_words.message_numbers(picture)
    total = max(ordinals.values(), default=0)
    titles = {node.id: node_words.title(node, ordinals.get(node.id, 0), total) for node in picture.nodes}
    return titles.get(block, "")


def _stops(picture: Picture) -> str:
    """Return what ends the process wherever somebody stands."""
    words = [steps.word(word) for word in picture.goal_words[:2]]
    return _("Ends when %(events)s") % {"events": ", ".join(words)} if words else ""


def _node(
    node: PictureNode,
    picture: Picture,
    standing: Mapping[str, int],
    texts: Mapping[str, str],
    ordinals: Mapping[str, int],
    links: Mapping[str, str],
) -> Node:
    ways = [edge for edge in picture.edges if edge.source == node.id]
    total = max(ordinals.values(), default=0)
    count = standing.get(node.id, 0)
    return Node(
        node.id,
        node.kind,  # type: ignore[arg-type]  # the kinds of the engine are those of the picture
        node_words.title(node, ordinals.get(node.id, 0), total),
        node_words.detail(node, texts),
        [Branch(edge.target, edge.name or steps.word(edge.word) if len(ways) > 1 else "") for edge in ways],
        humane.number(count, get_language() or "en") if count else "",
        links.get(node.id, ""),
    )
