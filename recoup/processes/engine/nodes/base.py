"""What a kind of block is made of. One module beside this one holds all of a kind; `table.py` lists them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.compiled import CompiledNode
from recoup.processes.engine.records import Facts
from recoup.processes.engine.times import parse_span


def _is_span(text: str) -> str:
    try:
        parse_span(text)
    except ValueError:
        raise refuse("bad_span", text=text) from None
    return text


def _is_forward_span(text: str) -> str:
    if not parse_span(_is_span(text)).is_positive:
        raise refuse("bad_span", text=text)
    return text


AnySpan = Annotated[str, AfterValidator(_is_span)]
ForwardSpan = Annotated[str, AfterValidator(_is_forward_span)]
LONGEST_NOTE = 500
NodeId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


def refuse(code: str, **values: str) -> PydanticCustomError:
    """Return the error by which a document model refuses a value; the code has its words in `Kind.texts`."""
    return PydanticCustomError("process", "{code}", {"code": code, **values})


class Strict(BaseModel):
    """A part of the document; a field that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class NoPorts(Strict):
    """The block ends the process."""


class NextPort(Strict):
    """One way on."""

    next: NodeId


class NodeDocument(Strict):
    """What every block has. `label` is the merchant's own name for it, `note` what colleagues should know."""

    t: str
    label: Annotated[str, StringConstraints(max_length=80)] | None = None
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NOTE)] | None = None

    @property
    def ports(self) -> dict[str, str]:
        """Return the wired ports: name to id of the block that they lead to."""
        out: BaseModel | None = getattr(self, "out", None)
        return {} if out is None else out.model_dump(exclude_none=True)

    def port_name(self, port: str) -> str:  # noqa: ARG002 - blocks with ports of the merchant's own answer
        """Return the merchant's own name of a port; empty where the port has a word of ours."""
        return ""


class Trouble(NamedTuple):
    """Something wrong with one block: where inside it, which code, with which values for the sentence."""

    path: str
    code: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the check of a block may look at."""

    node_id: str
    nodes: Mapping[str, NodeDocument]
    subject: SubjectKind
    reaches: Callable[[str, str], bool]  # a way leads from the first block to the second


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the compilation of a block may use."""

    node_id: str
    number: int
    node_map: Mapping[str, int]
    goals: Mapping[str, tuple[int, int]]  # event name to index and flag bit
    anchor: Callable[[Facts], datetime | None]
    salt: int = 0  # of the process: the same person takes the same way in every version
    knows_at_once: bool = False  # of made-up people: their visits need not be weighed
    before_end_of: int | None = (
        None  # the number of an offer, where whoever comes has waited until before its end
    )


class Summary(NamedTuple):
    """How a block reads on a screen: a key of words and the values that fill it."""

    word: str
    values: Mapping[str, object]


def no_ports(document: Any) -> tuple[str, ...]:
    """Limit none of the ways out of a block."""
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of block. `document` is its part of the format, `build` makes its closure."""

    document: type[NodeDocument]
    build: Callable[[Any, Workshop], CompiledNode]
    check: Callable[[Any, Surroundings], Iterator[Trouble]]
    summarise: Callable[[Any], Summary]
    words: Mapping[str, str]  # English texts of the summaries, by key without "process.node."
    soon: str = ""  # what is said when this comes next, if the block does something to the world
    texts: Mapping[str, str] = field(default_factory=dict)  # what may be wrong: code to English sentence
    waits: bool = False  # time passes in it
    limited: Callable[[Any], tuple[str, ...]] = no_ports  # ports by which somebody leaves only so many times


def no_trouble(document: Any, around: Surroundings) -> Iterator[Trouble]:
    """Find nothing wrong."""
    return iter(())
