"""Addresses of what keeps a shop running: settings, sources, texts, colleagues, the demo's mailbox."""

from django.urls import URLPattern, URLResolver, path

from recoup.web.views import checks, demo, mail, settings, wizard

urlpatterns: list[URLPattern | URLResolver] = [
    path("ready/", wizard.ready, name="ready"),
    path("go-live/", wizard.go_live, name="go_live"),
    path("demo/mailbox/", demo.mailbox, name="demo_mailbox"),
    path("demo/mailbox/<int:mail_id>/", demo.mail, name="demo_mail"),
    path("demo/mailbox/<int:mail_id>/frame/", demo.mail_frame, name="demo_mail_frame"),
    path("settings/", settings.index, name="settings"),
    path("settings/shop/", settings.shop_settings, name="shop_settings"),
    path("settings/waiting/", settings.waiting, name="waiting"),
    path("settings/waiting/method/", settings.add_waiting, name="add_waiting"),
    path("settings/limits/", settings.limits, name="limits"),
    path("settings/limits/quiet/", settings.quiet, name="quiet"),
    path("settings/mail/", mail.mail, name="mail"),
    path("settings/mail/test/", mail.mail_test, name="mail_test"),
    path("settings/mail/check/", mail.mail_check, name="mail_check"),
    path("settings/checks/", checks.checks, name="checks"),
    path("settings/checks/confirm/", checks.confirm, name="confirm_place"),
]
