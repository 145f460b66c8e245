"""Tests that a person sends to themselves: what came of one, in words, whichever channel it took."""

from collections.abc import Callable

from django.contrib import messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.messaging.models import ChannelKind
from recoup.messaging.ports import LineTrouble, ParcelRefused
from recoup.messaging.previews import PreviewFailed, SendingNotSetUp, SendingSilenced, TestSend
from recoup.messaging.reasons import words as reason_words
from recoup.messaging.rendering.saving import TemplateRefused
from recoup.web.doors import StaffRequest
from recoup.web.parts import Words
from recoup.web.words.texts import SILENT

_MAIL: dict[str, Words] = {
    "not_set_up": gettext_lazy("Fill in the mail server and the sender first."),
    "trouble": gettext_lazy("The mail server could not be used: %(reason)s"),
    "taken": gettext_lazy("The mail server took the test: %(answer)s"),
    "refused": gettext_lazy("The mail server refused the test: %(answer)s"),
}
_SMS: dict[str, Words] = {
    "not_set_up": gettext_lazy("Fill in the provider and the sender first."),
    "trouble": gettext_lazy("The provider could not be used: %(reason)s"),
    "taken": gettext_lazy("The provider took the test: %(answer)s"),
    "refused": gettext_lazy("The provider refused the test: %(answer)s"),
}


def send_and_tell(request: StaffRequest, channel: str, send: Callable[[], TestSend]) -> bool:
    """Send a test and say what came of it; tell whether it was taken."""
    words = _SMS if channel == ChannelKind.SMS else _MAIL
    try:
        said = send()
    except SendingSilenced:
        messages.error(request, str(SILENT))
    except SendingNotSetUp:
        messages.error(request, str(words["not_set_up"]))
    except ParcelRefused as refused:
        messages.error(request, _refusal(channel, refused.reason))
    except LineTrouble as trouble:
        messages.error(request, words["trouble"] % {"reason": trouble.reason})
    except (TemplateRefused, PreviewFailed, KeyError):
        messages.error(request, _("The text has problems; save it to see them."))
    else:
        tell = messages.success if said.is_accepted else messages.error
        tell(request, words["taken" if said.is_accepted else "refused"] % {"answer": said.answer})
        return said.is_accepted
    return False


def _refusal(channel: str, reason: str) -> str:
    if channel == ChannelKind.EMAIL:
        return _("This is not one e-mail address.")
    return _("It was not sent: %(reason)s") % {"reason": reason_words(reason)}
