"""The field of amounts and percentages: it shows the comma or the point of the language, and takes either."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core.money import exponent
from recoup.core.typed_numbers import NumberTwofold, NumberUnreadable, read_number, write_number


class DecimalField(forms.DecimalField):
    """A decimal number. `places` are the decimals that are always shown, as those of a currency.

    A text that is given to it as its value is what somebody typed, and is shown as it is.
    """

    widget = forms.TextInput
    places = 0
    has_thousandths = False  # of a currency with three places

    def show_as(self, currency: str) -> None:
        """Show the decimals of a currency, and read a mark before three digits as it does."""
        self.places = exponent(currency)
        self.has_thousandths = self.places >= 3

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Ask for a keyboard with digits and the mark."""
        attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "input-amount"}
        return {**super().widget_attrs(widget), **attrs}

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # as the field of Django does
        """Read what was typed."""
        if value is None or isinstance(value, Decimal):
            return value
        if not (text := str(value).strip()):
            return None
        try:
            return read_number(text, has_thousandths=self.has_thousandths)
        except NumberTwofold as twofold:
            words = _("This can be read in two ways. Write %(whole)s or %(part)s.")
            shown = {"whole": self.written(twofold.whole), "part": self.written(twofold.part)}
            raise ValidationError(words % shown, code="twofold") from None
        except NumberUnreadable:
            words = _(
                "Write a number such as %(example)s: digits alone, and one point or comma before decimals."
            )
            example = write_number(Decimal("12.5"), get_language() or "en", places=2)
            raise ValidationError(words % {"example": example}, code="invalid") from None

    def prepare_value(self, value: Any) -> Any:
        """Show a number in the writing of the language."""
        if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
            return self.written(Decimal(str(value)))
        return value

    def written(self, value: Decimal) -> str:
        """Return a number as it stands in this field."""
        language = get_language() or "en"
        return write_number(value, language, places=self.places, has_thousandths=self.has_thousandths)

    def run_validators(self, value: Any) -> None:
        """Name limits as the language writes them."""
        try:
            super().run_validators(value)
        except ValidationError as error:
            for one in error.error_list:
                if one.params and isinstance(limit := one.params.get("limit_value"), Decimal | float):
                    one.params["limit_value"] = self.written(Decimal(str(limit)))
            raise


def stored_number(text: Any) -> Any:
    """Return a number of a document for its field; what is none stays as it is."""
    try:
        return Decimal(text)
    except (ArithmeticError, TypeError, ValueError):
        return text


def model_field(db_field: Any, **options: Any) -> forms.Field | None:
    """Return the field of a form for a field of a model: a `Meta.formfield_callback`."""
    if isinstance(db_field, models.DecimalField | models.FloatField):
        options["form_class"] = DecimalField
    found: forms.Field | None = db_field.formfield(**options)
    return found
