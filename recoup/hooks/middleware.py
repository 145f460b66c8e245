"""A short way in for machines: calls at `/hooks/` need no session, no language and no form token."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

PREFIX = "/hooks/"
LARGEST_BODY = 1024 * 1024


class MachinesFirst:
    """Answers calls at `/hooks/` before everything that is there for people, which costs half of the time of a call.

    It stands behind what every answer needs (https, security headers) and before sessions. Whatever is added to
    `hooks.urls` is therefore open to the world and must check who calls.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a call of a machine; hand on everything else."""
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        match = resolve(request.path_info[len(PREFIX) - 1 :], "recoup.hooks.urls")
        request.resolver_match = match
        answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        answer.headers.setdefault("Content-Length", str(len(answer.content)))
        return answer
