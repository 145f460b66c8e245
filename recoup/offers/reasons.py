"""Why an offer was refused, ended or cannot be used: codes in the row, words for staff and buyers here."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """The code in `Offer.reason`, in words for staff. The first eight are those of `pricing.Refusal`."""

    CURRENCY = "currency", _("The order is in another currency")
    OTHER_PRODUCT = "other_product", _("The order holds none of the products")
    MIN_SUM = "min_sum", _("The order is below the least sum")
    COUPON = "coupon", _("The order has a coupon of the shop already")
    OTHER_OFFER = "other_offer", _("The order has another offer already")
    NO_COST = (
        "no_cost",
        _(
            "What the goods cost is not known and no share is set in the settings, or the fixed fee is in another currency"
        ),
    )
    FLOOR = "floor", _("The margin would fall below the floor")
    NOTHING = "nothing", _("There is nothing to take off")
    # Not granted.
    BUDGET = "budget", _("The budget of the period is spent")
    ABANDONER = "abandoner", _("The person has had enough discounts, or leaves orders again and again")
    ORIGIN = "origin", _("The shop that the order comes from cannot apply it")
    SUBJECT_OVER = "subject_over", _("The order or cart is paid, closed or gone")
    # Ended.
    EXPIRED = "expired", _("Its time is over")
    PAID_FULL = "paid_full", _("The order was paid without it")
    CANCELLED = "cancelled", _("The order was cancelled")
    BY_HAND = "by_hand", _("A colleague withdrew it")
    ERASED = "erased", _("The person's data were erased")
    # The shop made or took no coupon.
    NO_ANSWER = "no_answer", _("The shop that takes the payment did not answer in time")
    COUPONS_OFF = "coupons_off", _("Coupons are switched off in the shop that takes the payment")
    SHOP_REFUSED = "shop_refused", _("The shop that takes the payment did not take the coupon")
    PRODUCT_GONE = (
        "product_gone",
        _("A product of it was removed from the shop, which cannot reckon a coupon on it any more"),
    )
    NO_EMAIL = (
        "no_email",
        _("The person's e-mail address is not known, by which the shop would know whose code it is"),
    )
    GOODS_UNKNOWN = (
        "goods_unknown",
        _("The shop's numbers of the goods in the cart are not known, so no code can be bound to them"),
    )
    DIFFERS = "differs", _("The shop came to something else than was offered")
    HAS_OFFER = "has_offer", _("The person has another offer that still counts")


def words(code: str) -> str:
    """Return the sentence of a reason; the code itself for one that a later version wrote."""
    return str(Reason(code).label) if code in Reason.values else code
