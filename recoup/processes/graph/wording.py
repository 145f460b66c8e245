"""Every key of words that processes give to screens, with its English text.

Doors show `gettext(WORDS[key])` filled with the values that come with the key; spans, instants and names of texts
are worded by the door. No key holds a word of the engine.
"""

from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.engine.wording import gettext_noop
from recoup.processes.graph.entries import ENTRIES
from recoup.processes.graph.problems import TEXTS

_OUTCOMES = {
    "queued": gettext_noop("Waiting to be sent"),
    "sent": gettext_noop("Sent"),
    "suppressed": gettext_noop("Left out: control group"),
    "status.asked": gettext_noop("New status asked for"),
    "tagged": gettext_noop("Tagged"),
    "enrolled": gettext_noop("Put into another process"),
    "yes": gettext_noop("Yes"),
    "no": gettext_noop("No"),
    "not.sent": gettext_noop("The message had not been sent"),
    "rounds.over": gettext_noop("Repeated often enough"),
    "split": gettext_noop("Took one of the ways that are tried"),
    "deferred.promise": gettext_noop("Put off: payment was promised"),
    "deferred.held": gettext_noop("Put off: somebody is handling the order"),
    "deferred.quiet": gettext_noop("Put off: quiet hours"),
    "deferred.cap": gettext_noop("Put off: too many messages in a short time"),
    "deferred.outranked": gettext_noop("Put off: a more important message goes first"),
    "deferred.cost": gettext_noop("Put off: the day's money or the number's share is used up"),
    "deferred.quota": gettext_noop("Put off: the channel sends no more today"),
    "deferred.channel": gettext_noop("Another channel is tried"),
    "deferred.source": gettext_noop("Put off: the shop did not answer"),
    "skipped.expired": gettext_noop("Not sent: too late"),
    "skipped.paid": gettext_noop("Not sent: paid"),
    "skipped.cancelled": gettext_noop("Not sent: the order was cancelled"),
    "skipped.superseded": gettext_noop("Not sent: a newer order was paid"),
    "skipped.converted": gettext_noop("Not sent: the cart became an order"),
    "skipped.emptied": gettext_noop("Not sent: the cart was emptied"),
    "skipped.consent": gettext_noop("Not sent: no consent"),
    "skipped.suppression": gettext_noop("Not sent: the address is blocked"),
    "skipped.cap": gettext_noop("Not sent: too many messages in a short time"),
    "skipped.no_address": gettext_noop("Not sent: no address"),
    "skipped.held": gettext_noop("Not sent: somebody is handling the order"),
    "skipped.stopped": gettext_noop("Not sent: stopped"),
    "skipped.source": gettext_noop("Not sent: the shop did not answer"),
    "skipped.not_enrolled": gettext_noop("Not put into the other process: it did not let them in"),
    "skipped.outranked": gettext_noop("Not sent: a more important message took the place"),
    "skipped.cost": gettext_noop("Not sent: money, country or number did not allow it"),
    "skipped.other": gettext_noop("Not sent"),
    "failed.refused": gettext_noop("Refused by the recipient's server"),
    "failed.retries": gettext_noop("Could not be delivered"),
    "failed.template": gettext_noop("The text could not be filled in"),
    "failed.other": gettext_noop("Failed"),
    "failed.loop": gettext_noop("Stopped: the process went round in a circle"),
    "failed.error": gettext_noop("Stopped by an error"),
    "uncertain": gettext_noop("Uncertain whether it arrived"),
    "completed": gettext_noop("Finished"),
    "goal.paid": gettext_noop("Paid"),
    "goal.cancelled": gettext_noop("Order cancelled"),
    "goal.superseded": gettext_noop("A newer order was paid"),
    "goal.converted": gettext_noop("The cart became an order"),
    "goal.emptied": gettext_noop("The cart was emptied"),
    "goal.case_closed": gettext_noop("Case closed"),
    "goal.opened": gettext_noop("Opened"),
    "goal.clicked": gettext_noop("Followed the link"),
    "stopped.by_hand": gettext_noop("Stopped by hand"),
    "stopped.preempted": gettext_noop("Stopped: another process took over"),
    "stopped.erased": gettext_noop("Stopped: the person's data was erased"),
    "stopped.process": gettext_noop("Stopped with its process"),
    "stopped.migrated": gettext_noop("Ended when the process got a new version"),
    "migrated": gettext_noop("Moved to a newer version"),
}
_REFUSALS = {
    "condition": gettext_noop("Not let in: the condition did not hold"),
    "again": gettext_noop("Not let in: had been in it before"),
    "inside": gettext_noop("Not let in: was in it already"),
    "group": gettext_noop("Not let in: was in another process of the group"),
    "too_soon": gettext_noop("Not let in: too soon after the last time"),
    "unknown": gettext_noop("Not let in: nothing is known of the order or cart"),
    "chain": gettext_noop("Not let in: too many processes had handed them on"),
}
_UNLESS = {
    "order.paid": gettext_noop("paid"),
    "order.cancelled": gettext_noop("cancelled"),
    "cart.converted": gettext_noop("ordered"),
    "cart.emptied": gettext_noop("emptied"),
    "contact.ordered_again": gettext_noop("a newer order is paid"),
    "case.closed": gettext_noop("the case is closed"),
    "product.bought": gettext_noop("it is bought"),
    "message.opened": gettext_noop("opened"),
    "message.clicked": gettext_noop("the link is followed"),
}
_NEXT = {
    "reminder": gettext_noop("Reminder {ordinal} of {total}"),
    "thanks": gettext_noop("Message of thanks"),
    "sending": gettext_noop("Reminder {ordinal} of {total} is being sent"),
    "held": gettext_noop("Reminder {ordinal} of {total} rests while somebody handles the order"),
    "promised": gettext_noop("Reminder {ordinal} of {total}, after the promised date"),
    "suppressed": gettext_noop("Nothing is sent: control group"),
    "end": gettext_noop("Nothing more is planned"),
    "over": gettext_noop("Finished"),
    "paused": gettext_noop("Paused"),
}
_PORTS = {
    "next": gettext_noop("then"),
    "yes": gettext_noop("yes"),
    "no": gettext_noop("no"),
    "unsent": gettext_noop("not sent"),
    "done": gettext_noop("then"),
    "failed": gettext_noop("not delivered"),
    "over": gettext_noop("after the last round"),
}

WORDS: dict[str, str] = {
    **{f"process.outcome.{key}": text for key, text in _OUTCOMES.items()},
    **{f"process.refusal.{key}": text for key, text in _REFUSALS.items()},
    **{f"process.unless.{key}": text for key, text in _UNLESS.items()},
    **{f"process.next.{key}": text for key, text in _NEXT.items()},
    **{f"process.port.{key}": text for key, text in _PORTS.items()},
    **{f"process.next.{name}": kind.soon for name, kind in KINDS.items() if kind.soon},
    **{f"process.entry.{key}": entry.words for key, entry in ENTRIES.items()},
    **{f"process.problem.{code}": text for code, text in TEXTS.items()},
    **{f"process.node.{key}": text for kind in KINDS.values() for key, text in kind.words.items()},
}
