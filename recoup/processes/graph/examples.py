"""Examples that a process carries: somebody, what they do, and what the process has to do then.

They are the process's own tests: they run when a file is taken in and whenever somebody looks at the draft, in
memory, by the engine's own code (`processes.examples`).
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from recoup.processes.engine.nodes.base import AnySpan, NodeId, Strict, refuse
from recoup.processes.engine.times import is_known_zone
from recoup.segments.order_fields import CAUSES, STATUSES

MOST_EXAMPLES = 20
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Products = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=200)]], Field(max_length=20)
]
_START = datetime.fromisoformat("2026-03-02T10:00:00+01:00")  # a Monday


def _is_zone(name: str) -> str:
    if not is_known_zone(name):
        raise refuse("example_zone", zone=name)
    return name


def _is_listed(kind: str, listed: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in listed:
            raise refuse("example_choice", field=kind, value=value, choices=", ".join(listed))
        return value

    return AfterValidator(check)


def _is_not_before(text: str) -> str:
    if text.startswith("-"):
        raise refuse("bad_span", text=text)
    return text


After = Annotated[AnySpan, AfterValidator(_is_not_before)]


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=160)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class SamplePerson(Strict):
    """The person of an example."""

    zone: Annotated[Short, AfterValidator(_is_zone)] = "Europe/Warsaw"
    locale: Short = "en"
    offers_by_email: bool = False  # agreed to before the start


class SampleOrder(Strict):
    """The order of an example, as it is when the person enters."""

    total: Decimal = Field(default=Decimal(100), ge=0, max_digits=14)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"
    method: Short = "card"
    is_offline: bool = False
    cause: Annotated[str, _is_listed("cause", ("", *CAUSES))] = "no_payment"
    status: Annotated[str, _is_listed("status", STATUSES)] = "unpaid"
    is_paid: bool = False
    products: Products = Field(default_factory=list)


class SampleCart(Strict):
    """The cart of an example, as it is when the person enters."""

    total: Decimal = Field(default=Decimal(100), ge=0, max_digits=14)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"
    item_count: int = Field(default=1, ge=0, le=1000)
    products: Products = Field(default_factory=list)


class Happening(Strict):
    """Something that the person, or the world, does some time after the start."""

    after: After
    what: Literal[
        "paid", "cancelled", "ordered_again", "case_closed", "converted", "emptied", "bought", "opened", "clicked",
        "visited",
    ]  # fmt: skip
    block: NodeId | None = None  # whose mail is opened or clicked in
    products: Products = Field(default_factory=list)  # bought

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Happening":
        if (self.what in ("opened", "clicked")) != (self.block is not None):
            raise refuse("example_block", what=self.what)
        if (self.what == "bought") != bool(self.products):
            raise refuse("example_products", what=self.what)
        return self


class Expected(Strict):
    """A decision of the process: which block acts, and when. `block` names its fields that matter, `{"t": "send", ...}`."""

    after: After
    block: Annotated[dict[str, Any], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _names_its_kind(self) -> "Expected":
        if not isinstance(self.block.get("t"), str):
            raise refuse("example_expected")
        return self


class Example(Strict):
    """One example. `ends` is how the process ends for the person, such as `completed` or `goal_paid`; empty: not asked."""

    name: (
        Words | Annotated[dict[Locale, Words], Field(min_length=1, max_length=12)]
    )  # one for all readers, or by language
    start: AwareDatetime = _START  # of the order, the last change of the cart, or the entry itself
    person: SamplePerson = SamplePerson()
    order: SampleOrder | None = None
    cart: SampleCart | None = None
    happens: list[Happening] = Field(default_factory=list, max_length=20)
    enters_after: After = "PT0S"
    enters: bool = True
    expect: list[Expected] = Field(default_factory=list, max_length=40)
    ends: Short = ""

    def name_in(self, locale: str) -> str:
        """Return the name for a reader of a language, else the English one, else any."""
        if isinstance(self.name, str):
            return self.name
        return self.name.get(locale[:2]) or self.name.get("en") or next(iter(self.name.values()))

    @model_validator(mode="after")
    def _says_something(self) -> "Example":
        if not self.enters and (self.expect or self.ends):
            raise refuse("example_nobody_entered")
        return self
