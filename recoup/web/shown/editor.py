"""The draft of a process as its editor shows it: a nested list of steps, with what is wrong beside each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from recoup.catalog.queries import product_names
from recoup.messaging.models import Template
from recoup.messaging.shipped import READY_KEYS, UNFINISHED_KEYS, channel_of, kind_of
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.editing import Raw, Way
from recoup.processes.graph.entries import subject_of
from recoup.processes.graph.outline import Block, Branch, in_order, outline
from recoup.processes.graph.picture import draw
from recoup.processes.graph.problems import Problem
from recoup.processes.graph.replacing import NOT_CHOSEN, Named, names_in
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.shops.models import Shop
from recoup.web.answers import place
from recoup.web.forms.blocks.base import Around
from recoup.web.forms.blocks.fields import source_names
from recoup.web.listing import with_query
from recoup.web.parts import Link, Words
from recoup.web.picture import ICONS
from recoup.web.words import blocks as block_words
from recoup.web.words import nodes as node_words
from recoup.web.words import payments
from recoup.web.words.steps import process_name, word
from recoup.web.words.texts import key_name, text_name, with_channel

_KINDS = {
    SubjectKind.ORDER: Template.Kind.ORDER,
    SubjectKind.CART: Template.Kind.CART,
    SubjectKind.CONTACT: Template.Kind.CUSTOMER,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A document in words: titles and details of its blocks, their numbers in reading order, names of texts and products."""

    doc: Raw
    blocks: list[Block]
    numbers: Mapping[str, int]
    titles: Mapping[str, str]
    details: Mapping[str, str]
    texts: Mapping[str, str]
    products: Mapping[str, str]

    def named(self) -> dict[str, str]:
        """Return the blocks in reading order with their numbers: "3. Wait 2 days"."""
        return {name: f"{number}. {self.titles[name]}" for name, number in self.numbers.items()}


def shape_of(shop: Shop, doc: Raw) -> Shape:
    """Put a document into words."""
    texts = {one.key: text_name(one) for one in Template.objects.filter(shop=shop)}
    products = product_names(shop, names_in(doc)[Named.PRODUCT]) | source_names(shop)
    picture = draw(ProcessDocument.model_validate(doc))
    others = _process_names(shop, {one["process"] for one in doc["nodes"].values() if one["t"] == "enrol"})
    titles, details = {}, {}
    for node in picture.nodes:
        raw, values = doc["nodes"][node.id], dict(node.values)
        if isinstance(refs := values.get("products"), list):
            values["products"] = [products.get(str(ref), str(ref)) for ref in refs]
        shown = replace(node, values=values)
        titles[node.id] = node_words.title(shown, 0, 0)
        details[node.id] = node_words.detail(shown, texts)
        if node.kind == "if":
            details[node.id] = block_words.taken_condition(raw, products)
            titles[node.id] = node.label or _("Check a condition")
        if node.kind == "enrol":
            details[node.id] = others[raw["process"]]
        if node.kind == "goal":
            details[node.id] = block_words.event(raw["on"])
    blocks = outline(doc)
    order = {name: number for number, name in enumerate(in_order(blocks), 1)}
    return Shape(doc, blocks, order, titles, details, texts, products)


def around(shop: Shop, shape: Shape, name: str = "") -> Around:
    """Return what the form of a block may look at."""
    kind = _KINDS[subject_of(shape.doc["entry"])]
    fitting = Template.objects.filter(shop=shop, kind=kind, current_version__isnull=False).order_by("key")
    texts = [(one.key, with_channel(text_name(one), one.channel)) for one in fitting]
    taken = set(Template.objects.filter(shop=shop).values_list("key", flat=True))
    ready = [
        (key, with_channel(key_name(key, key), channel_of(key)))
        for key in READY_KEYS
        if kind_of(key) == kind and key not in taken and key not in UNFINISHED_KEYS
    ]
    return Around(shop, shape.doc, name, shape.named(), texts, ready)


@dataclass(slots=True)
class WayShown:
    """A way: its word, where a step can be put on it, what stands on it, or where it goes on."""

    label: str
    insert_url: str
    insert_words: str
    steps: list["Step"] = field(default_factory=list)
    goes_on: str = ""
    goes_on_at: str = ""


@dataclass(slots=True)
class Step:
    """A block of the list. `after` is the way to the next one."""

    name: str
    number: int
    kind: str
    icon: str
    title: str
    detail: str
    url: str
    problems: list[str] = field(default_factory=list)
    note: str = ""
    branches: list[WayShown] = field(default_factory=list)
    after: WayShown | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """All that the list shows."""

    entry: Step
    goals: Step
    steps: list[Step]
    summary: Sequence[Link]  # every problem, leading to its place


def outline_of(seat: Seat, process: Process, shape: Shape, problems: Sequence[Problem]) -> Outline:
    """Return the outline of a draft with its problems."""
    return _Outliner(seat, process, shape, problems).whole()


def place_of(problem: Problem) -> str:
    """Return the step at which a problem is shown, or `entry` or `goals`."""
    return problem.node or ("goals" if problem.path.startswith("goals") else "entry")


class _Outliner:
    def __init__(self, seat: Seat, process: Process, shape: Shape, problems: Sequence[Problem]) -> None:
        self.seat, self.process, self.shape = seat, process, shape
        self.named = shape.named()
        self.problems: dict[str, list[str]] = {}
        self.summary = []
        for one in problems:
            at = place_of(one)
            sentence = block_words.problem(one, self.named, shape.texts)
            self.problems.setdefault(at, []).append(sentence)
            title = self.named.get(at) or (_("What ends it") if at == "goals" else _("Who enters"))
            self.summary.append(Link(f"{title}: {sentence}", f"#step-{at}"))

    def whole(self) -> Outline:
        doc = self.shape.doc
        entry = self._whole_part(
            "entry", "zap", word(f"process.entry.{doc['entry']['on']}"), self.entry_words()
        )
        first = self.way(Way(), _("Put a step at the beginning"))
        entry.after = first
        goals = [block_words.event(goal["on"]) for goal in doc.get("goals", [])]
        title = _("It ends at once when") if goals else _("Nothing ends it before its end")
        ends = self._whole_part("goals", "goal", title, " · ".join(goals))
        return Outline(entry, ends, self.steps(self.shape.blocks), self.summary)

    def _whole_part(self, name: str, icon: str, title: str, detail: str) -> Step:
        url = place(self.seat, f"process_edit_{name}", self.process.pk)
        return Step(name, 0, name, icon, title, detail, url, self.problems.get(name, []))

    def entry_words(self) -> str:
        """Say what the entry has chosen, and for whom alone it opens."""
        return " · ".join(
            part
            for part in (entry_detail(self.process.shop, self.shape.doc["entry"]), self._condition_words())
            if part
        )

    def _condition_words(self) -> str:
        return block_words.taken_condition(self.shape.doc["entry"], self.shape.products)

    def steps(self, blocks: Sequence[Block]) -> list[Step]:
        return [self.step(block) for block in blocks]

    def step(self, block: Block) -> Step:
        name, shape = block.name, self.shape
        node = shape.doc["nodes"][name]
        number = shape.numbers[name]
        return Step(
            name,
            number,
            node["t"],
            ICONS[node["t"]],
            shape.titles[name],
            shape.details[name],
            place(self.seat, "process_edit_block", self.process.pk, name),
            self.problems.get(name, []),
            node.get("note", ""),
            [self.branch(block, one) for one in block.branches],
            self.after(block),
        )

    def label(self, name: str, port: str) -> str:
        return way_label(self.shape.doc, Way(name, port))

    def branch(self, block: Block, branch: Branch) -> WayShown:
        label = self.label(block.name, branch.port)
        title = self.named[block.name]
        shown = self.way(
            Way(block.name, branch.port),
            _("Put a step on “%(way)s” of %(step)s") % {"way": label, "step": title},
        )
        shown.label, shown.steps = label, self.steps(branch.blocks)
        shown.goes_on, shown.goes_on_at = self.named.get(branch.joins, ""), branch.joins
        return shown

    def after(self, block: Block) -> WayShown | None:
        if not block.port:
            return None
        shown = self.way(
            Way(block.name, block.port), _("Put a step after %(step)s") % {"step": self.named[block.name]}
        )
        shown.label = self.label(block.name, block.port) if block.branches else ""
        shown.goes_on, shown.goes_on_at = self.named.get(block.joins, ""), block.joins
        return shown

    def way(self, way: Way, words: str) -> WayShown:
        url = place(self.seat, "process_edit_insert", self.process.pk)
        return WayShown("", with_query(url, {"at": f"{way.block}.{way.port}"}), words)


def entry_detail(shop: Shop, entry: Raw) -> str:
    """Return what an entry has chosen among what may open it: tags, causes, the other process and its ends."""
    chosen = list(entry.get("tags", []))
    chosen += [str(payments.failure(code)) for code in entry.get("failures", [])]
    if "process" in entry:
        chosen += _process_names(shop, {entry["process"]}).values()
    return ", ".join([*chosen, *(word(Code[one.upper()].word) for one in entry.get("outcomes", []))])


def _process_names(shop: Shop, ids: set[int]) -> dict[int, str]:
    """Return the names of processes, also of those that are gone."""
    named = {one.pk: process_name(one) for one in Process.objects.filter(shop=shop, pk__in=ids)}
    named[NOT_CHOSEN] = _("a process that is still to be chosen")
    return {pk: named.get(pk, _("a process that is not there (%(number)s)") % {"number": pk}) for pk in ids}


def way_label(doc: Raw, way: Way) -> str:
    """Return the word on a way: ours, or the merchant's own name of an arm."""
    arms = doc["nodes"][way.block].get("arms", [])
    arm = next((arm for arm in arms if arm["id"] == way.port), None)
    return str(arm.get("name") or way.port.upper()) if arm is not None else word(f"process.port.{way.port}")


def read_way(text: str) -> Way:
    """Read a way from an address; without one, the way in."""
    block, dot, port = text.partition(".")
    return Way(block, port) if dot and block else Way()


def kind_links(seat: Seat, process: Process, at: str) -> list[tuple[Words, Words, str, str]]:
    """Return what can be put on a way: name, help, icon, address."""
    return [
        (name, text, ICONS[kind], with_query(place(seat, "process_edit_new", process.pk, kind), {"at": at}))
        for kind, (name, text) in block_words.KINDS.items()
    ]
