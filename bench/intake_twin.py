"""The twin of the webhook's door: a minimal Django view with one INSERT, on the same server behind the same middlewares.

Served by `granian bench.intake_twin:application`. It checks one HMAC over the raw body with one fixed secret and keeps the
body; it knows no sources, no timestamps, no rotation, no conflicts, no spool.
"""

import hashlib
import hmac
import os

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

SECRET = b"k" * 32
TABLE = "CREATE TABLE IF NOT EXISTS bench_minimal (event_id text PRIMARY KEY, raw bytea NOT NULL)"


@csrf_exempt
def minimal(request: HttpRequest) -> HttpResponse:
    """Check, keep, answer."""
    raw = request.body
    event_id = request.META.get("HTTP_WEBHOOK_ID", "")
    given = request.META.get("HTTP_X_SIGNATURE", "")
    if not hmac.compare_digest(hmac.new(SECRET, raw, hashlib.sha256).hexdigest(), given):
        return HttpResponse(status=401)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bench_minimal (event_id, raw) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [event_id, raw],
        )
    return HttpResponse(b"kept\n", content_type="text/plain")


def _application() -> object:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recoup.config.settings")
    from recoup.config.asgi import application as product  # local: django
    from recoup.hooks import urls  # local: django

    urls.urlpatterns.insert(0, path("minimal", minimal))
    return product


if os.environ.get("RECOUP_BENCH_SERVER"):
    application = _application()
