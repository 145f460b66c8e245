"""Our Liquid: strict, limited, with a closed list of tags and filters, and two ways to write values out."""

from collections.abc import Mapping
from functools import wraps
from html import escape
from io import StringIO
from typing import Any, TextIO

from liquid import Environment, RenderContext
from liquid.builtin import content, illegal, output
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
from liquid.exceptions import OutputStreamLimitError
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate
from liquid.token import Token
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from recoup.messaging.rendering.emptiness import EmptyValue, MissingField, mend_comparisons
from recoup.messaging.rendering.filters import FALLBACKS, HTML_FILTERS, TEXT_FILTERS, Filter
from recoup.messaging.rendering.limits import HTML_REFUSED_BYTES, LOCAL_BYTES, LOOP_TURNS, NESTED_BLOCKS
from recoup.messaging.rendering.values import MoneyText


class _CappedBuffer(StringIO):
    """Counts what is written: one cheap subtraction, since it runs for every piece of every mail."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, piece: str, /) -> int:
        self.room -= len(piece)
        if self.room < 0:
            raise OutputStreamLimitError("the mail is too long", token=None)
        return super().write(piece)


class _Context(RenderContext):
    """Looks a name up in the template's own names and the fields of the mail, and in nothing of Python's."""

    def __init__(self, template: BoundTemplate, **options: Any) -> None:
        super().__init__(template, **options)
        # The fields come first: no template may give a name of the catalogue to something else (`checking`).
        self.scope = ReadOnlyChainMap(self.globals, self.locals)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """Walk plain dicts directly, as nearly every path of a mail does; leave the rest to the library."""
        try:
            value = self.scope[path[0]]  # type: ignore[index]
            for segment in path[1:]:
                if type(value) is not dict:
                    return super().get(path, token=token, default=default)
                value = value[segment]
        except (KeyError, TypeError):
            return super().get(path, token=token, default=default)
        return value

    def get_buffer(self, buf: object = None) -> StringIO:
        """Return a buffer for `capture`, limited like the mail itself."""
        return _CappedBuffer(buf.room if isinstance(buf, _CappedBuffer) else HTML_REFUSED_BYTES)


class _Output(output.OutputNode):
    """Writes plain strings, most of all values, without the library's detour over `Markup`."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value, escaped where the environment says so."""
        value = self.expression.evaluate(context)
        if type(value) is MoneyText:
            value = value.words
        if type(value) is str:
            return buffer.write(escape(value, quote=True) if context.autoescape else value)
        if type(value) is int:
            return buffer.write(str(value))
        if type(value) is EmptyValue:
            raise value.refuse(self.token)
        return buffer.write(to_liquid_string(value, context.autoescape))


class _OutputTag(output.Output):
    node_class = _Output


class _Template(BoundTemplate):
    context_class = _Context


_TAGS = (
    content.Literal,
    _OutputTag,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    for_tag.ForTag,
    for_tag.BreakTag,
    for_tag.ContinueTag,
    assign_tag.AssignTag,
    capture_tag.CaptureTag,
    cycle_tag.CycleTag,
    comment_tag.CommentTag,
)

TAG_NAMES = frozenset({"raw", *(tag.name for tag in _TAGS if tag.name.isalpha() and tag.name.islower())})


_EMPTY = frozenset({EmptyValue, MissingField})


def _passing_empty(function: Filter) -> Filter:
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
    output_stream_limit = HTML_REFUSED_BYTES
    template_class = _Template

    def __init__(self, allowed: Mapping[str, Filter], *, autoescape: bool) -> None:
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
    buffer = _CappedBuffer(HTML_REFUSED_BYTES)
    for node in template.nodes:
        node.render(context, buffer)
    return buffer.getvalue()
