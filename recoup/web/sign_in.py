"""How people sign in: what django-allauth asks us."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.core.callers import client_address
from recoup.core.fields import cipher
from recoup.integrations.smtp.plain import MailNotSent, send_plain
from recoup.messaging.models import MailAccount
from recoup.shops.access import shops_of

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts are made by the wizard and by invitations only; mails go over the shop's own server."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's shape
        """Refuse strangers."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return where a call comes from, behind our own proxy too, so that limits count people and not the proxy."""
        return client_address(request)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the address of a reset link, built from the configured public address alone (T60)."""
        uid, _dash, rest = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": rest})
        return f"{settings.PUBLIC_URL}{path}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write to a person who works here; the page says the same whether or not anything could be sent."""
        user = context.get("user")
        if not isinstance(user, User):
            return
        account = _account_of(user)
        if account is None:
            log.error("sign_in.mail_impossible", user_id=user.pk)
            return
        with translation.override(user.language):
            subject = render_to_string(f"{template_prefix}_subject.txt", context)
            text = render_to_string(f"{template_prefix}_message.txt", context)
        try:
            send_plain(account, to=email, subject=subject, text=text)
        except MailNotSent as error:
            log.error("sign_in.mail_failed", user_id=user.pk, reason=str(error))


def _account_of(user: User) -> MailAccount | None:
    """Return the mail server of the first of a person's shops that has one."""
    with scopes_disabled():
        return (
            MailAccount.objects.filter(shop__in=shops_of(user))
            .exclude(host="")
            .exclude(from_email="")
            .order_by("shop_id")
            .first()
        )


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets of the second factor lie encrypted in the database."""

    def encrypt(self, text: str) -> str:
        """Encrypt with the installation's key, which lies outside of the database."""
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Undo `encrypt`, with any of the installation's keys."""
        return cipher().decrypt(encrypted_text.encode()).decode()
