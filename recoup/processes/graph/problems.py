"""What is wrong with a document, each with its place, a stable code and what was probably meant."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.engine.wording import gettext_noop

TEXTS: dict[str, str] = {
    "not_json": gettext_noop("This is not a process file."),
    "too_big": gettext_noop("The document is too large or too deeply nested."),
    "double_key": gettext_noop("{what} stands twice in the same place of this file."),
    "bad_number": gettext_noop("This file holds a number that is none: {what}."),
    "bad_letters": gettext_noop("This text holds letters that are none."),
    "unknown_field": gettext_noop("{field} is not known here."),
    "missing_field": gettext_noop("{field} is missing."),
    "unknown_kind": gettext_noop("There is no block of the kind {kind}."),
    "not_one_of": gettext_noop("{value} does not fit here; it is one of: {choices}."),
    "wrong_value": gettext_noop("{value} does not fit here."),
    "bad_span": gettext_noop("{text} is no span. Write PT48H for 48 hours or P2D for two days."),
    "again_after_without_span": gettext_noop("Entering again after a time needs that time, and only that."),
    "entry_and_tags": gettext_noop("A process that begins with a tag names the tags, and no other does."),
    "entry_and_failures": gettext_noop("Causes belong to a process that begins with a failed payment."),
    "entry_and_process": gettext_noop(
        "A process that begins at the end of another one names it, and no other does."
    ),
    "goal_is_entry": gettext_noop("This process begins with the payment, so it cannot end by it."),
    "left_open": gettext_noop(
        "Choose which one of yours is meant: the file that this came with names something of another shop."
    ),
    "unknown_endpoint": gettext_noop("There is no other program with the number {endpoint}."),
    "unknown_process": gettext_noop("There is no other process with the number {process}."),
    "process_of_other_subject": gettext_noop(
        "The process {process} is about something that is not known here."
    ),
    "entry_about_other": gettext_noop("A process that begins so is never about this: {about}."),
    "tour_without_words": gettext_noop("A step of the tour needs a title and a text in the same languages."),
    "unknown_target": gettext_noop("{target} does not exist."),
    "unreachable": gettext_noop("Nothing leads to this block."),
    "does_nothing": gettext_noop(
        "This process does nothing: whoever enters is at its end. Put at least one block before the end, such as a message."
    ),
    "dead_end": gettext_noop("No end can be reached from this block."),
    "loop_without_wait": gettext_noop("These blocks lead round in a circle without waiting: {blocks}."),
    "loop_not_bounded": gettext_noop(
        "These blocks lead round for ever: {blocks}. Limit the rounds of a wait in it."
    ),
    "loop_after_rounds": gettext_noop(
        "After the last round these blocks lead round for ever: {blocks}. Let the way after the last round lead on to"
        " blocks that do not come back."
    ),
    "reminder_without_payment_goal": gettext_noop(
        "A reminder needs the goal {goal}, so that nobody who paid is reminded."
    ),
    "reminder_after_payment": gettext_noop("This reminder would be sent to somebody who has just paid."),
    "unknown_template": gettext_noop("There is no text {template}."),
    "text_of_other_channel": gettext_noop("The text {template} is not written for this channel."),
    "text_of_other_subject": gettext_noop(
        "The text {template} is about something else than this process: an order, a cart or a person."
    ),
    "text_forbidden": gettext_noop(
        "Nobody may get the text {template}: the sending rules of this shop forbid {content} in every country."
    ),
    "text_barred": gettext_noop(
        "Nobody whom this process can meet may get the text {template}: in {country} the rule about {content} forbids it"
        " ({rule}; in force since {since}). Change that rule under Settings, Sending rules, or choose another text."
    ),
    "text_nobody_agreed": gettext_noop(
        "Nobody whom this process can meet may get the text {template}: in {country} {content} needs consent ({rule}; in"
        " force since {since}), and of {people} people lately nobody has agreed, nor anybody before. Ask for consent where"
        " people buy, or take what advertises out of the text."
    ),
    "text_not_in_language": gettext_noop(
        "The text {template} is missing in {languages}, in which messages of this shop go out."
    ),
    "unknown_fact": gettext_noop("{field} is no fact that can be asked for."),
    "fact_of_other_subject": gettext_noop("{field} does not exist in this process."),
    "event_of_other_subject": gettext_noop("{event} never happens in this process."),
    "anchor_of_other_subject": gettext_noop("The hours cannot count from {anchor} in this process."),
    "double_goal": gettext_noop("The goal {goal} stands here twice."),
    "condition_operator": gettext_noop("{field} cannot be compared by {operator}."),
    "condition_value": gettext_noop("{value} does not fit {field}."),
    "condition_list": gettext_noop(
        "{field}: several values belong to the comparison with one of them, and only there."
    ),
    "condition_within": gettext_noop(
        "{field} cannot be narrowed to {value}. Write P30D for the last 30 days."
    ),
    "condition_currency": gettext_noop("{field} is asked for in one currency, and no other fact is."),
    "condition_large": gettext_noop("A condition has at most {most} questions. Part it into two blocks."),
    "condition_deep": gettext_noop("Groups within groups go at most {most} deep."),
    "condition_choice": gettext_noop("{field} is never {value}; it is one of: {choices}."),
    "later_format": gettext_noop("The file was written by a later version of Recoup. Update this one first."),
    "bad_texts": gettext_noop("The texts in this file cannot be read."),
    "bad_names": gettext_noop("The names in this file cannot be read."),
    "example_zone": gettext_noop("{zone} is no time zone."),
    "example_choice": gettext_noop("An example: {value} does not fit here; it is one of: {choices}."),
    "example_block": gettext_noop(
        "An example in which a mail is opened or clicked in names its block, and only then."
    ),
    "example_products": gettext_noop(
        "An example in which something is bought names the products, and only then."
    ),
    "example_expected": gettext_noop("An example names the kind of each block that it expects to act."),
    "example_nobody_entered": gettext_noop("An example in which nobody enters expects nothing else."),
}
for _kind in KINDS.values():
    TEXTS.update(_kind.texts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps a process from being published. `path` is dotted, such as `nodes.n3.out.done`."""

    path: str
    code: str
    values: Mapping[str, str] = field(default_factory=dict)
    meant: str | None = None

    @property
    def node(self) -> str | None:
        """Return the id of the block that is marked, if it is one."""
        parts = self.path.split(".")
        return parts[1] if len(parts) > 1 and parts[0] == "nodes" else None

    @property
    def word(self) -> str:
        """Return the key of the words that people read."""
        return f"process.problem.{self.code}"

    def __str__(self) -> str:
        text = TEXTS[self.code].format_map(self.values)
        return f"{self.path}: {text}" + (f" Did you mean {self.meant}?" if self.meant else "")


class InvalidProcess(Exception):
    """The document is no valid process; `problems` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
