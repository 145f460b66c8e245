"""Our Liquid: strict, limited, with a closed list of tags and filters, and two ways to write values out."""

from collections.abc import Mapping
from functools import wraps
from html import escape
from io import StringIO
from typing import Any, TextIO

from liquid import Environment, RenderContext
from liquid.ast import BlockNode
from liquid.builtin import content, illegal, output
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    comment_tag,
    cycle_tag,
    for_tag,
    if_tag,
    unless_tag,
)
from liquid.exceptions import BreakLoop, ContinueLoop
from liquid.expression import Expression
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate
from liquid.token import Token
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from recoup.messaging.rendering.emptiness import EmptyValue, MissingField, mend_comparisons
from recoup.messaging.rendering.filters import FALLBACKS, HTML_FILTERS, TEXT_FILTERS
from recoup.messaging.rendering.filters import Filter as FilterFunction
from recoup.messaging.rendering.limits import LOCAL_BYTES, LOOP_TURNS, NESTED_BLOCKS
from recoup.messaging.rendering.values import MoneyText


class _Context(RenderContext):
    """Looks a name up in the template's own names and the fields of the mail, and in nothing of Python's."""

    def __init__(self, template: BoundTemplate, **options: Any) -> None:
        super().__init__(template, **options)
        # The fields come first: no template may give a name of the catalogue to something else (`checking`).
        self.scope = ReadOnlyChainMap(self.globals, self.locals)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """Walk plain dicts directly, as nearly every path of a mail does; leave the rest to the library."""
        try:
            value = self.globals.get(path[0])  # type: ignore[call-overload]  # names are texts
            if value is None:
                value = self.scope[path[0]]  # type: ignore[index]  # as above
            for segment in path[1:]:
                if type(value) is not dict:
                    return super().get(path, token=token, default=default)
                value = value[segment]
        except (KeyError, TypeError):
            return super().get(path, token=token, default=default)
        return value


class _Output(output.OutputNode):
    """Writes a value without the library's detours: nearly all of a mail's time is spent here."""

    __slots__ = ("_falls_back", "_filters", "_path")

    def __init__(self, token: Token, expression: Expression) -> None:
        super().__init__(token, expression)
        self._path: list[object] | None = None
        self._filters: list[Filter] = []
        if isinstance(expression, FilteredExpression) and isinstance(expression.left, Path):
            segments = expression.left.path
            if not any(isinstance(segment, Path) for segment in segments):
                self._path, self._filters = list(segments), expression.filters or []
        self._falls_back = len(self._filters) == 1 and self._filters[0].name in FALLBACKS

    def render(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value, escaped where the environment says so."""
        value: Any
        if self._path is None:
            value = self.expression.evaluate(context)
        else:
            value = context.get(self._path, token=self.token)
            # A text that is there needs no fallback; an empty one is no `str` but an `EmptyValue`.
            if not (self._falls_back and type(value) is str and value):
                for one in self._filters:
                    value = one.evaluate(value, context)
        kind = type(value)
        if kind is str:
            return buffer.write(escape(value, quote=True) if context.autoescape else value)
        if kind is MoneyText:
            return buffer.write(escape(value.words) if context.autoescape else value.words)
        if kind is int:
            return buffer.write(str(value))
        if kind is EmptyValue:
            raise value.refuse(self.token)
        return buffer.write(to_liquid_string(value, context.autoescape))


class _Turns:
    """What the loop limit counts of a loop."""

    __slots__ = ("length",)

    def __init__(self, length: int) -> None:
        self.length = length


class _For(for_tag.ForNode):
    """Goes through a list without the library's `forloop`, where nothing in the template asks for that."""

    __slots__ = ("_is_plain",)

    def __init__(
        self, token: Token, expression: Any, block: BlockNode, default: BlockNode | None = None
    ) -> None:
        super().__init__(token, expression, block, default)
        wishes = (expression.limit, expression.offset, expression.cols, expression.reversed or None)
        self._is_plain = "forloop" not in token.source and not block.blank and wishes == (None,) * 4

    def render(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the block once for each row."""
        rows = self.expression.iterable.evaluate(context) if self._is_plain else None
        if type(rows) is not list or not rows:
            return self.render_to_output(context, buffer)
        context.raise_for_loop_limit(len(rows))
        namespace: dict[str, object] = {}
        context.loops.append(_Turns(len(rows)))  # type: ignore[arg-type]  # all that it is asked for
        context.scope.push(namespace)
        try:
            for row in rows:
                namespace[self.expression.identifier] = row
                try:
                    for node in self.block.nodes:
                        node.render(context, buffer)
                except ContinueLoop:
                    continue
                except BreakLoop:
                    break
        finally:
            context.scope.pop()
            context.loops.pop()
        return 1


class _ForTag(for_tag.ForTag):
    node_class = _For


class _Content(content.ContentNode):
    """Writes a piece of the author's own text."""

    def render(self, _: RenderContext, buffer: TextIO) -> int:
        """Write it."""
        return buffer.write(self.text)


class _Literal(content.Literal):
    node_class = _Content


class _OutputTag(output.Output):
    node_class = _Output


class _Template(BoundTemplate):
    context_class = _Context


_TAGS = (
    _Literal,
    _OutputTag,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    _ForTag,
    for_tag.BreakTag,
    for_tag.ContinueTag,
    assign_tag.AssignTag,
    capture_tag.CaptureTag,
    cycle_tag.CycleTag,
    comment_tag.CommentTag,
)

TAG_NAMES = frozenset({"raw", *(tag.name for tag in _TAGS if tag.name.isalpha() and tag.name.islower())})


_EMPTY = frozenset({EmptyValue, MissingField})


def _passing_empty(function: FilterFunction) -> FilterFunction:
    """Let an empty field through unchanged, so that a fallback may stand behind other filters."""

    @wraps(function)
    def passing(value: object, *args: Any, **kwargs: Any) -> Any:
        return value if type(value) in _EMPTY else function(value, *args, **kwargs)

    return passing


class MailEnvironment(Environment):
    """One of our two Liquids; templates of one know nothing of those of the other."""

    block_nesting_limit = NESTED_BLOCKS
    context_depth_limit = NESTED_BLOCKS
    loop_iteration_limit = LOOP_TURNS
    local_namespace_limit = LOCAL_BYTES
    output_stream_limit = None
    """The library would encode every piece to count it. The length is checked at the end (`rendering`), and what grows
    beyond all measure before that meets the loop limit or the child's cap on memory."""

    template_class = _Template

    def __init__(self, allowed: Mapping[str, FilterFunction], *, autoescape: bool) -> None:
        self._allowed = allowed
        super().__init__(undefined=MissingField, autoescape=autoescape)

    def __hash__(self) -> int:
        return id(self)

    def from_string(self, source: str, *args: Any, **options: Any) -> BoundTemplate:
        """Parse a template; the library's own comparisons with nothing are mended."""
        template = super().from_string(source, *args, **options)
        mend_comparisons(template)
        return template

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:  # noqa: ARG002 - the library's signature
        """Register the closed list and nothing of the library's own."""
        for tag in _TAGS:
            self.add_tag(tag)
        for name, function in self._allowed.items():
            self.add_filter(name, function if name in FALLBACKS else _passing_empty(function))


HTML = MailEnvironment(HTML_FILTERS, autoescape=True)
TEXT = MailEnvironment(TEXT_FILTERS, autoescape=False)


def fill_in(template: BoundTemplate, scope: Mapping[str, object]) -> str:
    """Write the template out for one scope; errors of Liquid pass through."""
    context = _Context(template, globals=scope)
    buffer = StringIO()
    for node in template.nodes:
        node.render(context, buffer)
    return buffer.getvalue()
