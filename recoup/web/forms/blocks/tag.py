"""Tag: words by which the person is sorted."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.customers.tagging import LONGEST, TagRefused, read_tags, tag_names
from recoup.processes.engine.nodes.tag import MOST
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.words.tags import tag_refusal

MOST_NAMED = 12


class TagsField(forms.CharField):
    """Tags parted by commas."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=(LONGEST + 2) * MOST, **{"required": False, **kwargs})

    def clean(self, value: Any) -> Any:
        """Return the tags, each once."""
        try:
            tags = list(read_tags(super().clean(value)))
        except TagRefused as refused:
            raise forms.ValidationError(tag_refusal(refused.code)) from None
        if len(tags) > MOST:
            raise forms.ValidationError(tag_refusal("too_many"))
        return tags

    def prepare_value(self, value: Any) -> Any:
        """Return the text in which tags are typed."""
        return ", ".join(value) if isinstance(value, list) else value


class TagForm(BlockForm):
    """Tags to set and to take off."""

    kind = "tag"
    help = gettext_lazy(
        "Tags stand on the page of the customer, where you can change them by hand. A process may begin with a tag."
    )

    add = TagsField(label=gettext_lazy("Set these tags"))
    remove = TagsField(label=gettext_lazy("Take these tags off"))

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        return {"add": list(raw.get("add", [])), "remove": list(raw.get("remove", []))}

    def build(self) -> None:
        """Name the tags that the shop uses already."""
        super().build()
        known = tag_names(self.around.shop.pk)[:MOST_NAMED]
        self.fields["add"].help_text = (
            _("Several are parted by commas. Used so far: %(tags)s.") % {"tags": ", ".join(known)}
            if known
            else _("Several are parted by commas. A tag that is new comes into being by itself.")
        )

    def clean(self) -> dict[str, Any]:
        """Ask for a tag, and refuse to set and take off the same one."""
        cleaned = super().clean() or {}
        add, remove = cleaned.get("add") or [], cleaned.get("remove") or []
        if not self.errors and not add and not remove:
            self.add_error("add", _("Say which tag to set or to take off."))
        both = {tag.casefold() for tag in add} & {tag.casefold() for tag in remove}
        if both:
            self.add_error("remove", _("The same tag cannot be set and taken off at once."))
        return cleaned

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the tags."""
        typed = self.cleaned_data
        return {name: typed[name] for name in ("add", "remove") if typed[name]}

    def own_parts(self) -> list[Part]:
        """Return both."""
        return [Part("", [self.line("add"), self.line("remove")])]
