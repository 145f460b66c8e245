"""Every address of the installation."""

from django.urls import URLPattern, URLResolver, include, path

from recoup.web import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health.health, name="health"),
    path("accounts/", include("recoup.web.account_urls")),
    path("hooks/", include("recoup.hooks.urls")),
    path("", include("recoup.storefront.urls")),
    path("", include("recoup.web.urls")),
]
handler500 = "recoup.web.views.broken.broken"
