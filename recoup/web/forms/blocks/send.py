"""Send: one mail."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.fields import SpanField


class SendForm(BlockForm):
    """A mail to the person."""

    kind = "send"
    help = gettext_lazy("The next step begins when the mail has really gone out.")

    template = forms.ChoiceField(
        label=gettext_lazy("Text"),
        error_messages={"required": gettext_lazy("Choose a text.")},
        help_text=gettext_lazy(
            "Texts are written under Settings, Texts. Changing one needs no new version here."
        ),
    )
    purpose = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=[("reminder", gettext_lazy("a reminder")), ("thanks", gettext_lazy("thanks"))],
        help_text=gettext_lazy("A reminder never goes out once the payment is known. Thanks may."),
    )
    not_after = SpanField(
        label=gettext_lazy("Not later than"),
        help_text=gettext_lazy("If it cannot go out so long, by quiet hours or a pause, it is left out."),
    )

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        return {
            "template": raw.get("template", ""),
            "purpose": raw.get("purpose", "reminder"),
            "not_after": raw.get("not_after", "PT24H"),
        }

    def build(self) -> None:
        """Offer the texts that fit."""
        super().build()
        texts, before = list(self.around.texts), self.raw_before.get("template")
        if before and before not in dict(texts):
            texts.append((before, _("%(text)s (not there)") % {"text": before}))
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose…")), *texts]

    def words_without(self) -> str:
        """Return what happens without a way for mails that could not be delivered."""
        return _("the same way as delivered mails")

    def fields_to_raw(self) -> dict[str, Any]:
        """Return what is sent."""
        typed, before = self.cleaned_data, self.raw_before.get("not_after")
        kept = before if before and "not_after" not in self.changed_data else typed["not_after"]
        return {"template": typed["template"], "purpose": typed["purpose"], "not_after": kept}

    def own_parts(self) -> list[Part]:
        """Return the text and when it is too late."""
        return [Part("", [self.line("template"), self.line("purpose"), self.line("not_after")])]
