"""Tags are set and taken off by `customers`, once each: a tag that is there already is no news."""

from datetime import datetime

from recoup.core.activity import Actor
from recoup.customers.tagging import TagChange, change_tags
from recoup.processes.effects.base import Asked, Carrier
from recoup.processes.engine.entry import chain_of


def _carry_out(asked: Asked, now: datetime) -> None:
    change_tags(
        [
            TagChange(
                enrolment.shop_id,
                enrolment.contact_id,
                effect.add,
                effect.remove,
                Actor("process", enrolment.process_id),
                chain_of(enrolment) + 1,
            )
            for enrolment, effect in asked
        ],
        now=now,
    )


CARRIER = Carrier(_carry_out)
