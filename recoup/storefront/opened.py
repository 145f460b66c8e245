"""The picture in a mail whose loading tells that it was opened, where the shop counts that."""

import base64

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from recoup.core.clock import trade_now
from recoup.messaging.tracking import is_machine_at_picture, record_opening

METHODS = ("GET", "HEAD")
# One point that cannot be seen: 43 bytes.
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")


@csrf_exempt
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Answer with the same picture whatever the token is, so that nothing can be learnt from it."""
    if request.method not in METHODS:
        return HttpResponse(status=405, headers={"Allow": ", ".join(METHODS), "Cache-Control": "no-store"})
    if request.method == "GET":
        record_opening(token, at=trade_now(), is_machine=is_machine_at_picture(request.headers))
    return HttpResponse(PICTURE, content_type="image/gif", headers={"Cache-Control": "no-store"})
