"""The purposes of buyers' links and how long they live (R32)."""

from datetime import timedelta

from recoup.core.links import register_purpose

PAY, CART, OUT, PAID, LATER, STOP, WHY = "pay", "cart", "out", "paid", "later", "stop", "why"

LIVES = {
    PAY: timedelta(days=60),
    CART: timedelta(days=30),
    OUT: timedelta(days=400),  # leaving works long after the mail; once too old it works all the same
    PAID: timedelta(days=60),
    LATER: timedelta(days=60),
    STOP: timedelta(days=60),
    WHY: timedelta(days=400),
}
# What a buyer may ask to get anew when it is too old.
RENEWABLE = frozenset({PAY, CART})


def register() -> None:
    """Tell `core.links` of all of them; called when Django is ready."""
    for purpose, life in LIVES.items():
        register_purpose(purpose, life=life)
