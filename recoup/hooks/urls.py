"""Addresses of webhooks."""

from django.urls import URLPattern, URLResolver, path

from recoup.hooks import channels, operators, schema, views

app_name = "hooks"
urlpatterns: list[URLPattern | URLResolver] = [
    path("operators/<str:key>", operators.receive_operator_call, name="operator"),
    path("channels/<str:key>/<str:what>", channels.receive_channel_call, name="channel"),
    path("schema.json", schema.generic_schema, name="schema"),
    path("<str:key>", views.receive, name="shop"),
]
