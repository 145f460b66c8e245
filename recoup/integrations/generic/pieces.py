"""What the fields of a body are made of. Only the shape is checked; what a text means is read with the currency at hand."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

AMOUNT_PATTERN = r"^\d{1,12}(\.\d{1,8})?$"


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else value


def _text_of_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def loose_amount(value: object) -> object:
    """Let what is no amount be absent."""
    is_number = isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)
    return value if is_number and re.fullmatch(AMOUNT_PATTERN, str(value)) else None


def said(example: Any) -> dict[str, Any]:
    """Return an example for the schema."""
    return {"examples": [example]}


# Only the shape is checked here: what the text means is read with the currency at hand, which words a refusal better.
Amount = Annotated[
    str,
    BeforeValidator(_text_of_number),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": AMOUNT_PATTERN}, {"type": "number", "minimum": 0}],
            "description": "Major unit, a point before the decimals, no more of them than the currency has.",
            "examples": ["149.00"],
        }
    ),
]
Number = Annotated[
    str,
    BeforeValidator(_text_of_number),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}], "examples": [1]}),
]
Ref = Annotated[
    str,
    BeforeValidator(_text_of_id),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 200}, {"type": "integer"}]}),
]
Instant = Annotated[
    str,
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-02T13:00:00+01:00"]}),
]
Currency = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{3}$", "examples": ["EUR"]})]
Text = str | None

OrderStatus = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "description": "One of the examples. Another word is kept and shown: without `paid_at` nobody is reminded of"
            " the order, and a person is asked.",
            "examples": ["pending", "on_hold", "failed", "paid", "fulfilled", "cancelled", "refunded"],
        }
    ),
]
PaymentStatus = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "description": "One of the examples; another word is kept and shown, and changes nothing.",
            "examples": [
                "created",
                "pending",
                "requires_action",
                "authorized",
                "succeeded",
                "failed",
                "cancelled",
                "expired",
                "refunded",
                "disputed",
            ],
        }
    ),
]
