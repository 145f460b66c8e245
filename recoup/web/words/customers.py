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


def why_same(code: str) -> str:
    """Return why two people may be one."""
    return str(_WHY.get(code, ""))


def merge_refusal(code: str) -> str:
    """Return why two people were not merged, or not told apart."""
    return str(_REFUSALS.get(code, _REFUSALS["decided"]))
