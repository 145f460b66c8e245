"""Tags of customers in words."""

from django.utils.translation import gettext as _

from recoup.customers.tagging import LONGEST


def tag_refusal(code: str) -> str:
    """Return why a word is no tag."""
    return {
        "empty": _("Type a tag."),
        "too_long": _("A tag has at most %(count)d letters.") % {"count": LONGEST},
        "with_comma": _("A tag holds letters, digits and signs, but no comma and no line break."),
        "too_many": _("That is too many tags at once."),
    }[code]
