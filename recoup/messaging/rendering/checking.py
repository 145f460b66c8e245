"""Looking through a template's Liquid for what would go wrong later: unknown names, missing fallbacks, wrong forms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

from liquid import RenderContext
from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.arguments import KeywordArgument
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.logical import BooleanExpression, LogicalAndExpression, NeExpression
from liquid.builtin.expressions.primitive import Nil, StringLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.exceptions import BlockNestingError, LiquidError
from liquid.expression import Expression
from liquid.template import BoundTemplate

from recoup.messaging.rendering.emptiness import Nothing
from recoup.messaging.rendering.environment import TAG_NAMES, MailEnvironment
from recoup.messaging.rendering.filters import FALLBACKS, plural_categories
from recoup.messaging.rendering.findings import Finding, line_of
from recoup.messaging.rendering.tokens import CATALOGUE, ROOTS, Context, Kind, is_object, suggest

_LIST_FILTERS = frozenset({"size", "map", "first", "last", "where", "uniq", "reverse", "slice", *FALLBACKS})
_ELEMENT_WORDS = frozenset({"first", "last"})
_SIZE = "#size"


@dataclass(frozen=True, slots=True)
class Printed:
    """What one `{{ … }}` prints."""

    path: str
    """The token; empty if it is not simply a token of the catalogue."""

    filters: tuple[str, ...]
    literals: tuple[str, ...]
    """Texts that its fallbacks may print instead."""


@dataclass(slots=True)
class _Place:
    """Where the walk stands: names of loops, fields known to be filled, and whether this part is always written."""

    loops: dict[str, str]
    """Each name that a loop gives, and the path it stands for; empty if it stands for anything."""

    filled: frozenset[str] = frozenset()
    is_always: bool = True

    def inside(
        self, *, filled: Iterable[str] = (), loops: Mapping[str, str] = MappingProxyType({})
    ) -> "_Place":
        return _Place({**self.loops, **loops}, self.filled | frozenset(filled), is_always=False)


@dataclass(slots=True)
class Inspection:
    """What was found in one part of a template."""

    findings: list[Finding] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    always: set[str] = field(default_factory=set)
    """Tokens printed whoever reads it."""

    printed: dict[int, Printed] = field(default_factory=dict)
    """What each `{{ … }}` prints, by the place of its first brace."""


def inspect(
    source: str, *, place: str, environment: MailEnvironment, context: Context, locale: str
) -> Inspection:
    """Read the Liquid of one part; a syntax error is the only finding then."""
    inspection = Inspection()
    try:
        template = environment.from_string(source)
    except (LiquidError, RecursionError) as error:
        inspection.findings.append(_syntax_finding(error, source, place))
        return inspection
    try:
        _Walk(inspection, source, place, environment, context, locale).walk(template)
    except RecursionError as error:
        inspection.findings.append(_syntax_finding(error, source, place))
    return inspection


def _syntax_finding(error: Exception, source: str, place: str) -> Finding:
    token = error.token if isinstance(error, LiquidError) else None
    line = line_of(source, token.start_index) if token is not None else 0
    if isinstance(error, BlockNestingError | RecursionError):
        return Finding("nested_too_deep", place, line, {"element": "{% … %}"})
    words = str(error.message) if isinstance(error, LiquidError) else ""
    if words.startswith("unexpected tag") and token is not None:
        near = get_close_matches(token.value, TAG_NAMES, n=1, cutoff=0.6)
        code = "tag_misplaced" if token.value.startswith(("end", "else", "elsif", "when")) else "tag_unknown"
        return Finding(code, place, line, {"tag": token.value, "suggestion": near[0] if near else ""})
    return Finding("syntax", place, line, {"detail": words})


class _Walk:
    """One walk over the parse tree; knows which names stand for what at each place."""

    def __init__(
        self,
        inspection: Inspection,
        source: str,
        place: str,
        environment: MailEnvironment,
        context: Context,
        locale: str,
    ) -> None:
        self.inspection, self.source, self.place = inspection, source, place
        self.environment, self.context, self.locale = environment, context, locale
        self._assigned: dict[str, str] = {}

    def walk(self, template: BoundTemplate) -> None:
        self._static = RenderContext(template)
        self._nodes(template.nodes, _Place({"forloop": ""}))

    def _find(self, code: str, index: int, **values: str) -> None:
        finding = Finding(code, self.place, line_of(self.source, index), values)
        if finding not in self.inspection.findings:
            self.inspection.findings.append(finding)

    def _nodes(self, nodes: Iterable[Node], place: _Place) -> None:
        for node in nodes:
            self._node(node, place)

    def _node(self, node: Node, place: _Place) -> None:
        match node:
            case OutputNode():
                self._output(node, place)
            case BlockNode():
                self._nodes(node.nodes, place)
            case ForNode():
                self._loop(node, place)
            case IfNode():
                self._expression(node.condition, place)
                self._node(node.consequence, place.inside(filled=self._filled_by(node.condition, place)))
                self._nodes([*node.alternatives, *([node.default] if node.default else [])], place.inside())
            case ConditionalBlockNode():
                self._expression(node.expression, place)
                self._node(node.block, place.inside(filled=self._filled_by(node.expression, place)))
            case AssignNode():
                self._expression(node.expression, place)
                self._assign(str(node.name), self._alias(node.expression, place), node.token.start_index)
            case CaptureNode():
                self._nodes([node.block], place.inside())
                self._assign(str(node.name), "", node.token.start_index)
            case _:
                for expression in node.expressions():
                    self._expression(expression, place)
                self._nodes(node.children(self._static, include_partials=False), place.inside())

    def _assign(self, name: str, path: str, index: int) -> None:
        self._check_name(name, index)
        self._assigned[name] = path if self._assigned.get(name, path) == path else ""

    def _check_name(self, name: str, index: int) -> None:
        if name in ROOTS:
            self._find("name_taken", index, name=name)

    def _loop(self, node: ForNode, place: _Place) -> None:
        self._expression(node.expression, place)
        path = self._path_of(node.expression.iterable, place)
        name = str(node.expression.identifier)
        self._check_name(name, node.token.start_index)
        if path and (path not in CATALOGUE or CATALOGUE[path].kind is not Kind.LIST):
            self._find("loop_over_single", node.token.start_index, token=path)
        element = f"{path}[]" if path in CATALOGUE else ""
        self._node(node.block, place.inside(loops={name: element}))
        if node.default:
            self._node(node.default, place.inside())

    def _alias(self, expression: Expression, place: _Place) -> str:
        if isinstance(expression, FilteredExpression) and not expression.filters:
            return self._path_of(expression.left, place)
        return ""

    def _path_of(self, expression: Expression, place: _Place) -> str:
        """Return the catalogue's path for what is written; nothing if it stands for something of the template's own."""
        if not isinstance(expression, Path) or any(isinstance(segment, Path) for segment in expression.path):
            return ""
        root = str(expression.path[0])
        if root not in ROOTS:
            names = {**self._assigned, **place.loops}
            if names.get(root) == "":
                return ""
            root = names.get(root, root)
        return _follow(root, list(expression.path[1:]))

    def _filled_by(self, condition: Expression, place: _Place) -> set[str]:
        """Return the tokens that cannot be empty where the condition holds."""
        match condition:
            case BooleanExpression():
                return self._filled_by(condition.expression, place)
            case LogicalAndExpression():
                return self._filled_by(condition.left, place) | self._filled_by(condition.right, place)
            case NeExpression():
                is_empty = isinstance(condition.right, Nil | Nothing)
                return self._filled_by(condition.left, place) if is_empty else set()
            case Path():
                return {self._path_of(condition, place)}
        return set()

    def _output(self, node: OutputNode, place: _Place) -> None:
        expression, index = node.expression, node.token.start_index
        self._expression(expression, place)
        if not isinstance(expression, FilteredExpression):
            return
        filters = expression.filters or []
        path = self._path_of(expression.left, place)
        names = tuple(one.name for one in filters)
        literals = tuple(
            text for one in filters if one.name in FALLBACKS for text in [_fallback(one)] if text is not None
        )
        self.inspection.printed[index] = Printed(path, names, literals)
        if not path or path.endswith(_SIZE):
            return
        if place.is_always:
            self.inspection.always.add(path)
        self._check_printed(path, names, literals, index, place)

    def _check_printed(
        self, path: str, names: tuple[str, ...], literals: tuple[str, ...], index: int, place: _Place
    ) -> None:
        known = CATALOGUE.get(path)
        if known is None and not is_object(path) and not path.endswith("[]"):
            return
        if known is None or (known.kind is Kind.LIST and (not names or names[0] not in _LIST_FILTERS)):
            self._find("object_printed", index, token=path.removesuffix("[]"))
        elif known.is_optional and path not in place.filled:
            if not FALLBACKS.intersection(names):
                self._find("fallback_missing", index, token=path)
            elif path.startswith("customer.") and any(not text.strip() for text in literals):
                self._find("fallback_empty", index, token=path)

    def _expression(self, expression: Expression, place: _Place) -> None:
        if isinstance(expression, Path):
            self._check_path(expression, place)
        if isinstance(expression, FilteredExpression):
            for one in expression.filters or []:
                self._filter(one)
        for child in expression.children():
            self._expression(child, place)

    def _filter(self, one: Filter) -> None:
        index = one.token.start_index
        if one.name not in self.environment.filters:
            near = get_close_matches(one.name, self.environment.filters, n=1, cutoff=0.6)
            self._find("filter_unknown", index, filter=one.name, suggestion=near[0] if near else "")
        elif one.name == "plural":
            given = {argument.name for argument in one.args if isinstance(argument, KeywordArgument)}
            needed = set(plural_categories(self.locale))
            if (
                not needed - {"other"} <= given
                or (not given & {"other", "many"})
                or len(given) < len(one.args)
            ):
                self._find("plural_forms", index, forms=", ".join(sorted(needed)))

    def _check_path(self, path: Path, place: _Place) -> None:
        index = path.token.start_index
        if any(isinstance(segment, Path) for segment in path.path):
            self._find("name_computed", index, token=str(path))
            return
        found = self._path_of(path, place).removesuffix(_SIZE)
        known = CATALOGUE.get(found)
        if known is not None:
            self.inspection.tokens.add(found)
            if self.context not in known.contexts:
                self._find("token_elsewhere", index, token=found, context=self.context.value)
        elif found and not is_object(found) and found.removesuffix("[]") not in CATALOGUE:
            self._find("token_unknown", index, token=str(path), suggestion=suggest(found, self.context))


def _follow(path: str, segments: list[object]) -> str:
    """Return the path after these segments: `order.items` and `[0].name` give `order.items.name`."""
    for segment in segments:
        kind = CATALOGUE[path].kind if path in CATALOGUE else None
        if kind is Kind.LIST and (isinstance(segment, int) or segment in _ELEMENT_WORDS):
            path = f"{path}[]"
        elif kind in {Kind.LIST, Kind.TEXT} and segment == "size":
            path = f"{path}{_SIZE}"
        elif kind is not None:
            path = f"{path}.<{segment}>"
        else:
            path = f"{path.removesuffix('[]')}.{segment}"
    return path


def _fallback(one: Filter) -> str | None:
    if not one.args:
        return ""
    value = getattr(one.args[0], "value", None)
    return str(value.value) if isinstance(value, StringLiteral) else None
