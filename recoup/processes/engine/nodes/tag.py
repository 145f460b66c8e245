"""Tag: sort the person by words of the shop, and go on."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from recoup.processes.engine.codes import Code
from recoup.processes.engine.compiled import CompiledNode, Move
from recoup.processes.engine.nodes.base import (
    Kind,
    NextPort,
    NodeDocument,
    Summary,
    Surroundings,
    Trouble,
    Workshop,
    refuse,
)
from recoup.processes.engine.records import Facts
from recoup.processes.engine.wording import gettext_noop

LONGEST, MOST = 40, 10


class TagEffect(NamedTuple):
    """Tags to be set on the person and taken off."""

    step_no: int
    node: int
    at: datetime
    add: tuple[str, ...]
    remove: tuple[str, ...]
    is_suppressed: bool


def _is_tag(text: str) -> str:
    tag = " ".join(text.split())
    if not tag or len(tag) > LONGEST or "," in tag or not tag.isprintable():
        raise refuse("bad_tag", text=text)
    return tag


TagName = Annotated[str, AfterValidator(_is_tag)]
TagNames = Annotated[list[TagName], Field(max_length=MOST)]


class TagDocument(NodeDocument):
    """Tags to set and to take off. Setting one that somebody has, or taking off one they have not, does nothing."""

    t: Literal["tag"]
    add: TagNames = Field(default_factory=list)
    remove: TagNames = Field(default_factory=list)
    out: NextPort

    @model_validator(mode="after")
    def _does_something(self) -> "TagDocument":
        if not self.add and not self.remove:
            raise refuse("tag_without_tags")
        return self


def _check(document: TagDocument, around: Surroundings) -> Iterator[Trouble]:
    removed = {tag.casefold() for tag in document.remove}
    for tag in document.add:
        if tag.casefold() in removed:
            yield Trouble("remove", "tag_on_and_off", {"tag": tag})


def _build(document: TagDocument, shop: Workshop) -> CompiledNode:
    following = shop.node_map[document.out.next]
    add, remove = tuple(document.add), tuple(document.remove)

    def run(move: Move, facts: Facts, now: datetime) -> int:
        is_quiet = move.is_quiet
        step_no = move.log(Code.SUPPRESSED if is_quiet else Code.TAGGED)
        move.effects.append(TagEffect(step_no, shop.number, move.at, add, remove, is_quiet))
        return following

    return CompiledNode(run)


def _summarise(document: TagDocument) -> Summary:
    signs = [f"+ {tag}" for tag in document.add] + [f"− {tag}" for tag in document.remove]
    word = "tag.remove" if not document.add else "tag"
    return Summary(f"process.node.{word}", {"detail": ", ".join(signs)})


KIND = Kind(
    TagDocument,
    _build,
    _check,
    _summarise,
    soon=gettext_noop("A tag is set"),
    words={"tag": gettext_noop("Tag the person"), "tag.remove": gettext_noop("Take a tag off the person")},
    texts={
        "bad_tag": gettext_noop("{text} is no tag: at most 40 letters, without a comma."),
        "tag_without_tags": gettext_noop("Say which tag to set or to take off."),
        "tag_on_and_off": gettext_noop("{tag} would be set and taken off at once."),
    },
)
