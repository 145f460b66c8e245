"""Who hears which news, in the order of an order's life."""

from recoup.core.outbox import Routes
from recoup.customers import handlers as customers
from recoup.customers.events import ConsentChanged, CustomerMerged, TagsChanged
from recoup.desk import handlers as desk
from recoup.desk.events import TaskDone
from recoup.messaging.events import MessageClicked, MessageOpened, MessageSettled, PageVisited
from recoup.offers import handlers as offers
from recoup.offers.events import OfferDecided, OfferGranted, OfferRedeemed
from recoup.orders.events import CartChanged, OrderCancelled, OrderChanged, OrderPlaced
from recoup.payments.events import PaymentFailed, PaymentReceived, RefundMade, SessionEnded
from recoup.processes import handlers as processes
from recoup.processes.events import EnrolmentEnded, StatusWished, WebhookAnswered
from recoup.recovery import handlers as recovery
from recoup.recovery.events import RecoveryCaseClosed, RecoveryCaseOpened
from recoup.storefront import handlers as storefront

ROUTES: Routes = {
    CartChanged: (recovery.follow_changed_carts, processes.wake_carts, offers.follow_carts),
    OrderPlaced: (
        recovery.make_way_for_orders,
        processes.wake_carts_of_buyers,
        processes.enrol_buyers,
        offers.follow_coupons,
    ),
    OrderChanged: (
        recovery.follow_changed,
        processes.wake_changed,
        processes.enrol_swapped,
        offers.follow_coupons,
    ),
    OrderCancelled: (recovery.close_ended, processes.wake_cancelled, offers.follow_cancelled),
    RecoveryCaseOpened: (recovery.look_again, processes.enrol),
    OfferDecided: (processes.wake_offered,),
    OfferGranted: (offers.look_again,),
    OfferRedeemed: (),
    MessageSettled: (recovery.count_settled, processes.wake_settled),
    MessageOpened: (processes.wake_opened,),
    MessageClicked: (processes.wake_clicked,),
    PageVisited: (processes.wake_visited,),
    StatusWished: (processes.follow_wishes,),
    SessionEnded: (storefront.free_offers,),
    PaymentFailed: (recovery.follow_failed, processes.wake_failed, processes.enrol_failed),
    PaymentReceived: (
        recovery.close_paid,
        processes.wake_paid,
        processes.enrol_paid,
        # Behind the enrolments: a step of the engine, which holds them, locks tasks and budgets after them too.
        desk.call_off_paid,
        offers.confirm_payments,
    ),
    RefundMade: (recovery.subtract_refunds,),
    RecoveryCaseClosed: (processes.wake_closed,),
    ConsentChanged: (),
    TagsChanged: (processes.enrol_tagged,),
    CustomerMerged: (recovery.follow_merged, customers.follow_merged, processes.follow_merged),
    TaskDone: (processes.wake_task_done,),
    WebhookAnswered: (processes.wake_answered,),
    EnrolmentEnded: (processes.enrol_ended,),
}
