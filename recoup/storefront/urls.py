"""Addresses of buyers' pages. A token may hold anything, so that whatever is no link gets the one answer for it."""

from django.urls import URLPattern, URLResolver, path

from recoup.storefront import pay, theme_view

app_name = "storefront"
urlpatterns: list[URLPattern | URLResolver] = [
    path("pay/<path:token>", pay.pay, name="pay"),
    path("s/<slug:slug>/theme.css", theme_view.theme, name="theme"),
]
