"""What is shown when something broke on our side: with a number that is in the log (reliability 4)."""

import secrets

from django.http import HttpRequest, HttpResponseServerError
from django.template import loader


def broken(request: HttpRequest) -> HttpResponseServerError:
    """Answer 500 without a trace. Reads neither the session nor the database: either may be what broke."""
    number = secrets.token_hex(4)
    request.error_number = number  # type: ignore[attr-defined]  # read by the log
    return HttpResponseServerError(loader.get_template("500.html").render({"number": number}))
