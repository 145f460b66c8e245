"""Addresses of webhooks."""

from django.urls import URLPattern, URLResolver, path

from recoup.hooks import operators

app_name = "hooks"
urlpatterns: list[URLPattern | URLResolver] = [
    path("operators/<str:key>", operators.receive_operator_call, name="operator"),
]
