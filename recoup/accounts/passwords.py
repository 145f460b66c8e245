"""What a password must be: Django's rules in words of our own.

Django puts the name of a field into its sentence, which Polish, Russian and German cannot decline.
"""

from django.contrib.auth import password_validation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class LongEnough(password_validation.MinimumLengthValidator):
    """Refuses short passwords."""

    def get_error_message(self) -> str:
        """Say how long it must be."""
        return ngettext(
            "The password is too short: it needs at least %(n)d character.",
            "The password is too short: it needs at least %(n)d characters.",
            self.min_length,
        ) % {"n": self.min_length}

    def get_help_text(self) -> str:
        """Say the same before anything is typed."""
        return ngettext("At least %(n)d character.", "At least %(n)d characters.", self.min_length) % {
            "n": self.min_length
        }


class NotTheirOwn(password_validation.UserAttributeSimilarityValidator):
    """Refuses what is made from the person's name or address."""

    def __init__(self) -> None:
        super().__init__(user_attributes=("email", "name"))

    def get_error_message(self) -> str:
        """Say what it is like."""
        return _(
            "The password is too much like your name or e-mail address. Choose one that cannot be guessed from them."
        )

    def get_help_text(self) -> str:
        """Say the same before anything is typed."""
        return _("Nothing that is like your name or e-mail address.")


class NotEverybodys(password_validation.CommonPasswordValidator):
    """Refuses passwords that stand in lists of common ones."""

    def get_error_message(self) -> str:
        """Say why, and what to do."""
        return _(
            "Many people use this password, so it is guessed first. Choose another one, such as a few words that do not"
            " belong together."
        )

    def get_help_text(self) -> str:
        """Say the same before anything is typed."""
        return _("Nothing that many people use.")
