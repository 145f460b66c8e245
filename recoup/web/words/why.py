"""Why somebody did or did not get a message, in sentences of a person: one for each key that a reason may have."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.messaging.reasons import words as message_reason
from recoup.processes.why.explaining import Reason
from recoup.web.parts import Words

# What follows the head "Anna did not get “Second reminder”." Instants come in as words.
SENTENCES: dict[str, Words] = {
    "queued": gettext_lazy("It is waiting to be sent, planned for %(at)s."),
    "sent": gettext_lazy("It was sent at %(at)s."),
    "suppressed": gettext_lazy("It was left out for comparison at %(at)s."),
    "status_asked": gettext_lazy("A new status was asked for at %(at)s."),
    "tagged": gettext_lazy("A tag was set at %(at)s."),
    "enrolled": gettext_lazy("They were put into another process at %(at)s."),
    "task_made": gettext_lazy("A task was given to somebody at %(at)s."),
    "task_done": gettext_lazy("The task was done at %(at)s."),
    "task_not_done": gettext_lazy("Nobody had done the task by %(at)s."),
    "task_dropped": gettext_lazy("The task was called off at %(at)s."),
    "webhook_asked": gettext_lazy("Another program was told at %(at)s."),
    "offer_granted": gettext_lazy("A personal offer was made at %(at)s."),
    "offer_origin": gettext_lazy(
        "No offer was made at %(at)s: the shop where it was ordered cannot take it off."
    ),
    "offer_unfit": gettext_lazy(
        "No offer was made at %(at)s: it was paid or closed by then, there was nothing to take off, it is in another"
        " currency, or no e-mail address is known to make the shop's code for."
    ),
    "offer_another": gettext_lazy("No offer was made at %(at)s: they have another one that still counts."),
    "skipped_floor": gettext_lazy(
        "No offer was made at %(at)s: too little would have been left of the sale, or nobody knows what the goods cost."
    ),
    "skipped_budget": gettext_lazy(
        "No offer was made at %(at)s: the money set aside for offers was used up for the time."
    ),
    "skipped_abandoner": gettext_lazy(
        "No offer was made at %(at)s: they have had enough discounts, or leave orders unpaid again and again. The reminders"
        " go on."
    ),
    "yes": gettext_lazy("The answer was yes at %(at)s."),
    "no": gettext_lazy("The answer was no at %(at)s."),
    "not_sent": gettext_lazy("The message that was asked about had not been sent, at %(at)s."),
    "rounds_over": gettext_lazy("It had been repeated often enough, at %(at)s."),
    "split": gettext_lazy("Another way was taken in a comparison, at %(at)s."),
    "deferred_promise": gettext_lazy("It rests: payment was promised. It is looked at again at %(due)s."),
    "deferred_held": gettext_lazy("It rests: somebody handles the order, or its reminders are paused."),
    "deferred_quiet": gettext_lazy("It is put off because of the quiet hours, until %(due)s."),
    "deferred_cap": gettext_lazy(
        "It is put off: too many messages in a short time (%(recent)s in 24 hours)."
    ),
    "deferred_source": gettext_lazy("It is put off: the shop could not be asked whether it is paid."),
    "deferred_outranked": gettext_lazy("It is put off: a more important process writes to the person first."),
    "deferred_cost": gettext_lazy("It is put off: what messages may cost is used up for now."),
    "deferred_quota": gettext_lazy(
        "It is put off: as many messages have been sent as the channel takes for now."
    ),
    "deferred_channel": gettext_lazy(
        "It goes out over another channel, because the first one could not reach the person."
    ),
    "skipped_outranked": gettext_lazy("A more important process wrote to the person instead, at %(at)s."),
    "skipped_cost": gettext_lazy("What messages may cost was used up at %(at)s."),
    "skipped_expired": gettext_lazy(
        "It was too late at %(at)s: planned for %(due)s, and not sent later than allowed."
    ),
    "day_over": gettext_lazy(
        "What it says was true on its day alone, for which it was planned at %(due)s; that day was over by %(at)s."
    ),
    "skipped_paid": gettext_lazy("It was paid at %(at)s, before this could be sent (planned for %(due)s)."),
    "skipped_cancelled": gettext_lazy("The order was cancelled before this could be sent at %(at)s."),
    "skipped_superseded": gettext_lazy("A newer order of the same person was there at %(at)s."),
    "skipped_converted": gettext_lazy("The cart had become an order by %(at)s."),
    "skipped_emptied": gettext_lazy("The cart had been emptied by %(at)s."),
    "skipped_consent": gettext_lazy("There was no consent at %(at)s that this kind of message needs."),
    "skipped_suppression": gettext_lazy("The address is blocked, or was unsubscribed, at %(at)s."),
    "skipped_cap": gettext_lazy(
        "Too many messages in a short time: %(recent)s in the 24 hours before %(at)s, which is the limit."
    ),
    "skipped_no_address": gettext_lazy("No address was known at %(at)s."),
    "skipped_held": gettext_lazy("Somebody handled the order, or its reminders were paused, at %(at)s."),
    "skipped_stopped": gettext_lazy(
        "It was called off at %(at)s, when the process was stopped or ended for this order."
    ),
    "skipped_source": gettext_lazy("The shop could not be asked at %(at)s whether it is paid."),
    "skipped_not_enrolled": gettext_lazy("The other process did not let them in, at %(at)s."),
    "skipped_other": gettext_lazy("It was left out at %(at)s. %(reason)s"),
    "failed_refused": gettext_lazy("The recipient's server refused it at %(at)s."),
    "failed_retries": gettext_lazy("It could not be delivered, after several tries, by %(at)s."),
    "failed_coupon": gettext_lazy(
        "The shop that takes the payment had made no coupon for the offer by %(at)s: it did not answer, refused, or came to"
        " another sum."
    ),
    "failed_webhook": gettext_lazy("The other program had not taken it by %(at)s."),
    "failed_template": gettext_lazy("Its text could not be filled in at %(at)s."),
    "failed_other": gettext_lazy("It failed at %(at)s. %(reason)s"),
    "failed_loop": gettext_lazy("The process went round in a circle and was stopped at %(at)s."),
    "failed_error": gettext_lazy("The process stopped by an error at %(at)s; it can be tried again."),
    "uncertain": gettext_lazy("It may have been sent at %(at)s: the server did not answer, so nobody knows."),
    "completed": gettext_lazy("The process had finished at %(at)s without coming to it."),
    "goal_paid": gettext_lazy("It was paid at %(at)s, before this was due (%(due)s)."),
    "goal_cancelled": gettext_lazy("The order was cancelled at %(at)s, before this was due (%(due)s)."),
    "goal_superseded": gettext_lazy("A newer order was paid at %(at)s, before this was due (%(due)s)."),
    "goal_converted": gettext_lazy("The cart became an order at %(at)s, before this was due (%(due)s)."),
    "goal_emptied": gettext_lazy("The cart was emptied at %(at)s, before this was due (%(due)s)."),
    "goal_case_closed": gettext_lazy("The case was closed at %(at)s, before this was due (%(due)s)."),
    "goal_opened": gettext_lazy("A message was opened at %(at)s, before this was due (%(due)s)."),
    "goal_clicked": gettext_lazy("A link was followed at %(at)s, before this was due (%(due)s)."),
    "left_product": gettext_lazy(
        "The product for which they had entered was taken out of the order at %(at)s, before this was due (%(due)s)."
    ),
    "stopped_by_hand": gettext_lazy("Somebody ended the process for this order at %(at)s."),
    "stopped_preempted": gettext_lazy("Another process took over at %(at)s."),
    "stopped_erased": gettext_lazy("The person's data was erased at %(at)s."),
    "stopped_double": gettext_lazy(
        "It ended at %(at)s: the person had been in this process before, under another record."
    ),
    "stopped_process": gettext_lazy("The process was stopped at %(at)s, before this was due (%(due)s)."),
    "migrated": gettext_lazy("They were moved to a newer version at %(at)s."),
    "stopped_migrated": gettext_lazy(
        "It ended at %(at)s: the new version of the process had no place for them."
    ),
    "planned": gettext_lazy("It will be sent at %(at)s, unless something happens before."),
    "waiting": gettext_lazy("It waits, and is looked at again at %(at)s. %(reason)s"),
    "paused": gettext_lazy("The process is paused. It comes to this when it goes on."),
    "resting": gettext_lazy("Its turn has not come yet. The process looks again at %(at)s."),
    "other_way": gettext_lazy("At the step “%(step)s” another way was taken, at %(at)s."),
    "held_out": gettext_lazy("They are in the group that is left alone for comparison, since %(at)s."),
    "held_out_of_shop": gettext_lazy(
        "They are in the group that gets nothing from any process, for comparison, since %(at)s."
    ),
    "try_out": gettext_lazy("They entered in test mode, in which nothing leaves."),
    "not_running": gettext_lazy("The process let nobody in at %(at)s, when this came: it was not running."),
    "before_start": gettext_lazy(
        "The process never saw it: it came at %(at)s, before the process was switched on at %(due)s."
    ),
    "not_yet": gettext_lazy("What the process begins with has not happened."),
    "not_put_in": gettext_lazy("Nobody has put them into it, and there is no other way into this process."),
    "other_end": gettext_lazy(
        "They came to the end of the other process at %(at)s, but not in a way with which this one begins."
    ),
    "before_version": gettext_lazy(
        "It came at %(at)s, when the process still began with something else: the version with this beginning is from"
        " %(due)s."
    ),
    "paid_before": gettext_lazy("It was paid or ordered at %(at)s, before the process would have begun."),
    "nobody": gettext_lazy("No person is known to whom it belongs, so there is nobody to write to."),
    "backfill": gettext_lazy("It was brought in from the past, and nothing is sent about the past."),
    "test_order": gettext_lazy("It is a test order."),
    "no_record": gettext_lazy("Nothing was written down about it: the process never saw it."),
    "refused_condition": gettext_lazy(
        "It did not meet the condition of the process when it came, at %(at)s."
    ),
    "refused_again": gettext_lazy("The person had been in this process before, and it takes everybody once."),
    "refused_inside": gettext_lazy("The person was in this process already when it came at %(at)s."),
    "refused_group": gettext_lazy("The person was in another process of the same group: %(other)s."),
    "refused_too_soon": gettext_lazy("It came at %(at)s, too soon after the person had left this process."),
    "refused_unknown": gettext_lazy("Nothing was known any more of what brought the person, at %(at)s."),
    "refused_paid": gettext_lazy("The order was paid when it came at %(at)s: there was nothing to ask for."),
    "refused_cause": gettext_lazy(
        "The payment failed at %(at)s for a cause with which this process does not begin."
    ),
    "refused_chain": gettext_lazy(
        "Too many processes one after another had handed the person on, at %(at)s."
    ),
}


def _at(at: datetime | None) -> str:
    if at is None:
        return _("an unknown time")
    return humane.exact(at, timezone.get_current_timezone(), get_language() or "en")


def sentence(reason: Reason, *, step: str = "", other: str = "") -> str:
    """Return why, as a sentence; `step` names the block and `other` the process that it speaks of."""
    words = str(SENTENCES.get(reason.key) or SENTENCES["no_record"])
    detail = message_reason(reason.message_reason) if reason.message_reason and "%(reason)s" in words else ""
    told = words % {
        "at": _at(reason.at),
        "due": _at(reason.due_at),
        "recent": ngettext("%(n)d message", "%(n)d messages", reason.recent) % {"n": reason.recent},
        "reason": detail,
        "step": step or reason.block,
        "other": other or _("another process"),
    }
    return told.strip()


def head(reason: Reason, *, who: str, what: str) -> str:
    """Return who did, did not or will get what."""
    if reason.has_got_it:
        return _("%(who)s got “%(what)s”.") % {"who": who, "what": what}
    if reason.is_open:
        return _("%(who)s has not got “%(what)s” yet.") % {"who": who, "what": what}
    return _("%(who)s did not get “%(what)s”.") % {"who": who, "what": what}
