"""Addresses of buyers' pages. A token may hold anything, so that whatever is no link gets the one answer for it."""

from django.urls import URLPattern, URLResolver, path

from recoup.storefront import cart, controls, leaving, opened, pay, theme_view

app_name = "storefront"
urlpatterns: list[URLPattern | URLResolver] = [
    path("pay/<path:token>", pay.pay, name="pay"),
    path("cart/<path:token>", cart.cart, name="cart"),
    path("out/<path:token>", leaving.out, name="out"),
    path("paid/<path:token>", controls.paid, name="paid"),
    path("later/<path:token>", controls.later, name="later"),
    path("stop/<path:token>", controls.stop, name="stop"),
    path("why/<path:token>", controls.why, name="why"),
    path("o/<path:token>.gif", opened.opened, name="opened"),
    path("s/<slug:slug>/theme.css", theme_view.theme, name="theme"),
]
