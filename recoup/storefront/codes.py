"""A code typed on the pay page: taken for its person, refused in words, and not to be guessed (K5; T70)."""

import hashlib
from datetime import timedelta

from django.http import HttpRequest
from django.utils.translation import gettext as _

from recoup.core import attention
from recoup.core.callers import client_address
from recoup.core.ratelimit import is_allowed
from recoup.offers.models import Offer
from recoup.offers.trying import Refused, try_code
from recoup.storefront.visits import Visit

GUESSES, GUESSES_PER = 10, timedelta(minutes=1)  # from one address, and for one order


class TooManyGuesses(Exception):
    """Codes are being guessed; a door answers 429."""


def read_code(request: HttpRequest, visit: Visit, text: str) -> Offer | str:
    """Return the offer of a typed code, or why it is refused, in words.

    :raises TooManyGuesses: after ten in a minute; a person is told.
    """
    caller = client_address(request)
    by_caller = is_allowed(f"offer-code:{visit.shop.pk}:{caller}", limit=GUESSES, per=GUESSES_PER)
    by_order = is_allowed(f"offer-code-order:{visit.order.pk}", limit=GUESSES, per=GUESSES_PER)
    if not (by_caller and by_order):
        attention.ask(
            "offers.code_guessing",
            shop_id=visit.shop.pk,
            key=hashlib.sha256(caller.encode()).hexdigest()[:16],
            now=visit.now,
            subject=("order", visit.order.pk),
            number=visit.order.number,
        )
        raise TooManyGuesses
    found = try_code(visit.order, text, now=visit.now)
    return found if isinstance(found, Offer) else refusal_words(found)


def refusal_words(refused: Refused) -> str:
    """Return what a buyer reads about a code that is not taken, with what to do."""
    return {
        Refused.UNKNOWN: _(
            "We know no such code. Please look at the mail that it came with; codes of other shops do not count here."
        ),
        Refused.OTHER_PERSON: _("This code was given to another person and cannot be passed on."),
        Refused.USED: _("This code has been used. It counts once."),
        Refused.IN_USE: _("This code is being used in another payment. End that one first, then try again."),
        Refused.EXPIRED: _("This code has expired. You can pay the order at its full price."),
        Refused.WITHDRAWN: _("This code does not count any more. You can pay the order at its full price."),
        Refused.ELSEWHERE: _(
            "This code cannot be used on this page. Please follow the link in the mail that it came with."
        ),
        Refused.OTHER_PRODUCT: _("This code is for other products than those of this order."),
        Refused.MIN_SUM: _("The order is below the least sum for this code."),
        Refused.STACKING: _("This code cannot be used beside another discount on the same order."),
        Refused.CURRENCY: _("This code is for orders in another currency."),
        Refused.NOT_POSSIBLE: _("This code gives nothing on this order."),
    }[refused]
