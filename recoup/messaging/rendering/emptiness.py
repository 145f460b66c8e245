"""Fields that a person lacks: false in a condition, blank in a comparison, an error where printed without a fallback."""

from collections.abc import Iterable

from liquid import RenderContext, Token
from liquid.ast import Node
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Blank, Empty, StringLiteral
from liquid.exceptions import UndefinedError
from liquid.expression import Expression
from liquid.template import BoundTemplate
from liquid.undefined import StrictUndefined


class EmptyValue(str):
    """What stands in the scope for an empty field; it knows which, for the sake of the error."""

    path: str

    force_liquid_default = True
    """Read by the library's `default`."""

    def __new__(cls, path: str) -> "EmptyValue":
        value = super().__new__(cls, "")
        value.path = path
        return value

    def __liquid__(self) -> None:
        return None

    def refuse(self, token: Token) -> UndefinedError:
        """Return the error for printing it without a fallback."""
        return UndefinedError(f"{self.path} is empty", token=token)


class MissingField(StrictUndefined):
    """A field that was not given at all; printing it is an error too."""

    allowed_properties = StrictUndefined.allowed_properties | {"__bool__", "__liquid__", "__class__"}
    force_liquid_default = True

    def __bool__(self) -> bool:
        return False


class Nothing(Expression):
    """What `blank`, `empty` and `""` stand for in a comparison: the library's own do not equal an empty field."""

    def evaluate(self, context: RenderContext) -> "Nothing":  # noqa: ARG002 - the library's signature
        """Return itself; the comparison does the rest."""
        return self

    def children(self) -> list[Expression]:
        """Return nothing: it has no parts."""
        return []

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return not other.strip()
        return other is None or other is False or (isinstance(other, list | dict) and not other)

    def __hash__(self) -> int:
        return 0


def mend_comparisons(template: BoundTemplate) -> None:
    """Let comparisons with `blank`, `empty` and `""` see empty fields as people mean it."""
    _mend_nodes(template.nodes, RenderContext(template))


def _mend_nodes(nodes: Iterable[Node], static: RenderContext) -> None:
    for node in nodes:
        for expression in node.expressions():
            _mend(expression)
        _mend_nodes(node.children(static, include_partials=False), static)


def _mend(expression: Expression) -> None:
    if isinstance(expression, EqExpression | NeExpression):
        if _is_nothing(expression.right):
            expression.right = Nothing(expression.right.token)
        elif _is_nothing(expression.left):
            expression.left, expression.right = expression.right, Nothing(expression.left.token)
    for child in expression.children():
        _mend(child)


def _is_nothing(expression: Expression) -> bool:
    return isinstance(expression, Blank | Empty) or (
        isinstance(expression, StringLiteral) and not expression.value
    )
