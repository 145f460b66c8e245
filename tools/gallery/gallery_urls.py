"""The few addresses that templates name; none of them is served."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

NAMES = (
    *("account_login", "account_logout", "account_reset_password", "account_change_password", "set_language"),
    *("mfa_authenticate", "mfa_index", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
    *("mfa_generate_recovery_codes", "mfa_download_recovery_codes"),
)


def nowhere(_request: HttpRequest) -> HttpResponse:
    """Answer nothing."""
    return HttpResponse(status=204)


urlpatterns = [path(f"{name}/", nowhere, name=name) for name in NAMES]
