"""The words of the contract, mapped to ours."""

from recoup.shops.snapshots import AttemptState, FailureClass, ShopState

ORDER_STATES = {
    "pending": ShopState.PENDING,
    "on_hold": ShopState.ON_HOLD,
    "failed": ShopState.FAILED,
    "paid": ShopState.PAID,
    "fulfilled": ShopState.FULFILLED,
    "cancelled": ShopState.CANCELLED,
    "refunded": ShopState.REFUNDED,
}
PAYMENT_STATES = {state.value: state for state in AttemptState}
FAILURE_CLASSES = {failure.value: failure for failure in FailureClass}
DRAFT = "draft"
