"""Why a message waits or ended as it did: codes in the row, words for people here."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """The code in `Message.reason`."""

    # Ended without being sent.
    PAID = "paid", _("The order is paid")
    SUPERSEDED = "superseded", _("The person has paid a newer order")
    ORDER_CANCELLED = "order_cancelled", _("The order was cancelled")
    ORDER_FALSE = "order_false", _("The order is false")
    ORDER_CLOSED = "order_closed", _("The order is closed")
    DUPLICATE = "duplicate", _("The order is a duplicate")
    REFUNDED = "refunded", _("The money was given back")
    BACKFILL = "backfill", _("The order was imported from history")
    BEFORE_LIVE = "before_live", _("The order is older than the start of sending")
    TEST_ORDER = "test_order", _("A test order")
    CART_CONVERTED = "cart_converted", _("The cart became an order")
    CART_EMPTIED = "cart_emptied", _("The cart was emptied")
    CART_EXPIRED = "cart_expired", _("The cart expired")
    ORDERED_SINCE = "ordered_since", _("The person has ordered since")
    NO_CONSENT = "no_consent", _("The person has not agreed to such messages")
    FORBIDDEN = "forbidden", _("The sending rules of this shop do not allow it in this country")
    SUPPRESSED = "suppressed", _("The person or the address gets no such messages")
    ERASED = "erased", _("The person's data were erased")
    NO_ADDRESS = "no_address", _("There is no address for this channel")
    NOT_MOBILE = "not_mobile", _("The number is not of a mobile phone")
    COUNTRY_NOT_ALLOWED = "country_not_allowed", _("No messages are sent to numbers of this country")
    NO_CHANNEL = "no_channel", _("The channel is not set up")
    TOO_LONG = "too_long", _("The text is too long for short messages")
    EXPIRED = "expired", _("It was too late for this message")
    DAY_OVER = "day_over", _("What it says was true on its day alone, and that day was over")
    STOPPED = "stopped", _("The process was stopped")
    CANCELLED = "cancelled", _("It was called off")
    ENDED = "ended", _("The process ended for this person")
    TAKEN_OVER = "taken_over", _("A colleague took the order over")
    SENT_BY_HAND = "sent_by_hand", _("The same text was sent by hand")
    TEST_MODE = "test_mode", _("Test mode: nothing leaves")
    ORDER_CAP = "order_cap", _("Enough reminders about this order")
    CAP = "cap", _("Enough reminders to this person for now")
    CHANNEL_CAP = "channel_cap", _("Enough messages over this channel to this person for now")
    QUIET_HOURS = "quiet_hours", _("Quiet hours")
    OUTRANKED = "outranked", _("A more important message to this person takes the place")
    NUMBER_CAP = "number_cap", _("Enough messages to this number today")
    RANGE_CAP = "range_cap", _("Unusually many new numbers that begin alike got messages today")
    COST_CAP = "cost_cap", _("The day's money for short messages is spent")
    DAILY_QUOTA = "daily_quota", _("As many messages as the channel sends in a day have gone out")
    PROMISED = "promised", _("The person promised to pay later")
    PAUSED = "paused", _("A colleague has paused the reminders of this order")
    CLAIMED = "claimed", _("A colleague is working on this order")
    UNKNOWN_STATUS = "unknown_status", _("Recoup does not know the status that the shop gave the order")
    OFFER_OVER = "offer_over", _("The offer that the text speaks of is not in force")
    SOURCE_SILENT = "source_silent", _("The shop has not said yet whether the order is paid")
    # Waiting for another look.
    SOURCE_PAUSED = "source_paused", _("The process is paused")
    PAYMENT_NEWS = "payment_news", _("News of this order is being read")
    INTAKE_UNREADABLE = "intake_unreadable", _("An unreadable call of the shop is being looked at")
    BUSY = "busy", _("The order is being changed at this moment")
    CHANGED = "changed", _("The order has just changed; the text is written anew")
    SILENCED = "silenced", _("This installation is silent until an owner confirms")
    LINE_TROUBLE = "line_trouble", _("The server or provider could not be reached")
    TRY_LATER = "try_later", _("The server or provider asked to try later")
    # Failed.
    NO_TEMPLATE = "no_template", _("The template has no published text")
    TEXT_INCOMPLETE = "text_incomplete", _("A field of the text is empty for this person")
    TEXT_FAILED = "text_failed", _("The text could not be made")
    BROKEN = "broken", _("Something unexpected happened while it was prepared")
    ADDRESS_BAD = "address_bad", _("The address is not valid")
    ADDRESS_UNKNOWN = "address_unknown", _("The address or number is not known there")
    REFUSED = "refused", _("The server or provider refused the message")
    TOO_LATE_AFTER_TRIES = (
        "too_late_after_tries",
        _("The server or provider put it off until it was too late"),
    )
    NOT_DELIVERED = "not_delivered", _("A colleague found that it did not arrive")
    # Uncertain.
    LINE_BROKE = "line_broke", _("The line broke before the answer came")
    SENDER_GONE = "sender_gone", _("The sender stopped in the middle of handing over")
    DELIVERED = "delivered", _("A colleague found that it arrived")


def words(code: str) -> str:
    """Return the sentence of a reason; the code itself for one that a later version wrote."""
    return str(Reason(code).label) if code in Reason.values else code
