"""The page that a watchdog reads."""

from django.http import HttpRequest, JsonResponse


def health(request: HttpRequest) -> JsonResponse:
    """Answer that the web process is up."""
    return JsonResponse({"status": "ok"})
