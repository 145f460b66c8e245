"""The published JSON Schema of the generic webhook."""

import json
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from recoup.integrations.generic.contract import json_schema


@require_safe
def generic_schema(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django hands it in
    """Answer the JSON Schema of every body that the generic webhook understands."""
    return HttpResponse(_schema(), content_type="application/schema+json")


@cache
def _schema() -> str:
    return json.dumps(json_schema(), indent=2) + "\n"
