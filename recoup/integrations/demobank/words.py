"""The demo bank's words mapped to ours."""

from recoup.shops.snapshots import AttemptState, FailureClass

STATES = {
    "waiting": AttemptState.PENDING,
    "processing": AttemptState.REQUIRES_ACTION,
    "paid": AttemptState.SUCCEEDED,
    "declined": AttemptState.FAILED,
    "cancelled": AttemptState.CANCELLED,
    "expired": AttemptState.EXPIRED,
    "refunded": AttemptState.REFUNDED,
}
# At least one reason of each class; a reason that is not listed is kept raw and of unknown class.
DECLINES = {
    "insufficient_funds": FailureClass.SOFT,
    "limit_exceeded": FailureClass.SOFT,
    "lost_card": FailureClass.HARD,
    "closed_account": FailureClass.HARD,
    "given_up": FailureClass.USER,
    "expired_card": FailureClass.CONFIG,
    "authentication_failed": FailureClass.AUTH,
    "bank_unreachable": FailureClass.TECHNICAL,
    "suspected_fraud": FailureClass.FRAUD,
    "currency_not_supported": FailureClass.CONFIG,
    "do_not_honor": FailureClass.UNKNOWN,
}
REFUSALS = {"merchant_unknown": FailureClass.CONFIG, "amount_refused": FailureClass.CONFIG}
METHODS = ("card", "blik", "transfer")


def failure_class(reason: str) -> FailureClass:
    """Return our class of a decline."""
    return DECLINES.get(reason, FailureClass.UNKNOWN)
