"""Addresses of the staff screens. A shop's pages stand under `/s/<shop>/`; the person's own ones at the root."""

from django.urls import URLPattern, URLResolver, include, path

from recoup.web import doors
from recoup.web.views import demo, people, personal, wizard

urlpatterns: list[URLPattern | URLResolver] = [
    path("", doors.first_page, name="first_page"),
    path("start/", wizard.owner, name="wizard"),
    path("start/address/", wizard.address, name="public_address"),
    path("start/shop/", wizard.shop, name="new_shop"),
    path("preferences/", personal.preferences, name="preferences"),
    path("language/", personal.set_language, name="set_language"),
    path("join/<str:token>", people.join, name="join"),
    path("demo/clock/", demo.advance_clock, name="demo_clock"),
    path(
        "s/<slug:shop>/",
        include(
            (
                [path("", include("recoup.web.selling_urls")), path("", include("recoup.web.keeping_urls"))],
                "web",
            )
        ),
    ),
]
