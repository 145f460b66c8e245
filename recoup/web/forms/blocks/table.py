"""The one table of the forms of blocks: a new kind is a module beside this one and a line here."""

from recoup.web.forms.blocks.base import BlockForm
from recoup.web.forms.blocks.condition import IfForm
from recoup.web.forms.blocks.endings import EndForm, GoalForm
from recoup.web.forms.blocks.enrol import EnrolForm
from recoup.web.forms.blocks.offer import OfferForm
from recoup.web.forms.blocks.order_status import OrderStatusForm
from recoup.web.forms.blocks.send import SendForm
from recoup.web.forms.blocks.split import SplitForm
from recoup.web.forms.blocks.tag import TagForm
from recoup.web.forms.blocks.task import TaskForm
from recoup.web.forms.blocks.until import UntilForm
from recoup.web.forms.blocks.wait import WaitForm
from recoup.web.forms.blocks.webhook import WebhookForm

FORMS: dict[str, type[BlockForm]] = {
    form.kind: form
    for form in (
        SendForm,
        WaitForm,
        UntilForm,
        IfForm,
        SplitForm,
        OfferForm,
        OrderStatusForm,
        TagForm,
        TaskForm,
        EnrolForm,
        WebhookForm,
        GoalForm,
        EndForm,
    )
}
