"""Addresses of what keeps a shop running: settings, sources, texts, colleagues, the demo's mailbox."""

from django.urls import URLPattern, URLResolver, path

from recoup.web.views import checks, demo, intake, mail, people, settings, sources, texts, wizard

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
    path("settings/sources/", sources.sources, name="sources"),
    path("settings/sources/woocommerce/", sources.connect_woocommerce, name="connect_woocommerce"),
    path("settings/sources/webhook/", sources.connect_generic, name="connect_generic"),
    path("settings/sources/<int:source_id>/", sources.source, name="source"),
    path("settings/sources/<int:source_id>/change/", sources.source_change, name="source_change"),
    path("settings/intake/", intake.intake, name="intake"),
    path("settings/intake/retry/", intake.retry_all, name="intake_retry_all"),
    path("settings/intake/<int:item_id>/retry/", intake.retry, name="intake_retry"),
    path("settings/intake/<int:item_id>/aside/", intake.aside, name="intake_aside"),
    path("settings/people/", people.people, name="people"),
    path("settings/people/invite/", people.invite, name="invite"),
    path("settings/people/invited/<int:invitation_id>/", people.uninvite, name="uninvite"),
    path("settings/people/<int:membership_id>/", people.person, name="person"),
    path("settings/texts/", texts.texts, name="texts"),
    path("settings/texts/<str:key>/<str:locale>/", texts.text, name="text"),
    path("settings/texts/<str:key>/<str:locale>/preview/", texts.preview, name="text_preview"),
    path("settings/texts/<str:key>/<str:locale>/test/", texts.send_test, name="text_test"),
    path("settings/texts/<str:key>/<str:locale>/publish/", texts.publish, name="text_publish"),
    path("settings/checks/", checks.checks, name="checks"),
    path("settings/checks/confirm/", checks.confirm, name="confirm_place"),
]
