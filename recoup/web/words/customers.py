"""People who may be one, in words: why it is suggested, and why two cannot be merged."""

from django.utils.translation import gettext_lazy

_WHY = {
    "shared_sign": gettext_lazy("shares an account, an e-mail or a phone"),
    "mail_alias": gettext_lazy("the same mailbox in another spelling"),
    "look_alike": gettext_lazy("an address that looks the same"),
}
_REFUSALS = {
    "itself": gettext_lazy("Choose two different customers."),
    "merged": gettext_lazy("They were merged already. Nothing was changed."),
    "decided": gettext_lazy("Somebody has decided this already. Nothing was changed."),
    "told_apart": gettext_lazy("Somebody has said that they are two people. Nothing was changed."),
    "erased": gettext_lazy("One of them was erased on request, so there is nothing to merge."),
}
_NO_CART_LINK = {
    "converted": gettext_lazy(
        "The cart has become an order. No link to it was made; make a pay link on the page of that order."
    ),
    "emptied": gettext_lazy("The cart is empty, so there is nothing to lead to. No link was made."),
    "expired": gettext_lazy("The cart is too old, so its prices hold no more. No link was made."),
    "nobody": gettext_lazy(
        "The customer was erased on request, so nobody is to be led to the cart. No link was made."
    ),
}


def why_same(code: str) -> str:
    """Return why two people may be one."""
    return str(_WHY.get(code, ""))


def merge_refusal(code: str) -> str:
    """Return why two people were not merged, or not told apart."""
    return str(_REFUSALS.get(code, _REFUSALS["decided"]))


def cart_link_refusal(code: str) -> str:
    """Return why no link to a cart is made."""
    return str(_NO_CART_LINK.get(code, _NO_CART_LINK["emptied"]))
