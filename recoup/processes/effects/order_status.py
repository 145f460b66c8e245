"""A wish for another status becomes news: whoever hears it locks the order, which a step must not."""

from datetime import datetime

from recoup.core import outbox
from recoup.processes.effects.base import Asked, Carrier
from recoup.processes.events import StatusWished


def _carry_out(asked: Asked, now: datetime) -> None:
    outbox.announce(
        *[
            StatusWished(
                shop_id=enrolment.shop_id,
                order_id=enrolment.subject_id,
                status=wish.status,
                reason=wish.reason,
                at=wish.at,
            )
            for enrolment, wish in asked
        ]
    )


CARRIER = Carrier(_carry_out)
