"""Delivery and invoice of the signed webhook. What cannot be read of them is left out: it must not cost the order."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema


def _loose_text(value: object) -> object:
    """Let what is no text be absent: a mistake in the delivery must not cost the order."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _if(value, str)


def _loose_yes(value: object) -> object:
    return _if(value, bool)


def _loose_address(value: object) -> object:
    told = value if isinstance(value, dict) else {"address": value}
    return {str(key): text for key, text in told.items() if isinstance(text, str)}


def _loose_point(value: object) -> object:
    return {"id": value} if isinstance(value, (str, int)) else _if(value, dict)


def _loose_delivery(value: object) -> object:
    return {"title": value} if isinstance(value, str) else _if(value, dict)


def _loose_invoice(value: object) -> object:
    return {"wanted": value} if isinstance(value, bool) else _if(value, dict)


def _if(value: object, kind: type) -> object:
    return value if isinstance(value, kind) else None


def _said(example: Any) -> dict[str, Any]:
    return {"examples": [example]}


class Part(BaseModel):
    """A part of a body; fields that we do not know are ignored here and kept in the raw body."""

    model_config = ConfigDict(extra="ignore")


LooseText = Annotated[str | None, BeforeValidator(_loose_text)]
Address = Annotated[
    dict[str, str],
    BeforeValidator(_loose_address),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "examples": [{"street": "ul. Cicha 7", "postcode": "25-520", "city": "Kielce", "country": "PL"}],
        }
    ),
]


class Point(Part):
    """A parcel locker, or another place where the buyer collects the goods."""

    id: LooseText = Field(None, json_schema_extra=_said("KRA01M"))
    name: LooseText = None
    address: LooseText = Field(None, description="On one line.")


class Delivery(Part):
    """How the goods reach the buyer. What cannot be read is left out; it never costs the order."""

    method: LooseText = Field(None, description="Your code of it.", json_schema_extra=_said("inpost_locker"))
    title: LooseText = Field(None, description="What the buyer was shown.")
    point: Annotated[Point | None, BeforeValidator(_loose_point)] = None
    name: LooseText = Field(None, description="Of whoever receives it, if that is not the buyer.")
    company: LooseText = None
    phone: LooseText = None
    address: Address = Field(default_factory=dict)


class Invoice(Part):
    """To whom the invoice is made out."""

    wanted: Annotated[bool | None, BeforeValidator(_loose_yes)] = None
    company: LooseText = None
    tax_id: LooseText = Field(None, json_schema_extra=_said("5252248481"))
    address: Address = Field(default_factory=dict, description="If it is not that of the customer.")


AnyDelivery = Annotated[Delivery | None, BeforeValidator(_loose_delivery)]
AnyInvoice = Annotated[Invoice | None, BeforeValidator(_loose_invoice)]
