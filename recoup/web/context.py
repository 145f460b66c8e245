"""What every staff page needs for its shell."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the values of the shell."""
    return {}
