"""Addresses of what keeps a shop running: settings, sources, texts, colleagues, the demo's mailbox."""

from django.urls import URLPattern, URLResolver, path

from recoup.web.views import demo, wizard

urlpatterns: list[URLPattern | URLResolver] = [
    path("ready/", wizard.ready, name="ready"),
    path("go-live/", wizard.go_live, name="go_live"),
    path("demo/mailbox/", demo.mailbox, name="demo_mailbox"),
    path("demo/mailbox/<int:mail_id>/", demo.mail, name="demo_mail"),
    path("demo/mailbox/<int:mail_id>/frame/", demo.mail_frame, name="demo_mail_frame"),
]
