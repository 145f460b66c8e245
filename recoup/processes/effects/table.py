"""The one table of effects: a new one is a module beside this one and a line here."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from recoup.processes.effects import call_off, enrol, offer, order_status, send, tag, task, webhook
from recoup.processes.effects.base import Carrier
from recoup.processes.engine.nodes.enrol import EnrolEffect
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.nodes.order_status import StatusEffect
from recoup.processes.engine.nodes.tag import TagEffect
from recoup.processes.engine.nodes.task import TaskEffect
from recoup.processes.engine.nodes.webhook import WebhookEffect
from recoup.processes.engine.records import CallOff, Effect, Enrolment, Outcome, SendEffect

EFFECTS: dict[type[Effect], Carrier] = {
    CallOff: call_off.CARRIER,  # before anything is queued
    OfferEffect: offer.CARRIER,  # first: a message that is queued in the same moment finds it
    SendEffect: send.CARRIER,
    StatusEffect: order_status.CARRIER,
    TagEffect: tag.CARRIER,
    TaskEffect: task.CARRIER,
    WebhookEffect: webhook.CARRIER,
    EnrolEffect: enrol.CARRIER,
}


def carry_out(outcomes: Sequence[Outcome], now: datetime) -> None:
    """Carry out what a batch asks for, kind by kind; what is suppressed is left out."""
    asked: dict[type[Effect], list[tuple[Enrolment, Effect]]] = defaultdict(list)
    for enrolment, _, effects in outcomes:
        for effect in effects:
            if not effect.is_suppressed:
                asked[type(effect)].append((enrolment, effect))
    if asked.keys() - EFFECTS.keys():
        raise LookupError(f"effects without a carrier: {asked.keys() - EFFECTS.keys()}")
    for kind, carrier in EFFECTS.items():  # always in this order, so that locks are taken in it
        if kind in asked:
            carrier.carry_out(asked[kind], now)


def end_effects(ended: Sequence[Outcome], now: datetime) -> None:
    """Do what the end of enrolments means for what they have asked for."""
    for carrier in EFFECTS.values():
        carrier.end(ended, now)
