"""The numbers that the engine writes into tables. They are stored: never renumber or reuse one."""

from enum import IntEnum, IntFlag


class State(IntEnum):
    """Where an enrolment stands. Waiting and ready ones always have a `run_at`; the last four are final."""

    WAITING = 1
    READY = 2
    PAUSED = 3
    COMPLETED = 8
    EXITED = 9
    FAILED = 10
    CANCELLED = 11


ACTIVE_STATES = (State.WAITING, State.READY)  # those with a `run_at`


class SubjectKind(IntEnum):
    """What an enrolment is about."""

    ORDER = 1
    CART = 2
    CONTACT = 3


class Priority(IntEnum):
    """Order of picking: what an event woke goes before timers, timers before bulk adds."""

    WOKEN = 0
    TIMER = 1
    BULK = 2


class Flag(IntFlag):
    """Bits of an enrolment. Bits 4 to 11 remember which goals a block has taken over (see `goal_bit`)."""

    HOLDOUT = 1  # walks the same graph, its effects are written as suppressed
    TEST = 2  # test mode: messages go to the owner and count nowhere
    ANCHORED = 4  # the next wait counts from the graph's anchor, not from entering
    HELD = 8  # a step was put off because a person or a promise holds the reminders
    SHOP_HOLDOUT = 1 << 12  # held out of everything in the shop; always together with HOLDOUT
    DATED = 1 << 13  # waits for a date that is read again: when it moves, the wait follows


MOST_GOALS = 8


def goal_bit(index: int) -> int:
    """Return the flag bit of the goal with this index."""
    return 16 << index


class Wake(IntFlag):
    """Event kinds that may move a waiting enrolment; a spurious wake does no harm."""

    PAID = 1 << 0
    CANCELLED = 1 << 1
    SUPERSEDED = 1 << 2
    CASE_CLOSED = 1 << 3
    ORDER_CHANGED = 1 << 4
    PAYMENT_FAILED = 1 << 5
    CART_CHANGED = 1 << 6
    CART_CONVERTED = 1 << 7
    CART_EMPTIED = 1 << 8
    MESSAGE_SETTLED = 1 << 9
    MESSAGE_OPENED = 1 << 10
    MESSAGE_CLICKED = 1 << 11
    HOLD_CHANGED = 1 << 12  # a promise to pay, a claim or a pause was set or lifted
    REPLIED = 1 << 13
    CONSENT_CHANGED = 1 << 14
    TASK_DONE = 1 << 15
    BOUGHT = 1 << 16  # the person paid for something, in whichever order
    WEBHOOK_ANSWERED = 1 << 18
    OFFER_DECIDED = 1 << 17  # an offer was granted or refused
    VISITED = 1 << 19  # the person came to a page of ours


class Refusal(IntEnum):
    """Why somebody who came to a process was not let in: one line of `processes_turned_away`."""

    CONDITION = 1  # the condition of the entry did not hold
    AGAIN = 2  # has been in it before, and it lets people in once
    INSIDE = 3  # is in it already, with something else
    GROUP = 4  # is in another process of the same group
    TOO_SOON = 5  # left it a short time ago
    UNKNOWN = 6  # nothing is known of the order, cart or person any more
    CHAIN = 7  # too many processes one after another have handed them on
    PAID = 8  # it was paid when it came: nobody is asked for an order that is paid at once
    CAUSE = 9  # a payment failed for a cause that the process does not ask for

    @property
    def word(self) -> str:
        """Return the key of the word that people read."""
        return f"process.refusal.{self.name.lower()}"


class Code(IntEnum):
    """Outcome of a step: one line of the decision ledger, or the end of the message that the line queued.

    The tens name the family: 1x done, 2x decided, 3x put off, 4x and 5x skipped, 6x and 7x failed, 8x
    uncertain, 9x, 10x and 11x the end of the enrolment, 12x care.
    """

    QUEUED = 10  # the message row of the same step tells how it ended
    SENT = 11
    SUPPRESSED = 12  # hold-out: would have been done
    STATUS_ASKED = 13
    TAGGED = 14
    TASK_MADE = 15
    WEBHOOK_ASKED = 16
    ENROLLED = 17  # put into another process as well

    OFFER_GRANTED = 18

    YES = 20
    NO = 21
    NOT_SENT = 22  # the message that the question is about never went out
    ROUNDS_OVER = 23
    SPLIT = 24  # the line's arm tells which way
    TASK_DONE = 25
    TASK_NOT_DONE = 26  # nobody did it in time
    TASK_DROPPED = 27  # somebody called it off

    OFFER_ORIGIN = 28  # the shop that the order comes from cannot apply it
    OFFER_ANOTHER = 29  # the person has another one that still counts
    OFFER_UNFIT = 19  # it does not fit the order, which is paid or closed, or nothing could be taken off

    DEFERRED_PROMISE = 30
    DEFERRED_HELD = 31  # a person has taken the order or paused its reminders
    DEFERRED_QUIET = 32
    DEFERRED_CAP = 33
    DEFERRED_SOURCE = 34  # the shop could not be asked

    DEFERRED_OUTRANKED = 36  # a message of higher rank gets the place
    DEFERRED_COST = 37  # the number or the day has had enough
    DEFERRED_QUOTA = 38  # the channel sends no more today
    DEFERRED_CHANNEL = 39  # another channel is tried

    SKIPPED_EXPIRED = 40
    SKIPPED_PAID = 41
    SKIPPED_CANCELLED = 42
    SKIPPED_SUPERSEDED = 43
    SKIPPED_CONVERTED = 44
    SKIPPED_EMPTIED = 45
    SKIPPED_CONSENT = 46
    SKIPPED_SUPPRESSION = 47
    SKIPPED_CAP = 48
    SKIPPED_NO_ADDRESS = 49
    SKIPPED_HELD = 50
    SKIPPED_STOPPED = 51  # the process is paused or stopped, or the enrolment has ended
    SKIPPED_SOURCE = 52
    SKIPPED_NOT_ENROLLED = 53  # the other process did not let them in; `processes_turned_away` says why
    SKIPPED_OUTRANKED = 57
    SKIPPED_COST = 58  # money, country or number forbid it
    SKIPPED_FLOOR = 54  # an offer that would go below the margin floor
    SKIPPED_BUDGET = 55
    SKIPPED_ABANDONER = 56  # no more discounts for this person
    SKIPPED_OTHER = 59  # the reason stands on the message

    FAILED_REFUSED = 60
    FAILED_RETRIES = 61
    FAILED_TEMPLATE = 62
    FAILED_WEBHOOK = 63  # no usable answer from the other server
    FAILED_COUPON = 64  # the shop that takes the payment made no coupon for the offer
    FAILED_OTHER = 69
    FAILED_LOOP = 70
    FAILED_ERROR = 71

    UNCERTAIN = 80

    COMPLETED = 90
    GOAL_PAID = 91
    GOAL_CANCELLED = 92
    GOAL_SUPERSEDED = 93
    GOAL_CONVERTED = 94
    GOAL_EMPTIED = 95
    GOAL_CASE_CLOSED = 96
    GOAL_OPENED = 97
    GOAL_CLICKED = 98
    LEFT_PRODUCT = 100  # the product for which somebody was let in is no longer in the order
    STOPPED_BY_HAND = 110
    STOPPED_PREEMPTED = 111
    STOPPED_ERASED = 112
    STOPPED_PROCESS = 113
    STOPPED_DOUBLE = 114  # had been in it before, as another record of the same person

    MIGRATED = 120  # moved to another version; the line's arm is the number of the one before
    STOPPED_MIGRATED = 121  # ended by a person, because the new version has no place for them

    @property
    def word(self) -> str:
        """Return the key of the word that people read, such as `process.outcome.skipped.expired`."""
        return f"process.outcome.{self.name.lower().replace('_', '.', 1)}"

    @property
    def is_deferral(self) -> bool:
        """Tell whether the step was put off and will come again."""
        return 30 <= self < 40

    @property
    def is_skip(self) -> bool:
        """Tell whether the step was left out for a reason."""
        return 40 <= self < 60

    @property
    def is_failure(self) -> bool:
        """Tell whether the step could not be done."""
        return is_failure(self)

    @property
    def is_exit(self) -> bool:
        """Tell whether the line ends the enrolment."""
        return 90 <= self < 120 or self in (Code.FAILED_LOOP, Code.FAILED_ERROR, Code.STOPPED_MIGRATED)


def is_failure(code: int) -> bool:
    """Tell whether this number of a code says that the step could not be done."""
    return 60 <= code < 80


def is_final(state: int) -> bool:
    """Tell whether an enrolment in this state is over."""
    return state >= State.COMPLETED
