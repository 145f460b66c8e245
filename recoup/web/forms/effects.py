"""The share of people who are left alone."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.processes.holdout import MOST_SHARE_BP
from recoup.web.forms.decimals import DecimalField

_MOST_SHARE = Decimal(MOST_SHARE_BP) / 100


class ShareForm(forms.Form):
    """A share in percent, as a person says it."""

    share = DecimalField(
        label=_("Left alone"),
        min_value=0,
        max_value=_MOST_SHARE,
        decimal_places=1,
        help_text=_(
            "Chance picks them, and they stay picked. They get nothing from this process, so they show what would have"
            " come anyway. What they ask for themselves, such as a fresh link, they always get. 0 leaves nobody alone;"
            " then the effect stays unknown. A process that must reach everybody, such as a confirmation, needs 0."
        ),
    )

    @property
    def share_bp(self) -> int:
        """Return the share in basis points."""
        return int(self.cleaned_data["share"] * 100)


class ShopShareForm(ShareForm):
    """The share of a whole shop."""

    share = DecimalField(
        label=_("Left alone by everything"),
        min_value=0,
        max_value=_MOST_SHARE,
        decimal_places=1,
        help_text=_(
            "These people get nothing from any process: no reminder, no offer, no thanks. They show what all processes"
            " together bring. They count in the comparison of no single process. 5% is enough for most shops; 0 leaves"
            " it to the processes."
        ),
    )
